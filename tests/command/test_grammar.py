import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.grammar.complete import complete
from sev1.command.grammar.parse import help_text, parse, usage
from sev1.command.grammar.reading import Speaker
from sev1.command.grammar.verbs import BY_NAME, VERBS
from sev1.command.parts.board import PutOnBoard, SettleItem
from sev1.command.parts.mitigations import AddMitigation, ChangeMitigation
from sev1.command.parts.needs import MeetNeed, RaiseNeed
from sev1.command.parts.priority import FollowSeverity, SetPriority
from sev1.command.parts.prompts import LaterPrompt
from sev1.command.parts.tasks import ChangeTask, GiveTask, TakeTask
from sev1.command.parts.workstreams import OpenWorkstream
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
PEOPLE = {"ana": "Ana Ribeiro", "bo": "Bo Lindqvist", "gus": "Gustav Maier", "gustl": "Gustl Huber"}


def speaker(**changes: object) -> Speaker:
    fields: dict[str, object] = {
        "me": "ana",
        "now": NOW,
        "zone": "Europe/Berlin",
        "people": PEOPLE,
        "severities": ("sev-1", "sev-2", "sev-3"),
    }
    return Speaker(**{**fields, **changes})  # type: ignore[arg-type]


def said(line: str, **changes: object) -> m.ResponderCommand:
    return parse(line, speaker(**changes))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_example_of_every_command_can_be_said(verb):
    assert said(verb.example)


