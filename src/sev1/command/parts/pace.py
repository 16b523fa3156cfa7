"""How long each responder has worked in this incident, and their breaks (mission 10.1). What follows is `command/fatigue.py`.

What is proposed is told to the Incident Commander alone and is in the record, not on the timeline: nobody is listed as tired.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Event, NameOf, PersonName, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, Refused

AWAY = timedelta(hours=2)
"""Somebody without a role who did nothing for so long had gone, and begins anew when they come back."""
FIRST_CHECK = timedelta(minutes=30)
BREAK_MIN = 20
BREAK_MOST_MIN = 240


class Successor(Struct, frozen=True, kw_only=True):
    """Who could take command next, and why them."""

    person: str
    because: str


class Stint(Struct, frozen=True, kw_only=True):
    """One person's work in this incident without having gone between."""

    since: datetime
    last_at: datetime
    rested_at: datetime
    """When they began or came back from a break: breaks count from here."""
    commands_since: datetime | None = None
    pages_24h: int = 0
    """Pages that woke or called them in the day before the latest check."""
    night_pages_7d: int = 0
    break_until: datetime | None = None
    cover: str = ""
    """Who stands in during the break."""
    break_proposed_at: datetime | None = None
    handover_proposed: int = 0
    """1: before the limit, 2: at it."""
    successors: tuple[Successor, ...] = ()


class Pace(Struct, frozen=True, kw_only=True):
    stints: dict[str, Stint] = {}
    check_at: datetime | None = None
    """When it is looked at next whether somebody needs a break."""


class TakeBreak(Command, frozen=True, kw_only=True, tag="take_break"):
    """Twenty minutes off, or as many as said; who commands says who covers."""

    person: PersonName
    minutes: Annotated[int, Meta(ge=5, le=BREAK_MOST_MIN)] = BREAK_MIN
    owner: PersonName | None = None
    """Who covers meanwhile."""


class EndBreak(Command, frozen=True, kw_only=True, tag="end_break"):
    """Back before the time."""

    person: PersonName


class BreaksOver(Command, frozen=True, kw_only=True, tag="breaks_over"):
    """The timer's: whose break is over."""


class CheckPace(Command, frozen=True, kw_only=True, tag="check_pace"):
    """The timer's: who has worked for long."""


class Condition(Struct, frozen=True, kw_only=True):
    """What is known of a responder beside the incident, looked up before the decision."""

    person: str
    pages_24h: int = 0
    night_pages_7d: int = 0
    awake: bool = True
    """Whether it is a time at which they are usually awake, by their own clock."""


class Fresh(Struct, frozen=True, kw_only=True):
    """Somebody who might take command."""

    person: str
    awake: bool
    local: str
    """`10:12 in Australia/Sydney`."""
    role: str = ""
    """Why they come into question: `on call for Checkout`, a role in the incident."""


class BreakTaken(Event, frozen=True, kw_only=True, tag="break_taken"):
    person: str
    until: datetime
    cover: str = ""


class BreakEnded(Event, frozen=True, kw_only=True, tag="break_ended"):
    person: str
    cover: str = ""


class BreakProposed(Event, frozen=True, kw_only=True, tag="break_proposed"):
    person: str
    worked_min: int


class HandoverProposed(Event, frozen=True, kw_only=True, tag="handover_proposed"):
    person: str
    because: str
    successors: tuple[Successor, ...] = ()
    past: bool = False
    """Whether the limit of the severity is reached."""


class PaceChecked(Event, frozen=True, kw_only=True, tag="pace_checked"):
    next_at: datetime
    conditions: tuple[Condition, ...] = ()


PaceCommand = TakeBreak | EndBreak
PaceEvent = BreakTaken | BreakEnded | BreakProposed | HandoverProposed | PaceChecked


