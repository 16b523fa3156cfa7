from datetime import UTC, datetime, timedelta

import pytest

from sev1.catalog.model import EscalationPolicy, PersonTarget, Step
from sev1.engine.decider import TIMER, Actor, Fact
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
ANA = Actor(id="ana", name="Ana", via="web")
BO = Actor(id="bo", name="Bo", via="web")
PAGES = PageAggregate()
WHO = tuple(m.Eligible(people=(m.Paged(person=name, because="on call"),)) for name in ("ana", "bo", "cem"))


def policy(**changes: int) -> EscalationPolicy:
    steps = tuple(Step(targets=(PersonTarget(name=name),), wait_s=300) for name in ("ana", "bo", "cem"))
    return EscalationPolicy(name="p", title="P", steps=steps, **{"repeat": 1, "unattended_after_s": 1800, **changes})


class History:
    """Given events, when command, expect events: the given ones are made by commands too."""

    def __init__(self, **changes: int) -> None:
        self.state = PAGES.initial("P-1")
        self.now = T0
        self.version = 0
        opening = m.Open(title="Card payments fail", group_key="g", policy=policy(**changes), why="r", who=WHO)
        self.when(opening)

    def when(self, command: m.PageCommand, by: Actor = ANA, *, after_s: float = 0) -> list[m.PageEvent]:
        self.now += timedelta(seconds=after_s)
        events = PAGES.decide(self.state, command, self.now, by)
        for event in events:
            self.version += 1
            self.state = PAGES.evolve(self.state, Fact(version=self.version, at=self.now, by=by, event=event))
        return events

    def fire(self, kind: str, who: tuple[m.Eligible, ...] = WHO) -> list[m.PageEvent]:
        """The timer comes due, exactly on time."""
        due = PAGES.timers(self.state)[kind]
        self.now = due
        command = PAGES.timer_command(kind, due)
        return self.when(type(command)(due=due, who=who), TIMER)


def asked(events: list[m.PageEvent]) -> list[str]:
    return [p.person for event in events if isinstance(event, m.StepStarted) for p in event.people]


def test_opening_asks_the_people_of_the_first_step():
    page = History()
    assert page.state.status == "triggered"
    assert [p.person for p in page.state.people] == ["ana"]
    assert PAGES.timers(page.state) == {"escalate": T0 + timedelta(seconds=300)}


def test_second_step_is_paged_when_nobody_acknowledges():
    page = History()
    assert asked(page.fire("escalate")) == ["bo"]


def test_after_the_last_step_the_policy_starts_again_as_often_as_it_says():
    page = History()
    order = [asked(page.fire("escalate")) for _ in range(5)]
    assert order == [["bo"], ["cem"], ["ana"], ["bo"], ["cem"]]
    assert page.fire("escalate") == [m.PolicyExhausted()]
    assert PAGES.timers(page.state) == {}


def test_acknowledging_stops_the_escalation():
    page = History()
    page.when(m.Acknowledge(), after_s=60)
    assert "escalate" not in PAGES.timers(page.state)
    assert page.state.acknowledged_by == "ana"


def test_an_escalation_timer_that_comes_after_the_acknowledgement_decides_nothing():
    page = History()
    due = PAGES.timers(page.state)["escalate"]
    page.when(m.Acknowledge(), after_s=299)
    assert page.when(m.EscalationDue(due=due, who=WHO), TIMER, after_s=2) == []


def test_a_timer_of_an_earlier_step_decides_nothing():
    page = History()
    old = PAGES.timers(page.state)["escalate"]
    page.fire("escalate")
    assert page.when(m.EscalationDue(due=old, who=WHO), TIMER) == []


def test_clicking_twice_is_one_acknowledgement():
    page = History()
    page.when(m.Acknowledge())
    assert page.when(m.Acknowledge(), after_s=1) == []


def test_somebody_else_may_take_over_an_acknowledged_page():
    page = History()
    page.when(m.Acknowledge())
    page.when(m.Acknowledge(), BO, after_s=1)
    assert page.state.acknowledged_by == "bo"


def test_an_acknowledged_page_without_a_sign_of_life_is_paged_again_from_the_first_step():
    page = History()
    page.when(m.Acknowledge(), BO)
    events = page.fire("unattended")
    assert events[0] == m.PageUnattended(after_s=1800)
    assert asked(events) == ["ana"]
    assert page.state.status == "triggered"


