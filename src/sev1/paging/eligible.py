"""Whom each step of a policy would ask at an instant, and why them and nobody else. Pure (missions 7.1, 7.3, 10.3).

conditions  a step whose `when` does not hold asks nobody
targets     who that is now, by the schedules (`oncall.resolve`)
own hours   by `hours_of: person`, those for whom the hours do not hold are passed over
round-robin who is away is passed over, who could not be reached lately comes last, else whose turn was longest ago
awake       those who are awake by their own clock come first
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog, EscalationPolicy, Step, When
from sev1.oncall.awake import wakefulness
from sev1.oncall.resolve import resolve
from sev1.oncall.schedule import Exceptions
from sev1.paging import model as m
from sev1.paging.hours import in_words, inside, local_day, local_time, next_opening

Taken = Mapping[tuple[str, int], Mapping[str, int]]
"""(policy, step) -> person -> number of the last turn; a higher number is later, who is missing had none."""


class Absent(Struct, frozen=True, kw_only=True):
    """Who is not to be asked in turn."""

    away: Mapping[str, str] = {}
    """By person on leave, until when: `on leave until Mon 09:00 Europe/Berlin`."""
    unreachable: AbstractSet[str] = frozenset()
    """Those whom lately no channel reached: they come last, and are asked only when nobody else is there."""


def eligible(
    policy: EscalationPolicy,
    catalog: Catalog,
    at: datetime,
    exceptions: Mapping[str, Exceptions],
    severity: str | None,
    taken: Taken | None = None,
    absent: Absent | None = None,
) -> tuple[m.Eligible, ...]:
    """For every step of `policy` whom a page of `severity` would ask at the instant `at`."""
    return tuple(
        _of_step(number, step, policy, catalog, at, exceptions, severity, taken or {}, absent or Absent())
        for number, step in enumerate(policy.steps)
    )


def _of_step(
    number: int,
    step: Step,
    policy: EscalationPolicy,
    catalog: Catalog,
    at: datetime,
    exceptions: Mapping[str, Exceptions],
    severity: str | None,
    taken: Taken,
    absent: Absent,
) -> m.Eligible:
    if step.when and (why := unmet(step.when, policy.time_zone, severity, at)):
        return m.Eligible(nobody=why)
    found = resolve(step.targets, catalog, at, exceptions, named_in=f"step {number + 1} of {policy.title}")
    people = [m.Paged(person=one.person, because=one.because) for one in found.recipients]
    passed: list[m.Paged] = []
    if step.when and step.when.hours and step.when.hours_of == "person":
        people, passed = _by_own_hours(step.when, people, catalog, at)
    if step.round_robin:
        turns = taken.get((policy.name, number), {})
        people, away = _in_turn(people, turns, absent)
        passed += away
    if not people:
        return m.Eligible(passed_over=tuple(passed), nobody=_nobody(found.nobody, passed))
    if step.prefer == "awake":
        awake, asleep = _awake_first(people, catalog, at)
        if step.round_robin:
            people = sorted(awake + asleep, key=lambda one: one.person in absent.unreachable)
        elif awake:
            return m.Eligible(people=tuple(awake), later=tuple(asleep), passed_over=tuple(passed))
        else:
            people = asleep
    return m.Eligible(people=tuple(people), passed_over=tuple(passed))


def unmet(when: When, zone: str, severity: str | None, at: datetime) -> str:
    """Why the condition does not hold, as a sentence; empty when it does. Without a severity the worst is assumed."""
    name = severity.upper() if severity else "a page without a severity counts as the worst, which"
    if when.severity_at_least and severity and severity > when.severity_at_least:
        return f"Only for {when.severity_at_least.upper()} and worse: this is {name}."
    if when.severity_at_most and (not severity or severity < when.severity_at_most):
        is_now = f"this is {name}" if severity else f"{name} is not mild"
        return f"Only for {when.severity_at_most.upper()} and milder: {is_now}."
    if when.hours and when.hours_of == "policy" and not inside(when.hours, zone, at):
        return f"Only {in_words(when.hours)} {zone}: it is {local_day(at, zone)}."
    return ""


def held_until(policy: EscalationPolicy, severity: str | None, at: datetime) -> tuple[datetime, str] | None:
    """Until when a page of `severity` may wait at the instant `at`, and why; None when it must not.

    SEV-0 and SEV-1 never wait, whatever the policy says, and neither does what has no severity.
    """
    hold = policy.hold
    if hold is None or not severity or severity < max(hold.severity_at_most, "sev-2"):
        return None
    if inside(hold.hours, policy.time_zone, at):
        return None
    until = next_opening(hold.hours, policy.time_zone, at)
    if until is None:
        return None
    why = (
        f"{severity.upper()} may wait until {local_day(until, policy.time_zone)}: it is outside {in_words(hold.hours)}."
    )
    return until, why


def _by_own_hours(
    when: When, people: Sequence[m.Paged], catalog: Catalog, at: datetime
) -> tuple[list[m.Paged], list[m.Paged]]:
    kept: list[m.Paged] = []
    passed: list[m.Paged] = []
    for one in people:
        zone = catalog.people[one.person].time_zone
        if inside(when.hours, zone, at):
            kept.append(one)
        else:
            because = f"{local_time(at, zone)}, asked only {in_words(when.hours)}"
            passed.append(m.Paged(person=one.person, because=because))
    return kept, passed


def _in_turn(
    people: Sequence[m.Paged], turns: Mapping[str, int], absent: Absent
) -> tuple[list[m.Paged], list[m.Paged]]:
    """The candidates, whose turn is longest ago first; ties in the order of the targets."""
    there = [one for one in people if one.person not in absent.away]
    away = [m.Paged(person=one.person, because=absent.away[one.person]) for one in people if one.person in absent.away]
    ordered = sorted(there, key=lambda one: turns.get(one.person, 0))
    reachable = [one for one in ordered if one.person not in absent.unreachable]
    silent = [one for one in ordered if one.person in absent.unreachable]
    if reachable:
        away += [m.Paged(person=one.person, because="could not be reached lately") for one in silent]
    return reachable + silent, away


def _awake_first(people: Sequence[m.Paged], catalog: Catalog, at: datetime) -> tuple[list[m.Paged], list[m.Paged]]:
    awake: list[m.Paged] = []
    asleep: list[m.Paged] = []
    for one in people:
        person = catalog.people[one.person]
        is_awake = wakefulness(person, at).awake
        word = "awake" if is_awake else "usually asleep"
        because = f"{one.because}; {word}: {local_time(at, person.time_zone)}"
        (awake if is_awake else asleep).append(m.Paged(person=one.person, because=because))
    return awake, asleep


def _nobody(reasons: Sequence[str], passed: Sequence[m.Paged]) -> str:
    if passed:
        return "Everybody of this step is passed over."
    text = "; ".join(reasons)
    return f"Nobody is on call for this step: {text}." if text else "Nobody is on call for this step."
