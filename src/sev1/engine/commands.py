"""Runs commands: one transaction each, with everything that follows from the events inside it.

load -> decide -> append -> timers -> reactions (projection, deliveries) -> commit -> tell the news
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

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


Reaction = Callable[[asyncpg.Connection, Change[Any]], Awaitable[None]]
Prepare = Callable[[asyncpg.Connection, Any, Any, datetime], Awaitable[Any]]
"""(connection, state, command, now) -> the command with the facts that `decide` needs, e.g. who is on call."""


class Commands:
    """The one write path. Page, chat, CLI, timer and API all come through here."""

    def __init__(self, db: Database, clock: Clock, news: News) -> None:
        self.db = db
        self.clock = clock
        self.news = news
        self._aggregates: dict[str, Aggregate[Any, Any, Any]] = {}
        self._reactions: dict[str, list[Reaction]] = {}
        self._prepare: dict[str, Prepare] = {}

    def register(
        self, aggregate: Aggregate[Any, Any, Any], *reactions: Reaction, prepare: Prepare | None = None
    ) -> None:
        """Makes `aggregate` known; its reactions run in the given order inside each command's transaction."""
        self._aggregates[aggregate.kind] = aggregate
        if prepare:
            self._prepare[aggregate.kind] = prepare
        self._reactions[aggregate.kind] = list(reactions)

    def aggregate(self, kind: str) -> Aggregate[Any, Any, Any]:
        return self._aggregates[kind]

    @property
    def kinds(self) -> Mapping[str, Aggregate[Any, Any, Any]]:
        return self._aggregates

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
        aggregate = self._aggregates[kind]
        stream = event_log.stream_name(kind, key)
        await event_log.lock_stream(conn, stream)
        facts = await event_log.read(conn, stream, aggregate.event_type)
        before = fold(aggregate, key, facts)
        version = facts[-1].version if facts else 0
        now = self.clock.now()
        if prepare := self._prepare.get(kind):
            command = await prepare(conn, before, command, now)
        events = aggregate.decide(before, command, now, by)
        new = await event_log.append(conn, stream, version, events, at=now, by=by) if events else []
        after = before
        for fact in new:
            after = aggregate.evolve(after, fact)
        change = Change(kind=kind, key=key, before=before, after=after, facts=new, version=version + len(new), now=now)
        if new:
            await timers.replace(conn, stream, aggregate.timers(after))
            for reaction in self._reactions[kind]:
                await reaction(conn, change)
        return change

    async def load(self, conn: asyncpg.Connection, kind: str, key: str) -> tuple[Any, list[Fact[Any]]]:
        """The state and the facts of one stream, without changing anything."""
        aggregate = self._aggregates[kind]
        facts = await event_log.read(conn, event_log.stream_name(kind, key), aggregate.event_type)
        return fold(aggregate, key, facts), facts

    def tell(self, *changes: Change[Any]) -> None:
        """Says what is new, after the commit."""
        for change in changes:
            if change.facts:
                self.news.tell(change.stream)
