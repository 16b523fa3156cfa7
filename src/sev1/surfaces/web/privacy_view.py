"""Who sees a restricted incident, for its page. Pure."""

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.surfaces.actor import name_of


class Insider(Struct, frozen=True, kw_only=True):
    person: str
    name: str
    roles: str
    """Titles of the roles that let them in; empty for whoever was admitted and can be removed."""


def insiders(incident: m.Incident, catalog: Catalog) -> tuple[Insider, ...]:
    """Nobody while it is not restricted: then everybody sees it."""
    if not incident.privacy.restricted:
        return ()
    return tuple(
        Insider(
            person=person,
            name=name_of(catalog, person),
            roles=", ".join(m.ROLE_TITLES[role] for role, held in incident.roles.items() if person in held),
        )
        for person in incident.insiders
    )
