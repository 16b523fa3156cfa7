"""When the Incident Commander does not answer: they are called, and after that command is offered down the line (mission 8.1).

Whoever takes over does it in one event, with the reason. As long as the commander can be reached there is nothing to take.
What needs the roles is decided in `command/succession.py`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Details, Event, NameOf, OptionalProse, PersonName, Prose, Words, spoken
from sev1.engine.decider import Fact

LEAST = timedelta(minutes=2)
"""The shortest time that somebody who is called gets, whatever the severity's response target says."""


class Call(Struct, frozen=True, kw_only=True):
    """The commander was paged and has until `answer_by`."""

    person: str
    by: str
    at: datetime
    answer_by: datetime

    @property
    def group(self) -> str:
        """What the page of this call is known by. It names no incident: pages of restricted ones may be opened by all."""
        return call_group(self.person, self.at)


class Reach(Struct, frozen=True, kw_only=True):
    call: Call | None = None
    unreachable_since: datetime | None = None
    line: tuple[str, ...] = ()
    """Who may be asked to take command, the next first."""
    offered: tuple[str, ...] = ()
    """Those of the line who were asked, in order."""
    offered_until: datetime | None = None
    """When the next in line is asked as well; None after the last."""


class CallCommander(Command, frozen=True, kw_only=True, tag="call_commander"):
    """Pages the Incident Commander, again and again, until they answer or somebody takes over."""

    ask: OptionalProse = ""


class TakeCommand(Command, frozen=True, kw_only=True, tag="take_command"):
    """`person` commands from now on, because the commander could not be reached."""

    person: PersonName
    reason: Prose


class CheckReach(Command, frozen=True, kw_only=True, tag="check_reach"):
    """The timer's: whether the commander answered, and whom to ask next if not."""


class CommanderCalled(Event, frozen=True, kw_only=True, tag="commander_called"):
    person: str
    ask: str
    answer_by: datetime


class CommanderAnswered(Event, frozen=True, kw_only=True, tag="commander_answered"):
    person: str


class CommanderUnreachable(Event, frozen=True, kw_only=True, tag="commander_unreachable"):
    person: str
    line: tuple[str, ...]
    """Who may be asked to take command, the next first."""


class TakeoverOffered(Event, frozen=True, kw_only=True, tag="takeover_offered"):
    person: str
    until: datetime | None
    """When the next in line is asked as well; None: this was the last."""


class CommandTaken(Event, frozen=True, kw_only=True, tag="command_taken"):
    previous: str
    person: str
    reason: str
    briefing: Details = ()
    """How it stood at this moment, by heading."""


ReachCommand = CallCommander | TakeCommand
ReachEvent = CommanderCalled | CommanderAnswered | CommanderUnreachable | TakeoverOffered | CommandTaken


def call_group(person: str, at: datetime) -> str:
    return f"call/{person}/{at:%Y%m%dT%H%M%S%f}"


def answer_time(within_s: int | None) -> timedelta:
    """How long a call rings before the commander counts as unreachable, by the severity's response target in seconds."""
    return max(LEAST, timedelta(seconds=within_s if within_s is not None else 900))


def timers(reach: Reach) -> Mapping[str, datetime]:
    due = reach.call.answer_by if reach.call and not reach.unreachable_since else reach.offered_until
    return {"reach": due} if due else {}


def evolve(reach: Reach, fact: Fact[ReachEvent]) -> Reach:
    event = fact.event
    match event:
        case CommanderCalled():
            return Reach(call=Call(person=event.person, by=fact.by.id, at=fact.at, answer_by=event.answer_by))
        case CommanderUnreachable():
            return replace(reach, unreachable_since=fact.at, line=event.line)
        case TakeoverOffered():
            return replace(reach, offered=(*reach.offered, event.person), offered_until=event.until)
        case CommanderAnswered() | CommandTaken():
            return Reach()
        case _:
            assert_never(event)


def words(event: ReachEvent, name_of: NameOf) -> Words:
    match event:
        case CommanderCalled():
            details = (("Because", event.ask), ("Time to answer until", spoken(event.answer_by)))
            return "role", "", f"Called {name_of(event.person)}, who commands", details
        case CommanderAnswered():
            return "role", "", f"{name_of(event.person)} answered the call", ()
        case CommanderUnreachable():
            in_line = ", ".join(name_of(name) for name in event.line)
            return "milestone", "⚠️", f"{name_of(event.person)} commands and does not answer", (("In line", in_line),)
        case TakeoverOffered():
            return "role", "", f"{name_of(event.person)} is asked to take command", ()
        case CommandTaken():
            headline = f"Command taken over: {name_of(event.previous)} → {name_of(event.person)}"
            return "milestone", "⚠️", headline, (("Reason", event.reason), *event.briefing)
        case _:
            assert_never(event)
