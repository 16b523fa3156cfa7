"""The update clocks: given events, when a command, expect events."""

from datetime import datetime, timedelta

import pytest
from tests.command.test_decide import T0, History

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.parts.clocks import (
    Promise,
    PromiseUpdate,
    TellClocks,
    UpdateLate,
    UpdatePromised,
    UpdateReminded,
)
from sev1.engine.errors import Invalid

EXECUTIVES = Promise(audience="executives", every_min=60, from_start=True)
CUSTOMERS = Promise(audience="customers", every_min=30)
PROMISES = (EXECUTIVES, CUSTOMERS)


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def declared() -> History:
    return History(promises=PROMISES)


def due_of(history: History, audience: str) -> datetime | None:
    return history.state.clocks[audience].due_at


def waits(history: History) -> datetime | None:
    return IncidentAggregate().timers(history.state).get("update")


def test_the_declaration_promises_news_to_those_whose_clock_runs_from_the_start():
    history = declared()
    assert due_of(history, "internal") == history.state.next_update_at == after(30)
    assert due_of(history, "executives") == after(60)
    assert "customers" not in history.state.clocks


def test_an_update_starts_the_clock_of_its_own_audience_only():
    history = declared()
    history.when(m.PostUpdate(condition="We look into it", audience="customers"), after_min=10, promises=PROMISES)
    assert due_of(history, "customers") == after(40)
    assert due_of(history, "internal") == after(30)
    assert history.state.update is None
    assert history.state.clocks["customers"].said == "We look into it"


def test_what_an_audience_outside_is_asked_to_do_is_no_need_of_the_response():
    history = declared()
    history.when(m.PostUpdate(condition="c", needs="please retry", audience="customers"), promises=PROMISES)
    assert history.state.needs == {}


def test_a_promise_is_brought_to_mind_once_and_then_is_late_once():
    history = declared()
    assert waits(history) == after(25)
    assert history.when(TellClocks(), after_min=24) == []
    assert history.when(TellClocks(), after_min=1) == [UpdateReminded(audience="internal", due_at=after(30))]
    assert waits(history) == after(30)
    assert history.when(TellClocks(), after_min=5) == [UpdateLate(audience="internal", due_at=after(30))]
    assert waits(history) == after(55)
    assert history.when(TellClocks(), after_min=1) == []


def test_after_a_standstill_what_is_late_is_not_said_to_be_soon():
    history = declared()
    late = history.when(TellClocks(), after_min=70)
    assert late == [
        UpdateLate(audience="internal", due_at=after(30)),
        UpdateLate(audience="executives", due_at=after(60)),
    ]


def test_a_promise_shorter_than_the_reminder_has_none():
    history = declared()
    history.when(m.PostUpdate(condition="c", next_update_in_min=4))
    assert waits(history) == after(4)


def test_a_promise_moves_the_clock_and_the_internal_one_is_the_incidents_own():
    history = declared()
    assert history.when(PromiseUpdate(in_min=45)) == [UpdatePromised(audience="internal", due_at=after(45))]
    assert history.state.next_update_at == after(45)
    assert history.when(PromiseUpdate(due_at=after(45))) == []
    history.when(PromiseUpdate(audience="customers", due_at=after(20)))
    assert due_of(history, "customers") == after(20)
    assert history.state.next_update_at == after(45)


@pytest.mark.parametrize(
    ("promise", "sentence"),
    [
        (PromiseUpdate(), "Say when"),
        (PromiseUpdate(due_at=T0, in_min=5), "Say when"),
        (PromiseUpdate(due_at=T0), "has passed"),
        (PromiseUpdate(due_at=after(25 * 60)), "within the next 24 hours"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(promise, sentence):
    with pytest.raises(Invalid, match=sentence):
        declared().when(promise)


def test_a_worse_severity_brings_clocks_forward_and_a_lesser_one_leaves_what_was_promised():
    history = declared()
    faster = (Promise(audience="executives", every_min=15, from_start=True), CUSTOMERS)
    history.when(m.SetSeverity(severity="sev-0"), promises=faster)
    assert due_of(history, "executives") == after(15)
    assert "customers" not in history.state.clocks
    history.when(m.SetSeverity(severity="sev-3", reason="measured"), promises=PROMISES)
    assert due_of(history, "executives") == after(15)


def test_the_end_stops_every_clock_and_keeps_what_was_told():
    history = declared()
    history.when(m.PostUpdate(condition="We look into it", audience="customers"), promises=PROMISES)
    history.pass_gate()
    history.when(m.ResolveIncident())
    assert waits(history) is None
    assert {clock.due_at for clock in history.state.clocks.values()} == {None}
    assert history.state.clocks["customers"].said == "We look into it"
    history.when(m.Reopen(reason="errors are back"), after_min=5, promises=PROMISES)
    assert due_of(history, "executives") == after(65)
    assert due_of(history, "customers") is None


def test_an_incident_of_a_release_before_the_clocks_has_its_internal_one():
    history = History()
    history.when(m.PostUpdate(condition="c"), after_min=3)
    assert due_of(history, "internal") == history.state.next_update_at == after(33)
