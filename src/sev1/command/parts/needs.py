"""Needs: what the response lacks, asked of somebody, until it is there (mission 9.1)."""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import MOST, Command, Event, NameOf, Number, OptionalProse, PersonName, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound, Refused

NeedText = Annotated[str, Meta(min_length=1, max_length=1000)]
NeedState = Literal["open", "met", "dropped"]


class Need(Struct, frozen=True, kw_only=True):
    number: int
    text: str
    owner: str | None
    """Who sees to it. None: nobody yet, so the commander."""
    by: str
    at: datetime
    state: NeedState = "open"
    outcome: str = ""
    closed_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"N{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class RaiseNeed(Command, frozen=True, kw_only=True, tag="raise_need"):
    text: NeedText
    owner: PersonName | None = None


class TakeNeed(Command, frozen=True, kw_only=True, tag="take_need"):
    """`person` sees to it; None: whoever asks."""

    need: Number
    person: PersonName | None = None


class MeetNeed(Command, frozen=True, kw_only=True, tag="meet_need"):
    need: Number
    outcome: OptionalProse = ""


class DropNeed(Command, frozen=True, kw_only=True, tag="drop_need"):
    need: Number
    reason: OptionalProse = ""


class NeedRaised(Event, frozen=True, kw_only=True, tag="need_raised"):
    number: int
    text: str
    owner: str | None = None


class NeedTaken(Event, frozen=True, kw_only=True, tag="need_taken"):
    number: int
    text: str
    owner: str


class NeedMet(Event, frozen=True, kw_only=True, tag="need_met"):
    number: int
    text: str
    outcome: str = ""


class NeedDropped(Event, frozen=True, kw_only=True, tag="need_dropped"):
    number: int
    text: str
    reason: str = ""


class NeedReopened(Event, frozen=True, kw_only=True, tag="need_reopened"):
    """That it was met or dropped is taken back."""

    number: int
    text: str
    corrects: int


NeedCommand = RaiseNeed | TakeNeed | MeetNeed | DropNeed
OutlivingNeedCommand = MeetNeed | DropNeed
"""What may be done when the incident is over."""
NeedEvent = NeedRaised | NeedTaken | NeedMet | NeedDropped | NeedReopened
Needs = dict[int, Need]


def decide(needs: Needs, command: NeedCommand, scene: Scene) -> list[NeedEvent]:
    match command:
        case RaiseNeed():
            return raise_needs(needs, (command.text,), command.owner)
        case TakeNeed():
            need = open_need(needs, command.need)
            person = command.person or scene.by.id
            return [] if need.owner == person else [NeedTaken(number=need.number, text=need.text, owner=person)]
        case MeetNeed():
            need = open_need(needs, command.need)
            return [NeedMet(number=need.number, text=need.text, outcome=command.outcome)]
        case DropNeed():
            need = open_need(needs, command.need)
            return [NeedDropped(number=need.number, text=need.text, reason=command.reason)]
        case _:
            assert_never(command)


def raise_needs(needs: Needs, texts: tuple[str, ...], owner: str | None = None) -> list[NeedEvent]:
    """One need for each text that is not open already: a CAN update repeats what is still missing."""
    already = {need.text.casefold() for need in needs.values() if need.is_open}
    new = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    new = [text for text in new if text.casefold() not in already]
    if len(needs) + len(new) > MOST:
        raise Refused(f"This incident has {MOST} needs. Settle what is over first.")
    first = max(needs, default=0) + 1
    return [NeedRaised(number=first + n, text=text, owner=owner) for n, text in enumerate(new)]


def lines_of(needs: str) -> tuple[str, ...]:
    """The needs of a CAN update: one a line, with or without a dash; "none" and "nothing" are no need."""
    lines = (line.strip().lstrip("-*•").strip() for line in needs.splitlines())
    return tuple(line[:1000] for line in lines if line and line.casefold().rstrip(".") not in {"none", "nothing", "-"})


def open_need(needs: Needs, number: int) -> Need:
    """Raises NotFound for one that was never raised, Refused for one that is over."""
    if number not in needs:
        raise NotFound(f"There is no need N{number} in this incident.")
    need = needs[number]
    if not need.is_open:
        raise Refused(f"{need.ref} is {need.state} already.")
    return need


def evolve(needs: Needs, fact: Fact[NeedEvent]) -> Needs:
    event = fact.event
    match event:
        case NeedRaised():
            need = Need(number=event.number, text=event.text, owner=event.owner, by=fact.by.id, at=fact.at)
        case NeedTaken():
            need = replace(needs[event.number], owner=event.owner)
        case NeedMet():
            need = replace(needs[event.number], state="met", outcome=event.outcome, closed_at=fact.at)
        case NeedDropped():
            need = replace(needs[event.number], state="dropped", outcome=event.reason, closed_at=fact.at)
        case NeedReopened():
            need = replace(needs[event.number], state="open", outcome="", closed_at=None)
        case _:
            assert_never(event)
    return {**needs, need.number: need}


def words(event: NeedEvent, name_of: NameOf) -> Words:
    match event:
        case NeedRaised():
            who = f" (asked of {name_of(event.owner)})" if event.owner else ""
            return "work", "❓", f"Need N{event.number}: {event.text}{who}", ()
        case NeedTaken():
            return "work", "", f"{name_of(event.owner)} sees to N{event.number}: {event.text}", ()
        case NeedMet():
            return "work", "✅", f"N{event.number} met: {event.text}", (("Outcome", event.outcome),)
        case NeedReopened():
            return "work", "", f"N{event.number} is open again: {event.text}", ()
        case NeedDropped():
            return "work", "", f"N{event.number} no longer needed: {event.text}", (("Reason", event.reason),)
        case _:
            assert_never(event)
