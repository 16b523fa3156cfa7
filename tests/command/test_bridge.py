"""The bridge: given events, when a command, expect events."""

from datetime import timedelta

import msgspec
import pytest
from tests.command.test_decide import BO, T0, History
from tests.command.test_grammar import said

from sev1.command import model as m
from sev1.command.briefing import briefing
from sev1.command.decide import IncidentAggregate
from sev1.command.on_the_bridge import asked_to_write
from sev1.command.parts.board import PutOnBoard
from sev1.command.parts.bridge import (
    AskOfBridge,
    Bridge,
    BridgeAsked,
    BridgeClosed,
    BridgeOpened,
    BridgeQuestionAnswered,
    CloseBridge,
    NothingDecided,
    OpenBridge,
)
from sev1.command.parts.privacy import Restrict
from sev1.command.parts.tasks import GiveTask
from sev1.engine.errors import Invalid, Refused

URL = "https://meet.example/sev1"


def opened(severity: str = "sev-1") -> History:
    history = History(m.Declare(title="Card payments fail", severity=severity))
    history.when(OpenBridge(url=URL, people=("bo",)))
    return history


def asks_after(history: History) -> float | None:
    due = IncidentAggregate().timers(history.state).get("bridge")
    return None if due is None else (due - history.now) / timedelta(minutes=1)


def test_a_bridge_has_an_address_and_people_and_who_joins_later_is_called_alone():
    history = opened()
    assert history.state.bridge.opened_by == "ana"
    more = history.when(OpenBridge(people=("bo", "gus")), BO)
    assert [(event.people, event.called) for event in more] == [(("bo", "gus"), ("gus",))]
    assert history.when(OpenBridge(people=("gus",))) == []
    moved = history.when(OpenBridge(url="https://other.example"))
    assert [event.called for event in moved] == [("bo", "gus")]
    assert history.when(CloseBridge()) == [BridgeClosed(url="https://other.example")]
    assert history.state.bridge == Bridge()
    assert history.when(CloseBridge()) == []


def test_nobody_is_called_onto_a_bridge_that_is_not_open():
    with pytest.raises(Refused, match="No bridge is open"):
        History().when(OpenBridge(people=("bo",)))


@pytest.mark.parametrize(("severity", "minutes"), [("sev-0", 10), ("sev-1", 10), ("sev-2", 15), ("sev-4", 20)])
def test_the_severity_says_how_long_a_bridge_may_be_quiet(severity, minutes):
    assert asks_after(opened(severity)) == minutes


def test_after_the_quiet_one_question_is_open_until_something_is_written():
    history = opened()
    assert history.when(AskOfBridge(), after_min=9) == []
    assert history.when(AskOfBridge(), after_min=1) == [BridgeAsked(quiet_since=T0)]
    assert asks_after(history) is None
    assert history.when(AskOfBridge(), after_min=60) == []
    history.when(m.AddNote(text="we wait for the vendor"))
    assert history.state.bridge.asked_at is None
    assert asks_after(history) == 10


@pytest.mark.parametrize(
    "written",
    [
        m.PostUpdate(condition="c"),
        m.RecordDecision(decision="roll back", on_bridge=True),
        PutOnBoard(kind="known", text="db-2 lags"),
        GiveTask(text="measure"),
        NothingDecided(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_whatever_is_written_answers_the_question_and_the_quiet_begins_again(written):
    history = opened()
    history.when(AskOfBridge(), after_min=10)
    history.when(written, after_min=2)
    assert history.state.bridge.asked_at is None
    assert asks_after(history) == 10


def test_a_role_is_no_answer_and_that_nothing_was_decided_answers_open_questions_only():
    history = opened()
    assert history.when(NothingDecided()) == []
    history.when(AskOfBridge(), after_min=10)
    history.when(m.AssignRole(role="scribe", person="bo"))
    assert history.state.bridge.asked_at is not None
    assert asked_to_write(history.state) == "bo"
    assert history.when(NothingDecided(), BO) == [BridgeQuestionAnswered()]


def test_another_severity_changes_how_long_it_may_be_quiet():
    history = opened("sev-2")
    history.when(m.SetSeverity(severity="sev-1"), after_min=4)
    assert asks_after(history) == 6


def test_the_end_closes_the_bridge_and_it_is_not_open_again_after_reopening():
    history = opened()
    history.pass_gate()
    history.when(m.ResolveIncident())
    assert history.state.bridge == Bridge()
    with pytest.raises(Refused, match="Reopen it first"):
        history.when(OpenBridge(url=URL))
    history.when(m.Reopen(reason="errors are back"))
    assert asks_after(history) is None


def test_onto_the_bridge_of_a_restricted_incident_come_those_only_who_see_it():
    history = History()
    history.when(Restrict(reason="a breach"))
    with pytest.raises(Refused, match="/admit @bo"):
        history.when(OpenBridge(url=URL, people=("ana", "bo")))
    assert history.when(OpenBridge(url=URL, people=("ana",))) == [
        BridgeOpened(url=URL, people=("ana",), called=("ana",), ask_after_min=10)
    ]


@pytest.mark.parametrize(
    ("line", "means"),
    [
        (f"/bridge {URL}", OpenBridge(url=URL)),
        (f"/bridge {URL} with @bo, @ana", OpenBridge(url=URL, people=("bo", "ana"))),
        ("/bridge https://meet.example/@room?pwd=a@b with @bo", OpenBridge(url="https://meet.example/@room?pwd=a@b", people=("bo",))),
        ("/bridge with @bo and @ana", OpenBridge(people=("bo", "ana"))),
        ("/bridge off", CloseBridge()),
        ("/bridge nothing", NothingDecided()),
        ("/decide on the bridge: roll back because it began then", m.RecordDecision(decision="roll back", reason="it began then", on_bridge=True)),
        ("/decide roll back (on the bridge)", m.RecordDecision(decision="roll back", on_bridge=True)),
        ("/decide stay on the bridge", m.RecordDecision(decision="stay on the bridge")),
    ],
)  # fmt: skip
def test_a_line_about_the_bridge_means_one_command(line, means):
    assert said(line) == means


@pytest.mark.parametrize(
    "url", ["http://meet.example", "javascript:alert(1)", "meet.example", "https://", "https://a@b.example/"]
)
def test_an_address_is_https_with_a_host_and_nothing_before_it(url):
    with pytest.raises(Invalid):
        said(f"/bridge {url}")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "open_bridge", "url": url}, OpenBridge)


def test_a_decision_stored_before_there_were_bridges_was_not_taken_on_one():
    stored = b'{"type":"decision_recorded","decision":"d","reason":"","alternatives":""}'
    assert msgspec.json.decode(stored, type=m.DecisionRecorded).on_bridge is False


def test_the_briefing_has_the_address_of_the_bridge_and_who_should_be_on_it():
    assert f"Bridge: {URL} (@bo)" in dict(briefing(opened().state, T0))["Who does what"]
