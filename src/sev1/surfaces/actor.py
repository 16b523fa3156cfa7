"""Who acts: the account that is signed in, as the person of the catalog if it is one."""

from sev1.access.model import Principal
from sev1.catalog.model import Catalog
from sev1.engine.decider import Actor, Via


def actor_of(principal: Principal, catalog: Catalog, via: Via) -> Actor:
    """An account whose email is a person's acts as that person; others act under their email or token name."""
    person = catalog.person_by_email(principal.name) if principal.kind == "user" else None
    if person:
        return Actor(id=person.name, name=person.full_name, via=via)
    return Actor(id=principal.name, name=principal.display or principal.name, via=via)


def name_of(catalog: Catalog, identity: str) -> str:
    """The name to show for a person's short name or an account's email."""
    person = catalog.people.get(identity) or catalog.person_by_email(identity)
    return person.full_name if person else identity
