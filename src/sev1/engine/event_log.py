"""The event log: append-only streams of facts. `UNIQUE(stream, version)` is what keeps two writers apart."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Conflict

_json = msgspec.json.Encoder(enc_hook=str).encode
_actor = msgspec.json.Decoder(Actor).decode


async def lock_streams(conn: asyncpg.Connection, streams: Iterable[str]) -> None:
    """Queues writers of one stream behind each other until the transaction ends.

    Without it two commands on one stream would both decide and one would have to start over; the unique
    constraint stays as the safety net. Everybody locks in the same order, so that two never wait for each other.
    """
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(stream, 0)) FROM unnest($1::text[]) AS stream", sorted(streams)
    )


def facts(events: Iterable[Any], *, after: int, at: datetime, by: Actor) -> list[Fact[Any]]:
    """`events` as the facts that follow version `after`."""
    return [Fact(version=after + n, at=at, by=by, event=event) for n, event in enumerate(events, 1)]


async def append(conn: asyncpg.Connection, streams: Mapping[str, Sequence[Fact[Any]]]) -> None:
    """Adds the facts to their streams. Raises Conflict when somebody else wrote one of these versions first."""
    rows = [(stream, fact) for stream, added in streams.items() for fact in added]
    try:
        await conn.execute(
            """
            INSERT INTO events (stream, version, at, by, event)
            SELECT stream, version, at, by::jsonb, event::jsonb
            FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::text[])
                AS new (stream, version, at, by, event)
            """,
            [stream for stream, _ in rows],
            [fact.version for _, fact in rows],
            [fact.at for _, fact in rows],
            [_json(fact.by).decode() for _, fact in rows],
            [_json(fact.event).decode() for _, fact in rows],
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict("Somebody else changed this at the same moment. Reload and try again.") from error


async def read(conn: asyncpg.Connection, stream: str, event_type: Any, *, after: int = 0) -> list[Fact[Any]]:
    """The facts of `stream` with a version above `after`, oldest first; old shapes are upcast by the types' defaults."""
    rows = await conn.fetch(
        "SELECT version, at, by::text, event::text FROM events WHERE stream = $1 AND version > $2 ORDER BY version",
        stream,
        after,
    )
    return [_fact(row, event_type) for row in rows]


async def read_back(
    conn: asyncpg.Connection, stream: str, event_type: Any, *, before: int | None = None, limit: int
) -> list[Fact[Any]]:
    """The last `limit` facts of `stream`, or of those with a version below `before`; oldest first."""
    rows = await conn.fetch(
        "SELECT version, at, by::text, event::text FROM events WHERE stream = $1 AND ($2::int IS NULL OR version < $2)"
        " ORDER BY version DESC LIMIT $3",
        stream, before, limit,
    )  # fmt: skip
    return [_fact(row, event_type) for row in reversed(rows)]


async def read_many(conn: asyncpg.Connection, streams: Sequence[str], event_type: Any) -> dict[str, list[Fact[Any]]]:
    """The same for several streams from their beginning; those without facts are missing."""
    rows = await conn.fetch(
        "SELECT stream, version, at, by::text, event::text FROM events WHERE stream = ANY($1::text[]) ORDER BY stream, version",
        streams,
    )
    found: dict[str, list[Fact[Any]]] = {}
    for row in rows:
        found.setdefault(row["stream"], []).append(_fact(row, event_type))
    return found


def _fact(row: asyncpg.Record, event_type: Any) -> Fact[Any]:
    return Fact(
        version=row["version"],
        at=row["at"],
        by=_actor(row["by"]),
        event=_decoder(event_type).decode(row["event"]),
    )


@functools.cache
def _decoder(event_type: Any) -> msgspec.json.Decoder[Any]:
    """Built once: of a union of many types that takes longer than to read an event."""
    return msgspec.json.Decoder(event_type)


async def next_number(conn: asyncpg.Connection, name: str, *, count: int = 1) -> int:
    """The next of a gapless sequence (INC-1, INC-2, …): given back when the transaction fails.

    With `count`, the last of so many.
    """
    number: int = await conn.fetchval(
        "INSERT INTO counters VALUES ($1, $2) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + $2 RETURNING value",
        name,
        count,
    )
    return number


def stream_name(kind: str, key: str) -> str:
    return f"{kind}/{key}"
