"""The update clocks: to each audience the next news is promised, brought to mind before, and said to be late (mission 9.2).

Every update starts its audience's clock again. The clock of `internal` follows the incident's own `next_update_at`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.catalog.audience import INTERNAL
from sev1.command.terms import Command, Event, Name, NameOf, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid

REMINDED_BEFORE = timedelta(minutes=5)
FARTHEST = timedelta(hours=24)
"""How far ahead an update may be promised."""


class Clock(Struct, frozen=True, kw_only=True):
    """What one audience was told last, and when it hears again."""

    due_at: datetime | None = None
    promised_at: datetime | None = None
    reminded: bool = False
    late: bool = False
    """Whether it was said that this promise was broken."""
    posted_at: datetime | None = None
    posted_by: str = ""
    said: str = ""
    """The condition of the latest update to this audience."""

    def promised(self, due_at: datetime | None, now: datetime) -> "Clock":
        return replace(self, due_at=due_at, promised_at=now if due_at else None, reminded=False, late=False)


class Promise(Struct, frozen=True, kw_only=True):
    """The rhythm of an audience other than `internal` under the severity that will hold."""

    audience: str
    every_min: int
    from_start: bool = False
    """Promised to by the declaration itself."""


class PromiseUpdate(Command, frozen=True, kw_only=True, tag="promise_update"):
    """Says when the audience hears next, sooner or later than the rhythm has it."""

    audience: Name = INTERNAL
    due_at: datetime | None = None
    in_min: Annotated[int, Meta(ge=1, le=1440)] | None = None
    """Instead of `due_at`."""


class TellClocks(Command, frozen=True, kw_only=True, tag="tell_clocks"):
    """The timer's: which promise is due soon, which is broken."""


class UpdatePromised(Event, frozen=True, kw_only=True, tag="update_promised"):
    audience: str
    due_at: datetime


class UpdateReminded(Event, frozen=True, kw_only=True, tag="update_reminded"):
    audience: str
    due_at: datetime


class UpdateLate(Event, frozen=True, kw_only=True, tag="update_late"):
    audience: str
    due_at: datetime


ClockCommand = PromiseUpdate
ClockEvent = UpdatePromised | UpdateReminded | UpdateLate
Clocks = dict[str, Clock]


def decide(clocks: Clocks, command: PromiseUpdate | TellClocks, scene: Scene) -> list[ClockEvent]:
    match command:
        case PromiseUpdate():
            return _promise(clocks, command, scene.now)
        case TellClocks():
            return [event for audience, clock in clocks.items() for event in _of_due(audience, clock, scene.now)]
        case _:
            assert_never(command)


def _promise(clocks: Clocks, command: PromiseUpdate, now: datetime) -> list[ClockEvent]:
    if (command.due_at is None) == (command.in_min is None):
        raise Invalid("Say when the next update comes: a time, or in how many minutes.", field="due_at")
    due = command.due_at or now + timedelta(minutes=command.in_min or 0)
    if due <= now:
        raise Invalid("That time has passed. Promise one that lies ahead.", field="due_at")
    if due > now + FARTHEST:
        raise Invalid("Promise an update within the next 24 hours.", field="due_at")
    old = clocks.get(command.audience)
    return [] if old and old.due_at == due else [UpdatePromised(audience=command.audience, due_at=due)]


def _of_due(audience: str, clock: Clock, now: datetime) -> list[ClockEvent]:
    alarm = _alarm(clock)
    if clock.due_at is None or alarm is None or alarm > now:
        return []
    # Nothing ran for a while: what is late already is said to be late, and not that it soon will be.
    if clock.due_at <= now:
        return [UpdateLate(audience=audience, due_at=clock.due_at)]
    return [UpdateReminded(audience=audience, due_at=clock.due_at)]


def _alarm(clock: Clock) -> datetime | None:
    """When something has to be said about the promise; None when it was."""
    if clock.due_at is None or clock.late:
        return None
    reminder = clock.due_at - REMINDED_BEFORE
    short = clock.promised_at is not None and reminder <= clock.promised_at
    return clock.due_at if clock.reminded or short else reminder


def timers(clocks: Clocks) -> Mapping[str, datetime]:
    alarms = [alarm for clock in clocks.values() if (alarm := _alarm(clock))]
    return {"update": min(alarms)} if alarms else {}


def first_promises(promises: tuple[Promise, ...], now: datetime) -> list[UpdatePromised]:
    """What the declaration, or reopening, promises the audiences whose clocks run from the start."""
    return [_next(promise, now) for promise in promises if promise.from_start]


def sooner(clocks: Clocks, promises: tuple[Promise, ...], now: datetime) -> list[UpdatePromised]:
    """What a new severity promises: a clock that runs may come forward and never goes back; others may begin."""
    found = []
    for promise in promises:
        due = clocks[promise.audience].due_at if promise.audience in clocks else None
        wanted = _next(promise, now)
        if wanted.due_at < due if due else promise.from_start:
            found.append(wanted)
    return found


def next_of(audience: str, promises: tuple[Promise, ...], now: datetime, minutes: int | None) -> datetime | None:
    """When an audience hears again after an update at `now`; `minutes` is what whoever posts it says."""
    every = minutes or next((one.every_min for one in promises if one.audience == audience), None)
    return now + timedelta(minutes=every) if every else None


def _next(promise: Promise, now: datetime) -> UpdatePromised:
    return UpdatePromised(audience=promise.audience, due_at=now + timedelta(minutes=promise.every_min))


def evolve(clocks: Clocks, fact: Fact[ClockEvent]) -> Clocks:
    event = fact.event
    old = clocks.get(event.audience, Clock())
    match event:
        case UpdatePromised():
            new = old.promised(event.due_at, fact.at)
        case UpdateReminded():
            new = replace(old, reminded=True)
        case UpdateLate():
            new = replace(old, reminded=True, late=True)
        case _:
            assert_never(event)
    return {**clocks, event.audience: new}


def posted(clocks: Clocks, audience: str, said: str, due_at: datetime | None, by: str, now: datetime) -> Clocks:
    """After an update to `audience`."""
    clock = clocks.get(audience, Clock()).promised(due_at, now)
    return {**clocks, audience: replace(clock, posted_at=now, posted_by=by, said=said)}


def moved(clocks: Clocks, due_at: datetime | None, now: datetime) -> Clocks:
    """After the incident itself moved the next internal update."""
    return {**clocks, INTERNAL: clocks.get(INTERNAL, Clock()).promised(due_at, now)}


def stopped(clocks: Clocks, now: datetime) -> Clocks:
    """After the end: nothing is promised any more; what was told stays."""
    return {audience: clock.promised(None, now) for audience, clock in clocks.items()}


def words(event: ClockEvent, _: NameOf) -> Words:
    to = "" if event.audience == INTERNAL else f" for {event.audience}"
    match event:
        case UpdatePromised():
            return "work", "", f"Next update{to} promised by {spoken(event.due_at)}", ()
        case UpdateReminded():
            return "hidden", "", f"Update{to} due by {spoken(event.due_at)}: a reminder went out", ()
        case UpdateLate():
            return "work", "⚠️", f"The update{to} promised by {spoken(event.due_at)} is late", ()
        case _:
            assert_never(event)
