"""How fast the business wants it, apart from how bad it is: P1 to P5 (mission 1.4).

The priority follows the severity until somebody says otherwise, with the reason; from then on it stays where it was put, whatever
the severity does, until it is let go again.
"""

from datetime import datetime
from typing import Annotated, assert_never

from msgspec import Meta, Struct

from sev1.command.terms import Command, Event, NameOf, Prose, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid

Level = Annotated[int, Meta(ge=1, le=5)]
MEANS: dict[int, str] = {
    1: "before everything else, at any hour",
    2: "next, at any hour",
    3: "today",
    4: "this week",
    5: "when there is time",
}


class Priority(Struct, frozen=True, kw_only=True):
    level: int | None = None
    """None: it follows the severity."""
    reason: str = ""
    by: str = ""
    at: datetime | None = None


class SetPriority(Command, frozen=True, kw_only=True, tag="set_priority"):
    """Puts it where the severity would not, and says why."""

    priority: Level
    reason: Prose


class FollowSeverity(Command, frozen=True, kw_only=True, tag="follow_severity"):
    """Lets the priority follow the severity again."""


class PrioritySet(Event, frozen=True, kw_only=True, tag="priority_set"):
    old: int
    new: int
    reason: str


class PriorityFollows(Event, frozen=True, kw_only=True, tag="priority_follows"):
    old: int
    new: int


PriorityCommand = SetPriority | FollowSeverity
PriorityEvent = PrioritySet | PriorityFollows


def follows(severity: str) -> int:
    """The priority of a severity: SEV-0 and SEV-1 are P1, then each its own number."""
    return max(1, int(severity[-1]))


def level_of(priority: Priority, severity: str) -> int:
    return priority.level or follows(severity)


def decide(priority: Priority, command: PriorityCommand, scene: Scene) -> list[PriorityEvent]:
    old = level_of(priority, scene.severity)
    match command:
        case SetPriority():
            if not command.reason.strip():
                raise Invalid("Say why the business wants it sooner or later than the severity has it.", field="reason")
            if (command.priority, command.reason) == (priority.level, priority.reason):
                return []
            return [PrioritySet(old=old, new=command.priority, reason=command.reason)]
        case FollowSeverity():
            return [PriorityFollows(old=old, new=follows(scene.severity))] if priority.level else []
        case _:
            assert_never(command)


def evolve(_: Priority, fact: Fact[PriorityEvent]) -> Priority:
    event = fact.event
    match event:
        case PrioritySet():
            return Priority(level=event.new, reason=event.reason, by=fact.by.id, at=fact.at)
        case PriorityFollows():
            return Priority()
        case _:
            assert_never(event)


def words(event: PriorityEvent, _: NameOf) -> Words:
    moved = f"P{event.old} → P{event.new}" if event.old != event.new else f"P{event.new}"
    match event:
        case PrioritySet():
            return "milestone", "", f"Priority set: {moved}", (("Reason", event.reason),)
        case PriorityFollows():
            return "milestone", "", f"Priority follows the severity again: {moved}", ()
        case _:
            assert_never(event)
