"""Workstreams: one lead, one goal, one thread, a state (mission 8.3)."""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import MOST, Command, Event, NameOf, Number, OptionalProse, PersonName, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound, Refused

StreamState = Literal["active", "waiting", "done", "dropped"]
StreamTitle = Annotated[str, Meta(min_length=1, max_length=80)]
Goal = Annotated[str, Meta(max_length=500)]
Thread = Annotated[str, Meta(max_length=500, pattern=r"^(https?://\S+|#?[\w.-]+)?$(?!\n)")]
"""Where it is talked about: an address, or the name of a channel."""


class Workstream(Struct, frozen=True, kw_only=True):
    number: int
    title: str
    goal: str = ""
    lead: str
    thread: str = ""
    state: StreamState = "active"
    note: str = ""
    """What was said when the state last changed."""
    opened_at: datetime

    @property
    def ref(self) -> str:
        return f"W{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in {"active", "waiting"}


class OpenWorkstream(Command, frozen=True, kw_only=True, tag="open_workstream"):
    title: StreamTitle
    goal: Goal = ""
    lead: PersonName | None = None
    """None: whoever opens it."""
    thread: Thread = ""


class ChangeWorkstream(Command, frozen=True, kw_only=True, tag="change_workstream"):
    """Changes what is given and leaves the rest."""

    workstream: Number
    goal: Goal | None = None
    lead: PersonName | None = None
    thread: Thread | None = None


class SetWorkstreamState(Command, frozen=True, kw_only=True, tag="set_workstream_state"):
    workstream: Number
    state: StreamState
    note: OptionalProse = ""


class WorkstreamOpened(Event, frozen=True, kw_only=True, tag="workstream_opened"):
    number: int
    title: str
    goal: str
    lead: str
    thread: str = ""


class WorkstreamChanged(Event, frozen=True, kw_only=True, tag="workstream_changed"):
    number: int
    title: str
    goal: str
    lead: str
    thread: str = ""
    previous_lead: str | None = None
    """Set when the lead changed."""


class WorkstreamStateSet(Event, frozen=True, kw_only=True, tag="workstream_state_set"):
    number: int
    title: str
    state: StreamState
    note: str = ""
    previous: StreamState | None = None
    """None in what was stored before it was kept."""
    previous_note: str = ""
    corrects: int = 0
    """The entry that this takes back; 0: none."""


StreamCommand = OpenWorkstream | ChangeWorkstream | SetWorkstreamState
StreamEvent = WorkstreamOpened | WorkstreamChanged | WorkstreamStateSet
Workstreams = dict[int, Workstream]


def decide(streams: Workstreams, command: StreamCommand, scene: Scene) -> list[StreamEvent]:
    match command:
        case OpenWorkstream():
            if len(streams) >= MOST:
                raise Refused(f"This incident has {MOST} workstreams.")
            title = command.title.strip()
            if twin := next(
                (s for s in streams.values() if s.is_open and s.title.casefold() == title.casefold()), None
            ):
                raise Refused(f"{twin.ref} is called {twin.title} already. Join it, or choose another name.")
            return [
                WorkstreamOpened(
                    number=max(streams, default=0) + 1,
                    title=title,
                    goal=command.goal.strip(),
                    lead=command.lead or scene.by.id,
                    thread=command.thread,
                )
            ]
        case ChangeWorkstream():
            return _change(_named(streams, command.workstream), command)
        case SetWorkstreamState():
            stream = _named(streams, command.workstream)
            if stream.state == command.state and not command.note:
                return []
            return [
                WorkstreamStateSet(
                    number=stream.number,
                    title=stream.title,
                    state=command.state,
                    note=command.note,
                    previous=stream.state,
                    previous_note=stream.note,
                )
            ]
        case _:
            assert_never(command)


def _change(stream: Workstream, command: ChangeWorkstream) -> list[StreamEvent]:
    changed = replace(
        stream,
        goal=stream.goal if command.goal is None else command.goal.strip(),
        lead=command.lead or stream.lead,
        thread=stream.thread if command.thread is None else command.thread,
    )
    if changed == stream:
        return []
    return [
        WorkstreamChanged(
            number=stream.number,
            title=stream.title,
            goal=changed.goal,
            lead=changed.lead,
            thread=changed.thread,
            previous_lead=stream.lead if changed.lead != stream.lead else None,
        )
    ]


def _named(streams: Workstreams, number: int) -> Workstream:
    if number not in streams:
        raise NotFound(f"There is no workstream W{number} in this incident.")
    return streams[number]


def evolve(streams: Workstreams, fact: Fact[StreamEvent]) -> Workstreams:
    event = fact.event
    match event:
        case WorkstreamOpened():
            stream = Workstream(
                number=event.number,
                title=event.title,
                goal=event.goal,
                lead=event.lead,
                thread=event.thread,
                opened_at=fact.at,
            )
        case WorkstreamChanged():
            stream = replace(streams[event.number], goal=event.goal, lead=event.lead, thread=event.thread)
        case WorkstreamStateSet():
            stream = replace(streams[event.number], state=event.state, note=event.note)
        case _:
            assert_never(event)
    return {**streams, stream.number: stream}


def words(event: StreamEvent, name_of: NameOf) -> Words:
    match event:
        case WorkstreamOpened():
            headline = f"Workstream W{event.number} {event.title}, led by {name_of(event.lead)}"
            return "work", "", headline, (("Goal", event.goal), ("Thread", event.thread))
        case WorkstreamChanged(previous_lead=None):
            headline = f"W{event.number} {event.title} changed"
            return "work", "", headline, (("Goal", event.goal), ("Thread", event.thread))
        case WorkstreamChanged(previous_lead=previous):
            headline = f"W{event.number} {event.title}: led by {name_of(event.lead)}, before {name_of(previous or '')}"
            return "work", "", headline, (("Goal", event.goal),)
        case WorkstreamStateSet():
            sign = "✅" if event.state == "done" else ""
            return "work", sign, f"W{event.number} {event.title}: {event.state}", (("Note", event.note),)
        case _:
            assert_never(event)
