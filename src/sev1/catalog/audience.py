"""Who is told how an incident goes, each in their own rhythm and over their own channels (mission 9.2). Pure."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Annotated

from msgspec import Meta, Struct, field

from sev1.catalog.contact import ContactMethod
from sev1.catalog.problems import Finding

INTERNAL = "internal"
"""The audience that is always there: told by the organisation's `announce`, in the severity's `update_every_min`."""
DEFAULT_EVERY_MIN = 30
"""When neither the audience nor the severity says how often (mission 9.2)."""

AudienceName = Annotated[
    str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$(?!\n)", description="lower-case name")
]
Rhythm = dict[Annotated[str, Meta(pattern=r"^sev-[0-5]$(?!\n)")], Annotated[int, Meta(ge=5, le=1440)]]


class Audience(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody outside the response who is promised news."""

    name: AudienceName
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    announce: Annotated[tuple[ContactMethod, ...], Meta(max_length=20)] = ()
    """Where updates to them go; nothing: they are told by hand, and the record says when."""
    update_every_min: Rhythm = field(default_factory=dict)
    """By severity, how often they are told. Incidents of these severities promise them a first update at once."""

    def every_min(self, severity: str, of_severity: int | None) -> int:
        """How long after an update the next one is promised; `of_severity` is the severity's own rhythm."""
        return self.update_every_min.get(severity) or of_severity or DEFAULT_EVERY_MIN

    def promised_from_start(self, severity: str) -> bool:
        """Whether their clock runs from the declaration on. One whom nothing reaches is promised nothing by itself."""
        return bool(self.announce) and severity in self.update_every_min


SHIPPED: tuple[Audience, ...] = (
    Audience(name="executives", title="Executives"),
    Audience(name="customers", title="Customers"),
)
"""What an organisation has that names none."""


def faults(organisation: str, audiences: tuple[Audience, ...], severities: AbstractSet[str]) -> Iterator[Finding]:
    """A name that is taken, or a severity that is not in use."""
    seen: set[str] = set()
    for index, audience in enumerate(audiences):
        path = ("audiences", index)
        if audience.name == INTERNAL:
            message = f'audience "{INTERNAL}" is there already: the people of the response.'
            fix = "Say where they are told in `announce`, and how often in the `update_every_min` of each severity."
            yield Finding(kind="organisation", name=organisation, path=(*path, "name"), message=message, fix=fix)
        elif audience.name in seen:
            message = f'audience "{audience.name}" is written twice.'
            fix = "Keep one, or give the other a name of its own."
            yield Finding(kind="organisation", name=organisation, path=(*path, "name"), message=message, fix=fix)
        seen.add(audience.name)
        for severity in sorted(audience.update_every_min.keys() - severities):
            message = f'audience "{audience.name}" has a rhythm for {severity.upper()}, which is not in use.'
            fix = f"Add the severity (`kind: severity`, `name: {severity}`), or take the line out."
            where = (*path, "update_every_min", severity)
            yield Finding(kind="organisation", name=organisation, path=where, message=message, fix=fix)
