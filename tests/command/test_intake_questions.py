"""The five intake questions: given events, when a command, expect events."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.command.test_decide import BO, T0, History
from tests.command.test_grammar import NOW, said

from sev1.catalog.load import load
from sev1.command import model as m
from sev1.command.intake_record import in_words
from sev1.command.parts.intake import AnswerIntake, Asked, IntakeAnswered, IntakeFound, asked
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, Refused
from sev1.intake.changes import Change

SAMPLE = Path(__file__).parents[2] / "src/sev1/practice/sample"
FOUND = {"blast": "Checkout: nobody can pay", "began": "2026-03-02 03:05 UTC"}


def standing(history: History) -> dict[str, Asked]:
    state = history.state
    return {one.question: one for one in asked(state.intake, state.title, state.declared_by, state.declared_at)}


def test_what_the_record_says_is_there_from_the_start_and_is_not_confirmed():
    history = History(found=FOUND)
    now = standing(history)
    assert list(now) == ["summary", "blast", "began", "changed", "tell"]
    assert (now["summary"].text, now["summary"].confirmed, now["summary"].by) == ("Card payments fail", True, "ana")
    assert (now["blast"].text, now["blast"].confirmed, now["blast"].by) == ("Checkout: nobody can pay", False, "")
    assert now["changed"].text == ""


def test_a_person_confirms_what_the_record_says_once():
    history = History(found=FOUND)
    confirmed = IntakeAnswered(question="blast", text="Checkout: nobody can pay", confirms=True)
    assert history.when(AnswerIntake(question="blast"), BO) == [confirmed]
    assert (standing(history)["blast"].confirmed, standing(history)["blast"].by) == (True, "bo")
    assert history.when(AnswerIntake(question="blast")) == []


def test_alerts_that_are_linked_later_add_to_the_record_and_never_replace_a_person():
    history = History(found=FOUND)
    history.when(AnswerIntake(question="blast", text="Europe only"))
    found = {"blast": "Checkout and Shop", "began": "2026-03-02 03:01 UTC", "tell": "Payments: Checkout"}
    events = history.when(m.LinkAlerts(alerts=(7,)), found=found)
    assert events[1:] == [IntakeFound(found={"began": found["began"], "tell": found["tell"]})]
    assert standing(history)["blast"].text == "Europe only"
    assert len(history.when(m.LinkAlerts(alerts=(8,)), found=found)) == 1


def test_when_it_began_corrects_the_start_of_the_incident():
    history = History()
    began = T0 - timedelta(minutes=20)
    events = history.when(AnswerIntake(question="began", started_at=began))
    assert events == [
        m.TimesCorrected(started_at=began, detected_at=T0, reason="Said when asked."),
        IntakeAnswered(question="began", text="2026-03-02 02:54 UTC"),
    ]
    assert history.state.started_at == began
    assert history.when(AnswerIntake(question="began", started_at=began)) == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (AnswerIntake(question="changed"), "Nothing is on record"),
        (AnswerIntake(question="began", text="this morning"), "Say the time"),
        (AnswerIntake(question="blast", started_at=T0), "only when it began"),
        (AnswerIntake(question="began", started_at=T0 + timedelta(hours=2)), "before it began"),
    ],
)
def test_what_is_no_answer_is_refused(answer, sentence):
    with pytest.raises(Invalid, match=sentence):
        History().when(answer)


def test_questions_are_answered_after_the_end_as_well():
    history = History()
    history.when(m.CloseFalseAlarm())
    assert history.when(AnswerIntake(question="changed", text="a drill"))


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("/summary cards fail", AnswerIntake(question="summary", text="cards fail")),
        ("/blast", AnswerIntake(question="blast")),
        ("/changed deploy 1.4 by 03:00", AnswerIntake(question="changed", text="deploy 1.4 by 03:00")),
        ("/tell support", AnswerIntake(question="tell", text="support")),
        ("/began", AnswerIntake(question="began")),
        ("/began 20 min ago", AnswerIntake(question="began", started_at=NOW - timedelta(minutes=20))),
        ("/began 04:05", AnswerIntake(question="began", started_at=datetime(2026, 3, 2, 3, 5, tzinfo=UTC))),
        ("/began 23:50", AnswerIntake(question="began", started_at=datetime(2026, 3, 1, 22, 50, tzinfo=UTC))),
        ("/began yesterday 04:05", AnswerIntake(question="began", started_at=datetime(2026, 3, 1, 3, 5, tzinfo=UTC))),
        ("/began 2026-03-01 03:05 UTC", AnswerIntake(question="began", started_at=datetime(2026, 3, 1, 3, 5, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_a_line_answers_a_question(line, means):
    assert said(line) == means


@pytest.mark.parametrize("words", ["a while ago", "03:99", "25:00", "2026-02-31 03:00", "in 20 min"])
def test_a_time_that_cannot_be_meant_is_refused(words):
    with pytest.raises(Invalid, match="/began"):
        said(f"/began {words}")


def test_the_record_speaks_of_services_their_wake_their_owners_and_what_changed():
    nordlicht = load(SAMPLE)
    change = Change(
        id=1,
        key_id=1,
        service="checkout",
        at=T0,
        summary="Deploy 1.4",
        source="ci",
        links=(),
        details={},
        received_at=T0,
    )
    words = in_words(nordlicht, services=["payments"], began=T0, changes=[change])
    assert list(words) == ["blast", "began", "changed", "tell"]
    payments, checkout = nordlicht.services["payments"], nordlicht.services["checkout"]
    assert words["blast"].startswith(payments.title)
    assert f"In its wake: {checkout.title}" in words["blast"]
    assert words["changed"] == f"2026-03-02 03:14 UTC {checkout.title}: Deploy 1.4"
    assert nordlicht.teams[payments.owner].title in words["tell"]
    assert in_words(nordlicht, services=[], began=None, changes=[]) == {}


def test_an_answer_is_not_undone_but_given_anew():
    history = History()
    history.when(AnswerIntake(question="tell", text="support"))
    given = Fact(version=2, at=T0, by=BO, event=IntakeAnswered(question="tell", text="support"))
    with pytest.raises(Refused, match="/tell …"):
        history.when(m.Undo(entry=2), record=(given,))
