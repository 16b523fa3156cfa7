"""Runs commands: one transaction each, with everything that follows from the events inside it.

load -> decide -> append -> timers -> reactions (projection, deliveries) -> commit -> tell the news
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import asyncpg
from msgspec import Struct

from sev1.engine import event_log, timers
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.decider import Actor, Aggregate, Fact, fold
from sev1.engine.errors import Conflict
from sev1.engine.news import News

S = TypeVar("S")
MAX_TRIES = 5


class Change(Struct, Generic[S], frozen=True, kw_only=True):
    """What a command did: the state before and after, and the facts between (none when it decided nothing)."""

    kind: str
    key: str
    before: S
    after: S
    facts: list[Fact[Any]]
    version: int
    now: datetime

    @property
    def stream(self) -> str:
        return event_log.stream_name(self.kind, self.key)


Reaction = Callable[[asyncpg.Connection, Sequence[Change[Any]]], Awaitable[None]]
"""Runs inside the transaction, with all that a batch of commands changed; `each` makes one of a reaction to one change."""
Prepare = Callable[[asyncpg.Connection, Sequence[tuple[Any, Any]], datetime], Awaitable[Sequence[Any]]]
"""(connection, (state, command) of a batch, now) -> the commands with the facts that `decide` needs: who is on call."""
Snapshots = Callable[[asyncpg.Connection, Sequence[str]], Awaitable[Mapping[str, tuple[Any, int]]]]
"""(connection, keys) -> key: the state and version that the projection holds, of those that it can vouch for."""
Companions = Callable[[asyncpg.Connection, Mapping[str, Any]], Awaitable[Iterable[str]]]
"""(connection, key -> command) -> the further streams that reactions may write, to be locked together with the commands' own."""


def one_by_one(prepare: Callable[[asyncpg.Connection, Any, Any, datetime], Awaitable[Any]]) -> Prepare:
    """A preparation that looks at one command at a time."""

    async def prepare_all(conn: asyncpg.Connection, asked: Sequence[tuple[Any, Any]], now: datetime) -> Sequence[Any]:
        return [await prepare(conn, state, command, now) for state, command in asked]

    return prepare_all


def each(reaction: Callable[[asyncpg.Connection, Change[Any]], Awaitable[None]]) -> Reaction:
    """A reaction that looks at one change at a time."""

    async def react(conn: asyncpg.Connection, changes: Sequence[Change[Any]]) -> None:
        for change in changes:
            await reaction(conn, change)

    return react


class _Kind(NamedTuple):
    aggregate: Aggregate[Any, Any, Any]
    reactions: tuple[Reaction, ...]
    prepare: Prepare | None
    snapshots: Snapshots | None
    companions: Companions | None


