"""Runbooks being run, as the page shows them: the next step first to hand, what came of the others beside them. Pure (mission 4.4)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.catalog.runbook import Branch
from sev1.command import model as m
from sev1.command.parts.runs import CUE_WORDS, RunbookRun
from sev1.command.say import runbooks_that_fit
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import Line

ENDED_SHOWN = 5


class StepRow(Struct, frozen=True, kw_only=True):
    number: int
    text: str
    cue: str
    branches: tuple[Branch, ...]
    outcome: str
    """Empty while nobody has ticked it."""
    note: str
    by: str
    at: datetime | None
    is_next: bool
    is_blocked: bool
    """Behind a STOP that nobody has confirmed."""
    lines: tuple[Line, ...]

    @property
    def is_plain(self) -> bool:
        return not self.cue


class RunRow(Struct, frozen=True, kw_only=True):
    number: int
    ref: str
    title: str
    ticked: int
    steps: tuple[StepRow, ...]
    lines: tuple[Line, ...]


class EndedRow(Struct, frozen=True, kw_only=True):
    ref: str
    title: str
    how: str
    by: str
    at: datetime


class RunsView(Struct, frozen=True, kw_only=True):
    open: tuple[RunRow, ...]
    ended: tuple[EndedRow, ...]
    """The latest few, the latest first; the timeline has every step."""
    offered: tuple[Line, ...]
    """Runbooks that fit and are not being run."""


def runs_view(incident: m.Incident, catalog: Catalog) -> RunsView:
    runs = list(incident.runs.values())
    being_run = {run.runbook for run in runs if run.is_open}
    offered = [name for name in runbooks_that_fit(catalog, incident) if name not in being_run]
    ended = [run for run in runs if not run.is_open or not incident.is_open]
    return RunsView(
        open=tuple(_run(run, catalog) for run in runs if run.is_open and incident.is_open),
        ended=tuple(_ended(run, catalog) for run in ended[::-1][:ENDED_SHOWN]),
        offered=tuple(
            Line(label=catalog.runbooks[name].title, line=f"/run {name}") for name in offered if incident.is_open
        ),
    )


def _run(run: RunbookRun, catalog: Catalog) -> RunRow:
    stop = run.stopped_at
    following = next((n for n in run.waiting if stop is None or n <= stop), stop)
    return RunRow(
        number=run.number,
        ref=run.ref,
        title=run.title,
        ticked=len(run.ticks),
        steps=tuple(
            _step(run, n, catalog, is_next=n == following, is_blocked=stop is not None and n > stop)
            for n in range(1, len(run.steps) + 1)
        ),
        lines=(Line(label="end it", line=f"/run {run.ref} end because "),),
    )


def _step(run: RunbookRun, number: int, catalog: Catalog, *, is_next: bool, is_blocked: bool) -> StepRow:
    step, tick = run.steps[number - 1], run.ticks.get(number)
    return StepRow(
        number=number,
        text=step.text,
        cue=CUE_WORDS[step.cue],
        branches=step.branches,
        outcome=tick.outcome if tick else "",
        note=tick.note if tick else "",
        by=name_of(catalog, tick.by) if tick else "",
        at=tick.at if tick else None,
        is_next=is_next,
        is_blocked=is_blocked,
        lines=() if is_blocked or (tick and not is_next) else _lines(run, number),
    )


def _lines(run: RunbookRun, number: int) -> tuple[Line, ...]:
    begun = f"/tick {run.ref} {number}"
    cue = run.steps[number - 1].cue
    said = {
        "stop": "say what you checked",
        "verify": "say what you saw",
        "done": "done, end it",
        "": "done with a note",
    }
    done = Line(label=said[cue], line=f"{begun} done ")
    skip = Line(label="skip", line=f"{begun} skipped ")
    failed = Line(label="failed", line=f"{begun} failed ")
    return (done, failed) if cue == "stop" else (done, skip, failed)


def _ended(run: RunbookRun, catalog: Catalog) -> EndedRow:
    how = "done" if run.complete else "ended before its DONE" if run.ended_at else "left open at the end"
    if run.reason:
        how = f"{how}: {run.reason}"
    return EndedRow(
        ref=run.ref,
        title=run.title,
        how=how,
        by=name_of(catalog, run.ended_by or run.by),
        at=run.ended_at or run.at,
    )
