"""Runbooks as checklists: ticks, the three cues, what is out of order, and the end."""

from datetime import UTC, datetime, timedelta

import pytest

from sev1.catalog.checklist import ChecklistStep
from sev1.command import model as m
from sev1.command.advice import advise
from sev1.command.decide import IncidentAggregate
from sev1.command.parts.runs import Checklist, EndRun, RunEnded, StartRun, StepTicked, TickStep, words
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid, NotFound, Refused

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
ANA = Actor(id="ana", name="Ana", via="web")
INCIDENTS = IncidentAggregate()
FAILOVER = Checklist(
    runbook="database-failover",
    title="Main database: down",
    steps=(
        ChecklistStep(text="Fence the old primary"),
        ChecklistStep(text="Is it really dead?", cue="stop"),
        ChecklistStep(text="Promote the standby"),
        ChecklistStep(text="A new order shows up", cue="verify"),
        ChecklistStep(text="The standby is in sync", cue="done"),
    ),
)


class Log:
    def __init__(self) -> None:
        self.state = INCIDENTS.initial("INC-1")
        self.now = T0
        self.version = 0
        self.facts: list[Fact[m.IncidentEvent]] = []
        self.when(m.Declare(title="Orders fail"))

    def when(self, command: m.IncidentCommand, checklist: Checklist = FAILOVER) -> list[m.IncidentEvent]:
        self.now += timedelta(minutes=1)
        informed = m.Informed(command=command, known=m.Known(checklist=checklist))
        events = INCIDENTS.decide(self.state, informed, self.now, ANA)
        self.facts = []
        for event in events:
            self.version += 1
            fact = Fact(version=self.version, at=self.now, by=ANA, event=event)
            self.facts.append(fact)
            self.state = INCIDENTS.evolve(self.state, fact)
        return events

    def tick(self, step: int, outcome: str = "done", note: str = "", run: int | None = None) -> list[m.IncidentEvent]:
        return self.when(TickStep(run=run, step=step, outcome=outcome, note=note))  # type: ignore[arg-type]


@pytest.fixture
def log() -> Log:
    log = Log()
    log.when(StartRun(runbook="database-failover"))
    return log


def test_a_run_keeps_the_steps_as_they_were_when_it_began(log: Log):
    run = log.state.runs[1]
    assert (run.ref, run.by, run.steps, run.waiting) == ("C1", "ana", FAILOVER.steps, (1, 2, 3, 4, 5))


def test_a_tick_says_who_and_when_and_what_came_of_it(log: Log):
    log.tick(1, "failed", "the console does not answer")
    tick = log.state.runs[1].ticks[1]
    assert (tick.outcome, tick.note, tick.by, tick.at) == ("failed", "the console does not answer", "ana", log.now)


def test_behind_a_stop_nothing_is_ticked_until_somebody_says_what_they_checked(log: Log):
    log.tick(1)
    with pytest.raises(Refused, match="STOP before step 3: Is it really dead"):
        log.tick(3)
    with pytest.raises(Invalid, match="Say what you checked"):
        log.tick(2)
    with pytest.raises(Invalid, match="A STOP is not skipped"):
        log.tick(2, "skipped", "no time")
    log.tick(2, "failed", "it still answers")
    with pytest.raises(Refused, match="STOP before step 3"):
        log.tick(3)
    log.tick(2, "done", "fenced, and the console shows it off")
    log.tick(3)
    assert log.state.runs[1].waiting == (4, 5)


def test_a_stop_that_no_longer_holds_stops_again(log: Log):
    log.tick(2, "done", "off")
    log.tick(2, "failed", "it came back")
    with pytest.raises(Refused, match="STOP before step 5"):
        log.tick(5)


def test_a_verify_wants_what_was_seen_and_a_skip_of_it_why(log: Log):
    log.tick(2, "done", "off")
    with pytest.raises(Invalid, match="Say what you saw"):
        log.tick(4)
    with pytest.raises(Invalid, match="Say why it was skipped"):
        log.tick(4, "skipped")
    (ticked,) = log.tick(4, note="order 4711 at 03:19")
    assert isinstance(ticked, StepTicked)
    assert ("Seen", "order 4711 at 03:19") in words(ticked, str)[3]


def test_out_of_order_is_allowed_and_called_out(log: Log):
    log.tick(2, "done", "off")
    (ticked,) = log.tick(3)
    assert isinstance(ticked, StepTicked)
    assert ticked.before == (1,)
    assert ("Out of order, before", "step 1") in words(ticked, str)[3]
    (advice,) = advise(log.state, log.facts, str)
    assert (advice.kind, advice.line) == ("out_of_order", "/tick C1 1 skipped ")


def test_a_step_ticked_twice_is_so_already_and_said_otherwise_the_later_word_holds(log: Log):
    log.tick(1, note="fenced")
    assert log.tick(1) == []
    assert log.tick(1, note="fenced") == []
    (again,) = log.tick(1, "failed", "it is not")
    assert isinstance(again, StepTicked)
    assert again.previous == "done"
    assert log.state.runs[1].ticks[1].outcome == "failed"


def test_done_ends_the_run_and_says_what_nobody_ticked(log: Log):
    log.tick(2, "done", "off")
    log.tick(3)
    events = log.tick(5)
    assert events[1] == RunEnded(run=1, title="Main database: down", complete=True, left=(1, 4))
    assert log.state.runs[1].complete
    with pytest.raises(Refused, match="C1 has ended"):
        log.tick(1, run=1)


def test_a_run_is_ended_before_its_done_once(log: Log):
    assert log.when(EndRun(run=1, reason="the primary is back")) == [
        RunEnded(run=1, title="Main database: down", complete=False, reason="the primary is back", left=(1, 2, 3, 4, 5))
    ]
    assert log.when(EndRun(run=1)) == []


def test_several_runs_are_told_apart_by_their_number(log: Log):
    other = Checklist(runbook="queue-backlog", title="Queue", steps=(ChecklistStep(text="Look"),))
    with pytest.raises(Refused, match="C1 runs Main database: down already"):
        log.when(StartRun(runbook="database-failover"))
    log.when(StartRun(runbook="queue-backlog"), checklist=other)
    with pytest.raises(Refused, match="Say which: C1 or C2"):
        log.tick(1)
    log.tick(1, run=2)
    assert (log.state.runs[1].ticks, log.state.runs[2].waiting) == ({}, ())
    log.when(EndRun(run=1))
    log.tick(1, "failed")
    assert log.state.runs[2].ticks[1].outcome == "failed"


def test_what_does_not_exist_is_not_found(log: Log):
    with pytest.raises(NotFound, match="C1 has 5 steps"):
        log.tick(6)
    with pytest.raises(NotFound, match="no run C7"):
        log.tick(1, run=7)
    log.when(EndRun(run=1))
    with pytest.raises(Refused, match="/run RUNBOOK"):
        log.tick(1)


def test_a_runbook_without_steps_cannot_be_run(log: Log):
    with pytest.raises(Refused, match="no steps to tick"):
        log.when(StartRun(runbook="prose"), checklist=Checklist(runbook="prose", title="Prose", steps=()))
