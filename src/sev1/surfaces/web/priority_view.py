"""How fast it is wanted, as the incident's page shows it. Pure (mission 1.4)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.parts.priority import MEANS, follows
from sev1.surfaces.actor import name_of


class PriorityView(Struct, frozen=True, kw_only=True):
    label: str
    means: str
    is_set: bool
    """Whether somebody said so; otherwise it follows the severity."""
    reason: str
    by: str
    at: datetime | None
    follows: str
    """What the severity would have it."""
    choices: tuple[tuple[int, str], ...]


def priority_view(incident: m.Incident, catalog: Catalog) -> PriorityView:
    level, said = incident.priority_level, incident.priority
    return PriorityView(
        label=f"P{level}",
        means=MEANS[level],
        is_set=said.level is not None,
        reason=said.reason,
        by=name_of(catalog, said.by) if said.by else "",
        at=said.at,
        follows=f"P{follows(incident.severity)}",
        choices=tuple((choice, f"P{choice}: {means}") for choice, means in MEANS.items()),
    )