def decide(pace: Pace, command: TakeBreak | EndBreak | BreaksOver, scene: Scene) -> list[PaceEvent]:
    """`CheckPace` needs the whole incident: `command/fatigue.py` decides it."""
    match command:
        case TakeBreak():
            return _take(pace, command, scene)
        case EndBreak():
            stint = pace.stints.get(command.person)
            if stint is None or stint.break_until is None:
                return []
            return [BreakEnded(person=command.person, cover=stint.cover)]
        case BreaksOver():
            return [
                BreakEnded(person=person, cover=stint.cover)
                for person, stint in pace.stints.items()
                if stint.break_until and stint.break_until <= scene.now
            ]
        case _:
            assert_never(command)


def _take(pace: Pace, command: TakeBreak, scene: Scene) -> list[PaceEvent]:
    cover = command.owner or ""
    if cover == command.person:
        raise Invalid("Nobody covers for themselves. Name somebody else.", field="owner")
    if command.person == scene.commander and not cover:
        raise Refused("Whoever commands is not missed for a minute: say who covers, like /break cover @bo")
    resting = pace.stints.get(cover)
    if resting and resting.break_until:
        raise Refused(f"@{cover} is on a break themselves, until {spoken(resting.break_until)}.")
    until = scene.now + timedelta(minutes=command.minutes)
    return [BreakTaken(person=command.person, until=until, cover=cover)]


def timers(pace: Pace) -> Mapping[str, datetime]:
    ends = [stint.break_until for stint in pace.stints.values() if stint.break_until]
    return {
        **({"break": min(ends)} if ends else {}),
        **({"pace": pace.check_at} if pace.check_at else {}),
    }


def evolve(pace: Pace, fact: Fact[PaceEvent]) -> Pace:
    event = fact.event
    match event:
        case PaceChecked():
            known = {one.person: one for one in event.conditions}
            stints = {
                person: replace(stint, pages_24h=one.pages_24h, night_pages_7d=one.night_pages_7d)
                if (one := known.get(person))
                else stint
                for person, stint in pace.stints.items()
            }
            return Pace(stints=stints, check_at=event.next_at)
        case BreakTaken():
            return _with(pace, event.person, fact.at, break_until=event.until, cover=event.cover)
        case BreakEnded():
            return _with(pace, event.person, fact.at, break_until=None, cover="", rested_at=fact.at)
        case BreakProposed():
            return _with(pace, event.person, fact.at, break_proposed_at=fact.at)
        case HandoverProposed():
            reached = 2 if event.past else 1
            return _with(pace, event.person, fact.at, handover_proposed=reached, successors=event.successors)
        case _:
            assert_never(event)


def _with(pace: Pace, person: str, at: datetime, **changes: object) -> Pace:
    stint = pace.stints.get(person) or Stint(since=at, last_at=at, rested_at=at)
    return replace(pace, stints={**pace.stints, person: replace(stint, **changes)})


def worked(pace: Pace, person: str, at: datetime, *, has_a_role: bool) -> Pace:
    """After `person` did something in the incident."""
    stint = pace.stints.get(person)
    if stint is None or (not has_a_role and at - stint.last_at > AWAY):
        stint = Stint(since=at, last_at=at, rested_at=at)
    return replace(pace, stints={**pace.stints, person: replace(stint, last_at=at)})


def commands(pace: Pace, person: str | None, at: datetime) -> Pace:
    """After command went to `person`; None: nobody commands any more."""
    stints = {
        name: replace(stint, commands_since=None, handover_proposed=0, successors=()) if stint.commands_since else stint
        for name, stint in pace.stints.items()
    }
    if person is not None:
        stint = stints.get(person) or Stint(since=at, last_at=at, rested_at=at)
        stints[person] = replace(stint, commands_since=at)
    return replace(pace, stints=stints)


def words(event: PaceEvent, name_of: NameOf) -> Words:
    match event:
        case BreakTaken():
            covers = f", {name_of(event.cover)} covers" if event.cover else ""
            return "work", "", f"{name_of(event.person)} takes a break until {spoken(event.until)}{covers}", ()
        case BreakEnded():
            return "work", "", f"{name_of(event.person)} is back", ()
        case BreakProposed() | HandoverProposed():
            return "hidden", "", f"Proposed to the Incident Commander: a rest for {name_of(event.person)}", ()
        case PaceChecked():
            return "hidden", "", "Looked at how long people have worked", ()
        case _:
            assert_never(event)
