"""Handing over command: offered with a briefing, read back, and only then changed, in one event (missions 8.1, 10.2).

Until the successor has confirmed the five points whoever commands goes on commanding, so command is never without a holder.
What needs the roles and the rest of the incident is decided in `command/succession.py`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct

from sev1.command.terms import Command, Details, Event, NameOf, OptionalProse, PersonName, Prose, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Refused

STANDS = timedelta(minutes=15)
"""How long an offer stands; then whoever made it looks for somebody else."""

Point = Literal["impact", "state", "people", "decisions", "next"]
POINTS: dict[Point, str] = {
    "impact": "What is broken, and whom it hurts",
    "state": "Severity and stage",
    "people": "Who does what",
    "decisions": "What is decided, and what is open",
    "next": "When the next update is due, and to whom",
}
"""What a successor confirms before command changes."""
READ_BACK_LEAST = 10
"""Characters. A read-back says the picture in the successor's own words; "ok" does not."""


class Offer(Struct, frozen=True, kw_only=True):
    person: str
    """The successor."""
    by: str
    at: datetime
    until: datetime
    note: str = ""


class Handover(Struct, frozen=True, kw_only=True):
    offer: Offer | None = None


class OfferCommand(Command, frozen=True, kw_only=True, tag="offer_command"):
    """Offers command to `person`, who is told at once and reads the briefing."""

    person: PersonName
    note: OptionalProse = ""


class AcceptCommand(Command, frozen=True, kw_only=True, tag="accept_command"):
    """The successor confirms the five points and says back how it stands: from this moment they command."""

    points: Annotated[tuple[Point, ...], Meta(max_length=5)] = ()
    read_back: Prose


class DeclineCommand(Command, frozen=True, kw_only=True, tag="decline_command"):
    reason: Prose


class WithdrawOffer(Command, frozen=True, kw_only=True, tag="withdraw_offer"):
    """It is not handed over after all."""


class ExpireOffer(Command, frozen=True, kw_only=True, tag="expire_offer"):
    """The timer's: nobody answered the offer."""


class CommandOffered(Event, frozen=True, kw_only=True, tag="command_offered"):
    person: str
    until: datetime
    note: str = ""


class CommandHandedOver(Event, frozen=True, kw_only=True, tag="command_handed_over"):
    previous: str
    person: str
    points: tuple[str, ...]
    read_back: str
    briefing: Details
    """What the successor was told, by heading, as it stood at this moment."""


class CommandDeclined(Event, frozen=True, kw_only=True, tag="command_declined"):
    person: str
    reason: str


class OfferWithdrawn(Event, frozen=True, kw_only=True, tag="offer_withdrawn"):
    person: str


class OfferExpired(Event, frozen=True, kw_only=True, tag="offer_expired"):
    person: str
    by: str
    """Who made it."""


HandoverCommand = OfferCommand | AcceptCommand | DeclineCommand | WithdrawOffer
HandoverEvent = CommandOffered | CommandHandedOver | CommandDeclined | OfferWithdrawn | OfferExpired


def decide(
    handover: Handover, command: DeclineCommand | WithdrawOffer | ExpireOffer, scene: Scene
) -> list[HandoverEvent]:
    """Offering and accepting need the whole incident: `command/succession.py` decides those."""
    offer = handover.offer
    match command:
        case DeclineCommand():
            standing = must_stand(handover, scene.by.id)
            return [CommandDeclined(person=standing.person, reason=command.reason)]
        case WithdrawOffer():
            if offer and scene.by.id not in {offer.by, scene.commander}:
                raise Refused(f"@{offer.by} offered it and @{scene.commander} commands. They can take it back.")
            return [OfferWithdrawn(person=offer.person)] if offer else []
        case ExpireOffer():
            due = offer is not None and offer.until <= scene.now
            return [OfferExpired(person=offer.person, by=offer.by)] if offer and due else []
        case _:
            assert_never(command)


def must_stand(handover: Handover, person: str) -> Offer:
    """The offer, if it is for `person`. Raises Refused with what to do otherwise."""
    offer = handover.offer
    if offer is None:
        raise Refused("Nobody has offered you command. Whoever commands does, with: /handover @…")
    if offer.person != person:
        raise Refused(f"Command is offered to @{offer.person}, and they answer for themselves.")
    return offer


def timers(handover: Handover) -> Mapping[str, datetime]:
    return {"offer": handover.offer.until} if handover.offer else {}


def evolve(handover: Handover, fact: Fact[HandoverEvent]) -> Handover:  # noqa: ARG001 - every answer ends the offer
    event = fact.event
    match event:
        case CommandOffered():
            offer = Offer(person=event.person, by=fact.by.id, at=fact.at, until=event.until, note=event.note)
            return Handover(offer=offer)
        case CommandHandedOver() | CommandDeclined() | OfferWithdrawn() | OfferExpired():
            return Handover()
        case _:
            assert_never(event)


def words(event: HandoverEvent, name_of: NameOf) -> Words:
    match event:
        case CommandOffered():
            details = (("Note", event.note), ("Stands until", spoken(event.until)))
            return "role", "", f"Command offered to {name_of(event.person)}", details
        case CommandHandedOver():
            headline = f"Command handed over: {name_of(event.previous)} → {name_of(event.person)}"
            return "milestone", "", headline, (("Read back", event.read_back), *event.briefing)
        case CommandDeclined():
            return "role", "", f"{name_of(event.person)} declined command", (("Reason", event.reason),)
        case OfferWithdrawn():
            return "role", "", f"The offer of command to {name_of(event.person)} was taken back", ()
        case OfferExpired():
            return "role", "", f"{name_of(event.person)} did not answer the offer of command", ()
        case _:
            assert_never(event)
