"""May this visitor see that incident? The one place that answers for a signed-in account (mission 3.3).

Being an administrator opens nothing that is restricted: one is in it, or one breaks the glass, on the record.
"""

from sev1.access.model import Principal
from sev1.catalog.model import Catalog
from sev1.command.sight import NOBODY, SHELL, Sight


def sight_of(principal: Principal, catalog: Catalog) -> Sight:
    """What `principal` sees: as the person of the catalog that the account is, else as the account.

    A token is nobody but itself: one that is named like a person is in no incident.
    """
    match principal.kind:
        case "operator":
            return SHELL
        case "user":
            person = catalog.person_by_email(principal.name)
            return Sight(me=person.name if person else principal.name, opened=principal.opened)
        case "token":
            named_like_somebody = principal.name in catalog.people or "@" in principal.name or principal.name == "sev1"
            return Sight(me="" if named_like_somebody else principal.name, opened=principal.opened)
        case _:
            return NOBODY
