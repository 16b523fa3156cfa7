"""What will happen to a page when nobody answers: the rules themselves, run ahead. Pure (missions 5.6, 7.3).

Nothing here decides anything, so the forecast cannot differ from what the timers will do, as long as schedules,
overrides and turns stay as they are.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.engine.decider import TIMER, Fact
from sev1.oncall.schedule import Exceptions
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import Absent, Taken, eligible

MOST = 40
"""Entries of a plan; a policy of twenty steps repeated twenty times would have more than anybody reads."""
_PAGES = PageAggregate()


class Planned(Struct, frozen=True, kw_only=True):
    """One thing that will happen, unless somebody answers before."""

    at: datetime
    kind: Literal["asks", "skips", "holds", "ends"]
    """`holds`: nobody is asked until `until`; `ends`: nobody is left to ask, and the organisation is told."""
    step: int | None = None
    """Index into the policy's steps."""
    round: int = 0
    people: tuple[m.Paged, ...] = ()
    passed_over: tuple[m.Paged, ...] = ()
    until: datetime | None = None
    """When the next entry is due."""
    reason: str = ""


def plan_of(
    policy: EscalationPolicy,
    catalog: Catalog,
    now: datetime,
    exceptions: Mapping[str, Exceptions],
    severity: str | None,
    *,
    page: m.Page | None = None,
    taken: Taken | None = None,
    absent: Absent | None = None,
    most: int = MOST,
) -> tuple[Planned, ...]:
    """What happens from `now` on when nobody answers, in order, at most `most` entries.

    Without `page` it is that of a page of `severity` that would open now; with one it goes on from where that stands.
    """
    turns = {place: dict(people) for place, people in (taken or {}).items()}

    def who(at: datetime) -> tuple[m.Eligible, ...]:
        return eligible(policy, catalog, at, exceptions, severity, turns, absent)

    found: list[Planned] = []
    if page is None:
        state = _PAGES.initial("P-0")
        command: m.PageCommand = m.Open(title="", group_key="", policy=policy, why="", severity=severity, who=who(now))
        state = _step(state, command, now, policy, turns, found)
    else:
        state = page
    at = now
    while len(found) < most and (due := min(_PAGES.timers(state).items(), key=lambda one: one[1], default=None)):
        at = max(at, due[1])
        timer = _PAGES.timer_command(*due)
        if isinstance(timer, m.EscalationDue | m.UnattendedDue | m.SnoozeDue):
            timer = replace(timer, who=who(at))
        state = _step(state, timer, at, policy, turns, found)
    return tuple(found[:most])


def _step(
    state: m.Page,
    command: m.PageCommand,
    at: datetime,
    policy: EscalationPolicy,
    turns: dict[tuple[str, int], dict[str, int]],
    found: list[Planned],
) -> m.Page:
    for event in _PAGES.decide(state, command, at, TIMER):
        state = _PAGES.evolve(state, Fact(version=0, at=at, by=TIMER, event=event))
        found += _planned(event, at)
        if isinstance(event, m.StepStarted) and policy.steps[event.step].round_robin:
            mine = turns.setdefault((policy.name, event.step), {})
            mine[event.people[0].person] = 1 + max(mine.values(), default=0)
    return state


def _planned(event: m.PageEvent, at: datetime) -> Iterator[Planned]:
    match event:
        case m.StepStarted():
            yield Planned(
                at=at,
                kind="asks",
                step=event.step,
                round=event.round,
                people=event.people,
                passed_over=event.passed_over,
                until=event.next_at,
                reason=event.reason,
            )
        case m.StepSkipped():
            yield Planned(
                at=at,
                kind="skips",
                step=event.step,
                round=event.round,
                passed_over=event.passed_over,
                reason=event.reason,
            )
        case m.PageHeld():
            yield Planned(
                at=at, kind="holds", step=event.step, round=event.round, until=event.until, reason=event.reason
            )
        case m.PolicyExhausted():
            yield Planned(at=at, kind="ends", reason="Nobody is left to ask; the organisation is told.")
        case _:
            return
