"""What must happen, worked out a second time from the documentation alone.

Nothing of the product's rules is used here: who is on call comes from a table of hand-overs made day by day, windows and
waking hours from minutes of the day, turns from a list. It judges every event of a page as it is committed.
"""

import bisect
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    Override,
    PersonTarget,
    Restriction,
    Schedule,
    ScheduleTarget,
    Step,
)
from sev1.oncall.model import Away
from tests.simulation.organisation import WEEKDAYS

MINUTE = timedelta(minutes=1)
_zones: dict[str, ZoneInfo] = {}


def _local(at: datetime, zone: str) -> datetime:
    info = _zones.get(zone) or _zones.setdefault(zone, ZoneInfo(zone))
    return at.astimezone(info)


class Handovers:
    """Who takes over when, for the whole time of a world."""

    def __init__(self, schedule: Schedule, until: date) -> None:
        rotation = schedule.rotation
        assert rotation is not None
        self.people = rotation.people
        self.gap_on_leave = schedule.on_leave == "gap"
        self.times: list[datetime] = []
        day = rotation.starts
        while rotation.every == "week" and WEEKDAYS[day.weekday()] != rotation.hand_over_on:
            day += timedelta(days=1)
        while day <= until:
            self.times.append(_first_at_or_after(datetime.combine(day, rotation.hand_over_at), schedule.time_zone))
            day += timedelta(days=1 if rotation.every == "day" else 7)

    def on_call(self, at: datetime, exceptions: Sequence[Override | Away]) -> str | None:
        away = {e.person for e in exceptions if isinstance(e, Away) and e.start <= at < e.end}
        for e in reversed(exceptions):
            if isinstance(e, Override) and e.start <= at < e.end and e.person not in away:
                return e.person
        turn = bisect.bisect_right(self.times, at) - 1
        in_line = [self.people[(turn + n) % len(self.people)] for n in range(len(self.people))]
        if in_line[0] in away and self.gap_on_leave:
            return None
        return next((person for person in in_line if person not in away), None)


def _first_at_or_after(wall: datetime, zone: str) -> datetime:
    at = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if _local(at, zone).replace(tzinfo=None) != wall:  # skipped: back to the end of the gap
        while _local(at - MINUTE, zone).replace(tzinfo=None) >= wall:
            at -= MINUTE
    return at


def within(windows: Sequence[Restriction], zone: str, at: datetime) -> bool:
    local = _local(at, zone)
    minute = local.hour * 60 + local.minute
    for window in windows:
        begin, end = (t.hour * 60 + t.minute for t in (window.start, window.end))
        length = (end - begin) % 1440 or 1440
        for ago in (0, 1):
            if WEEKDAYS[(local.weekday() - ago) % 7] in window.days and 0 <= minute + ago * 1440 - begin < length:
                return True
    return False


class Expected(Struct):
    first: list[str]
    later: list[str] = []


class Oracle:
    def __init__(self, catalog: Catalog, until: datetime) -> None:
        self.catalog = catalog
        self.handovers = {name: Handovers(s, until.date()) for name, s in catalog.schedules.items()}
        self.turns: dict[tuple[str, int], list[str]] = {}
        """Everybody who ever took a turn, the latest last."""

    def asks(
        self,
        policy: EscalationPolicy,
        number: int,
        severity: str | None,
        at: datetime,
        exceptions: Mapping[str, Sequence[Override | Away]],
        on_leave: Sequence[str],
        lately_silent: Sequence[str],
        silent_here: Sequence[str],
    ) -> Expected:
        """Whom the step asks; nobody when it is skipped."""
        step = policy.steps[number]
        if not self._condition_holds(step, policy, severity, at):
            return Expected([])
        people = self._targets(step, at, exceptions)
        if step.when and step.when.hours and step.when.hours_of == "person":
            people = [p for p in people if within(step.when.hours, self.catalog.people[p].time_zone, at)]
        awake = [p for p in people if self._awake(p, at)]
        if not step.round_robin:
            if step.prefer == "awake" and awake:
                return Expected(awake, [p for p in people if p not in awake])
            return Expected(people)
        past = self.turns.get((policy.name, number), [])
        there = [p for p in people if p not in on_leave and p not in silent_here]

        def rank(person: str) -> tuple[bool, bool, int]:
            last = max((n for n, p in enumerate(past, 1) if p == person), default=0)
            return person in lately_silent, step.prefer == "awake" and person not in awake, last

        return Expected([min(there, key=rank)] if there else [])

    def took_turn(self, policy: EscalationPolicy, number: int, person: str) -> None:
        past = self.turns.setdefault((policy.name, number), [])
        if person in past:
            past.remove(person)
        past.append(person)

    def must_wait(self, policy: EscalationPolicy, severity: str | None, at: datetime) -> datetime | None:
        """Until when the page may wait for office hours, to the quarter of an hour."""
        if policy.hold is None or severity is None or severity in {"sev-0", "sev-1"}:
            return None
        if severity < policy.hold.severity_at_most or within(policy.hold.hours, policy.time_zone, at):
            return None
        at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        while not within(policy.hold.hours, policy.time_zone, at):
            at += 15 * MINUTE
        return at

    @staticmethod
    def wait_s(step: Step, severity: str | None) -> int:
        own = {"sev-1": 30, "sev-4": 1200} if step.wait_s_by_severity else {}
        return own.get(severity or "", step.wait_s)

    def _condition_holds(self, step: Step, policy: EscalationPolicy, severity: str | None, at: datetime) -> bool:
        when = step.when
        if when is None:
            return True
        rank = int(severity[-1]) if severity else -1
        if when.severity_at_least and rank > int(when.severity_at_least[-1]):
            return False
        if when.severity_at_most and rank < int(when.severity_at_most[-1]):
            return False
        return not when.hours or when.hours_of == "person" or within(when.hours, policy.time_zone, at)

    def _targets(self, step: Step, at: datetime, exceptions: Mapping[str, Sequence[Override | Away]]) -> list[str]:
        people: list[str] = []
        for target in step.targets:
            if isinstance(target, PersonTarget):
                people.append(target.name)
            elif isinstance(target, ScheduleTarget):
                person = self.handovers[target.name].on_call(at, exceptions.get(target.name, ()))
                people += [person] if person else []
            else:
                people += self.catalog.teams[target.name].members
        return list(dict.fromkeys(people))

    def _awake(self, name: str, at: datetime) -> bool:
        person = self.catalog.people[name]
        local = _local(at, person.time_zone)
        minute = local.hour * 60 + local.minute
        begin, end = (t.hour * 60 + t.minute for t in (person.awake.start, person.awake.end))
        return (minute - begin) % 1440 < ((end - begin) % 1440 or 1440)


def successor(policy: EscalationPolicy, place: tuple[int, int]) -> tuple[int, int] | None:
    steps = len(policy.steps)
    n = place[1] * steps + place[0] + 1
    return (n % steps, n // steps) if n < steps * (policy.repeat + 1) else None
