"""Durable timers: rows with a due time, set in the transaction of the events that cause them.

A timer is what a state waits for, so it is derived from the state and replaced as a whole after each command.
Any node may fire one: it claims a batch under a lease, runs the timer's command, and the command's transaction
replaces the timer. A node that dies or stalls loses its lease and another takes over; firing twice is harmless
because a late timer decides nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct


class Timer(Struct, frozen=True, kw_only=True):
    stream: str
    kind: str
    due_at: datetime


async def replace(conn: asyncpg.Connection, wanted: Mapping[str, Mapping[str, datetime]]) -> None:
    """Makes these the timers of each stream in `wanted`; others that it had are removed."""
    if not wanted:
        return
    rows = [(stream, kind, due) for stream, timers in wanted.items() for kind, due in timers.items()]
    streams, kinds, due_at = ([row[column] for row in rows] for column in range(3))
    await conn.execute(
        """
        WITH kept AS (
            INSERT INTO timers (stream, kind, due_at)
            SELECT * FROM unnest($2::text[], $3::text[], $4::timestamptz[])
            ON CONFLICT (stream, kind) DO UPDATE SET due_at = EXCLUDED.due_at, holder = NULL, lease_until = NULL
        )
        DELETE FROM timers WHERE stream = ANY($1::text[])
            AND NOT EXISTS (
                SELECT FROM unnest($2::text[], $3::text[]) AS new (stream, kind)
                WHERE new.stream = timers.stream AND new.kind = timers.kind
            )
        """,
        list(wanted), streams, kinds, due_at,
    )  # fmt: skip


async def claim(conn: asyncpg.Connection, *, holder: str, now: datetime, lease_s: int, limit: int) -> list[Timer]:
    """Takes up to `limit` due timers that nobody holds, oldest first, until `now + lease_s`."""
    rows = await conn.fetch(
        """
        UPDATE timers SET holder = $1, lease_until = $3
        WHERE (stream, kind) IN (
            SELECT stream, kind FROM timers
            WHERE due_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
            ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
        )
        RETURNING stream, kind, due_at
        """,
        holder, now, now + timedelta(seconds=lease_s), limit,
    )  # fmt: skip
    return sorted((Timer(**row) for row in rows), key=lambda timer: timer.due_at)


async def done(conn: asyncpg.Connection, timers: Sequence[Timer], *, holder: str) -> None:
    """Removes those that decided nothing and were not replaced; a lost lease or a new due time is left alone."""
    await conn.execute(
        """
        DELETE FROM timers USING unnest($1::text[], $2::text[], $3::timestamptz[]) AS fired (stream, kind, due_at)
        WHERE timers.stream = fired.stream AND timers.kind = fired.kind AND timers.due_at = fired.due_at AND holder = $4
        """,
        [t.stream for t in timers], [t.kind for t in timers], [t.due_at for t in timers], holder,
    )  # fmt: skip


async def release(conn: asyncpg.Connection, *, holder: str) -> None:
    """Gives back what `holder` held before it died; called by the same node when it starts again."""
    await conn.execute("UPDATE timers SET holder = NULL, lease_until = NULL WHERE holder = $1", holder)


async def next_due(conn: asyncpg.Connection) -> datetime | None:
    due: datetime | None = await conn.fetchval("SELECT min(greatest(due_at, lease_until)) FROM timers")
    return due
