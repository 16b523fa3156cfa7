"""One question at a time, in the rhythm of the severity: given events, at a time, who is asked what."""

from datetime import timedelta

import pytest
from tests.command.test_decide import ANA, BO, History

from sev1.command import model as m
from sev1.command.parts.board import ItemSharpened, PutOnBoard, SettleItem
from sev1.command.parts.decisions import RecordOutcome
from sev1.command.parts.handover import OfferCommand
from sev1.command.parts.mitigations import AddMitigation
from sev1.command.parts.prompts import LaterPrompt, PromptPutOff
from sev1.command.parts.reach import CallCommander
from sev1.command.parts.tasks import GiveTask
from sev1.command.prompts import ASKS, Prompt, prompt
from sev1.command.timeline import entry, render
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Refused

CEM = Actor(id="cem", name="Cem", via="web")
RHYTHM = 20
"""Minutes between updates: a loop is ten."""


def asked(history: History, me: str = "ana", *, after_min: float = 0, rhythm: int | None = RHYTHM) -> Prompt | None:
    return prompt(history.state, me, history.now + timedelta(minutes=after_min), rhythm)


def kind_of(history: History, me: str = "ana", *, after_min: float = 0) -> str:
    found = asked(history, me, after_min=after_min)
    return found.kind if found else ""


def led(severity: str = "sev-3") -> History:
    """With what is known written down by Bo, so that Ana has time to think."""
    history = History(m.Declare(title="Card payments fail", severity=severity), update_every_min=None)
    history.when(PutOnBoard(kind="known", text="42 % of payments fail"), BO, after_min=5)
    return history


def test_nothing_is_asked_in_the_first_minutes_and_then_what_is_known():
    history = History()
    assert kind_of(history, after_min=4) == ""
    found = asked(history, after_min=5)
    assert found is not None
    assert (found.phase, found.line) == ("observe", "/know ")


def test_who_holds_no_role_is_asked_nothing():
    assert kind_of(History(), "bo", after_min=60) == ""


def test_what_is_only_watched_asks_nothing():
    assert asked(History(), after_min=60, rhythm=None) is None


def test_a_milder_severity_asks_later():
    quick, slow = led(), led()
    assert asked(quick, after_min=10, rhythm=20) is not None
    assert asked(slow, after_min=10, rhythm=60) is None
    assert asked(slow, after_min=26, rhythm=60) is not None


def test_the_loop_goes_from_what_is_known_to_a_guess_a_test_a_decision_its_task_and_its_outcome():
    history = led("sev-1")
    history.when(m.AssignRole(role="comms", person="cem"), BO)
    history.when(m.AssignRole(role="scribe", person="cem"), BO)
    assert kind_of(history, after_min=6) == "cause"
    history.when(PutOnBoard(kind="hypothesis", text="the pool is full"), BO, after_min=6)
    found = asked(history, after_min=6)
    assert found is not None
    assert (found.kind, found.line) == ("disproof", "/guess the pool is full unless ")
    history.when(PutOnBoard(kind="hypothesis", text="the pool is full", disproof="idle > 0"), BO, after_min=6)
    assert kind_of(history, after_min=3) == ""
    history.when(SettleItem(item=2, outcome="confirmed", evidence="0 idle"), BO, after_min=1)
    assert kind_of(history, after_min=4) == ""
    assert asked(history, after_min=5) == Prompt(
        kind="decide",
        phase="decide",
        text="H2 is confirmed. What do we do about it, and why? the pool is full",
        line="/decide ",
    )
    history.when(m.RecordDecision(decision="double the pool"), BO, after_min=5)
    assert kind_of(history, after_min=5) == "act"
    history.when(GiveTask(text="double the pool", owner="bo"), BO, after_min=5)
    assert kind_of(history, after_min=5) == ""
    found = asked(history, after_min=15)
    assert found is not None
    assert (found.kind, found.line) == ("outcome", "/outcome D1 it ")
    history.when(RecordOutcome(number=1, worked=True), BO, after_min=15)
    assert kind_of(history, after_min=60) == ""


