"""Runbooks as checklists inside an incident: who ticked what, when, and what came of it (mission 4.4).

A run holds the steps as the runbook had them when it began: the catalog may change meanwhile.
"""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.catalog.checklist import ChecklistStep, Cue
from sev1.command.terms import Command, Event, Name, NameOf, Number, OptionalProse, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, NotFound, Refused

MOST_RUNS = 20
"""In one incident."""
Outcome = Literal["done", "skipped", "failed"]
CUE_WORDS: dict[Cue, str] = {"": "", "stop": "STOP", "verify": "VERIFY", "done": "DONE"}
SIGNS: dict[Outcome, str] = {"done": "✅", "skipped": "", "failed": "⚠️"}


class Checklist(Struct, frozen=True, kw_only=True):
    """A runbook as the catalog has it, looked up before a run begins."""

    runbook: str
    title: str
    steps: tuple[ChecklistStep, ...]


class StepTick(Struct, frozen=True, kw_only=True):
    outcome: Outcome
    note: str = ""
    """Of a STOP what was checked, of a VERIFY what was seen."""
    by: str
    at: datetime


class RunbookRun(Struct, frozen=True, kw_only=True):
    number: int
    runbook: str
    title: str
    steps: tuple[ChecklistStep, ...]
    by: str
    at: datetime
    ticks: dict[int, StepTick] = {}
    """By the number of the step, from 1."""
    ended_at: datetime | None = None
    ended_by: str = ""
    complete: bool = False
    """Whether its DONE was reached."""
    reason: str = ""

    @property
    def ref(self) -> str:
        return f"C{self.number}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def waiting(self) -> tuple[int, ...]:
        """The steps that nobody has ticked yet."""
        return tuple(n for n in range(1, len(self.steps) + 1) if n not in self.ticks)

    @property
    def stopped_at(self) -> int | None:
        """The first STOP that nobody has confirmed: nothing after it may be ticked."""
        for n, step in enumerate(self.steps, start=1):
            if step.cue == "stop" and (n not in self.ticks or self.ticks[n].outcome != "done"):
                return n
        return None


class StartRun(Command, frozen=True, kw_only=True, tag="start_run"):
    """Begins a runbook of the catalog as a checklist."""

    runbook: Name


class TickStep(Command, frozen=True, kw_only=True, tag="tick_step"):
    """What came of a step. Said again, the later word holds."""

    run: Number | None = None
    """None: the one that is open."""
    step: Annotated[int, Meta(ge=1, le=50)]
    outcome: Outcome = "done"
    note: OptionalProse = ""


class EndRun(Command, frozen=True, kw_only=True, tag="end_run"):
    """Ends a run before its DONE."""

    run: Number
    reason: OptionalProse = ""


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    number: int
    runbook: str
    title: str
    steps: tuple[ChecklistStep, ...]


class StepTicked(Event, frozen=True, kw_only=True, tag="step_ticked"):
    run: int
    step: int
    text: str
    cue: Cue
    outcome: Outcome
    note: str = ""
    before: tuple[int, ...] = ()
    """Earlier steps that nobody had ticked yet: it was done out of order."""
    previous: Outcome | None = None
    """What had been said of it before."""


class RunEnded(Event, frozen=True, kw_only=True, tag="run_ended"):
    run: int
    title: str
    complete: bool
    reason: str = ""
    left: tuple[int, ...] = ()
    """Steps that nobody ticked."""


RunCommand = StartRun | TickStep | EndRun
RunEvent = RunStarted | StepTicked | RunEnded
Runs = dict[int, RunbookRun]


def start(runs: Runs, command: StartRun, checklist: Checklist | None) -> list[RunEvent]:
    """Begins a run of what the catalog has. Raises NotFound, and Refused while one of the same runbook is open."""
    if checklist is None:
        raise NotFound(f"There is no runbook {command.runbook!r}.")
    if twin := next((run for run in runs.values() if run.is_open and run.runbook == checklist.runbook), None):
        raise Refused(f"{twin.ref} runs {twin.title} already. Go on there, or end it first: /run {twin.ref} end")
    if len(runs) >= MOST_RUNS:
        raise Refused(f"This incident has run {MOST_RUNS} runbooks. Open a child incident for the rest.")
    if not checklist.steps:
        raise Refused(f"The runbook {checklist.runbook} has no steps to tick. Its page in the catalog has the text.")
    return [
        RunStarted(
            number=max(runs, default=0) + 1,
            runbook=checklist.runbook,
            title=checklist.title,
            steps=checklist.steps,
        )
    ]


