"""Watches in the database: rows with a due time, claimed under a lease; and since when somebody listens."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from sev1.triage.model import AlertRow
from sev1.watch.model import FiringAlert, Judged, Kind, Row, State

GAP = timedelta(seconds=60)
"""When nobody has said for so long that it listens, listening begins anew."""
ALERTS_MAX = 20_000
_COLUMNS = "kind, name, due_at, seen_at, state"
assert {"id", "labels", "received_at", "times"} <= set(AlertRow.__struct_fields__)


async def sync(conn: asyncpg.Connection, wanted: Sequence[tuple[Kind, str]], now: datetime) -> None:
    """Adds rows for what the catalog has newly got."""
    await conn.execute(
        "INSERT INTO watches (kind, name, due_at, state) SELECT kind, name, $3, $4"
        " FROM unnest($1::text[], $2::text[]) AS new (kind, name) ON CONFLICT DO NOTHING",
        [kind for kind, _ in wanted], [name for _, name in wanted], now, State(known_since=now),
    )  # fmt: skip


async def not_in(conn: asyncpg.Connection, wanted: Sequence[tuple[Kind, str]]) -> list[Row]:
    """The rows of what the catalog no longer has."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM watches WHERE (kind, name) NOT IN (SELECT * FROM unnest($1::text[], $2::text[]))",
        [kind for kind, _ in wanted], [name for _, name in wanted],
    )  # fmt: skip
    return [_row(row) for row in rows]


async def delete(conn: asyncpg.Connection, row: Row) -> None:
    await conn.execute("DELETE FROM watches WHERE kind = $1 AND name = $2", row.kind, row.name)


async def claim(conn: asyncpg.Connection, *, holder: str, now: datetime, lease_s: int, limit: int) -> list[Row]:
    """Takes up to `limit` due rows that nobody holds until `now + lease_s`."""
    rows = await conn.fetch(
        f"""
        UPDATE watches SET holder = $1, lease_until = $3
        WHERE (kind, name) IN (
            SELECT kind, name FROM watches
            WHERE due_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
            ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
        )
        RETURNING {_COLUMNS}
        """,
        holder, now, now + timedelta(seconds=lease_s), limit,
    )  # fmt: skip
    return [_row(row) for row in rows]


async def save(conn: asyncpg.Connection, row: Row, judged: Judged, *, holder: str) -> bool:
    """Writes what was found, unless the lease was lost. A ping that came meanwhile is looked at at once."""
    done = await conn.execute(
        """
        UPDATE watches SET state = $3, holder = NULL, lease_until = NULL,
            due_at = CASE WHEN seen_at IS NOT DISTINCT FROM $5::timestamptz THEN $4 ELSE due_at END
        WHERE kind = $1 AND name = $2 AND holder = $6
        """,
        row.kind, row.name, judged.state, judged.due_at, row.seen_at, holder,
    )  # fmt: skip
    return bool(done != "UPDATE 0")


async def put_off(conn: asyncpg.Connection, row: Row, due_at: datetime, *, holder: str) -> None:
    await conn.execute(
        "UPDATE watches SET due_at = $3, holder = NULL, lease_until = NULL WHERE kind = $1 AND name = $2 AND holder = $4",
        row.kind, row.name, due_at, holder,
    )  # fmt: skip


async def release(conn: asyncpg.Connection, holder: str) -> None:
    """Gives back what `holder` held before it died."""
    await conn.execute("UPDATE watches SET holder = NULL, lease_until = NULL WHERE holder = $1", holder)


async def ping(conn: asyncpg.Connection, name: str, now: datetime) -> None:
    """A heartbeat's sign of life; it is looked at at once, which sets when the next is missed."""
    await conn.execute(
        "INSERT INTO watches (kind, name, due_at, seen_at, state) VALUES ('heartbeat', $1, $2, $2, $3)"
        " ON CONFLICT (kind, name) DO UPDATE SET seen_at = greatest(watches.seen_at, $2), due_at = $2",
        name, now, State(known_since=now),
    )  # fmt: skip


async def listening(conn: asyncpg.Connection, now: datetime) -> datetime:
    """Says that somebody listens now; returns since when that was said without a gap of a minute or more."""
    since: datetime = await conn.fetchval(
        """
        INSERT INTO watch_listening AS l (since, last_at) VALUES ($1, $1)
        ON CONFLICT (one) DO UPDATE SET last_at = greatest(l.last_at, $1),
            since = CASE WHEN l.last_at < $1 - $2::interval THEN $1 ELSE l.since END
        RETURNING since
        """,
        now, GAP,
    )  # fmt: skip
    return since


async def firing_alerts(conn: asyncpg.Connection) -> list[FiringAlert]:
    """What fires and was not made by a composite itself, the newest first."""
    rows = await conn.fetch(
        "SELECT id, labels, received_at, times FROM alerts WHERE status = 'firing'"
        " AND NOT (source = 'watch' AND coalesce(labels ->> 'watch', '') = 'composite')"
        " ORDER BY id DESC LIMIT $1",
        ALERTS_MAX,
    )
    return [FiringAlert(**row) for row in rows]


async def read_all(conn: asyncpg.Connection) -> list[Row]:
    rows = await conn.fetch(f"SELECT {_COLUMNS} FROM watches ORDER BY kind, name")
    return [_row(row) for row in rows]


def _row(row: asyncpg.Record) -> Row:
    return msgspec.convert(dict(row), Row)