def test_a_mitigation_carries_a_decision_out_as_well_as_a_task():
    history = led()
    history.when(m.RecordDecision(decision="switch retries off"), BO)
    history.when(AddMitigation(text="retries are off"), BO)
    assert kind_of(history, after_min=6) != "act"


def test_an_open_question_is_asked_after_until_somebody_looks_into_it():
    history = led()
    history.when(PutOnBoard(kind="hypothesis", text="x", disproof="y"), BO)
    history.when(PutOnBoard(kind="unknown", text="is the standby in sync?"), BO)
    found = asked(history, after_min=20)
    assert found is not None
    assert found.line == "/task find out U3 @"
    history.when(GiveTask(text="find out U3", owner="bo"), BO)
    assert kind_of(history, after_min=20) != "unknown"


@pytest.mark.parametrize(("severity", "kind"), [("sev-0", "comms_lead"), ("sev-1", "comms_lead"), ("sev-2", "cause")])
def test_the_worst_ones_want_somebody_who_speaks_before_the_cause(severity, kind):
    assert kind_of(led(severity), after_min=6) == kind


def test_the_worst_ones_want_a_scribe_and_the_milder_ones_are_asked_what_is_the_worst():
    for severity, kind in (("sev-1", "scribe"), ("sev-3", "worst_case")):
        history = led(severity)
        history.when(m.AssignRole(role="comms", person="bo"), BO)
        history.when(PutOnBoard(kind="hypothesis", text="x", disproof="y"), BO)
        assert kind_of(history, after_min=16) == kind


def test_an_assumed_severity_is_asked_about_too():
    history = History()
    history.when(m.AssignRole(role="comms", person="bo"), BO)
    history.when(m.AssignRole(role="scribe", person="bo"), BO)
    history.when(PutOnBoard(kind="known", text="x"), BO)
    history.when(PutOnBoard(kind="hypothesis", text="x", disproof="y"), BO)
    found = asked(history, after_min=20)
    assert found is not None
    assert found.text.startswith("SEV-1 is assumed. What is the worst")


def test_once_the_impact_is_mitigated_only_what_was_decided_is_asked_after():
    history = led()
    history.when(m.MarkMitigated(), BO)
    assert kind_of(history, after_min=60) == ""
    history.when(m.RecordDecision(decision="keep the pool"), BO)
    assert kind_of(history, after_min=6) == "act"


def test_holders_of_roles_are_asked_about_their_own_work():
    history = led()
    for role, person in (("ops", "bo"), ("comms", "cem"), ("scribe", "dana")):
        history.when(m.AssignRole(role=role, person=person))
    assert kind_of(history, "bo", after_min=20) == "faster"
    assert kind_of(history, "cem", after_min=20) == "say_it"
    assert kind_of(history, "dana", after_min=9) == ""
    assert kind_of(history, "dana", after_min=10) == "write_it"
    history.when(m.PostUpdate(condition="42 % of payments fail"), BO, after_min=10)
    assert kind_of(history, "cem", after_min=20) == ""


def test_who_has_just_done_something_is_left_alone():
    history = led()
    history.when(m.AddNote(text="looking"), after_min=20)
    assert kind_of(history, after_min=1.9) == ""
    assert kind_of(history, after_min=2) != ""


def test_put_off_it_gives_half_a_loop_of_quiet_and_comes_back_after_two():
    history = led()
    assert kind_of(history, after_min=6) == "cause"
    assert history.when(LaterPrompt(), after_min=6, update_every_min=RHYTHM) == [
        PromptPutOff(kind="cause", person="ana", until=history.now + timedelta(minutes=20))
    ]
    history.when(PutOnBoard(kind="unknown", text="since when?"), BO)
    assert kind_of(history, after_min=4.9) == ""
    assert kind_of(history, after_min=5) == ""
    assert kind_of(history, after_min=20) == "cause"