def decide(runs: Runs, command: TickStep | EndRun, _: Scene) -> list[RunEvent]:
    match command:
        case TickStep():
            return _tick(_meant(runs, command.run), command)
        case EndRun():
            run = _named(runs, command.run)
            if not run.is_open:
                return []
            return [RunEnded(run=run.number, title=run.title, complete=False, reason=command.reason, left=run.waiting)]
        case _:
            assert_never(command)


def _tick(run: RunbookRun, command: TickStep) -> list[RunEvent]:
    number, note = command.step, command.note.strip()
    if number > len(run.steps):
        raise NotFound(f"{run.ref} has {len(run.steps)} steps.")
    if not run.is_open:
        raise Refused(f"{run.ref} has ended. Begin it anew: /run {run.runbook}")
    stop = run.stopped_at
    if stop and number > stop:
        raise Refused(
            f"STOP before step {number}: {run.steps[stop - 1].text} "
            f"Say what you checked: /tick {run.ref} {stop} done …",
            step=stop,
        )
    step = run.steps[number - 1]
    _wants(step, command.outcome, note)
    old = run.ticks.get(number)
    if old and (old.outcome, old.note) == (command.outcome, note or old.note):
        return []
    ticked = StepTicked(
        run=run.number,
        step=number,
        text=step.text,
        cue=step.cue,
        outcome=command.outcome,
        note=note,
        before=tuple(n for n in run.waiting if n < number),
        previous=old.outcome if old else None,
    )
    if step.cue != "done" or command.outcome != "done":
        return [ticked]
    left = tuple(n for n in run.waiting if n != number)
    return [ticked, RunEnded(run=run.number, title=run.title, complete=True, left=left)]


def _wants(step: ChecklistStep, outcome: Outcome, note: str) -> None:
    """What a cue asks for. Raises Invalid when it was not said."""
    if step.cue == "stop" and outcome == "skipped":
        raise Invalid("A STOP is not skipped: check it and say what you checked, or that it failed.", field="outcome")
    if step.cue == "stop" and not note:
        raise Invalid(f"STOP: {step.text} Say what you checked.", field="note")
    if step.cue == "verify" and not note:
        wanted = "why it was skipped" if outcome == "skipped" else "what you saw"
        raise Invalid(f"VERIFY: {step.text} Say {wanted}.", field="note")


def _meant(runs: Runs, number: int | None) -> RunbookRun:
    if number:
        return _named(runs, number)
    open_ones = [run for run in runs.values() if run.is_open]
    if not open_ones:
        raise Refused("No runbook is being run. Begin one: /run RUNBOOK")
    if len(open_ones) > 1:
        refs = " or ".join(run.ref for run in open_ones)
        raise Refused(f"Several runbooks are being run. Say which: {refs}, like /tick {open_ones[0].ref} 2")
    return open_ones[0]


def _named(runs: Runs, number: int) -> RunbookRun:
    if number not in runs:
        raise NotFound(f"There is no run C{number} of a runbook in this incident.")
    return runs[number]


def evolve(runs: Runs, fact: Fact[RunEvent]) -> Runs:
    event = fact.event
    match event:
        case RunStarted():
            run = RunbookRun(
                number=event.number,
                runbook=event.runbook,
                title=event.title,
                steps=event.steps,
                by=fact.by.id,
                at=fact.at,
            )
        case StepTicked():
            old = runs[event.run]
            tick = StepTick(outcome=event.outcome, note=event.note, by=fact.by.id, at=fact.at)
            run = replace(old, ticks={**old.ticks, event.step: tick})
        case RunEnded():
            run = replace(
                runs[event.run],
                ended_at=fact.at,
                ended_by=fact.by.id,
                complete=event.complete,
                reason=event.reason,
            )
        case _:
            assert_never(event)
    return {**runs, run.number: run}


def words(event: RunEvent, _: NameOf) -> Words:
    match event:
        case RunStarted():
            return "work", "", f"Runbook C{event.number} begun: {event.title}", ()
        case StepTicked():
            cue = f"{CUE_WORDS[event.cue]}: " if event.cue else ""
            again = f" (before: {event.previous})" if event.previous else ""
            headline = f"C{event.run} step {event.step} {event.outcome}{again}: {cue}{event.text}"
            label = {"stop": "Checked", "verify": "Seen"}.get(event.cue, "Note")
            details = ((label, event.note), ("Out of order, before", steps_in_words(event.before)))
            return "work", SIGNS[event.outcome], headline, details
        case RunEnded():
            end = "done" if event.complete else "ended before its DONE"
            details = (("Reason", event.reason), ("Not ticked", steps_in_words(event.left)))
            return "work", "✅" if event.complete else "", f"Runbook C{event.run} {end}: {event.title}", details
        case _:
            assert_never(event)


def steps_in_words(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return ""
    return f"step{'s' if len(numbers) > 1 else ''} {', '.join(str(n) for n in numbers)}"