class Commands:
    """The one write path. Page, chat, CLI, timer and API all come through here."""

    def __init__(self, db: Database, clock: Clock, news: News) -> None:
        self.db = db
        self.clock = clock
        self.news = news
        self._kinds: dict[str, _Kind] = {}

    def register(
        self,
        aggregate: Aggregate[Any, Any, Any],
        *reactions: Reaction,
        prepare: Prepare | None = None,
        snapshots: Snapshots | None = None,
        companions: Companions | None = None,
    ) -> None:
        """Makes `aggregate` known; its reactions run in the given order inside each command's transaction.

        With `snapshots` a command starts from the projected state instead of reading all that ever happened. Where
        reactions write other streams of the same kind, `companions` names them before anything is locked.
        """
        self._kinds[aggregate.kind] = _Kind(aggregate, reactions, prepare, snapshots, companions)

    def aggregate(self, kind: str) -> Aggregate[Any, Any, Any]:
        return self._kinds[kind].aggregate

    @property
    def kinds(self) -> Mapping[str, Aggregate[Any, Any, Any]]:
        return {name: kind.aggregate for name, kind in self._kinds.items()}

    async def run(self, kind: str, key: str, command: Any, *, by: Actor) -> Change[Any]:
        """Runs `command` in a transaction of its own. Raises what `decide` refuses with."""
        for attempt in range(1, MAX_TRIES + 1):
            try:
                async with self.db.transaction() as conn:
                    change = await self.run_in(conn, kind, key, command, by=by)
            except (Conflict, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if attempt == MAX_TRIES:
                    raise
            else:
                self.tell(change)
                return change
        raise AssertionError("unreachable")

    async def run_in(self, conn: asyncpg.Connection, kind: str, key: str, command: Any, *, by: Actor) -> Change[Any]:
        """Runs `command` as part of the caller's transaction; the caller calls `tell` after its commit."""
        (change,) = await self.run_many_in(conn, kind, {key: command}, by=by)
        return change

    async def run_many_in(
        self, conn: asyncpg.Connection, kind: str, commands: Mapping[str, Any], *, by: Actor
    ) -> list[Change[Any]]:
        """Runs one command for each key, all at one instant, with one statement for each kind of write.

        The changes are in the order of `commands`. A refusal of one is the refusal of all: the transaction is the
        caller's.
        """
        registered = self._kinds[kind]
        aggregate = registered.aggregate
        also = await registered.companions(conn, commands) if registered.companions else ()
        await event_log.lock_streams(conn, {*(event_log.stream_name(kind, key) for key in commands), *also})
        states = await self._states(conn, registered, commands)
        now = self.clock.now()
        asked = [(states[key][0], command) for key, command in commands.items()]
        ready = await registered.prepare(conn, asked, now) if registered.prepare else commands.values()
        changes = []
        for key, command in zip(commands, ready, strict=True):
            before, version = states[key]
            facts = event_log.facts(aggregate.decide(before, command, now, by), after=version, at=now, by=by)
            after = before
            for fact in facts:
                after = aggregate.evolve(after, fact)
            version += len(facts)
            changes.append(
                Change(kind=kind, key=key, before=before, after=after, facts=facts, version=version, now=now)
            )
        changed = [change for change in changes if change.facts]
        if changed:
            await event_log.append(conn, {change.stream: change.facts for change in changed})
            await timers.replace(conn, _timers_that_changed(aggregate, changed))
            for reaction in registered.reactions:
                await reaction(conn, changed)
        return changes

    async def _states(
        self, conn: asyncpg.Connection, registered: _Kind, keys: Iterable[str]
    ) -> dict[str, tuple[Any, int]]:
        """The state and version of each stream: as projected where the projection can vouch for it, else from its facts."""
        aggregate = registered.aggregate
        states = dict(await registered.snapshots(conn, list(keys))) if registered.snapshots else {}
        unread = {event_log.stream_name(aggregate.kind, key): key for key in keys if key not in states}
        if unread:
            found = await event_log.read_many(conn, list(unread), aggregate.event_type)
            for stream, key in unread.items():
                facts = found.get(stream, [])
                states[key] = fold(aggregate, key, facts), facts[-1].version if facts else 0
        return states

    async def load(self, conn: asyncpg.Connection, kind: str, key: str) -> tuple[Any, list[Fact[Any]]]:
        """The state and the facts of one stream, without changing anything."""
        aggregate = self._kinds[kind].aggregate
        facts = await event_log.read(conn, event_log.stream_name(kind, key), aggregate.event_type)
        return fold(aggregate, key, facts), facts

    def tell(self, *changes: Change[Any]) -> None:
        """Says what is new, after the commit."""
        for change in changes:
            if change.facts:
                self.news.tell(change.stream)


def _timers_that_changed(
    aggregate: Aggregate[Any, Any, Any], changes: Iterable[Change[Any]]
) -> dict[str, Mapping[str, datetime]]:
    wanted = {change.stream: (aggregate.timers(change.before), aggregate.timers(change.after)) for change in changes}
    return {stream: after for stream, (before, after) in wanted.items() if before != after}