def test_every_command_has_one_name_and_no_two_share_one():
    names = [name for verb in VERBS for name in (verb.name, *verb.also)]
    assert len(names) == len(set(names)) == len(BY_NAME)


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("db-2 is slow", m.AddNote(text="db-2 is slow")),
        ("/sev 2 because only one region", m.SetSeverity(severity="sev-2", reason="only one region")),
        ("/sev SEV-1", m.SetSeverity(severity="sev-1")),
        ("/role ops @bo", m.AssignRole(role="ops", person="bo")),
        ("/role scribe", m.AssignRole(role="scribe", person="ana")),
        ("/can pay is down | rolled back | a DBA", m.PostUpdate(condition="pay is down", actions="rolled back", needs="a DBA")),
        ("/can pay is down needs: a DBA actions: rolled back", m.PostUpdate(condition="pay is down", actions="rolled back", needs="a DBA")),
        ("/can C: down A: rolled back", m.PostUpdate(condition="down", actions="rolled back")),
        ("/decide roll back because it began then instead of waiting", m.RecordDecision(decision="roll back", reason="it began then", alternatives="waiting")),
        ("/guess the pool is full unless idle > 0", PutOnBoard(kind="hypothesis", text="the pool is full", disproof="idle > 0")),
        ("/know errors since 03:05", PutOnBoard(kind="known", text="errors since 03:05")),
        ("/refute H4 because 40 are idle", SettleItem(item=4, outcome="refuted", evidence="40 are idle")),
        ("/confirm h4 pg shows it", SettleItem(item=4, outcome="confirmed", evidence="pg shows it")),
        ("/confirm impact ended", m.ConfirmCriterion(criterion="impact_ended")),
        ("/override no residual because it is planned", m.OverrideCriterion(criterion="no_residual", reason="it is planned")),
        ("/need a DBA @gus", RaiseNeed(text="a DBA", owner="gus")),
        ("/take T3", TakeTask(task=3, person="ana")),
        ("/take t-3 @bo", TakeTask(task=3, person="bo")),
        ("/done N2 she is here", MeetNeed(need=2, outcome="she is here")),
        ("/workstream Database: standby is safe @gus", OpenWorkstream(title="Database", goal="standby is safe", lead="gus")),
        ("/page @gus is it in sync?", m.PageResponder(person="gus", ask="is it in sync?")),
        ("/link a-12", m.LinkAlerts(alerts=(12,))),
        ("/false-alarm", m.CloseFalseAlarm()),
        ("/priority 1 because of the contract", SetPriority(priority=1, reason="of the contract")),
        ("/priority P4 nobody waits for it", SetPriority(priority=4, reason="nobody waits for it")),
        ("/priority follow", FollowSeverity()),
        ("/not-now", LaterPrompt()),
        ("/not-now @bo", LaterPrompt(person="bo")),
        ("/dec go", m.RecordDecision(decision="go")),
    ],
)  # fmt: skip
def test_a_line_means_one_command(line, means):
    assert said(line) == means


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("by 05:00", datetime(2026, 3, 2, 4, 0, tzinfo=UTC)),
        ("by 04:00", datetime(2026, 3, 3, 3, 0, tzinfo=UTC)),
        ("by 04:00 UTC", datetime(2026, 3, 2, 4, 0, tzinfo=UTC)),
        ("in 20 min", NOW + timedelta(minutes=20)),
        ("in 2h", NOW + timedelta(hours=2)),
        ("by tomorrow 09:00", datetime(2026, 3, 3, 8, 0, tzinfo=UTC)),
        ("until Monday", datetime(2026, 3, 9, 17, 0, tzinfo=UTC)),
        ("until 2026-04-01 12:00", datetime(2026, 4, 1, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_next_such_time_on_the_writers_wall(words, due):
    command = said(f"/task @bo measure the lag of db-2 {words}")
    assert command == GiveTask(text="measure the lag of db-2", owner="bo", due_at=due)


def test_across_a_change_of_clocks_the_wall_counts():
    before = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)  # Berlin goes from +01:00 to +02:00 that night
    command = said("/mitigation retries are off until tomorrow 12:00", now=before)
    assert command == AddMitigation(text="retries are off", remove_by=datetime(2026, 3, 29, 10, 0, tzinfo=UTC))


def test_words_that_look_like_a_time_but_are_none_stay_text():
    assert said("/task restart it by hand") == GiveTask(text="restart it by hand")
    assert said("/note it ended by 14:30") == m.AddNote(text="it ended by 14:30")


def test_a_time_that_does_not_exist_is_refused():
    with pytest.raises(Invalid, match="no time 25:99"):
        said("/task look at it by 25:99")


def test_a_task_may_name_its_workstream_and_be_changed_later():
    assert said("/task @bo measure the lag in W2 by 05:00") == GiveTask(
        text="measure the lag", owner="bo", due_at=datetime(2026, 3, 2, 4, 0, tzinfo=UTC), workstream=2
    )
    assert said("/change T3 measure the lag of db-2") == ChangeTask(task=3, text="measure the lag of db-2")
    assert said("/change M1 @bo in 2 days") == ChangeMitigation(
        mitigation=1, owner="bo", remove_by=NOW + timedelta(days=2)
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/", "Type a command"),
        ("/sevv 2", "Did you mean /sev"),
        ("/errors are down to 3 %", "/note writes a note"),
        ("/xyzzy", "Type /help"),
        ("/sev", "Say which severity: SEV-1, SEV-2, SEV-3"),
        ("/role chief @bo", "Say which role: ic, ops"),
        ("/role ops @zoe", "Nobody here is called @zoe"),
        ("/role ops @gust", "could be @gus (Gustav Maier) or @gustl (Gustl Huber)"),
        ("/role ops @anna", "Did you mean @ana"),
        ("/page somebody now", "whom to wake"),
        ("/done it", "Say which one first, like T3"),
        ("/refute it is not so", "like H4"),
        ("/override stable", "Say why"),
        ("/reopen", "why it is open again"),
        ("/resolve now", "Nothing follows it"),
        ("/link X-1", "like P-7 or A-12"),
        ("/note " + "x" * 6000, "longer than 5,000 characters"),
        ("x" * 20_001, "longer than 20,000 characters"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_how_to_write_it(line, sentence):
    with pytest.raises(Invalid) as refusal:
        said(line)
    assert sentence in refusal.value.message


def test_a_refusal_shows_an_example_of_the_command():
    with pytest.raises(Invalid, match="For example: /sev 2 because"):
        said("/sev worse")


def incident(*lines: str) -> m.Incident:
    """An incident in which `lines` were said."""
    rules, ana = IncidentAggregate(), Actor(id="ana", name="Ana", via="web")
    state, version = rules.initial("INC-1"), 0
    for command in (m.Declare(title="Payments fail"), *(said(line) for line in lines)):
        informed = m.Informed(command=command, known=m.Known())
        for event in rules.decide(state, informed, NOW, ana):
            version += 1
            state = rules.evolve(state, Fact(version=version, at=NOW, by=ana, event=event))
    return state


def test_a_role_names_who_holds_it():
    assert said("/task @ops measure the lag", incident=incident("/role ops @bo")) == GiveTask(
        text="measure the lag", owner="bo"
    )


def test_completion_knows_commands_people_choices_and_what_is_open():
    state = incident("/role ops @bo", "/guess the pool is full", "/task @bo measure the lag", "/need a DBA")
    here = speaker(incident=state)

    def texts(line: str) -> list[str]:
        return [candidate.text for candidate in complete(line, here)]

    assert texts("/de") == ["/decide", "/reject"]
    assert texts("/severi") == ["/sev"]
    assert texts("/task @")[:2] == ["@ana", "@bo"]
    assert texts("/task @gu") == ["@gus", "@gustl"]
    assert texts("/sev ") == ["1", "2", "3"]
    assert texts("/stage m") == ["mitigation"]
    assert texts("/refute ") == ["H1"]
    assert texts("/done ") == ["T1", "N1"]
    assert texts("/note wh") == []
    assert len(texts("/")) == len(VERBS)


def test_help_is_made_from_the_table():
    text = help_text()
    for verb in VERBS:
        assert f"/{verb.name}" in text
        assert verb.does in text
    assert "/guess HYPOTHESIS unless" in help_text("hypothesis")
    with pytest.raises(Invalid):
        help_text("/nope")


WORDS = st.sampled_from(
    ["/task", "/sev", "/done", "/can", "T3", "H4", "@bo", "@", "by", "14:30", "99:99", "because", "unless", "|", ":",
     "needs:", "2026-13-40", "in 3 days", "💥", "\u202e", "\x00", "<b>", "", "\n", "x" * 400]
)  # fmt: skip


@given(
    st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=200), st.text(max_size=50).map("/".__add__))
)
def test_whatever_is_typed_it_is_a_command_or_a_sentence(line):
    heard = None
    with contextlib.suppress(Invalid):
        heard = said(line)
    assert heard is not None or refusal_of(line).endswith((".", "?", *(verb.example for verb in VERBS)))
    assert isinstance(complete(line, speaker()), list)


def refusal_of(line: str) -> str:
    with pytest.raises(Invalid) as refusal:
        said(line)
    return refusal.value.message


def test_the_documentation_lists_every_command_as_it_is_written():
    text = (Path(__file__).parents[2] / "docs" / "incident.md").read_text(encoding="utf-8")
    for verb in VERBS:
        assert f"| `{usage(verb)}`".replace("[|", "[\\|") in text, verb.name
        assert verb.does in text
