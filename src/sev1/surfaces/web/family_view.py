"""The incidents around one as its page shows them. Pure (missions 1.5, 15.5)."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.rollup import RollUp, Standing, roll_up
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import Line


class KinRow(Struct, frozen=True, kw_only=True):
    standing: Standing
    commander: str
    """Their name."""
    needs: tuple[str, ...]
    """`N2 a DBA`, those raised to the parent marked."""

    @property
    def stage_title(self) -> str:
        return m.STAGE_TITLES[self.standing.stage]  # type: ignore[index]  # a stage by what it is


class FamilyView(Struct, frozen=True, kw_only=True):
    parent: KinRow | None
    children: tuple[KinRow, ...]
    summary: str
    """`2 open, worst SEV-1, 1 late`; empty without children."""
    open_children: tuple[str, ...]
    """Right under it and open: they hold up its end."""
    raisable: tuple[Line, ...]
    """Needs of its own that its parent does not know of."""


def family_view(incident: m.Incident, around: Sequence[m.Incident], catalog: Catalog, now: datetime) -> FamilyView:
    rolled = roll_up(incident.key, around, now)
    return FamilyView(
        parent=_row(rolled.parent, catalog) if rolled.parent else None,
        children=tuple(_row(one, catalog) for one in rolled.children),
        summary=_summary(rolled),
        open_children=tuple(one.id for one in rolled.children if one.level == 1 and one.status == "open"),
        raisable=tuple(
            Line(label=f"raise {need.ref}", line=f"/raise {need.ref}")
            for need in incident.needs.values()
            if incident.family.parent
            and incident.is_open
            and need.is_open
            and need.number not in incident.family.raised
        ),
    )


def _row(standing: Standing, catalog: Catalog) -> KinRow:
    return KinRow(
        standing=standing,
        commander=name_of(catalog, standing.commander),
        needs=tuple(
            f"{need.ref} {need.text}{' (raised)' if need.number in standing.raised else ''}" for need in standing.needs
        ),
    )


def _summary(rolled: RollUp) -> str:
    if not rolled.children:
        return ""
    if not rolled.open:
        return "none open"
    worst = f", worst {rolled.worst.upper()}" if rolled.worst else ""
    late = f", {rolled.late} late" if rolled.late else ""
    return f"{rolled.open} open{worst}{late}"
