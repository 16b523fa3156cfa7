"""Tasks: who does what and reports by when; late ones are asked after, once (missions 8.10, 10.4)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import MOST, Command, Event, NameOf, Number, OptionalProse, PersonName, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, NotFound, Refused

TaskText = Annotated[str, Meta(min_length=1, max_length=1000)]
TaskState = Literal["open", "done", "dropped"]
REPORT_WITHIN = timedelta(minutes=30)
"""When nobody says until when, and the severity has no rhythm."""


class Task(Struct, frozen=True, kw_only=True):
    number: int
    text: str
    owner: str | None
    """None: waiting for somebody to take it."""
    due_at: datetime
    """By when its owner reports."""
    workstream: int | None = None
    by: str
    at: datetime
    state: TaskState = "open"
    outcome: str = ""
    asked_after_at: datetime | None = None
    closed_at: datetime | None = None
    carried: bool = False
    """A follow-up: it outlives the incident until somebody has done it."""

    @property
    def ref(self) -> str:
        return f"T{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class GiveTask(Command, frozen=True, kw_only=True, tag="give_task"):
    """Who, what, report by when. Without an owner it waits to be taken; without a time the severity's rhythm holds."""

    text: TaskText
    owner: PersonName | None = None
    due_at: datetime | None = None
    workstream: Number | None = None


class TakeTask(Command, frozen=True, kw_only=True, tag="take_task"):
    """Gives an open task to `person`; None: to whoever asks."""

    task: Number
    person: PersonName | None = None


class ChangeTask(Command, frozen=True, kw_only=True, tag="change_task"):
    """Says more exactly what is meant, or a later time to report."""

    task: Number
    text: TaskText | None = None
    due_at: datetime | None = None


class FinishTask(Command, frozen=True, kw_only=True, tag="finish_task"):
    task: Number
    outcome: OptionalProse = ""


class DropTask(Command, frozen=True, kw_only=True, tag="drop_task"):
    task: Number
    reason: OptionalProse = ""


class ReopenTask(Command, frozen=True, kw_only=True, tag="reopen_task"):
    task: Number


class CarryTask(Command, frozen=True, kw_only=True, tag="carry_task"):
    """Makes a follow-up of an open task: it outlives the incident, with an owner and a time."""

    task: Number
    owner: PersonName
    due_at: datetime


class AskAfterTasks(Command, frozen=True, kw_only=True, tag="ask_after_tasks"):
    """The timer's: what is due by now and still open."""


class TaskGiven(Event, frozen=True, kw_only=True, tag="task_given"):
    number: int
    text: str
    owner: str | None
    due_at: datetime
    workstream: int | None = None


class TaskTaken(Event, frozen=True, kw_only=True, tag="task_taken"):
    number: int
    owner: str
    previous: str | None = None


class TaskChanged(Event, frozen=True, kw_only=True, tag="task_changed"):
    number: int
    text: str
    due_at: datetime


class TaskCarried(Event, frozen=True, kw_only=True, tag="task_carried"):
    number: int
    text: str
    owner: str
    due_at: datetime


class TaskFinished(Event, frozen=True, kw_only=True, tag="task_finished"):
    number: int
    text: str
    outcome: str = ""


class TaskDropped(Event, frozen=True, kw_only=True, tag="task_dropped"):
    number: int
    text: str
    reason: str = ""


class TaskReopened(Event, frozen=True, kw_only=True, tag="task_reopened"):
    number: int
    text: str
    corrects: int = 0
    """The entry that this takes back; 0: none."""


class TaskAskedAfter(Event, frozen=True, kw_only=True, tag="task_asked_after"):
    number: int
    text: str
    owner: str | None
    due_at: datetime


TaskCommand = GiveTask | TakeTask | ChangeTask | FinishTask | DropTask | ReopenTask | CarryTask
TaskEvent = (
    TaskGiven | TaskTaken | TaskChanged | TaskFinished | TaskDropped | TaskReopened | TaskAskedAfter | TaskCarried
)
OutlivingTaskCommand = FinishTask | DropTask | CarryTask
"""What may be done when the incident is over: nothing is left open for ever."""
Tasks = dict[int, Task]


def decide(tasks: Tasks, command: TaskCommand | AskAfterTasks, scene: Scene) -> list[TaskEvent]:
    match command:
        case GiveTask():
            return _give(tasks, command, scene)
        case AskAfterTasks():
            return [
                TaskAskedAfter(number=task.number, text=task.text, owner=task.owner, due_at=task.due_at)
                for task in tasks.values()
                if task.is_open and task.asked_after_at is None and task.due_at <= scene.now
            ]
        case TakeTask():
            task = _open(tasks, command.task)
            person = command.person or scene.by.id
            return [] if task.owner == person else [TaskTaken(number=task.number, owner=person, previous=task.owner)]
        case ChangeTask():
            task = _open(tasks, command.task)
            text, due_at = (command.text or task.text).strip(), command.due_at or task.due_at
            if command.due_at:
                _must_be_ahead(command.due_at, scene.now)
            same = (text, due_at) == (task.text, task.due_at)
            return [] if same else [TaskChanged(number=task.number, text=text, due_at=due_at)]
        case CarryTask():
            task = _open(tasks, command.task)
            _must_be_ahead(command.due_at, scene.now)
            if task.carried and (task.owner, task.due_at) == (command.owner, command.due_at):
                return []
            return [TaskCarried(number=task.number, text=task.text, owner=command.owner, due_at=command.due_at)]
        case FinishTask() | DropTask() | ReopenTask():
            return _close_or_reopen(_named(tasks, command.task), command)
        case _:
            assert_never(command)


