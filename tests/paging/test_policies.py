"""What a policy can say: conditions, turns, who is awake, waits by severity, office hours, pauses; and that it says why."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import (
    Awake,
    Catalog,
    EscalationPolicy,
    Hold,
    Person,
    PersonTarget,
    Restriction,
    Rotation,
    Schedule,
    ScheduleTarget,
    Step,
    Team,
    TeamTarget,
    WaitBySeverity,
    When,
)
from sev1.engine.decider import TIMER, Actor, Fact
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import Absent, eligible, held_until
from sev1.paging.hours import in_words, inside, next_opening
from sev1.paging.plan import plan_of
from sev1.paging.playbook import escalates

MONDAY_3AM = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)  # 04:14 in Berlin, 12:14 in Tokyo
PAGES = PageAggregate()
ANA = Actor(id="ana", name="Ana", via="web")
OFFICE = (Restriction(days=("monday", "tuesday", "wednesday", "thursday", "friday"), start=time(9), end=time(17)),)


def person(name: str, zone: str, **more: Any) -> Person:
    mail = EmailMethod(address=f"{name}@x.test")
    return Person(name=name, full_name=name.title(), email=mail.address, time_zone=zone, contact=(mail,), **more)


PEOPLE = {
    "ana": person("ana", "Europe/Berlin"),
    "bo": person("bo", "Asia/Tokyo"),
    "cem": person("cem", "America/New_York"),
}
ON_CALL = Schedule(
    name="primary", title="Primary", rotation=Rotation(people=("cem",), starts=date(2026, 1, 5)), time_zone="UTC"
)
CATALOG = Catalog(
    people=PEOPLE,
    teams={"all": Team(name="all", title="All", members=("ana", "bo", "cem"))},
    schedules={"primary": ON_CALL},
)


def named(*names: str, **more: Any) -> Step:
    return Step(targets=tuple(PersonTarget(name=name) for name in names), **more)


def policy(*steps: Step, **more: Any) -> EscalationPolicy:
    return EscalationPolicy(
        **{"name": "p", "title": "P", "steps": steps, "repeat": 0, "time_zone": "Europe/Berlin"} | more
    )


class Run:
    """A page under `policy`, with everything looked up as it would be."""

    def __init__(
        self, given: EscalationPolicy, severity: str | None = "sev-2", now: datetime = MONDAY_3AM, **world: Any
    ) -> None:
        self.policy, self.now, self.world = given, now, world
        self.state = PAGES.initial("P-1")
        self.events: list[m.PageEvent] = []
        self.do(m.Open(title="t", group_key="g", policy=given, why="r", severity=severity, who=self.who(severity)))

    def who(self, severity: str | None) -> tuple[m.Eligible, ...]:
        return eligible(self.policy, CATALOG, self.now, {}, severity, **self.world)

    def do(self, command: m.PageCommand, by: Actor = ANA) -> list[m.PageEvent]:
        events = PAGES.decide(self.state, command, self.now, by)
        for event in events:
            self.state = PAGES.evolve(self.state, Fact(version=1, at=self.now, by=by, event=event))
        self.events = events
        return events

    def wait(self) -> list[m.PageEvent]:
        """Until the escalation is due."""
        due = PAGES.timers(self.state)["escalate"]
        self.now = due
        return self.do(m.EscalationDue(due=due, who=self.who(self.state.severity)), TIMER)

    @property
    def asked(self) -> list[str]:
        return [p.person for e in self.events if isinstance(e, m.StepStarted) for p in e.people]

    @property
    def skipped(self) -> list[str]:
        return [e.reason for e in self.events if isinstance(e, m.StepSkipped)]


# --- conditions ---


def test_a_step_for_bad_severities_only_is_skipped_for_a_mild_one_and_says_so():
    given = policy(named("ana", when=When(severity_at_least="sev-1")), named("bo"))
    run = Run(given, "sev-3")
    assert run.skipped == ["Only for SEV-1 and worse: this is SEV-3."]
    assert run.asked == ["bo"]
    assert Run(given, "sev-0").asked == ["ana"]


def test_a_step_for_mild_severities_only_is_skipped_for_a_bad_one():
    given = policy(named("ana", when=When(severity_at_most="sev-3")), named("bo"))
    assert Run(given, "sev-2").skipped == ["Only for SEV-3 and milder: this is SEV-2."]
    assert Run(given, "sev-4").asked == ["ana"]


def test_without_a_severity_the_worst_is_assumed():
    assert Run(policy(named("ana", when=When(severity_at_least="sev-0")), named("bo")), None).asked == ["ana"]
    assert Run(policy(named("ana", when=When(severity_at_most="sev-5")), named("bo")), None).asked == ["bo"]


def test_a_step_of_office_hours_is_skipped_at_night_by_the_clock_of_the_policy():
    run = Run(policy(named("ana", when=When(hours=OFFICE)), named("bo")))
    assert run.skipped == ["Only Mon–Fri 09:00–17:00 Europe/Berlin: it is Mon 04:14 Europe/Berlin."]
    assert run.asked == ["bo"]
    assert Run(policy(named("ana", when=When(hours=OFFICE)), time_zone="Asia/Tokyo")).asked == ["ana"]


def test_hours_of_the_person_leave_out_those_whose_own_clock_says_no():
    run = Run(policy(named("ana", "bo", when=When(hours=OFFICE, hours_of="person"))))
    assert run.asked == ["bo"]
    (started,) = [e for e in run.events if isinstance(e, m.StepStarted)]
    assert started.passed_over == (m.Paged(person="ana", because="04:14 in Berlin, asked only Mon–Fri 09:00–17:00"),)


def test_when_a_condition_leaves_nobody_the_organisation_is_told():
    run = Run(policy(named("ana", when=When(severity_at_least="sev-0"))), "sev-3")
    assert run.events[-1] == m.PolicyExhausted()


# --- waits ---


def test_a_severity_may_wait_less():
    given = policy(named("ana", wait_s=300, wait_s_by_severity=WaitBySeverity(sev_1=30)), named("bo"))
    assert Run(given, "sev-1").state.next_at == MONDAY_3AM + timedelta(seconds=30)
    assert Run(given, "sev-2").state.next_at == MONDAY_3AM + timedelta(seconds=300)
    assert Run(given, None).state.next_at == MONDAY_3AM + timedelta(seconds=300)


def test_between_two_rounds_the_policy_may_pause():
    run = Run(policy(named("ana", wait_s=60), repeat=1, pause_s=600))
    run.wait()
    (held,) = run.events
    assert isinstance(held, m.PageHeld)
    assert held.until == run.now + timedelta(seconds=600)
    assert run.wait()
    assert run.asked == ["ana"]
    assert run.state.round == 1


def test_whoever_escalates_does_not_wait_for_the_pause():
    run = Run(policy(named("ana", wait_s=60), named("bo", wait_s=60), repeat=1, pause_s=600))
    run.wait()
    run.wait()
    run.do(m.EscalateTo(who=run.who("sev-2")))
    assert run.asked == ["ana"]


# --- who is awake ---


def test_those_who_are_awake_are_asked_first_and_the_page_says_why():
    run = Run(policy(named("ana", "bo", wait_s=300, prefer="awake"), named("cem")))
    (started,) = [e for e in run.events if isinstance(e, m.StepStarted)]
    assert [p.person for p in started.people] == ["bo"]
    assert started.people[0].because == "named in step 1 of P; awake: 12:14 in Tokyo"
    assert started.later[0].because == "named in step 1 of P; usually asleep: 04:14 in Berlin"


def test_the_others_are_asked_after_half_of_the_wait_and_the_first_are_not_asked_twice():
    run = Run(policy(named("ana", "bo", wait_s=301, prefer="awake"), named("cem")))
    assert run.state.next_at == MONDAY_3AM + timedelta(seconds=150)
    run.wait()
    assert run.asked == ["ana"]
    assert [p.person for p in run.state.people] == ["bo", "ana"]
    assert run.state.next_at == MONDAY_3AM + timedelta(seconds=301)
    run.wait()
    assert run.asked == ["cem"]


def test_when_nobody_is_awake_all_are_asked_at_once():
    run = Run(policy(named("ana", "cem", prefer="awake")))
    assert run.asked == ["ana", "cem"]


def test_the_waking_hours_of_the_catalog_count():
    owl = person("ana", "Europe/Berlin", awake=Awake(start=time(20), end=time(5)))
    people = PEOPLE | {"ana": owl}
    catalog = msgspec.structs.replace(CATALOG, people=people)
    (here,) = eligible(policy(named("ana", "cem", prefer="awake")), catalog, MONDAY_3AM, {}, "sev-2")
    assert [p.person for p in here.people] == ["ana"]


def test_when_those_awake_cannot_be_reached_the_others_are_asked_at_once():
    run = Run(policy(named("ana", "bo", wait_s=300, prefer="awake"), named("cem")))
    run.do(m.ReportUnreachable(person="bo", error="x", who=run.who("sev-2")), TIMER)
    assert run.asked == ["ana"]


def test_an_acknowledgement_in_the_first_half_lets_the_others_sleep():
    run = Run(policy(named("ana", "bo", wait_s=300, prefer="awake")))
    due = PAGES.timers(run.state)["escalate"]
    run.do(m.Acknowledge())
    assert run.do(m.EscalationDue(due=due, who=run.who("sev-2")), TIMER) == []


# --- turns ---


def test_of_a_round_robin_one_is_asked_whose_turn_was_longest_ago():
    given = policy(named("ana", "bo", "cem", round_robin=True))
    assert Run(given).asked == ["ana"]
    assert Run(given, taken={("p", 0): {"ana": 7, "bo": 3}}).asked == ["cem"]
    assert Run(given, taken={("p", 0): {"ana": 7, "bo": 3, "cem": 8}}).asked == ["bo"]
    assert Run(given, taken={("other", 0): {"ana": 7}}).asked == ["ana"]


def test_a_team_takes_turns_among_its_members():
    given = policy(Step(targets=(TeamTarget(name="all"),), round_robin=True))
    assert Run(given, taken={("p", 0): {"ana": 1}}).asked == ["bo"]


def test_whoever_is_on_leave_is_passed_over_with_the_reason():
    absent = Absent(away={"ana": "on leave until Mon 09:00 Europe/Berlin"})
    run = Run(policy(named("ana", "bo", round_robin=True)), absent=absent)
    assert run.asked == ["bo"]
    assert run.events[-1].passed_over == (m.Paged(person="ana", because="on leave until Mon 09:00 Europe/Berlin"),)


def test_whoever_could_not_be_reached_lately_comes_last_but_is_asked_when_nobody_else_is_there():
    absent = Absent(unreachable={"ana"})
    assert Run(policy(named("ana", "bo", round_robin=True)), absent=absent).asked == ["bo"]
    assert Run(policy(named("ana", round_robin=True)), absent=absent).asked == ["ana"]


def test_when_whose_turn_it_was_cannot_be_reached_the_next_in_turn_is_asked():
    run = Run(policy(named("ana", "bo", "cem", round_robin=True), named("ana")))
    run.do(m.ReportUnreachable(person="ana", error="x", who=run.who("sev-2")), TIMER)
    assert run.asked == ["bo"]
    run.do(m.ReportUnreachable(person="bo", error="x", who=run.who("sev-2")), TIMER)
    assert run.asked == ["cem"]
    run.do(m.ReportUnreachable(person="cem", error="x", who=run.who("sev-2")), TIMER)
    assert run.asked == ["ana"], "the next step"
    assert run.state.step == 1


# --- office hours ---

HELD = policy(named("ana"), hold=Hold(severity_at_most="sev-3"))


def test_a_mild_page_at_night_waits_until_nine_local_and_says_so():
    run = Run(HELD, "sev-3")
    opens = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert run.asked == []
    assert run.events[-1] == m.PageHeld(
        until=opens,
        step=0,
        round=0,
        reason="SEV-3 may wait until Mon 09:00 Europe/Berlin: it is outside Mon–Fri 09:00–17:00.",
    )
    run.wait()
    assert run.now == opens
    assert run.asked == ["ana"]


@pytest.mark.parametrize("severity", ["sev-0", "sev-1", "sev-2", None])
def test_what_is_worse_or_unknown_wakes_somebody_at_once(severity: str | None):
    assert Run(HELD, severity).asked == ["ana"]


@pytest.mark.parametrize("severity", ["sev-0", "sev-1"])
def test_a_sev_1_never_waits_whatever_the_policy_says(severity: str):
    """The types refuse it; a policy that a program made must not hold it either."""
    given = policy(named("ana"), hold=Hold(severity_at_most="sev-0"))
    assert held_until(given, severity, MONDAY_3AM) is None


def test_in_office_hours_a_mild_page_goes_out_at_once():
    assert Run(HELD, "sev-4", MONDAY_3AM.replace(hour=10)).asked == ["ana"]


def test_on_friday_evening_it_waits_for_monday():
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert Run(HELD, "sev-4", friday).state.next_at == datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


def test_a_page_that_waits_and_gets_worse_goes_out_at_once():
    run = Run(HELD, "sev-4")
    run.do(m.JoinAlerts(count=1, summary="s", severity="sev-3", who=run.who("sev-3")))
    assert run.asked == []
    run.do(m.JoinAlerts(count=1, summary="s", severity="sev-1", who=run.who("sev-1")))
    assert run.asked == ["ana"]


def test_somebody_who_asks_for_it_does_not_wait():
    run = Run(HELD, "sev-4")
    run.do(m.EscalateTo(who=run.who("sev-4")))
    assert run.asked == ["ana"]


def test_a_waiting_page_can_be_acknowledged_and_then_wakes_nobody():
    run = Run(HELD, "sev-4")
    due = PAGES.timers(run.state)["escalate"]
    run.do(m.Acknowledge())
    run.now = due
    assert run.do(m.EscalationDue(due=due, who=run.who("sev-4")), TIMER) == []


def test_the_hours_of_a_day_whose_clocks_change_hold_by_the_wall():
    sunday = (Restriction(days=("sunday",), start=time(2, 30), end=time(4)),)
    # On 29 March 2026 Berlin's clocks go from 02:00 to 03:00: the window begins at the end of the gap, 01:00 UTC.
    assert next_opening(sunday, "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )
    gone = (Restriction(days=("sunday",), start=time(2, 10), end=time(2, 50)),)
    found = next_opening(gone, "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert found == datetime(2026, 4, 5, 0, 10, tzinfo=UTC), "that hour is skipped; the next Sunday has it"


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins():
    night = (Restriction(days=("friday",), start=time(22), end=time(6)),)
    assert inside(night, "UTC", datetime(2026, 3, 7, 5, 59, tzinfo=UTC))
    assert not inside(night, "UTC", datetime(2026, 3, 6, 5, 59, tzinfo=UTC))
    assert in_words(night) == "Fri 22:00–06:00"
    assert in_words((Restriction(days=("saturday", "sunday")),)) == "Sat, Sun"


# --- what will happen ---


def test_the_plan_is_what_the_timers_will_do():
    given = policy(
        named("ana", "bo", wait_s=300, prefer="awake"),
        named("cem", wait_s=60, when=When(severity_at_least="sev-1")),
        named("ana", "bo", wait_s=120, round_robin=True),
        repeat=1,
        pause_s=600,
    )
    plan = plan_of(given, CATALOG, MONDAY_3AM, {}, "sev-2")
    told = [((one.at - MONDAY_3AM).total_seconds(), one.kind, [p.person for p in one.people]) for one in plan]
    assert told == [
        (0, "asks", ["bo"]),
        (150, "asks", ["ana"]),
        (300, "skips", []),
        (300, "asks", ["ana"]),
        (420, "holds", []),
        (1020, "asks", ["bo"]),
        (1170, "asks", ["ana"]),
        (1320, "skips", []),
        (1320, "asks", ["bo"]),
        (1440, "ends", []),
    ]
    assert all(one.reason for one in plan)


def test_the_plan_of_a_running_page_goes_on_from_where_it_stands():
    given = policy(named("ana"), named("bo"))
    run = Run(given)
    plan = plan_of(given, CATALOG, run.now + timedelta(seconds=60), {}, "sev-2", page=run.state)
    assert [(one.kind, [p.person for p in one.people]) for one in plan] == [("asks", ["bo"]), ("ends", [])]
    run.do(m.Resolve())
    assert plan_of(given, CATALOG, run.now, {}, "sev-2", page=run.state) == ()


def test_a_plan_has_an_end_however_often_the_policy_repeats():
    assert len(plan_of(policy(named("ana"), repeat=20), CATALOG, MONDAY_3AM, {}, "sev-2", most=7)) == 7


# --- between releases ---


def test_policies_and_events_of_the_release_before_are_read():
    """As they were stored: without any of the newer fields."""
    old = {
        "type": "page_opened",
        "title": "t",
        "group_key": "g",
        "policy": {
            "name": "p", "title": "P", "steps": [{"targets": [{"kind": "person", "name": "ana"}], "wait_s": 60}],
            "repeat": 2, "unattended_after_s": 1800,
        },
        "why": "r", "service": None, "severity": None, "alert_count": 1,
    }  # fmt: skip
    opened = msgspec.convert(old, m.PageEvent)
    assert isinstance(opened, m.PageOpened)
    assert opened.policy.steps[0] == Step(targets=(PersonTarget(name="ana"),), wait_s=60)
    started = {"type": "step_started", "step": 0, "round": 0, "people": [], "reason": "r", "next_at": None}
    event = msgspec.convert(started, m.PageEvent)
    assert isinstance(event, m.StepStarted)
    assert (event.later, event.passed_over, event.widens) == ((), (), False)


def test_a_policy_without_the_newer_fields_is_stored_without_them():
    """The release before refuses what it does not know: pages of plain policies stay readable to its nodes."""
    plain = policy(Step(targets=(ScheduleTarget(name="primary"),), wait_s=60), time_zone="UTC")
    stored = msgspec.to_builtins(plain)
    assert set(stored) <= {"name", "title", "steps", "repeat", "unattended_after_s"}
    assert all(set(step) <= {"targets", "wait_s"} for step in stored["steps"])


def test_a_message_says_who_is_asked_next_by_the_waits_and_conditions_that_hold():
    steps = (
        named("ana", wait_s=600, wait_s_by_severity=WaitBySeverity(sev_1=60)),
        named("bo", when=When(severity_at_least="sev-0")),
        named("cem", wait_s=300),
    )
    policy = EscalationPolicy(name="p", title="P", steps=steps)
    names = {name: found.full_name for name, found in PEOPLE.items()}

    def said(severity: str) -> tuple[str, ...]:
        ahead = plan_of(policy, CATALOG, MONDAY_3AM, {}, severity)
        return escalates(ahead, MONDAY_3AM, names)

    assert said("sev-1") == ("after 1 min Cem",)
    assert said("sev-2") == ("after 10 min Cem",)
    assert said("sev-0")[0] == "after 10 min Bo"
