"""The end and what comes after it: given events, when a command, expect events."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.command.test_decide import ANA, BO, INCIDENTS, T0, History

from sev1.catalog.model import Catalog, Service
from sev1.command import model as m
from sev1.command.advice import advise
from sev1.command.around import affected
from sev1.command.gate import Around, Firing, prechecks, recovery_findings
from sev1.command.parts import recovery as r
from sev1.command.parts.board import PutOnBoard
from sev1.command.parts.mitigations import AddMitigation
from sev1.command.parts.needs import DropNeed, RaiseNeed
from sev1.command.parts.tasks import (
    AskAfterTasks,
    CarryTask,
    FinishTask,
    GiveTask,
    TakeTask,
    TaskAskedAfter,
    TaskCarried,
)
from sev1.command.react import working_days_ahead
from sev1.engine.decider import TIMER, Fact
from sev1.engine.errors import Invalid, Refused


def resolved() -> History:
    history = History()
    history.pass_gate()
    history.when(m.ResolveIncident())
    return history


def days(count: float) -> float:
    return count * 24 * 60


def test_the_recovery_begins_with_the_resolution_and_not_before():
    with pytest.raises(Refused, match="Recovery begins when the incident is resolved"):
        History().when(r.TickRecovery(step="data"))
    assert resolved().state.recovery.missing == list(r.STEPS)
    assert len(r.STEPS) == 8


def test_each_step_is_ticked_by_a_name_or_does_not_apply_for_a_reason():
    history = resolved()
    with pytest.raises(Invalid, match="Say why this step does not apply"):
        history.when(r.TickRecovery(step="data", applies=False))
    history.when(r.TickRecovery(step="data", applies=False, note="nothing was written"), by=BO)
    history.when(r.TickRecovery(step="services", note="all green"))
    ticks = history.state.recovery.ticks
    assert (ticks["data"].by, ticks["data"].applies, ticks["services"].by) == ("bo", False, "ana")
    assert history.when(r.TickRecovery(step="services", note="all green")) == []
    assert history.when(r.UntickRecovery(step="services", reason="red again")) == [
        r.RecoveryUnticked(step="services", reason="red again")
    ]
    assert "services" in history.state.recovery.missing


def test_what_is_left_after_three_days_is_brought_to_mind_and_then_once_a_week_five_times():
    history = resolved()
    reminded: list[datetime] = []
    while due := INCIDENTS.timers(history.state).get("recovery"):
        minutes = (due - history.now).total_seconds() / 60
        if any(
            isinstance(event, r.RecoveryReminded)
            for event in history.when(r.RemindOfRecovery(), TIMER, after_min=minutes)
        ):
            reminded.append(history.now)
    assert [(at - T0).days for at in reminded] == [3, 10, 17, 24, 31]


def test_when_all_eight_are_through_nothing_is_waited_for():
    history = resolved()
    for step in r.STEPS:
        history.when(r.TickRecovery(step=step))
    assert "recovery" not in INCIDENTS.timers(history.state)


def test_it_goes_on_after_the_all_clear_which_proposes_a_review_and_thanks_all_who_had_a_hand_in_it():
    history = resolved()
    history.when(m.AddNote(text="x"), by=BO)
    at = T0 + timedelta(days=7)
    cleared, planned = history.when(m.GiveAllClear(message="over"), review_at=at)
    assert isinstance(cleared, m.AllClearGiven)
    assert set(cleared.thanks) == {"ana", "bo"}
    assert planned == r.ReviewPlanned(owner="ana", at=at, proposed=True)
    history.when(r.TickRecovery(step="logs"))
    assert "logs" not in history.state.recovery.missing
    planned, ticked = history.when(r.PlanReview(owner="bo", at=T0 + timedelta(days=4)))
    assert ticked == r.RecoveryTicked(step="review")
    assert history.state.recovery.review == r.Review(owner="bo", at=T0 + timedelta(days=4))
    assert history.when(r.RemindOfRecovery(), by=TIMER, after_min=days(3)) == [
        r.RecoveryReminded(missing=("services", "data", "mitigations", "monitoring", "alerts", "told")),
        r.ReviewReminded(owner="bo", at=T0 + timedelta(days=4)),
    ]


def test_a_review_in_the_past_is_refused():
    with pytest.raises(Invalid, match="lies ahead"):
        resolved().when(r.PlanReview(owner="ana", at=T0))


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        (datetime(2026, 3, 2, 3, 14, tzinfo=UTC), "UTC", datetime(2026, 3, 9, 10, tzinfo=UTC)),
        (datetime(2026, 3, 6, 12, tzinfo=UTC), "UTC", datetime(2026, 3, 13, 10, tzinfo=UTC)),
        (datetime(2026, 3, 7, 12, tzinfo=UTC), "UTC", datetime(2026, 3, 13, 10, tzinfo=UTC)),
        (datetime(2026, 3, 1, 22, tzinfo=UTC), "Australia/Sydney", datetime(2026, 3, 8, 23, tzinfo=UTC)),
    ],
)
def test_the_review_is_proposed_five_working_days_ahead_in_the_morning_of_whoever_commands(now, zone, then):
    assert working_days_ahead(now, zone) == then


def test_a_task_that_is_carried_over_outlives_the_incident_and_is_asked_after():
    history = History()
    history.when(GiveTask(text="write a test", owner="bo"))
    history.when(GiveTask(text="look at the graph", owner="bo"))
    due = T0 + timedelta(days=5)
    assert history.when(CarryTask(task=1, owner="gus", due_at=due)) == [
        TaskCarried(number=1, text="write a test", owner="gus", due_at=due)
    ]
    history.pass_gate()
    history.when(m.ResolveIncident())
    history.when(m.GiveAllClear())
    assert INCIDENTS.timers(history.state)["task"] == due
    assert history.when(AskAfterTasks(), by=TIMER, after_min=days(5)) == [
        TaskAskedAfter(number=1, text="write a test", owner="gus", due_at=due)
    ]
    history.when(FinishTask(task=1))
    with pytest.raises(Refused, match="Reopen it first"):
        history.when(TakeTask(task=2, person="bo"))


def test_what_is_left_open_is_pointed_out_and_can_be_closed_after_the_end():
    history = History()
    history.when(GiveTask(text="write a test", owner="bo"))
    history.when(RaiseNeed(text="a DBA"))
    history.pass_gate()
    events = history.when(m.ResolveIncident())
    facts = [Fact(version=1, at=T0, by=ANA, event=event) for event in events]
    assert [(one.kind, one.line) for one in advise(history.state, facts, str)] == [
        ("left_open", "/carry T1 @bo"),
        ("left_open", "/drop N1 "),
    ]
    history.when(FinishTask(task=1))
    history.when(DropNeed(need=1))


def test_reopening_keeps_how_it_had_ended():
    history = resolved()
    history.when(r.TickRecovery(step="data", note="checked"))
    history.when(m.GiveAllClear())
    history.when(m.Reopen(reason="errors are back"), by=BO, after_min=5)
    [ending] = history.state.earlier_ends
    assert set(ending.gate) == set(m.CRITERIA)
    assert ending.ticks["data"].note == "checked"
    assert (ending.reopened_by, ending.reason, ending.resolved_at) == ("bo", "errors are back", T0)
    assert history.state.gate == {}
    assert history.state.recovery.ticks == {}
    assert "recovery" not in {k for k in INCIDENTS.timers(history.state) if history.state.recovery.review is None}


# --- what is known ----------------------------------------------------------------------------------------------------

CHECKOUT = Firing(service="checkout", title="Checkout", direct=True, alerts=(7, 9), count=2)
SHOP = Firing(service="shop", title="Shop", direct=False, alerts=(3,), count=1)


def test_what_is_known_is_said_before_a_criterion_is_confirmed():
    history = History()
    history.when(GiveTask(text="x", owner="bo"))
    history.when(RaiseNeed(text="y"))
    history.when(PutOnBoard(kind="blocker", text="z"))
    history.when(AddMitigation(text="retries off"))
    rows = {
        one.criterion: one for one in prechecks(history.state, Around(linked=(1, 2, 3, 4), services=(CHECKOUT, SHOP)))
    }
    assert rows["restored"].findings == ("A-7, A-9 of Checkout fire", "A-3 of Shop, which depends on it, fires")
    assert rows["stable"].holds_up == ("A-1, A-2, A-3 and 1 more of this incident fire",)
    assert rows["impact_ended"].findings == ("Nobody has said that the impact is mitigated",)
    assert rows["no_residual"].findings == (
        "1 open task: T1",
        "1 open need: N1",
        "Still blocked: B1",
        "Temporary and still in place: M1",
    )
    quiet = prechecks(resolved().state, Around())
    assert all(not one.findings and not one.holds_up for one in quiet)


def test_what_was_known_stays_with_the_confirmation_and_is_pointed_out():
    history = History()
    [event] = history.when(m.ConfirmCriterion(criterion="restored"), findings=("A-7 fires of Checkout",))
    assert event == m.CriterionConfirmed(criterion="restored", despite=("A-7 fires of Checkout",))
    [one] = advise(history.state, [Fact(version=1, at=T0, by=ANA, event=event)], str)
    assert (one.kind, one.line) == ("known_against", "/withdraw restored because ")


def test_the_steps_of_the_recovery_say_what_is_known():
    history = History()
    history.when(AddMitigation(text="retries off", owner="bo"))
    found = recovery_findings(history.state, Around(linked=(4,), silences=("by gus: noise",), services=(SHOP,)))
    assert found["mitigations"] == ("M1 retries off (@bo)",)
    assert found["monitoring"] == ("Silence by gus: noise",)
    assert found["alerts"] == ("A-4 of this incident fires",)


def test_services_that_depend_on_an_affected_one_are_found_through_others_and_circles_end():
    def service(name: str, *needs: str) -> Service:
        return Service(name=name, title=name, owner="team", depends_on=needs)

    services = [
        service("db"),
        service("api", "db", "web"),
        service("web", "api"),
        service("mail"),
        service("shop", "web"),
    ]
    catalog = Catalog(services={one.name: one for one in services})
    assert affected(catalog, ("db",)) == {"db": True, "api": False, "web": False, "shop": False}
