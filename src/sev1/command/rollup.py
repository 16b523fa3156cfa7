"""A family of incidents at one glance, for whoever commands the commanders. Pure (missions 1.5, 15.5)."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from sev1.command import model as m
from sev1.command.parts.needs import Need


class Standing(Struct, frozen=True, kw_only=True):
    """How one incident of a family stands."""

    id: str
    parent: str | None
    level: int
    """0 is the incident that was asked about, 1 what is right under it; -1 its parent."""
    title: str
    status: str
    severity: str
    stage: str
    commander: str
    condition: str
    """Of the latest CAN update; empty before the first."""
    condition_at: datetime | None
    needs: tuple[Need, ...]
    """What is open."""
    raised: tuple[int, ...]
    """The numbers of those open ones that were raised to its parent."""
    next_update_at: datetime | None
    update_late: bool
    late_tasks: int

    @property
    def is_late(self) -> bool:
        return self.update_late or self.late_tasks > 0


class RollUp(Struct, frozen=True, kw_only=True):
    parent: Standing | None
    children: tuple[Standing, ...]
    """Everything under it: each followed by what is under that; open and worst first among neighbours."""
    open: int
    late: int
    """How many of the open ones owe an update or the report of a task."""
    worst: str | None
    """The worst severity of those that are open."""


def roll_up(key: str, around: Iterable[m.Incident], now: datetime) -> RollUp:
    """`around` is the parent of `key` and everything under it, in any order."""
    by_key = {incident.key: incident for incident in around if incident.key != key}
    under: dict[str | None, list[m.Incident]] = {}
    for incident in by_key.values():
        under.setdefault(incident.family.parent, []).append(incident)
    children = tuple(_under(key, 1, under, now))
    above = next((incident for incident in by_key.values() if key in incident.family.children), None)
    open_ones = [one for one in children if one.status == "open"]
    return RollUp(
        parent=_standing(above, -1, now) if above else None,
        children=children,
        open=len(open_ones),
        late=sum(one.is_late for one in open_ones),
        worst=min((one.severity for one in open_ones), default=None),
    )


def _under(key: str, level: int, under: Mapping[str | None, list[m.Incident]], now: datetime) -> Iterable[Standing]:
    for incident in sorted(under.get(key, ()), key=lambda one: (not one.is_open, one.severity, _number(one.key))):
        yield _standing(incident, level, now)
        yield from _under(incident.key, level + 1, under, now)


def _standing(incident: m.Incident, level: int, now: datetime) -> Standing:
    needs = tuple(need for need in incident.needs.values() if need.is_open)
    due = incident.next_update_at
    return Standing(
        id=incident.key,
        parent=incident.family.parent,
        level=level,
        title=incident.title,
        status=incident.status,
        severity=incident.severity,
        stage=incident.stage,
        commander=incident.commander,
        condition=incident.update.condition if incident.update else "",
        condition_at=incident.update.at if incident.update else None,
        needs=needs,
        raised=tuple(need.number for need in needs if need.number in incident.family.raised),
        next_update_at=due,
        update_late=incident.is_open and due is not None and due <= now,
        late_tasks=sum(task.is_open and task.due_at <= now for task in incident.tasks.values())
        if incident.is_open
        else 0,
    )


def _number(key: str) -> int:
    return int(key.removeprefix("INC-"))