def test_another_question_may_come_before_the_one_that_was_put_off():
    history = led()
    history.when(LaterPrompt(kind="cause"), after_min=6, update_every_min=RHYTHM)
    history.when(m.RecordDecision(decision="wait"), BO)
    assert kind_of(history, after_min=5) == "act"


def test_a_question_is_put_off_by_whom_it_is_for_and_once():
    history = led()
    with pytest.raises(Refused, match="for the Incident Commander"):
        history.when(LaterPrompt(kind="cause"), BO, after_min=6)
    with pytest.raises(Refused, match="Nothing is asked of you"):
        history.when(LaterPrompt(), CEM)
    with pytest.raises(Refused, match="Nothing is asked of @cem"):
        history.when(LaterPrompt(person="cem"))
    assert history.when(LaterPrompt(kind="cause", person="ana"), BO)
    assert history.when(LaterPrompt(kind="cause"), after_min=1) == []


def test_that_a_question_was_put_off_is_in_the_record_and_not_on_the_timeline():
    history = led()
    [event] = history.when(LaterPrompt(kind="cause"), after_min=6)
    fact = Fact(version=9, at=history.now, by=ANA, event=event)
    assert entry(fact, str).kind == "hidden"
    assert render([fact], str) == []


def test_nothing_is_asked_once_it_is_over():
    history = led()
    history.pass_gate()
    history.when(m.ResolveIncident())
    assert kind_of(history, after_min=60) == ""


def test_after_it_was_reopened_the_first_minutes_are_quiet_again():
    history = led()
    history.pass_gate()
    history.when(m.ResolveIncident())
    history.when(m.Reopen(reason="errors are back"), BO, after_min=60)
    assert kind_of(history, after_min=9) == ""
    assert kind_of(history, after_min=10) == "cause"


def a_late_update(history: History) -> None:
    history.when(m.PostUpdate(condition="bad", next_update_in_min=9), BO)


def a_task_that_is_due(history: History) -> None:
    history.when(GiveTask(text="look", owner="ana", due_at=history.now + timedelta(minutes=9)), BO)


def a_call(history: History) -> None:
    history.when(CallCommander(), BO)


def an_end_that_is_near(history: History) -> None:
    for criterion in m.CRITERIA:
        history.when(m.ConfirmCriterion(criterion=criterion), BO)


@pytest.mark.parametrize("more_urgent", [a_late_update, a_task_that_is_due, a_call, an_end_that_is_near])
def test_nothing_is_asked_while_something_does_not_wait(more_urgent):
    history = led()
    history.when(PutOnBoard(kind="hypothesis", text="x"), BO)
    assert kind_of(history, after_min=20) != ""
    more_urgent(history)
    assert kind_of(history, after_min=20) == ""


def test_who_is_offered_command_is_asked_nothing_else():
    history = led()
    history.when(m.AssignRole(role="ops", person="bo"))
    assert kind_of(history, "bo", after_min=20) == "faster"
    history.when(OfferCommand(person="bo"))
    assert kind_of(history, "bo", after_min=10) == ""


def test_every_kind_of_question_is_asked_from_one_place():
    kinds = [ask.kind for ask in ASKS]
    assert len(kinds) == len(set(kinds))
    assert all(ask.role in m.ROLE_TITLES for ask in ASKS)


def test_a_guess_said_again_with_what_would_prove_it_wrong_is_the_same_guess():
    history = led()
    history.when(PutOnBoard(kind="hypothesis", text="the pool is full"), BO)
    before = history.state.board[2]
    again = PutOnBoard(kind="hypothesis", text="the pool is full", disproof="idle > 0")
    assert history.when(again, after_min=3) == [
        ItemSharpened(number=2, kind="hypothesis", text="the pool is full", disproof="idle > 0")
    ]
    after = history.state.board[2]
    assert (after.disproof, after.by, after.at) == ("idle > 0", before.by, before.at)
    assert history.when(again) == []
    assert len(history.state.board) == 2
