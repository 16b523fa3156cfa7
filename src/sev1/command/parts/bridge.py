"""The bridge: a call, who should be on it, and the question what was decided there (missions 8.9, 9.7).

The address is shown and never fetched. While a bridge is open and nobody writes anything, the Scribe is asked; at most
one question is open at a time, and whatever is written answers it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Event, NameOf, PersonName, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import Refused

BridgeUrl = Annotated[str, Meta(pattern=r"^https://[^\s/?#@]+([/?#]\S*)?$(?!\n)", max_length=1000)]
People = Annotated[tuple[PersonName, ...], Meta(max_length=50)]
_ASK_AFTER_MIN = {"sev-0": 10, "sev-1": 10, "sev-2": 15}
_ASK_AFTER_OTHERS_MIN = 20


class Bridge(Struct, frozen=True, kw_only=True):
    url: str = ""
    """Empty: none is open."""
    people: tuple[str, ...] = ()
    """Who should be on it."""
    opened_by: str = ""
    opened_at: datetime | None = None
    ask_after_min: int = _ASK_AFTER_OTHERS_MIN
    quiet_since: datetime | None = None
    """When something was last written, or the bridge opened."""
    asked_at: datetime | None = None
    """When it was asked what was decided; None while no question is open."""

    @property
    def is_open(self) -> bool:
        return bool(self.url)


class OpenBridge(Command, frozen=True, kw_only=True, tag="open_bridge"):
    """Opens the bridge, moves it to another address, or calls more people onto it."""

    url: BridgeUrl | None = None
    """None: the one that is open."""
    people: People = ()


class CloseBridge(Command, frozen=True, kw_only=True, tag="close_bridge"):
    """What was said there is over."""


class NothingDecided(Command, frozen=True, kw_only=True, tag="nothing_decided"):
    """Answers the question: nothing was decided that is not written down."""


class AskOfBridge(Command, frozen=True, kw_only=True, tag="ask_of_bridge"):
    """The timer's: nobody wrote for a while."""


class BridgeOpened(Event, frozen=True, kw_only=True, tag="bridge_opened"):
    url: str
    people: tuple[str, ...]
    called: tuple[str, ...] = ()
    """Those of `people` who were not called before."""
    ask_after_min: int = _ASK_AFTER_OTHERS_MIN


class BridgeClosed(Event, frozen=True, kw_only=True, tag="bridge_closed"):
    url: str


class BridgeAsked(Event, frozen=True, kw_only=True, tag="bridge_asked"):
    quiet_since: datetime


class BridgeQuestionAnswered(Event, frozen=True, kw_only=True, tag="bridge_question_answered"):
    """Somebody said that nothing was decided."""


BridgeCommand = OpenBridge | CloseBridge | NothingDecided
BridgeEvent = BridgeOpened | BridgeClosed | BridgeAsked | BridgeQuestionAnswered


def ask_after_min(severity: str) -> int:
    return _ASK_AFTER_MIN.get(severity, _ASK_AFTER_OTHERS_MIN)


def decide(bridge: Bridge, command: BridgeCommand | AskOfBridge, scene: Scene) -> list[BridgeEvent]:
    match command:
        case OpenBridge():
            return _open(bridge, command, scene)
        case CloseBridge():
            return [BridgeClosed(url=bridge.url)] if bridge.is_open else []
        case NothingDecided():
            return [BridgeQuestionAnswered()] if bridge.asked_at else []
        case AskOfBridge():
            due = timers(bridge).get("bridge")
            if bridge.quiet_since is None or due is None or due > scene.now:
                return []
            return [BridgeAsked(quiet_since=bridge.quiet_since)]
        case _:
            assert_never(command)


def _open(bridge: Bridge, command: OpenBridge, scene: Scene) -> list[BridgeEvent]:
    url = command.url or bridge.url
    if not url:
        raise Refused("No bridge is open. Give its address, like /bridge https://meet.example/sev1.")
    people = tuple(dict.fromkeys((*bridge.people, *command.people)))
    if (url, people) == (bridge.url, bridge.people):
        return []
    called = people if url != bridge.url else tuple(name for name in people if name not in bridge.people)
    return [BridgeOpened(url=url, people=people, called=called, ask_after_min=ask_after_min(scene.severity))]


def timers(bridge: Bridge) -> Mapping[str, datetime]:
    if not bridge.is_open or bridge.asked_at or bridge.quiet_since is None:
        return {}
    return {"bridge": bridge.quiet_since + timedelta(minutes=bridge.ask_after_min)}


def written(bridge: Bridge, now: datetime) -> Bridge:
    """After somebody wrote something down: an open question is answered, the quiet begins again."""
    return replace(bridge, quiet_since=now, asked_at=None) if bridge.is_open else bridge


def paced(bridge: Bridge, severity: str) -> Bridge:
    """Under another severity."""
    return replace(bridge, ask_after_min=ask_after_min(severity)) if bridge.is_open else bridge


def evolve(bridge: Bridge, fact: Fact[BridgeEvent]) -> Bridge:
    event = fact.event
    match event:
        case BridgeOpened() if bridge.is_open:
            return replace(bridge, url=event.url, people=event.people)
        case BridgeOpened():
            return Bridge(
                url=event.url,
                people=event.people,
                opened_by=fact.by.id,
                opened_at=fact.at,
                ask_after_min=event.ask_after_min,
                quiet_since=fact.at,
            )
        case BridgeClosed():
            return Bridge()
        case BridgeAsked():
            return replace(bridge, asked_at=fact.at)
        case BridgeQuestionAnswered():
            return written(bridge, fact.at)
        case _:
            assert_never(event)


def words(event: BridgeEvent, name_of: NameOf) -> Words:
    match event:
        case BridgeOpened():
            people = ", ".join(name_of(name) for name in event.people)
            return "work", "", f"Bridge: {event.url}", (("Should be on it", people),)
        case BridgeClosed():
            return "work", "", "The bridge is closed", ()
        case BridgeAsked():
            return "hidden", "", "Asked what was decided on the bridge", ()
        case BridgeQuestionAnswered():
            return "hidden", "", "Nothing was decided on the bridge", ()
        case _:
            assert_never(event)
