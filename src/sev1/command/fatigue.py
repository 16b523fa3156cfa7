"""The fatigue clock: who is getting tired, why, and when a break and a hand-over are due (missions 10.1, 10.3). Pure.

Counted is what is known: hours in this incident, hours without a break, the time on the responder's own clock, and how often
they were paged before. The limits are the severity's (`command_h`, `break_every_h` in the catalog).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sev1.command import model as m
from sev1.command.parts import pace as p
from sev1.engine.decider import TIMER, Fact

Level = Literal["fresh", "tiring", "tired"]
WARN = timedelta(minutes=30)
"""So long before the limit a hand-over is proposed."""
EVERY = timedelta(hours=1)
"""Looked at at least so often."""
NIGHT_FROM = timedelta(hours=1)
"""Work at a time when one usually sleeps tires from here on."""
PAGES_TIRE = 3
"""Pages in a day that tire somebody; the same number in a week of nights."""
REASONS_TIRE = 3
"""So many reasons to be tiring at once are reason enough to be tired."""
OFFERED_MOST = 3
"""Successors that are named."""
_NOT_PEOPLE = frozenset({"timer", "triage", "system"})


class Limits(Struct, frozen=True, kw_only=True):
    command_h: int = 4
    """Hours after which somebody should not work in such an incident without a rest, and hands over command."""
    break_every_h: int = 2


class Fatigue(Struct, frozen=True, kw_only=True):
    level: Level
    reasons: tuple[str, ...]


def fatigue(stint: p.Stint, now: datetime, limits: Limits, *, awake: bool) -> Fatigue:
    """How tired somebody has to be taken for. `awake`: whether they usually are at this time, by their own clock."""
    limit, worked = timedelta(hours=limits.command_h), now - stint.since
    tiring: list[str] = []
    tired: list[str] = []
    if worked >= limit:
        tired.append(f"{spell(worked)} in this incident; the limit is {limits.command_h} h")
    elif worked >= limit / 2:
        tiring.append(f"{spell(worked)} in this incident")
    if not awake and worked >= NIGHT_FROM:
        (tired if worked >= limit / 2 else tiring).append("usually asleep at this time")
    if stint.pages_24h >= PAGES_TIRE:
        tiring.append(f"paged {stint.pages_24h} times in a day")
    if stint.night_pages_7d >= PAGES_TIRE:
        tiring.append(f"woken {stint.night_pages_7d} times in a week")
    if now - stint.rested_at >= timedelta(hours=limits.break_every_h) and not stint.break_until:
        tiring.append(f"no break for {spell(now - stint.rested_at)}")
    level: Level = "tired" if tired or len(tiring) >= REASONS_TIRE else "tiring" if tiring else "fresh"
    return Fatigue(level=level, reasons=(*tired, *tiring))


def check(state: m.Incident, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    """What is due to be proposed now, and when to look again."""
    if state.pace.check_at is None or state.pace.check_at > now:
        return []
    limits = Limits(command_h=known.command_h, break_every_h=known.break_every_h)
    conditions = {one.person: one for one in known.conditions}
    checked = p.PaceChecked(next_at=now, conditions=known.conditions)
    pace = p.evolve(state.pace, Fact(version=0, at=now, by=TIMER, event=checked))
    events: list[m.IncidentEvent] = []
    due: list[datetime] = [now + EVERY]
    for person, stint in pace.stints.items():
        if person not in conditions or not is_at_work(state, person, now):
            continue
        rest_at = stint.rested_at + timedelta(hours=limits.break_every_h)
        if stint.break_until is None and rest_at <= now and (stint.break_proposed_at or stint.since) <= stint.rested_at:
            worked = now - stint.rested_at
            events.append(p.BreakProposed(person=person, worked_min=int(worked.total_seconds() // 60)))
        due.append(rest_at)
        if person == state.commander and stint.commands_since:
            limit_at = stint.since + timedelta(hours=limits.command_h)
            due += [limit_at - WARN, limit_at]
            tired = fatigue(stint, now, limits, awake=conditions[person].awake)
            events += _handover(stint, person, tired, limit_at, known, now)
    next_at = min(moment for moment in due if moment > now)
    return [*events, replace(checked, next_at=next_at)]


def _handover(
    stint: p.Stint, person: str, tired: Fatigue, limit_at: datetime, known: m.Known, now: datetime
) -> list[p.HandoverProposed]:
    past = now >= limit_at
    if not (past or now >= limit_at - WARN or tired.level == "tired") or stint.handover_proposed >= 1 + past:
        return []
    because = "; ".join(tired.reasons) or f"{spell(now - stint.since)} in this incident"
    found = successors(known.fresh, person)
    return [p.HandoverProposed(person=person, because=because, successors=found, past=past)]


def successors(people: Iterable[p.Fresh], but: str) -> tuple[p.Successor, ...]:
    """Who could take command, the best first: those for whom it is day, in the order in which they come into question."""
    there = sorted((one for one in people if one.person != but), key=lambda one: not one.awake)
    return tuple(
        p.Successor(person=one.person, because=", ".join(filter(None, (one.local, one.role))))
        for one in there[:OFFERED_MOST]
    )


def is_at_work(state: m.Incident, person: str, now: datetime) -> bool:
    """Holds a role, or did something lately."""
    stint = state.pace.stints.get(person)
    held = any(person in holders for holders in state.roles.values())
    return held or (stint is not None and now - stint.last_at <= p.AWAY)


def follow(before: m.Incident, after: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    """What an event means for the clocks: who worked, who commands, and that at the end nobody has to."""
    pace = after.pace
    if isinstance(fact.event, m.IncidentDeclared | m.IncidentReopened):
        pace = replace(pace, check_at=fact.at + p.FIRST_CHECK)
    elif before.is_open and not after.is_open:
        ended = {name: replace(one, break_until=None, cover="") for name, one in pace.stints.items()}
        pace = p.Pace(stints=ended)
    if isinstance(fact.event, m.RoleAssigned):
        pace = p.worked(pace, fact.event.person, fact.at, has_a_role=fact.event.person in _holders(before))
    if fact.by.via not in _NOT_PEOPLE:
        pace = p.worked(pace, fact.by.id, fact.at, has_a_role=fact.by.id in _holders(after))
    commander = after.commander if after.is_open else None
    if commander != (before.commander if before.is_open else None):
        pace = p.commands(pace, commander, fact.at)
    return after if pace == after.pace else replace(after, pace=pace)


def _holders(state: m.Incident) -> set[str]:
    return {name for holders in state.roles.values() for name in holders}


def spell(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return (
        f"{minutes // 60} h {minutes % 60} min"
        if minutes % 60 and minutes >= 60
        else (f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min")
    )
