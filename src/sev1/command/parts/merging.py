"""Two incidents that turn out to be one: merged, with both histories kept (mission 3.2).

What needs the whole incident is decided in `command/merge.py`; what follows in the other one is `inner` (`command/kin.py`).
"""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.parts.board import BoardKind
from sev1.command.parts.intake import Question
from sev1.command.terms import Command, Event, IncidentKey, NameOf, Prose, Words
from sev1.engine.decider import Fact


class TakenIn(Struct, frozen=True, kw_only=True):
    title: str
    at: datetime


class Merging(Struct, frozen=True, kw_only=True):
    into: str | None = None
    """The incident that goes on in its place."""
    taken_in: dict[str, TakenIn] = {}
    """Incidents that were merged into this one."""


class Work(Struct, frozen=True, kw_only=True):
    """An open task or need that goes on in the other incident."""

    ref: str
    text: str
    owner: str | None = None
    due_at: datetime | None = None


class Said(Struct, frozen=True, kw_only=True):
    """What stands on the board of the one that ends."""

    ref: str
    kind: BoardKind
    text: str
    disproof: str = ""


class MergeInto(Command, frozen=True, kw_only=True, tag="merge_into"):
    """Says that it is the same as `into`, which goes on; this one ends."""

    into: IncidentKey
    reason: Prose


class TakeIn(Command, frozen=True, kw_only=True, tag="take_in"):
    other: IncidentKey
    title: str
    reason: str
    started_at: datetime | None = None
    services: tuple[str, ...] = ()
    alerts: tuple[int, ...] = ()
    pages: tuple[str, ...] = ()
    tasks: tuple[Work, ...] = ()
    needs: tuple[Work, ...] = ()
    board: tuple[Said, ...] = ()
    answers: tuple[tuple[Question, str], ...] = ()
    """What people answered of the five intake questions, but for the beginning, which is `started_at`."""
    bridge: str = ""
    """Address of the bridge that is open there; empty: none."""
    on_the_bridge: tuple[str, ...] = ()


class MergedInto(Event, frozen=True, kw_only=True, tag="merged_into"):
    into: str
    title: str
    reason: str


class TookIn(Event, frozen=True, kw_only=True, tag="took_in"):
    other: str
    title: str
    reason: str


MergeCommand = MergeInto
InnerMergeCommand = TakeIn
MergeEvent = MergedInto | TookIn


def evolve(merging: Merging, fact: Fact[MergeEvent]) -> Merging:
    event = fact.event
    match event:
        case MergedInto():
            return replace(merging, into=event.into)
        case TookIn():
            taken = TakenIn(title=event.title, at=fact.at)
            return replace(merging, taken_in={**merging.taken_in, event.other: taken})
        case _:
            assert_never(event)


def words(event: MergeEvent, _: NameOf) -> Words:
    match event:
        case MergedInto():
            return "milestone", "", f"Merged into {event.into}: {event.title}", (("Reason", event.reason),)
        case TookIn():
            return (
                "milestone",
                "",
                f"{event.other} is the same and was merged into this: {event.title}",
                (("Reason", event.reason),),
            )
        case _:
            assert_never(event)
