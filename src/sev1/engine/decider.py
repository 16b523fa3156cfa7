"""The shape of everything that is event-sourced: a pure core between commands and events.

    decide(state, command, now, by) -> events      what follows from a command, or a named refusal
    evolve(state, fact) -> state                   what an event means
    timers(state) -> {kind: due}                   what the state is waiting for

Commands are imperative, events past tense, both frozen. A late timer decides nothing; a wrong request raises.
(After Jérémie Chassaing's decider pattern.)
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from msgspec import Struct

Via = Literal["web", "api", "cli", "mail", "sms", "phone", "timer", "triage", "system", "drill"]


class Actor(Struct, frozen=True, kw_only=True):
    """Who did it and by which way. `id` is a person's name in the catalog or an account's email."""

    id: str
    name: str
    via: Via


SYSTEM = Actor(id="sev1", name="sev1", via="system")
TIMER = Actor(id="sev1", name="sev1", via="timer")
TRIAGE = Actor(id="sev1", name="sev1", via="triage")

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")


class Fact(Struct, Generic[E], frozen=True, kw_only=True):
    """An event as it was recorded: the `version`-th of its stream, at an instant, by somebody."""

    version: int
    at: datetime
    by: Actor
    event: E


class Aggregate(Protocol[S, C, E]):
    """What the engine needs to know of a slice to run its commands."""

    kind: str
    """First part of the stream's name: `page/P-1`."""
    event_type: Any
    """The tagged union of its events."""

    def initial(self, key: str) -> S: ...

    def decide(self, state: S, command: C, now: datetime, by: Actor) -> Sequence[E]: ...

    def evolve(self, state: S, fact: Fact[E]) -> S: ...

    def timers(self, state: S) -> Mapping[str, datetime]: ...

    def timer_command(self, kind: str, due: datetime) -> C: ...


def fold(aggregate: Aggregate[S, C, E], key: str, facts: Iterable[Fact[E]]) -> S:
    """The state after all `facts`, from the beginning."""
    state = aggregate.initial(key)
    for fact in facts:
        state = aggregate.evolve(state, fact)
    return state
