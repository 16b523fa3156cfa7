"""How fast, apart from how bad; who answered first; and the stage in three vocabularies."""

from pathlib import Path

import pytest
from tests.command.test_decide import ANA, BO, T0, History
from tests.command.test_grammar import speaker

from sev1.command import model as m
from sev1.command.grammar.complete import complete
from sev1.command.grammar.parse import parse
from sev1.command.parts.priority import FollowSeverity, PriorityFollows, PrioritySet, SetPriority, follows
from sev1.command.timeline import entry
from sev1.command.vocabulary import WORDS
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, Refused


def declared(severity: str = "sev-3") -> History:
    return History(m.Declare(title="Card payments fail", severity=severity))


@pytest.mark.parametrize(
    ("severity", "level"), [("sev-0", 1), ("sev-1", 1), ("sev-2", 2), ("sev-3", 3), ("sev-4", 4), ("sev-5", 5)]
)
def test_by_default_the_priority_is_that_of_the_severity(severity, level):
    assert declared(severity).state.priority_level == follows(severity) == level


def test_it_moves_with_the_severity_until_it_is_set_and_stays_where_it_was_put():
    history = declared("sev-3")
    history.when(m.SetSeverity(severity="sev-2"))
    assert history.state.priority_level == 2
    assert history.when(SetPriority(priority=1, reason="penalty from 06:00")) == [
        PrioritySet(old=2, new=1, reason="penalty from 06:00")
    ]
    history.when(m.SetSeverity(severity="sev-4", reason="measured"))
    assert history.state.priority_level == 1
    assert history.when(FollowSeverity(), BO) == [PriorityFollows(old=1, new=4)]
    assert history.state.priority_level == 4


def test_setting_it_again_records_nothing_and_a_new_reason_does():
    history = declared()
    history.when(SetPriority(priority=3, reason="agreed with sales"))
    history.when(m.SetSeverity(severity="sev-1"))
    assert history.state.priority_level == 3, "said to be what it was, it stays"
    assert history.when(SetPriority(priority=3, reason="agreed with sales")) == []
    assert history.when(SetPriority(priority=3, reason="the customer waits")) != []
    assert declared().when(FollowSeverity()) == []


def test_an_override_needs_a_reason_and_a_level_that_exists():
    for line in ("/priority 1", "/priority P1 because", "/priority 2   "):
        with pytest.raises(Invalid, match="why the business wants it"):
            parse(line, speaker())
    with pytest.raises(Invalid, match="Say why"):
        declared().when(SetPriority(priority=1, reason=" "))
    for line in ("/priority", "/priority 6 because of x", "/priority 0", "/priority high"):
        with pytest.raises(Invalid, match="Say which priority"):
            parse(line, speaker())


def test_the_levels_are_offered_while_one_types():
    assert [one.text for one in complete("/priority ", speaker())] == ["1", "2", "3", "4", "5", "follow"]


def test_the_timeline_says_what_moved_and_why():
    history = declared()
    [event] = history.when(SetPriority(priority=1, reason="penalty"))
    told = entry(Fact(version=2, at=T0, by=ANA, event=event), str)
    assert (told.kind, told.headline, told.details) == ("milestone", "Priority set: P3 → P1", (("Reason", "penalty"),))
    [event] = history.when(FollowSeverity())
    told = entry(Fact(version=3, at=T0, by=ANA, event=event), str)
    assert told.headline == "Priority follows the severity again: P1 → P3"


def test_after_the_end_nothing_is_hurried_any_more():
    history = declared()
    history.pass_gate()
    history.when(m.ResolveIncident())
    with pytest.raises(Refused, match="Reopen it first"):
        history.when(SetPriority(priority=1, reason="x"))


# --- the answer -------------------------------------------------------------------------------------------------------


def test_who_declares_and_commands_has_answered():
    assert History().state.acknowledged_at == T0


def test_declared_for_somebody_else_the_answer_is_the_first_thing_that_a_holder_of_a_role_does():
    history = History(m.Declare(title="x", commander="bo"), commander="bo")
    assert history.state.acknowledged_at is None
    history.when(m.AddNote(text="customers call"), ANA, after_min=1)
    history.when(m.AssignRole(role="ops", person="cem"), ANA)
    assert history.state.acknowledged_at is None
    history.when(m.AddNote(text="I look"), BO, after_min=1)
    answered = history.state.acknowledged_at
    assert answered == history.now
    history.when(m.AddNote(text="found it"), BO, after_min=9)
    assert history.state.acknowledged_at == answered


def test_an_answered_page_is_the_answer_whoever_declares():
    history = History(m.Declare(title="x", commander="bo"), commander="bo", page_acknowledged_at=T0)
    assert history.state.acknowledged_at == T0


def test_events_of_before_have_been_answered_when_they_say():
    event = m.IncidentDeclared(
        title="x", severity="sev-1", severity_assumed=False, commander="bo", services=(), started_at=T0,
        detected_at=T0, acknowledged_at=T0, next_update_at=None,
    )  # fmt: skip
    assert event.answered


# --- three vocabularies -----------------------------------------------------------------------------------------------


def test_every_stage_has_a_word_in_each_vocabulary_and_they_come_in_the_order_of_each():
    assert list(WORDS) == list(m.STAGES)
    for lifecycle in (
        ["Detect", "Triage", "Mitigate", "Resolve", "Review"],
        ["Detection and Analysis", "Containment, Eradication and Recovery", "Post-Incident Activity"],
    ):
        which = "sre" if len(lifecycle) == 5 else "nist"
        phases = [getattr(WORDS[stage], which).partition(":")[0] for stage in m.STAGES]
        assert list(dict.fromkeys(phases)) == lifecycle
    page = (Path(__file__).parents[2] / "docs" / "incident.md").read_text()
    for stage, words in WORDS.items():
        assert f"| {m.STAGE_TITLES[stage]} | {words.sre} | {words.itil} | {words.nist} |" in page
    assert len({words.itil for words in WORDS.values()}) == 7
