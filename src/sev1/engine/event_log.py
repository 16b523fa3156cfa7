"""The event log: append-only streams of facts. `UNIQUE(stream, version)` is what keeps two writers apart."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Conflict


async def lock_stream(conn: asyncpg.Connection, stream: str) -> None:
    """Queues writers of one stream behind each other until the transaction ends.

    Without it two commands on one stream would both decide and one would have to start over; the unique
    constraint stays as the safety net.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", stream)


async def append(
    conn: asyncpg.Connection, stream: str, after: int, events: Sequence[Any], *, at: datetime, by: Actor
) -> list[Fact[Any]]:
    """Adds `events` behind version `after`. Raises Conflict when somebody else did so first."""
    facts = [Fact(version=after + n, at=at, by=by, event=event) for n, event in enumerate(events, 1)]
    try:
        await conn.executemany(
            "INSERT INTO events (stream, version, at, by, event) VALUES ($1, $2, $3, $4, $5)",
            [(stream, fact.version, at, by, fact.event) for fact in facts],
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict("Somebody else changed this at the same moment. Reload and try again.") from error
    return facts


async def read(conn: asyncpg.Connection, stream: str, event_type: Any, *, after: int = 0) -> list[Fact[Any]]:
    """The facts of `stream` with a version above `after`, oldest first; old shapes are upcast by the types' defaults."""
    rows = await conn.fetch(
        "SELECT version, at, by, event FROM events WHERE stream = $1 AND version > $2 ORDER BY version", stream, after
    )
    return [
        Fact(
            version=row["version"],
            at=row["at"],
            by=msgspec.convert(row["by"], Actor),
            event=msgspec.convert(row["event"], event_type),
        )
        for row in rows
    ]


async def next_number(conn: asyncpg.Connection, name: str) -> int:
    """The next of a gapless sequence (INC-1, INC-2, …): given back when the transaction fails."""
    number: int = await conn.fetchval(
        "INSERT INTO counters VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
        name,
    )
    return number


def stream_name(kind: str, key: str) -> str:
    return f"{kind}/{key}"
