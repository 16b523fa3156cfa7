"""Incidents under an incident: a parent and its children, each with a commander of its own (missions 1.5, 15.5).

Whoever commands the parent commands the commanders. What one side decides follows at the other in the same transaction
(`command/kin.py`): those commands are `inner`, nobody can ask for them.
"""

from datetime import datetime
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.terms import (
    MOST,
    Command,
    Event,
    IncidentKey,
    Kin,
    Line,
    NameOf,
    Number,
    OptionalProse,
    PersonName,
    Scene,
    SeverityName,
    Words,
)
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, Refused

LEVELS = 3
"""Parent, child, grandchild: who commands more than two levels of others no longer commands."""


class Child(Struct, frozen=True, kw_only=True):
    key: str
    title: str
    since: datetime


class Family(Struct, frozen=True, kw_only=True):
    parent: str | None = None
    children: dict[str, Child] = {}
    raised: tuple[int, ...] = ()
    """Own needs that were raised to the parent."""
    asked: dict[str, int] = {}
    """`INC-4/N2`, a need of a child -> the number of the own need that it became."""


class SetParent(Command, frozen=True, kw_only=True, tag="set_parent"):
    """Puts this incident under another one."""

    parent: IncidentKey


class LeaveParent(Command, frozen=True, kw_only=True, tag="leave_parent"):
    """Takes it out again: it stands alone."""

    reason: OptionalProse = ""


class DeclareChild(Command, frozen=True, kw_only=True, tag="declare_child"):
    """Declares an incident under this one, with a commander of its own."""

    title: Line
    severity: SeverityName | None = None
    """None: unknown impact, so the worst plausible one."""
    commander: PersonName | None = None
    """None: whoever declares it."""


class EscalateNeed(Command, frozen=True, kw_only=True, tag="escalate_need"):
    """Raises a need of this incident to its parent; the answer comes back."""

    need: Number


class AddChild(Command, frozen=True, kw_only=True, tag="add_child"):
    child: IncidentKey
    title: str


class RemoveChild(Command, frozen=True, kw_only=True, tag="remove_child"):
    child: IncidentKey


class AcceptNeed(Command, frozen=True, kw_only=True, tag="accept_need"):
    """A child cannot meet a need by itself."""

    child: IncidentKey
    need: Number
    text: str


class SettleNeed(Command, frozen=True, kw_only=True, tag="settle_need"):
    """The need was met or dropped on the other side."""

    other: IncidentKey
    need: Number
    """The number in this incident; with `theirs`, the number in the other one, a child that asked for it."""
    theirs: bool = False
    met: bool
    outcome: str = ""


class ParentSet(Event, frozen=True, kw_only=True, tag="parent_set"):
    parent: str
    title: str = ""


class ParentLeft(Event, frozen=True, kw_only=True, tag="parent_left"):
    parent: str
    reason: str = ""


class ChildDeclared(Event, frozen=True, kw_only=True, tag="child_declared"):
    child: str
    title: str
    severity: str | None
    commander: str


class ChildAdded(Event, frozen=True, kw_only=True, tag="child_added"):
    child: str
    title: str


class ChildRemoved(Event, frozen=True, kw_only=True, tag="child_removed"):
    child: str
    title: str = ""


class NeedEscalated(Event, frozen=True, kw_only=True, tag="need_escalated"):
    number: int
    text: str
    parent: str


class NeedAccepted(Event, frozen=True, kw_only=True, tag="need_accepted"):
    """`number` is that of this incident, `need` that of the child."""

    number: int
    child: str
    need: int
    text: str


FamilyCommand = SetParent | LeaveParent | DeclareChild | EscalateNeed
InnerFamilyCommand = AddChild | RemoveChild | AcceptNeed | SettleNeed
FamilyEvent = ParentSet | ParentLeft | ChildDeclared | ChildAdded | ChildRemoved | NeedEscalated | NeedAccepted


