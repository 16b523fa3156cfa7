"""What every part of an incident is written with: bases of commands and events, the fields they are made of."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sev1.engine.decider import Actor

Line = Annotated[str, Meta(min_length=1, max_length=300)]
Prose = Annotated[str, Meta(min_length=1, max_length=5000)]
OptionalProse = Annotated[str, Meta(max_length=5000)]
SeverityName = Annotated[str, Meta(pattern=r"^sev-[0-5]$(?!\n)")]
PersonName = Annotated[str, Meta(min_length=1, max_length=254)]
Name = Annotated[str, Meta(min_length=1, max_length=63)]
PageKey = Annotated[str, Meta(pattern=r"^P-[0-9]{1,18}$(?!\n)")]
IncidentKey = Annotated[str, Meta(pattern=r"^INC-[0-9]{1,18}$(?!\n)")]
AlertNumber = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Number = Annotated[int, Meta(ge=1, le=9999)]
"""Of a thing within its incident: the 3 of T3."""
MOST = 500
"""How many tasks, needs, … one incident may have: more is a mistake of a program."""

EntryKind = Literal["milestone", "update", "decision", "role", "gate", "link", "note", "board", "work", "hidden"]
"""Kinds of timeline entries. Milestones, updates and decisions stand out; the rest may fold, and what is hidden is in the record only."""
NameOf = Callable[[str], str]
"""A person's short name or an account's email -> the name to show."""
Details = tuple[tuple[str, str], ...]
Words = tuple[EntryKind, str, str, Details]
"""An event in words: its kind, a road sign or nothing, one line, and labelled texts below it."""


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What somebody asks for, imperative."""


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What happened, past tense. Stored for ever: a new field has a default."""


class Kin(Struct, frozen=True, kw_only=True):
    """What is known of the incidents around one, looked up before the decision."""

    key: str = ""
    next_key: str = ""
    """The key that an incident declared now gets."""
    above: tuple[str, ...] = ()
    """The parent, or the one that is to be it, then its parent, …"""
    below: int = 0
    """How many levels of children there are."""
    parent_title: str = ""
    parent_status: str = ""
    open_children: tuple[str, ...] = ()
    other_title: str = ""
    """Of the incident that it is to be merged into."""
    other_status: str = ""


class Scene(Struct, frozen=True, kw_only=True):
    """What a part of an incident may look at besides itself."""

    now: datetime
    by: Actor
    commander: str
    rhythm_min: int | None = 30
    """How often the severity wants news, minutes; None for one that is only watched."""
    kin: Kin = Kin()
    severity: str = ""


def spoken(moment: datetime) -> str:
    """An instant as timeline texts write it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
