"""Durable timers: rows with a due time, set in the transaction of the events that cause them.

A timer is what a state waits for, so it is derived from the state and replaced as a whole after each command.
Any node may fire one: it claims a batch under a lease, runs the timer's command, and the command's transaction
replaces the timer. A node that dies or stalls loses its lease and another takes over; firing twice is harmless
because a late timer decides nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct


class Timer(Struct, frozen=True, kw_only=True):
    stream: str
    kind: str
    due_at: datetime


async def replace(conn: asyncpg.Connection, stream: str, wanted: Mapping[str, datetime]) -> None:
    """Makes `wanted` the timers of `stream`; others of it are removed."""
    await conn.execute("DELETE FROM timers WHERE stream = $1 AND kind <> ALL($2::text[])", stream, list(wanted))
    if wanted:
        await conn.executemany(
            "INSERT INTO timers (stream, kind, due_at) VALUES ($1, $2, $3) ON CONFLICT (stream, kind) "
            "DO UPDATE SET due_at = EXCLUDED.due_at, holder = NULL, lease_until = NULL",
            [(stream, kind, due) for kind, due in wanted.items()],
        )


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


async def done(conn: asyncpg.Connection, timer: Timer, *, holder: str) -> None:
    """Removes a timer that decided nothing and was not replaced; a lost lease or a new due time is left alone."""
    await conn.execute(
        "DELETE FROM timers WHERE stream = $1 AND kind = $2 AND due_at = $3 AND holder = $4",
        timer.stream, timer.kind, timer.due_at, holder,
    )  # fmt: skip


async def release(conn: asyncpg.Connection, *, holder: str) -> None:
    """Gives back what `holder` held before it died; called by the same node when it starts again."""
    await conn.execute("UPDATE timers SET holder = NULL, lease_until = NULL WHERE holder = $1", holder)


async def next_due(conn: asyncpg.Connection) -> datetime | None:
    due: datetime | None = await conn.fetchval("SELECT min(greatest(due_at, lease_until)) FROM timers")
    return due
