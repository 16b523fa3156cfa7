"""Who outside the response was told what, and when they hear next, as the page shows it. Pure (mission 9.2)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.audience import INTERNAL
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import Line


class ClockRow(Struct, frozen=True, kw_only=True):
    title: str
    said: str
    """The condition of the latest update to them; empty while there was none."""
    by: str
    posted_at: datetime | None
    due_at: datetime | None
    lines: tuple[Line, ...]


class ClocksView(Struct, frozen=True, kw_only=True):
    rows: tuple[ClockRow, ...]
    """Audiences that were told or promised something; who hears next first."""
    choices: tuple[tuple[str, str], ...]
    """Name and title of whom an update may be for."""
    late: ClockRow | None
    """Whose promise has been broken for the longest time."""


def clocks_view(incident: m.Incident, catalog: Catalog, now: datetime) -> ClocksView:
    titles = {one.name: one.title for one in catalog.organisation.audiences}
    rows = [
        ClockRow(
            title=titles.get(audience, audience),
            said=clock.said,
            by=name_of(catalog, clock.posted_by) if clock.posted_by else "",
            posted_at=clock.posted_at,
            due_at=clock.due_at,
            lines=(
                Line(label="update", line=f"/can for {audience}: "),
                Line(label="promise", line=f"/promise {audience} in "),
            )
            if incident.is_open
            else (),
        )
        for audience, clock in incident.clocks.items()
        if audience != INTERNAL and (clock.posted_at or clock.due_at)
    ]
    rows.sort(key=lambda row: (row.due_at is None, row.due_at))
    late = [row for row in rows if row.due_at and row.due_at <= now]
    return ClocksView(
        rows=tuple(rows),
        choices=((INTERNAL, "Those who work on it"), *titles.items()),
        late=late[0] if late else None,
    )
