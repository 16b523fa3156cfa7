"""Years of paging under faults, in seconds. A failure names its seed, and `python -m bench.simulation --seed N` replays it.

The last tests break one rule each and expect the simulation to notice: a check that cannot fail shows nothing.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sev1.engine.decider import Fact
from sev1.paging import model as m
from sev1.paging import steps
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import eligible
from sev1.paging.fix import FixDue, WatchFix
from tests.simulation import world as world_module
from tests.simulation.world import YEAR_S, World

SEEDS = range(1, 21)
QUARTER_S = YEAR_S / 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_of_paging_loses_doubles_and_misdirects_nothing(seed: int):
    """`World.run` judges every commit; what it finds wrong it raises."""
    world = World(seed).run()
    assert world.seen["pages"] > 100
    assert world.judge.started > 50


def test_a_year_that_nobody_has_seen_before_is_right_as_well():
    seed = random.SystemRandom().randrange(1_000_000, 1_000_000_000)
    print(f"seed {seed}: replay it with `python -m bench.simulation --seed {seed}`")
    World(seed).run()


def test_the_years_hold_every_kind_of_fault_and_every_part_of_a_policy():
    """Otherwise the tests above would say nothing about it."""
    seen: set[str] = set()
    events: set[str] = set()
    for seed in SEEDS:
        world = World(seed, QUARTER_S).run()
        seen |= {what for what, count in world.seen.items() if count}
        for fact in (fact for facts in world.facts.values() for fact in facts):
            events.add(type(fact.event).__name__)
            if isinstance(fact.event, m.StepStarted):
                events |= {"widens"} if fact.event.widens else set()
                events |= {"later"} if fact.event.later else set()
                events |= {one.because.split(",")[0] for one in fact.event.passed_over}
    assert seen >= {"deaths", "stalls", "outages", "failed attempts", "unreachable", "slept on", "schedule changes"}
    assert events >= {"PageHeld", "StepSkipped", "PageUnattended", "PageSnoozed", "PageReassigned", "PolicyExhausted"}
    assert seen >= {"fixes that helped", "fixes that did not help"}
    assert events >= {"widens", "later", "on leave", "could not be reached lately", "AlertsJoined"}


def test_a_seed_replays_to_the_same_events():
    first, second = World(7, QUARTER_S).run(), World(7, QUARTER_S).run()
    assert first.facts == second.facts
    assert first.facts != {}


# --- broken rules -----------------------------------------------------------------------------------------------------


class Broken(PageAggregate):
    """The rules with one fault: `fault(decide, state, command, now, by)` stands for `decide`."""

    def __init__(self, fault: Callable[..., list[m.PageEvent]]) -> None:
        self._fault = fault

    def decide(self, state: m.Page, command: m.PageCommand, now: Any, by: Any) -> list[m.PageEvent]:
        return self._fault(super().decide, state, command, now, by)


def each_start(change: Callable[[m.StepStarted], list[m.PageEvent]]) -> Callable[..., list[m.PageEvent]]:
    def fault(decide: Any, *given: Any) -> list[m.PageEvent]:
        events = decide(*given)
        return [out for e in events for out in (change(e) if isinstance(e, m.StepStarted) else [e])]

    return fault


def pages_after_the_acknowledgement(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    if isinstance(command, m.EscalationDue) and state.status == "acknowledged":
        state = replace(state, status="triggered", next_at=command.due)
    return decide(state, command, now, by)


def drops_a_step(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    if isinstance(command, m.EscalationDue) and state.policy and state.step + 2 < len(state.policy.steps):
        state = replace(state, step=state.step + 1)
    return decide(state, command, now, by)


def loses_the_page(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    return [] if isinstance(command, m.EscalationDue) else decide(state, command, now, by)


def gives_up_early(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    events = decide(state, command, now, by)
    return [m.PolicyExhausted()] if isinstance(command, m.EscalationDue) and events else events


def waits_on_for_the_unreachable(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    events = decide(state, command, now, by)
    return events[:1] if isinstance(command, m.ReportUnreachable) else events


def acts_on_late_timers(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    if isinstance(command, m.EscalationDue) and state.status == "triggered":
        command = replace(command, due=state.next_at)
    return decide(state, command, now, by)


def forgets_the_fix(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    return [] if isinstance(command, FixDue) else decide(state, command, now, by)


def believes_every_fix(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    return decide(state, replace(command, alerts=()) if isinstance(command, FixDue) else command, now, by)


def takes_old_signals_for_new(decide: Any, state: m.Page, command: Any, now: Any, by: Any) -> list[m.PageEvent]:
    return decide(state, replace(command, alerts=()) if isinstance(command, WatchFix) else command, now, by)


def asks_somebody_else(event: m.StepStarted) -> list[m.PageEvent]:
    asked = {paged.person for paged in event.people}
    other = next(name for name in ("ana", "bo", "cem", "dee", "eve", "fay", "nobody") if name not in asked)
    return [replace(event, people=(m.Paged(person=other, because="b"), *event.people[1:]))] if other != "nobody" else []


RULES: dict[str, tuple[Callable[..., list[m.PageEvent]], str]] = {
    "pages after the acknowledgement": (pages_after_the_acknowledgement, "somebody has the page and it pages on"),
    "drops a step": (drops_a_step, "started (2, 0), expected (1, 0)"),
    "starts a step twice": (each_start(lambda e: [e, e]), "two steps started at once"),
    "asks somebody else": (each_start(asks_somebody_else), "expected"),
    "leaves one of several out": (each_start(lambda e: [replace(e, people=e.people[-1:])]), "expected"),
    "forgets those who sleep": (each_start(lambda e: [replace(e, later=())]), "then []"),
    "is a second late": (
        each_start(lambda e: [replace(e, next_at=e.next_at and e.next_at + timedelta(seconds=1))]),
        "next at",
    ),
    "gives no reason": (
        each_start(lambda e: [replace(e, people=tuple(replace(p, because="") for p in e.people))]),
        "no reason is given",
    ),
    "loses the page": (loses_the_page, "something was due and nothing followed"),
    "gives up early": (gives_up_early, "gave up before"),
    "waits on for the unreachable": (waits_on_for_the_unreachable, "something was due and nothing followed"),
    "forgets the fix": (forgets_the_fix, "nobody hears whether it helped"),
    "believes every fix": (believes_every_fix, "FixHelped, but alerts go on"),
    "takes old signals for new": (takes_old_signals_for_new, "FixDidNotHelp, but alerts are quiet"),
    "acts on late timers": (acts_on_late_timers, "too early"),
}


def noticed(make: Callable[[int], World]) -> str:
    """What the first seed says that notices; empty when none does."""
    for seed in SEEDS:
        try:
            make(seed).run()
        except AssertionError as found:
            return str(found)
    return ""


@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_is_noticed(name: str):
    fault, said = RULES[name]
    assert said in noticed(lambda seed: World(seed, QUARTER_S, Broken(fault)))


def without_conditions(policy: Any, *given: Any) -> Any:
    return eligible(replace(policy, steps=tuple(replace(s, when=None) for s in policy.steps)), *given)


def without_preference(policy: Any, *given: Any) -> Any:
    return eligible(replace(policy, steps=tuple(replace(s, prefer=None) for s in policy.steps)), *given)


def without_turns(policy: Any, catalog: Any, at: Any, exceptions: Any, severity: Any, taken: Any, absent: Any) -> Any:
    return eligible(policy, catalog, at, exceptions, severity, {}, absent)


def without_absence(policy: Any, catalog: Any, at: Any, exceptions: Any, severity: Any, taken: Any, absent: Any) -> Any:
    return eligible(policy, catalog, at, exceptions, severity, taken, None)


def without_overrides(policy: Any, catalog: Any, at: Any, exceptions: Any, *given: Any) -> Any:
    return eligible(policy, catalog, at, {}, *given)


def an_hour_off(policy: Any, catalog: Any, at: Any, *given: Any) -> Any:
    return eligible(policy, catalog, at + timedelta(hours=1), *given)


@pytest.mark.parametrize(
    "fault",
    [without_conditions, without_preference, without_turns, without_absence, without_overrides, an_hour_off],
    ids=lambda fault: fault.__name__,
)
def test_choosing_the_wrong_people_is_noticed(fault: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(world_module, "eligible", fault)
    assert noticed(lambda seed: World(seed, QUARTER_S))


def test_holding_what_must_not_wait_is_noticed(monkeypatch: pytest.MonkeyPatch):
    right = steps.held_until
    monkeypatch.setattr(steps, "held_until", lambda policy, _severity, at: right(policy, "sev-5", at))
    assert noticed(lambda seed: World(seed, QUARTER_S))


def test_waking_for_what_may_wait_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(steps, "held_until", lambda *_: None)
    assert noticed(lambda seed: World(seed, QUARTER_S))


class LeavesNoticesInTheOutbox(World):
    def cancel(self, key: str) -> None:
        """An answer takes nothing back."""


class TellsTwice(World):
    def enqueue(self, key: str, person: str) -> None:
        super().enqueue(key, person)
        super().enqueue(key, person)


class TellsNobody(World):
    def enqueue(self, key: str, person: str) -> None:
        if self.rng.random() < 0.99:
            super().enqueue(key, person)


class HidesRepeats(World):
    def _record(self, row: Any, claim: int, outcome: Any) -> None:
        row.arrived = [False for _ in row.arrived]
        super()._record(row, claim, outcome)


class ForgetsTimers(World):
    def _replace_timers(self, key: str, wanted: Any) -> None:
        super()._replace_timers(key, {} if self.rng.random() < 0.01 else wanted)


class RemembersMore(PageAggregate):
    """Its state depends on something beside the events."""

    def evolve(self, state: m.Page, fact: Fact[m.PageEvent]) -> m.Page:
        return replace(super().evolve(state, fact), title=str(random.random()))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (LeavesNoticesInTheOutbox, "sent after the answer"),
        (TellsTwice, "too many"),
        (TellsNobody, "missing"),
        (HidesRepeats, "a repeat was not marked"),
        (ForgetsTimers, "is forgotten"),
    ],
)
def test_a_broken_database_or_worker_is_noticed(kind: type[World], said: str):
    assert said in noticed(lambda seed: kind(seed, QUARTER_S))


def test_a_projection_that_differs_from_its_events_is_noticed():
    said = noticed(lambda seed: World(seed, QUARTER_S, RemembersMore()))
    assert "what is projected is not what is recorded" in said
