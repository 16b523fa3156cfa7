"""Taking back what an entry did: a correcting entry, while nothing builds on it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.parts import board, needs, tasks, workstreams
from sev1.command.parts.privacy import Remove
from sev1.command.timeline import render
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import NotFound, Refused, Sev1Error

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
ANA = Actor(id="ana", name="Ana", via="web")
BO = Actor(id="bo", name="Bo", via="web")
INCIDENTS = IncidentAggregate()


class Log:
    """An incident with its record, on which commands are tried as the product runs them."""

    def __init__(self, *, restricted: bool = False) -> None:
        self.state = INCIDENTS.initial("INC-1")
        self.now = T0
        self.facts: list[Fact[m.IncidentEvent]] = []
        self.when(m.Declare(title="Card payments fail", restricted=restricted))

    def when(self, command: m.IncidentCommand, by: Actor = ANA, *, after_min: float = 1) -> list[m.IncidentEvent]:
        self.now += timedelta(minutes=after_min)
        known = m.Known()
        if isinstance(command, m.Undo):
            end = command.entry + 1 if command.entry else len(self.facts)
            known = replace(known, record=tuple(self.facts[max(end - 2 if command.entry else end - 60, 0) : end]))
        events = INCIDENTS.decide(self.state, m.Informed(command=command, known=known), self.now, by)
        for event in events:
            fact = Fact(version=len(self.facts) + 1, at=self.now, by=by, event=event)
            self.facts.append(fact)
            self.state = INCIDENTS.evolve(self.state, fact)
        return events

    def undo(self, entry: int | None = None, by: Actor = ANA) -> list[m.IncidentEvent]:
        return self.when(m.Undo(entry=entry), by)


def but_for_the_record(state: m.Incident) -> m.Incident:
    """What undo gives back. Who worked when, which entries stand, and when a promise was made are the record."""
    clocks = {name: replace(clock, promised_at=None, reminded=False) for name, clock in state.clocks.items()}
    return replace(state, pace=m.Incident(key="").pace, entries=m.Entries(), clocks=clocks)


def ready() -> Log:
    """With one of everything that can be undone about."""
    log = Log()
    for command in (
        m.AssignRole(role="ops", person="bo"),
        tasks.GiveTask(text="measure the lag", owner="bo", due_at=T0 + timedelta(hours=5)),
        needs.RaiseNeed(text="a DBA"),
        board.PutOnBoard(kind="unknown", text="is the standby in sync?"),
        workstreams.OpenWorkstream(title="Database", lead="gus"),
        m.SetSeverity(severity="sev-2", reason="one region"),
    ):
        log.when(command)
    return log


UNDOABLE = st.sampled_from(
    [
        m.AssignRole(role="ops", person="gus"),
        m.AssignRole(role="ic", person="bo"),
        m.AssignRole(role="sme", person="gus"),
        m.ReleaseRole(role="ops", person="bo"),
        m.SetSeverity(severity="sev-1"),
        m.SetSeverity(severity="sev-3", reason="measured"),
        m.SetStage(stage="triage"),
        m.SetStage(stage="resolution"),
        m.MarkMitigated(),
        m.ConfirmCriterion(criterion="restored"),
        m.OverrideCriterion(criterion="restored", reason="the vendor's"),
        m.AddNote(text="db-2 is slow"),
        tasks.FinishTask(task=1, outcome="1 s"),
        tasks.DropTask(task=1),
        needs.MeetNeed(need=1, outcome="she is here"),
        needs.DropNeed(need=1),
        board.SettleItem(item=1, outcome="answered", evidence="3 s behind"),
        workstreams.SetWorkstreamState(workstream=1, state="waiting", note="for the vendor"),
        workstreams.SetWorkstreamState(workstream=1, state="done"),
    ]
)


@given(st.lists(UNDOABLE, max_size=6), UNDOABLE)
def test_undoing_what_was_just_done_gives_back_what_was_before(before: list[m.ResponderCommand], command):
    log = ready()
    for earlier in before:
        try_to(log, earlier)
    state = log.state
    was_closed = isinstance(command, tasks.FinishTask | tasks.DropTask) and not state.tasks[1].is_open
    if try_to(log, command) and not was_closed:
        log.undo()
        assert but_for_the_record(log.state) == but_for_the_record(state)


@given(st.lists(UNDOABLE, min_size=1, max_size=6))
def test_several_are_undone_one_after_the_other(commands: list[m.ResponderCommand]):
    log = ready()
    states = []
    for command in commands:
        if isinstance(command, tasks.FinishTask | tasks.DropTask) and not log.state.tasks[1].is_open:
            continue
        state = log.state
        if try_to(log, command):
            states.append(state)
    for state in reversed(states):
        log.when(m.Undo(), after_min=0)
        assert but_for_the_record(log.state) == but_for_the_record(state)


def try_to(log: Log, command: m.ResponderCommand) -> list[m.IncidentEvent]:
    try:
        return log.when(command, after_min=0.5)
    except Sev1Error:
        return []


def test_a_correction_names_the_entry_and_nothing_is_erased():
    log = ready()
    (changed,) = log.when(m.SetStage(stage="triage"))
    assert isinstance(changed, m.StageChanged)
    version = len(log.facts)
    assert log.undo() == [m.StageChanged(old="triage", new="detection", corrects=version)]
    entries = render(log.facts, str, log.state.entries)
    corrected, correction = entries[-2:]
    assert (corrected.headline, corrected.corrected_by) == (
        "Stage: Detection & declaration → Triage & assessment",
        version + 1,
    )
    assert (correction.headline, correction.corrects) == ("Undone: the stage is Detection & declaration again", version)
    assert not corrected.undoable
    assert not correction.undoable


def test_a_note_is_struck_and_kept():
    log = ready()
    log.when(m.AddNote(text="it is db-2"))
    version = len(log.facts)
    assert log.undo() == [m.NoteStruck(corrects=version)]
    assert log.facts[version - 1].event == m.NoteAdded(text="it is db-2")


def test_what_something_later_builds_on_is_undone_after_that():
    log = ready()
    log.when(m.SetSeverity(severity="sev-1"))
    first = len(log.facts)
    log.when(m.SetSeverity(severity="sev-3", reason="measured"))
    with pytest.raises(Refused, match=f"Entry {first + 1} builds on entry {first}"):
        log.undo(first)
    log.undo(first + 1)
    log.undo(first)
    assert log.state.severity == "sev-2"


def test_an_assumed_severity_is_assumed_again_and_the_update_is_due_as_before():
    log = Log()
    due = log.state.next_update_at
    log.when(m.SetSeverity(severity="sev-3", reason="measured"))
    log.undo()
    assert (log.state.severity, log.state.severity_assumed, log.state.next_update_at) == ("sev-1", True, due)


def test_command_goes_back_to_who_had_it():
    log = ready()
    log.when(m.AssignRole(role="ic", person="bo"))
    log.undo()
    assert log.state.commander == "ana"
    assert log.state.commander_is_temporary


def test_a_line_put_on_the_board_by_mistake_leaves_it():
    log = ready()
    log.when(board.PutOnBoard(kind="hypothesis", text="it is db-2"))
    log.undo()
    assert log.state.board[2].outcome == "archived"


def test_undone_twice_or_an_undo_undone_is_refused():
    log = ready()
    log.when(m.MarkMitigated())
    version = len(log.facts)
    log.undo(version)
    with pytest.raises(Refused, match=f"undone already, by entry {version + 1}"):
        log.undo(version)
    with pytest.raises(Refused, match="Do again what that had done"):
        log.undo(version + 1)
    log.when(m.MarkMitigated())
    assert log.state.mitigated_at


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (m.PostUpdate(condition="42 % fail"), "/can"),
        (m.RecordDecision(decision="roll back"), "/outcome D1"),
        (m.PageResponder(person="gus", ask="come"), "has been woken"),
        (tasks.GiveTask(text="look", owner="bo"), "/drop T2"),
        (tasks.TakeTask(task=1, person="gus"), "/take T1 @bo"),
        (needs.RaiseNeed(text="a vendor"), "/drop N2"),
        (m.LinkAlerts(alerts=(7,)), "A link stays"),
    ],
)
def test_what_went_out_is_corrected_by_saying_what_is_right(command, says):
    log = ready()
    log.when(command)
    with pytest.raises(Refused, match=says):
        log.undo(len(log.facts))


def test_without_a_number_only_ones_own_and_only_for_ten_minutes():
    log = ready()
    log.when(m.MarkMitigated(), by=BO)
    log.when(m.AddNote(text="x"), by=ANA)
    log.undo(by=BO)
    assert log.state.mitigated_at is None
    log.now += timedelta(minutes=11)
    with pytest.raises(Refused, match="Name an entry"):
        log.undo(by=ANA)


def test_an_entry_that_does_not_exist_is_not_found():
    log = ready()
    with pytest.raises(NotFound, match="no entry 99"):
        log.undo(99)


def test_when_it_is_over_only_notes_and_roles_are_undone():
    log = ready()
    for criterion in m.CRITERIA:
        log.when(m.ConfirmCriterion(criterion=criterion))
    confirmed = len(log.facts)
    log.when(m.ResolveIncident())
    log.when(m.AddNote(text="wrong incident"))
    log.undo()
    with pytest.raises(Refused, match="Reopen it first"):
        log.undo(confirmed)
    log.when(m.Reopen(reason="errors are back"))
    with pytest.raises(Refused, match="builds on"):
        log.undo(confirmed)


def test_who_was_removed_from_a_restricted_incident_does_not_come_back_by_an_undo():
    log = Log(restricted=True)
    log.when(m.AssignRole(role="ops", person="bo"))
    log.when(m.AssignRole(role="ops", person="gus"))
    version = len(log.facts)
    log.when(Remove(person="bo"))
    with pytest.raises(Refused, match="/admit @bo"):
        log.undo(version)


def test_an_answer_that_went_to_another_incident_stands():
    log = ready()
    log.state = replace(log.state, family=replace(log.state.family, asked={"INC-2/N1": 1}))
    log.when(needs.MeetNeed(need=1))
    with pytest.raises(Refused, match="went to another incident"):
        log.undo()
