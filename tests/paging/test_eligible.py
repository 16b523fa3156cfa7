"""Whom a step asks: conditions, own hours, turns, who is awake; and what may wait for office hours."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    Hold,
    Person,
    PersonTarget,
    Restriction,
    Step,
    WaitBySeverity,
    When,
)
from sev1.engine.decider import SYSTEM
from sev1.engine.decider import Fact as Recorded
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import Absent, eligible, held_until
from sev1.paging.hours import next_opening

NIGHT = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
"""A Monday; 12:14 in Tokyo."""
OFFICE = Restriction(days=("monday", "tuesday", "wednesday", "thursday", "friday"), start=time(9, 0), end=time(17, 0))
PAGES = PageAggregate()


def person(name: str, zone: str = "Europe/Berlin") -> Person:
    address = f"{name}@shop.test"
    return Person(name=name, full_name=name, email=address, time_zone=zone, contact=(EmailMethod(address=address),))


CATALOG = Catalog(people={p.name: p for p in (person("ana"), person("bo"), person("fumiko", "Asia/Tokyo"))})


def step(*names: str, **given: Any) -> Step:
    return Step(targets=tuple(PersonTarget(name=name) for name in names), **given)


def policy(*steps: Step, **given: Any) -> EscalationPolicy:
    return EscalationPolicy(name="p", title="P", steps=steps, **given)


def asked(given: EscalationPolicy, severity: str | None = "sev-1", **more: Any) -> m.Eligible:
    return eligible(given, CATALOG, NIGHT, {}, severity, **more)[0]


def names(people: tuple[m.Paged, ...]) -> list[str]:
    return [one.person for one in people]


@pytest.mark.parametrize(
    ("when", "severity", "why"),
    [
        (When(severity_at_least="sev-2"), "sev-1", ""),
        (When(severity_at_least="sev-2"), None, ""),
        (When(severity_at_least="sev-2"), "sev-3", "Only for SEV-2 and worse: this is SEV-3."),
        (When(severity_at_most="sev-3"), "sev-4", ""),
        (When(severity_at_most="sev-3"), "sev-2", "Only for SEV-3 and milder: this is SEV-2."),
        (When(hours=(OFFICE,)), "sev-1", "Only Mon–Fri 09:00–17:00 UTC: it is Mon 03:14 UTC."),
    ],
)
def test_a_step_whose_condition_does_not_hold_asks_nobody_and_says_why(when: When, severity: str | None, why: str):
    found = asked(policy(step("ana", when=when)), severity)
    assert names(found.people) == ([] if why else ["ana"])
    if why:
        assert found.nobody == why


def test_by_their_own_hours_those_who_are_not_at_work_are_passed_over():
    found = asked(policy(step("ana", "fumiko", when=When(hours=(OFFICE,), hours_of="person"))))
    assert names(found.people) == ["fumiko"]
    assert found.passed_over == (m.Paged(person="ana", because="04:14 in Berlin, asked only Mon–Fri 09:00–17:00"),)


def test_who_is_awake_is_asked_first_and_the_others_later():
    found = asked(policy(step("ana", "fumiko", prefer="awake")))
    assert (names(found.people), names(found.later)) == (["fumiko"], ["ana"])
    assert "awake: 12:14 in Tokyo" in found.people[0].because


def test_when_nobody_is_awake_all_are_asked_at_once():
    found = asked(policy(step("ana", "bo", prefer="awake")))
    assert (names(found.people), found.later) == (["ana", "bo"], ())


def test_turns_go_to_whoever_had_theirs_longest_ago():
    turning = policy(step("ana", "bo", "fumiko", round_robin=True))
    assert names(asked(turning).people) == ["ana", "bo", "fumiko"]
    taken = {("p", 0): {"ana": 2, "bo": 1}}
    assert names(asked(turning, taken=taken).people) == ["fumiko", "bo", "ana"]


def test_whoever_is_away_or_unreachable_misses_the_turn_and_the_reason_is_kept():
    absent = Absent(away={"ana": "on leave until Mon 09:00 Europe/Berlin"}, unreachable={"bo"})
    found = asked(policy(step("ana", "bo", "fumiko", round_robin=True)), absent=absent)
    assert found.people[0].person == "fumiko"
    assert {one.person: one.because for one in found.passed_over} == {
        "ana": "on leave until Mon 09:00 Europe/Berlin",
        "bo": "could not be reached lately",
    }


class Night:
    """A page over time: what each command leads to."""

    def __init__(self, given: EscalationPolicy, severity: str | None) -> None:
        self.policy, self.now, self.version = given, NIGHT, 0
        self.state = PAGES.initial("P-1")
        self.opened = self.run(
            m.Open(title="t", group_key="g", policy=given, why="r", severity=severity, who=self.who(severity))
        )

    def who(self, severity: str | None) -> tuple[m.Eligible, ...]:
        return eligible(self.policy, CATALOG, self.now, {}, severity)

    def run(self, command: Any) -> list[m.PageEvent]:
        events = PAGES.decide(self.state, command, self.now, SYSTEM)
        for event in events:
            self.version += 1
            self.state = PAGES.evolve(self.state, Recorded(version=self.version, at=self.now, by=SYSTEM, event=event))
        return events

    def wait(self) -> list[m.PageEvent]:
        assert self.state.next_at is not None
        self.now = self.state.next_at
        return self.run(m.EscalationDue(due=self.now, who=self.who(self.state.severity)))


def test_a_skipped_step_is_on_the_record_with_its_reason():
    night = Night(policy(step("ana", when=When(severity_at_least="sev-1")), step("bo")), "sev-3")
    (_, skipped, started) = night.opened
    assert isinstance(skipped, m.StepSkipped)
    assert skipped.reason == "Only for SEV-1 and worse: this is SEV-3."
    assert isinstance(started, m.StepStarted)
    assert names(started.people) == ["bo"]


def test_the_wait_may_depend_on_the_severity():
    waiting = policy(step("ana", wait_s=300, wait_s_by_severity=WaitBySeverity(sev_1=30)))
    for severity, seconds in (("sev-1", 30), ("sev-2", 300), (None, 300)):
        night = Night(waiting, severity)
        assert night.state.next_at is not None
        assert (night.state.next_at - NIGHT).total_seconds() == seconds


def test_those_who_sleep_are_asked_after_half_of_the_wait():
    night = Night(policy(step("ana", "fumiko", prefer="awake", wait_s=300), step("bo")), "sev-1")
    (started,) = night.wait()
    assert isinstance(started, m.StepStarted)
    assert (names(started.people), started.widens, started.reason) == (["ana"], True, "Nobody who is awake answered.")
    assert (night.now - NIGHT).total_seconds() == 150
    (following,) = night.wait()
    assert isinstance(following, m.StepStarted)
    assert names(following.people) == ["bo"]
    assert (night.now - NIGHT).total_seconds() == 300


def test_between_two_rounds_there_may_be_a_pause():
    night = Night(policy(step("ana", wait_s=60), repeat=1, pause_s=600), "sev-1")
    (held,) = night.wait()
    assert isinstance(held, m.PageHeld)
    (started,) = night.wait()
    assert isinstance(started, m.StepStarted)
    assert (started.round, (night.now - NIGHT).total_seconds()) == (1, 660)


def test_what_is_mild_waits_for_office_hours_and_a_sev_1_never_does():
    holding = policy(step("ana"), hold=Hold(hours=(OFFICE,)), time_zone="Europe/Berlin")
    night = Night(holding, "sev-3")
    held = night.opened[-1]
    assert isinstance(held, m.PageHeld)
    assert held.until == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    (started,) = night.wait()
    assert isinstance(started, m.StepStarted)
    for severity in ("sev-0", "sev-1", "sev-2", None):
        assert isinstance(Night(holding, severity).opened[-1], m.StepStarted)
        assert held_until(holding, severity, NIGHT) is None


def test_a_worse_alert_ends_the_waiting():
    night = Night(policy(step("ana"), hold=Hold(hours=(OFFICE,))), "sev-3")
    events = night.run(m.JoinAlerts(count=1, summary="s", severity="sev-1", who=night.who("sev-1")))
    assert any(isinstance(event, m.StepStarted) for event in events)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (
            datetime(2026, 3, 27, 18, 0, tzinfo=UTC),
            datetime(2026, 3, 30, 7, 0, tzinfo=UTC),
        ),  # over the change to summer
        (datetime(2026, 10, 23, 18, 0, tzinfo=UTC), datetime(2026, 10, 26, 8, 0, tzinfo=UTC)),  # and back
    ],
)
def test_office_hours_begin_at_the_wall_time_on_both_sides_of_a_clock_change(at: datetime, opens: datetime):
    assert next_opening((OFFICE,), "Europe/Berlin", at) == opens
