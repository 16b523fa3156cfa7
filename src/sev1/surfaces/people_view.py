"""How long everybody has worked in an incident, for page and API. Pure (mission 10.1).

How tired somebody is, and why, is for the Incident Commander and for themselves; others see the hours and the breaks.
"""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.fatigue import Fatigue, Limits, fatigue, is_at_work
from sev1.command.parts.pace import Stint, Successor
from sev1.oncall.awake import wakefulness
from sev1.surfaces.actor import name_of

TIREDNESS = {"fresh": 0, "tiring": 1, "tired": 2}


class AtWork(Struct, frozen=True, kw_only=True):
    person: str
    name: str
    roles: tuple[str, ...]
    """Titles: several hats are shown as such."""
    since: datetime
    local: str
    """`03:14 in Europe/Berlin`; empty for who is not in the catalog."""
    asleep: bool
    """Whether they usually are, at this time."""
    break_until: datetime | None
    cover: str
    """Name of who covers."""
    level: str = ""
    """`fresh`, `tiring` or `tired`; empty for whom it does not concern."""
    reasons: tuple[str, ...] = ()
    successors: tuple[Successor, ...] = ()
    """Of a commander who was proposed to hand over: who could take it."""


def at_work(incident: m.Incident, catalog: Catalog, me: str, now: datetime) -> tuple[AtWork, ...]:
    """Everybody who works in it now, the most tired first, as far as `me` may know. Nobody once it is over."""
    if not incident.is_open:
        return ()
    found = [
        (tired, _row(incident, catalog, person, stint, tired, me, now))
        for person, stint in incident.pace.stints.items()
        if person in catalog.people and is_at_work(incident, person, now)
        for tired in (how_tired(incident, catalog, person, now),)
    ]
    if me == incident.commander:
        found.sort(key=lambda one: -TIREDNESS[one[0].level])
    return tuple(row for _, row in found)


def how_tired(incident: m.Incident, catalog: Catalog, person: str, now: datetime) -> Fatigue:
    severity = catalog.severities.get(incident.severity)
    limits = Limits(command_h=severity.command_hours, break_every_h=severity.break_every_h) if severity else Limits()
    awake = wakefulness(catalog.people[person], now).awake
    return fatigue(incident.pace.stints[person], now, limits, awake=awake)


def _row(
    incident: m.Incident, catalog: Catalog, person: str, stint: Stint, tired: Fatigue, me: str, now: datetime
) -> AtWork:
    sleep = wakefulness(catalog.people[person], now)
    concerns = me in {person, incident.commander}
    return AtWork(
        person=person,
        name=name_of(catalog, person),
        roles=tuple(m.ROLE_TITLES[role] for role, holders in incident.roles.items() if person in holders),
        since=stint.since,
        local=sleep.because.partition(",")[0],
        asleep=not sleep.awake,
        break_until=stint.break_until,
        cover=name_of(catalog, stint.cover) if stint.cover else "",
        level=tired.level if concerns else "",
        reasons=tired.reasons if concerns else (),
        successors=stint.successors if concerns else (),
    )
