"""What became of decisions: given events, when a command, expect events."""

import pytest
from tests.command.test_decide import ANA, INCIDENTS, T0, History
from tests.command.test_grammar import said

from sev1.command import model as m
from sev1.command.parts.decisions import OutcomeRecorded, RecordOutcome
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, NotFound

ROLL_BACK = m.RecordDecision(decision="roll back")


def test_decisions_are_numbered_in_their_order():
    history = History()
    [first], [second] = history.when(ROLL_BACK), history.when(m.RecordDecision(decision="call the vendor"))
    assert [event.number for event in (first, second)] == [1, 2]
    assert history.state.decisions[2].decision == "call the vendor"
    assert history.state.decisions[1].entry == 2


def test_decisions_stored_without_a_number_get_theirs_by_order():
    state = History().state
    for version, text in enumerate(("one", "two"), start=2):
        old = m.DecisionRecorded(decision=text, reason="", alternatives="")
        state = INCIDENTS.evolve(state, Fact(version=version, at=T0, by=ANA, event=old))
    assert {number: one.decision for number, one in state.decisions.items()} == {1: "one", 2: "two"}
    [third] = INCIDENTS.decide(state, m.Informed(command=ROLL_BACK, known=m.Known()), T0, ANA)
    assert third.number == 3


def test_an_outcome_is_recorded_and_may_be_corrected_even_after_the_end():
    history = History()
    history.when(ROLL_BACK)
    worked = RecordOutcome(number=1, worked=True, outcome="errors at 0.1 %")
    assert history.when(worked) == [
        OutcomeRecorded(number=1, decision="roll back", worked=True, outcome="errors at 0.1 %")
    ]
    assert history.when(worked) == []
    history.when(m.CloseFalseAlarm())
    history.when(RecordOutcome(number=1, worked=False, outcome="errors came back"))
    assert history.state.decisions[1].worked is False


def test_an_outcome_of_no_decision_is_refused():
    with pytest.raises(NotFound, match="no decision D3"):
        History().when(RecordOutcome(number=3, worked=True))


@pytest.mark.parametrize(
    ("line", "worked", "outcome"),
    [
        ("/outcome D1 it worked: errors are gone", True, "errors are gone"),
        ("/outcome d-1 worked", True, ""),
        ("/outcome D1 it did not: errors stay", False, "errors stay"),
        ("/outcome D1 it didn't work, errors stay", False, "errors stay"),
        ("/outcome D1 failed", False, ""),
    ],
)
def test_how_an_outcome_is_said(line, worked, outcome):
    assert said(line) == RecordOutcome(number=1, worked=worked, outcome=outcome)


@pytest.mark.parametrize("line", ["/outcome it worked", "/outcome D1", "/outcome D1 perhaps"])
def test_an_outcome_without_a_verdict_is_asked_for_one(line):
    with pytest.raises(Invalid, match="Say wh"):
        said(line)
