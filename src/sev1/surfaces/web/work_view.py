"""Work as the page shows it: tasks by when they are due, needs, workstreams, what is temporary. Pure (missions 8.3, 8.10, 10.4)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.openings import Opening, is_involved, openings
from sev1.command.parts.needs import Need
from sev1.command.parts.tasks import Task
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import OVER_SHOWN, Line


class TaskRow(Struct, frozen=True, kw_only=True):
    ref: str
    text: str
    owner: str
    """Their name; empty while nobody has it."""
    is_mine: bool
    due_at: datetime
    stream: str
    lines: tuple[Line, ...]


class NeedRow(Struct, frozen=True, kw_only=True):
    ref: str
    text: str
    owner: str
    is_mine: bool
    at: datetime
    lines: tuple[Line, ...]


class StreamRow(Struct, frozen=True, kw_only=True):
    ref: str
    title: str
    goal: str
    lead: str
    is_mine: bool
    thread: str
    waiting: bool
    note: str
    open_tasks: int
    lines: tuple[Line, ...]


class MitigationRow(Struct, frozen=True, kw_only=True):
    ref: str
    text: str
    owner: str
    is_mine: bool
    remove_by: datetime
    lines: tuple[Line, ...]


class Over(Struct, frozen=True, kw_only=True):
    """What is done or dropped, one line each."""

    ref: str
    text: str
    state: str
    outcome: str


class WorkView(Struct, frozen=True, kw_only=True):
    tasks: tuple[TaskRow, ...]
    """Mine first, then free ones, then by when they are due."""
    needs: tuple[NeedRow, ...]
    streams: tuple[StreamRow, ...]
    mitigations: tuple[MitigationRow, ...]
    over: tuple[Over, ...]
    """The latest few, the latest first; the timeline has all."""
    over_count: int
    pick_up: tuple[Opening, ...]
    """For a newcomer: what waits for somebody. Empty for whoever has something to do here."""

    @property
    def mine(self) -> int:
        return sum(row.is_mine for row in self.tasks) + sum(row.is_mine for row in self.needs)


def work_view(incident: m.Incident, catalog: Catalog, me: str) -> WorkView:
    over = _over(incident)
    return WorkView(
        tasks=_tasks(incident, catalog, me),
        needs=_needs(incident, catalog, me),
        streams=_streams(incident, catalog, me),
        mitigations=_mitigations(incident, catalog, me),
        over=over[:OVER_SHOWN],
        over_count=len(over),
        pick_up=tuple(openings(incident)) if me in catalog.people and not is_involved(incident, me) else (),
    )


def _tasks(incident: m.Incident, catalog: Catalog, me: str) -> tuple[TaskRow, ...]:
    open_ones = [task for task in incident.tasks.values() if task.is_open]
    return tuple(
        TaskRow(
            ref=task.ref,
            text=task.text,
            owner=name_of(catalog, task.owner) if task.owner else "",
            is_mine=task.owner == me,
            due_at=task.due_at,
            stream=incident.workstreams[task.workstream].title if task.workstream in incident.workstreams else "",
            lines=_task_lines(task, me),
        )
        for task in sorted(open_ones, key=lambda task: (task.owner != me, task.owner is not None, task.due_at))
    )


def _task_lines(task: Task, me: str) -> tuple[Line, ...]:
    if task.owner is None:
        return (Line(label="take it", line=f"/take {task.ref}"), Line(label="give it", line=f"/take {task.ref} @"))
    done = Line(label="done", line=f"/done {task.ref} ")
    if task.owner == me:
        return (done, Line(label="later", line=f"/change {task.ref} in 15 min"))
    return (done, Line(label="give it", line=f"/take {task.ref} @"))


def _needs(incident: m.Incident, catalog: Catalog, me: str) -> tuple[NeedRow, ...]:
    return tuple(
        NeedRow(
            ref=need.ref,
            text=need.text,
            owner=name_of(catalog, need.owner) if need.owner else "",
            is_mine=need.owner == me,
            at=need.at,
            lines=(
                *(() if need.owner == me else (Line(label="I see to it", line=f"/take {need.ref}"),)),
                Line(label="met", line=f"/done {need.ref} "),
            ),
        )
        for need in sorted(incident.needs.values(), key=lambda need: (need.owner != me, need.number))
        if need.is_open
    )


def _streams(incident: m.Incident, catalog: Catalog, me: str) -> tuple[StreamRow, ...]:
    open_tasks = [task.workstream for task in incident.tasks.values() if task.is_open]
    return tuple(
        StreamRow(
            ref=stream.ref,
            title=stream.title,
            goal=stream.goal,
            lead=name_of(catalog, stream.lead),
            is_mine=stream.lead == me,
            thread=stream.thread,
            waiting=stream.state == "waiting",
            note=stream.note,
            open_tasks=open_tasks.count(stream.number),
            lines=(
                Line(label="add a task", line=f"/task {stream.ref} @"),
                Line(label="through", line=f"/done {stream.ref} "),
            ),
        )
        for stream in incident.workstreams.values()
        if stream.is_open
    )


def _mitigations(incident: m.Incident, catalog: Catalog, me: str) -> tuple[MitigationRow, ...]:
    return tuple(
        MitigationRow(
            ref=one.ref,
            text=one.text,
            owner=name_of(catalog, one.owner),
            is_mine=one.owner == me,
            remove_by=one.remove_by,
            lines=(Line(label="removed", line=f"/done {one.ref} "),),
        )
        for one in sorted(incident.mitigations.values(), key=lambda one: one.remove_by)
        if one.is_open
    )


def _over(incident: m.Incident) -> tuple[Over, ...]:
    closed: list[Task | Need] = [*incident.tasks.values(), *incident.needs.values()]
    rows = [
        (one.closed_at, Over(ref=one.ref, text=one.text, state=one.state, outcome=one.outcome))
        for one in closed
        if one.closed_at
    ]
    rows += [
        (one.removed_at, Over(ref=one.ref, text=one.text, state="removed", outcome=one.how))
        for one in incident.mitigations.values()
        if one.removed_at
    ]
    return tuple(row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True))


def tasks_of(incident: m.Incident, person: str) -> list[Task]:
    """Their open tasks, the next due first."""
    return sorted((t for t in incident.tasks.values() if t.is_open and t.owner == person), key=lambda t: t.due_at)