def decide(family: Family, command: FamilyCommand | AddChild | RemoveChild, scene: Scene) -> list[FamilyEvent]:
    match command:
        case SetParent():
            return _set_parent(family, command.parent, scene.kin)
        case LeaveParent():
            return [ParentLeft(parent=family.parent, reason=command.reason)] if family.parent else []
        case DeclareChild():
            _room_for_one_more(family, scene.kin)
            return [
                ChildDeclared(
                    child=scene.kin.next_key,
                    title=command.title.strip(),
                    severity=command.severity,
                    # A program cannot command: then it is whoever commands here, until they name somebody.
                    commander=command.commander or (scene.commander if scene.by.via == "api" else scene.by.id),
                )
            ]
        case AddChild():
            known = command.child in family.children
            return [] if known else [ChildAdded(child=command.child, title=command.title)]
        case RemoveChild():
            child = family.children.get(command.child)
            return [ChildRemoved(child=child.key, title=child.title)] if child else []
        case EscalateNeed():
            raise TypeError("a need is raised where the needs are in sight: command/decide.py")
        case _:
            assert_never(command)


def joins(parent: str, kin: Kin) -> ParentSet:
    """An incident that is declared under another one. Raises Refused when that cannot be."""
    _can_be_under(parent, kin)
    return ParentSet(parent=parent, title=kin.parent_title)


def _set_parent(family: Family, parent: str, kin: Kin) -> list[FamilyEvent]:
    if family.parent == parent:
        return []
    if family.parent:
        raise Refused(f"It is under {family.parent}, and nobody serves two commanders. First /parent none, then again.")
    if kin.key == parent:
        raise Invalid("An incident cannot be its own parent. Name the one that it belongs under.", field="parent")
    if kin.key in kin.above:
        raise Refused(f"{parent} is under {kin.key} itself. Choose one outside of this family.")
    _can_be_under(parent, kin)
    return [ParentSet(parent=parent, title=kin.parent_title)]


def _can_be_under(parent: str, kin: Kin) -> None:
    if kin.parent_status != "open":
        raise Refused(f"{parent} is {kin.parent_status.replace('_', ' ')}. Choose an incident that is open.")
    if len(kin.above) + 1 + kin.below > LEVELS:
        raise Refused(
            f"That would make more than {LEVELS} levels of incidents. Put it beside the others, under "
            f"{kin.above[-1]}, instead."
        )


def _room_for_one_more(family: Family, kin: Kin) -> None:
    if len(family.children) >= MOST:
        raise Refused(f"This incident has {MOST} children.")
    if len(kin.above) + 2 > LEVELS:
        raise Refused(
            f"That would make more than {LEVELS} levels of incidents. Declare it in {kin.above[0]} instead, beside this one."
        )


def evolve(family: Family, fact: Fact[FamilyEvent]) -> Family:
    event = fact.event
    match event:
        case ParentSet():
            return replace(family, parent=event.parent)
        case ParentLeft():
            return replace(family, parent=None, raised=())
        case ChildDeclared() | ChildAdded():
            child = Child(key=event.child, title=event.title, since=fact.at)
            return replace(family, children={**family.children, event.child: child})
        case ChildRemoved():
            left = {key: child for key, child in family.children.items() if key != event.child}
            asked = {ref: own for ref, own in family.asked.items() if not ref.startswith(f"{event.child}/")}
            return replace(family, children=left, asked=asked)
        case NeedEscalated():
            return replace(family, raised=(*family.raised, event.number))
        case NeedAccepted():
            return replace(family, asked={**family.asked, ref_of(event.child, event.need): event.number})
        case _:
            assert_never(event)


def ref_of(child: str, need: int) -> str:
    return f"{child}/N{need}"


def words(event: FamilyEvent, name_of: NameOf) -> Words:
    kind: Literal["link", "milestone", "work"] = "link"
    match event:
        case ParentSet():
            return kind, "", f"Under {event.parent} now{': ' if event.title else ''}{event.title}", ()
        case ParentLeft():
            return kind, "", f"No longer under {event.parent}", (("Reason", event.reason),)
        case ChildDeclared():
            headline = f"{event.child} declared under this: {event.title}"
            return "milestone", "⚠️", headline, (("Incident Commander", name_of(event.commander)),)
        case ChildAdded():
            return kind, "", f"{event.child} is under this now: {event.title}", ()
        case ChildRemoved():
            return kind, "", f"{event.child} is no longer under this{': ' if event.title else ''}{event.title}", ()
        case NeedEscalated():
            return "work", "❓", f"N{event.number} raised to {event.parent}: {event.text}", ()
        case NeedAccepted():
            return "work", "", f"{event.child} asks for N{event.number} (N{event.need} there): {event.text}", ()
        case _:
            assert_never(event)