def test_acknowledging_again_is_a_sign_of_life():
    page = History()
    page.when(m.Acknowledge())
    old = PAGES.timers(page.state)["unattended"]
    page.when(m.Acknowledge(), after_s=1000)
    assert page.when(m.UnattendedDue(due=old, who=WHO), TIMER, after_s=801) == []
    assert PAGES.timers(page.state)["unattended"] == page.state.last_sign_of_life + timedelta(seconds=1800)


def test_a_page_with_an_incident_is_attended_to():
    page = History()
    page.when(m.Acknowledge())
    page.when(m.LinkIncident(incident="INC-1"))
    assert PAGES.timers(page.state) == {}


def test_a_policy_may_do_without_the_unattended_timer():
    page = History(unattended_after_s=0)
    page.when(m.Acknowledge())
    assert PAGES.timers(page.state) == {}


def test_a_step_without_anybody_is_skipped_and_says_so():
    page = History()
    events = page.fire("escalate", who=(WHO[0], m.Eligible(), WHO[2]))
    assert isinstance(events[0], m.StepSkipped)
    assert asked(events) == ["cem"]


def test_when_no_step_has_anybody_the_page_says_that_nobody_answers():
    state = PAGES.initial("P-1")
    events = PAGES.decide(state, m.Open(title="t", group_key="g", policy=policy(), why="r", who=()), T0, ANA)
    assert events[-1] == m.PolicyExhausted()


def test_escalating_now_pages_the_next_step():
    page = History()
    assert asked(page.when(m.EscalateTo(who=WHO))) == ["bo"]


def test_escalating_beyond_the_end_names_the_way_out():
    page = History(repeat=0)
    page.when(m.EscalateTo(who=WHO))
    page.when(m.EscalateTo(who=WHO))
    with pytest.raises(Refused, match="Reassign"):
        page.when(m.EscalateTo(who=WHO))


def test_reassigning_pages_that_person_and_the_policy_goes_on_behind_them():
    page = History()
    page.when(m.Reassign(person="dee"))
    assert [p.person for p in page.state.people] == ["dee"]
    assert asked(page.fire("escalate")) == ["bo"]


def test_a_snoozed_page_comes_back_when_the_snooze_ends():
    page = History()
    page.when(m.Snooze(until=T0 + timedelta(hours=1)))
    assert PAGES.timers(page.state) == {"snooze": T0 + timedelta(hours=1)}
    assert asked(page.fire("snooze")) == ["ana"]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=-1), timedelta(hours=25)])
def test_a_snooze_must_end_within_a_day(ahead: timedelta):
    page = History()
    with pytest.raises(Invalid, match="24 hours"):
        page.when(m.Snooze(until=T0 + ahead))


def test_when_nobody_of_a_step_can_be_reached_the_next_starts_at_once():
    page = History()
    events = page.when(m.ReportUnreachable(person="ana", error="no mail server", who=WHO), TIMER)
    assert asked(events) == ["bo"]


def test_while_one_of_the_step_can_still_be_reached_the_step_goes_on():
    page = History()
    both = (m.Eligible(people=(*WHO[0].people, m.Paged(person="eve", because="on call"))), WHO[1])
    page.fire("escalate", who=WHO)
    page = History()
    page.state = PAGES.evolve(
        page.state,
        Fact(
            version=9,
            at=T0,
            by=TIMER,
            event=m.StepStarted(step=0, round=0, people=both[0].people, reason="", next_at=T0 + timedelta(seconds=300)),
        ),
    )
    assert asked(page.when(m.ReportUnreachable(person="ana", error="x", who=both), TIMER)) == []
    assert asked(page.when(m.ReportUnreachable(person="eve", error="x", who=both), TIMER)) == ["bo"]


def test_an_unreachable_report_after_the_acknowledgement_pages_nobody():
    page = History()
    page.when(m.Acknowledge(), BO)
    assert asked(page.when(m.ReportUnreachable(person="ana", error="x", who=WHO), TIMER)) == []


def test_a_resolved_page_answers_nothing_but_resolve():
    page = History()
    page.when(m.Resolve(reason="fixed"))
    assert page.when(m.Resolve()) == []
    with pytest.raises(Refused, match="over: fixed"):
        page.when(m.Acknowledge())
    assert PAGES.timers(page.state) == {}


def test_a_page_that_was_never_opened_cannot_be_answered():
    with pytest.raises(NotFound):
        PAGES.decide(PAGES.initial("P-9"), m.Acknowledge(), T0, ANA)


def test_the_time_of_the_first_acknowledgement_is_kept():
    page = History()
    page.when(m.Acknowledge(), after_s=30)
    page.when(m.Acknowledge(), BO, after_s=600)
    assert page.state.acknowledged_at == T0 + timedelta(seconds=30)