def _close_or_reopen(task: Task, command: FinishTask | DropTask | ReopenTask) -> list[TaskEvent]:
    match command:
        case FinishTask():
            return (
                []
                if task.state == "done"
                else [TaskFinished(number=task.number, text=task.text, outcome=command.outcome)]
            )
        case DropTask():
            return (
                []
                if task.state == "dropped"
                else [TaskDropped(number=task.number, text=task.text, reason=command.reason)]
            )
        case ReopenTask():
            return [] if task.is_open else [TaskReopened(number=task.number, text=task.text)]
        case _:
            assert_never(command)


def _give(tasks: Tasks, command: GiveTask, scene: Scene) -> list[TaskEvent]:
    if len(tasks) >= MOST:
        raise Refused(f"This incident has {MOST} tasks. Open a child incident for the rest.")
    if command.due_at:
        _must_be_ahead(command.due_at, scene.now)
    within = timedelta(minutes=scene.rhythm_min) if scene.rhythm_min else REPORT_WITHIN
    return [
        TaskGiven(
            number=max(tasks, default=0) + 1,
            text=command.text.strip(),
            owner=command.owner,
            due_at=command.due_at or scene.now + within,
            workstream=command.workstream,
        )
    ]


def _must_be_ahead(due_at: datetime, now: datetime) -> None:
    if due_at <= now:
        raise Invalid("The time to report by has passed. Give one that lies ahead.", field="due_at")


def _named(tasks: Tasks, number: int) -> Task:
    if number not in tasks:
        raise NotFound(f"There is no task T{number} in this incident.")
    return tasks[number]


def _open(tasks: Tasks, number: int) -> Task:
    task = _named(tasks, number)
    if not task.is_open:
        raise Refused(f"{task.ref} is {task.state}. Give a new task, or reopen it.")
    return task


def timers(tasks: Tasks) -> Mapping[str, datetime]:
    """When the next open task is due that nobody has been asked after yet."""
    due = min((t.due_at for t in tasks.values() if t.is_open and t.asked_after_at is None), default=None)
    return {"task": due} if due else {}


def follow_ups(tasks: Tasks) -> Tasks:
    """Those that outlive the incident."""
    return {number: task for number, task in tasks.items() if task.carried}


def evolve(tasks: Tasks, fact: Fact[TaskEvent]) -> Tasks:
    event = fact.event
    match event:
        case TaskGiven():
            task = Task(
                number=event.number,
                text=event.text,
                owner=event.owner,
                due_at=event.due_at,
                workstream=event.workstream,
                by=fact.by.id,
                at=fact.at,
            )
        case TaskTaken():
            task = replace(tasks[event.number], owner=event.owner)
        case TaskChanged():
            old = tasks[event.number]
            asked = old.asked_after_at if event.due_at == old.due_at else None
            task = replace(old, text=event.text, due_at=event.due_at, asked_after_at=asked)
        case TaskCarried():
            task = replace(
                tasks[event.number], carried=True, owner=event.owner, due_at=event.due_at, asked_after_at=None
            )
        case TaskFinished():
            task = replace(tasks[event.number], state="done", outcome=event.outcome, closed_at=fact.at)
        case TaskDropped():
            task = replace(tasks[event.number], state="dropped", outcome=event.reason, closed_at=fact.at)
        case TaskReopened():
            task = replace(tasks[event.number], state="open", outcome="", closed_at=None)
        case TaskAskedAfter():
            task = replace(tasks[event.number], asked_after_at=fact.at)
        case _:
            assert_never(event)
    return {**tasks, task.number: task}


def words(event: TaskEvent, name_of: NameOf) -> Words:
    match event:
        case TaskGiven():
            who = f" for {name_of(event.owner)}" if event.owner else ""
            return "work", "", f"Task T{event.number}{who}: {event.text}", (("Report by", spoken(event.due_at)),)
        case TaskTaken(previous=None):
            return "work", "", f"{name_of(event.owner)} took T{event.number}", ()
        case TaskTaken(previous=previous):
            return "work", "", f"T{event.number}: {name_of(previous or '')} → {name_of(event.owner)}", ()
        case TaskChanged():
            return "work", "", f"Task T{event.number} is now: {event.text}", (("Report by", spoken(event.due_at)),)
        case TaskCarried():
            details = (("By", spoken(event.due_at)),)
            return "work", "", f"Follow-up T{event.number} ({name_of(event.owner)}): {event.text}", details
        case TaskFinished():
            return "work", "✅", f"T{event.number} done: {event.text}", (("Outcome", event.outcome),)
        case TaskDropped():
            return "work", "", f"T{event.number} dropped: {event.text}", (("Reason", event.reason),)
        case TaskReopened():
            return "work", "", f"T{event.number} open again: {event.text}", ()
        case TaskAskedAfter():
            who = name_of(event.owner) if event.owner else "nobody has it"
            return "work", "⚠️", f"T{event.number} is late ({who}): {event.text}", ()
        case _:
            assert_never(event)
