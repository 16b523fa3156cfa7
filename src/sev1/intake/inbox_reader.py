"""Reads the inbox by cursor, and forgets what is old. All of it runs in the caller's transaction."""

from datetime import datetime

import asyncpg
from msgspec import Struct

WRITER_LOCK = 0x5E_0002
"""First half of the advisory lock that the connection of each writer holds."""

# Sub-selects instead of joins on purpose: each is one descent of the primary key, whatever the planner believes about
# the size of the table, and PostgreSQL evaluates them again when another reader moved the cursor just now. Writers take
# turns by who has waited longest. The ids of one writer have no gaps, so a range of ids is as many rows; told to order and
# to limit instead, a planner without statistics reads and sorts the whole backlog for each batch.
_READ = """
WITH next AS MATERIALIZED (
    SELECT writer, position FROM inbox_cursors AS cursor
    WHERE (SELECT max(id) FROM inbox WHERE inbox.writer = cursor.writer) > position
    ORDER BY (
        SELECT received_at FROM inbox WHERE inbox.writer = cursor.writer AND inbox.id > position ORDER BY id LIMIT 1
    )
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), first AS MATERIALIZED (
    SELECT min(id) AS id FROM inbox
    WHERE writer = (SELECT writer FROM next) AND id > (SELECT position FROM next)
)
SELECT writer, id, received_at, key_id, format, raw FROM (
    SELECT unread.*, sum(octet_length(raw)) OVER (ORDER BY id) - octet_length(raw) AS bytes_before FROM (
        SELECT inbox.* FROM inbox
        WHERE writer = (SELECT writer FROM next) AND id >= (SELECT id FROM first) AND id < (SELECT id FROM first) + $1
    ) AS unread
) AS measured
WHERE bytes_before < $2
ORDER BY id
"""


class Row(Struct, frozen=True, kw_only=True):
    """One stored payload. `(writer, id)` is its address for ever."""

    writer: int
    id: int
    received_at: datetime
    key_id: int
    format: str
    raw: bytes


class Batch(Struct, frozen=True, kw_only=True):
    """The next rows of one writer, oldest first, never empty."""

    writer: int
    rows: tuple[Row, ...]

    @property
    def position(self) -> int:
        return self.rows[-1].id


async def read_batch(
    conn: asyncpg.Connection, *, limit_rows: int = 1_000, limit_bytes: int = 8 * 1024 * 1024
) -> Batch | None:
    """The next unread rows of a writer that no other reader has, or None.

    Locks that writer's cursor until the transaction ends; the caller moves it with `advance` before it commits. A row that
    begins within `limit_bytes` is given whole, so one is always given, whatever its size.
    """
    records = await conn.fetch(_READ, limit_rows, limit_bytes)
    if not records:
        return None
    rows = tuple([Row(**record) for record in records])
    return Batch(writer=rows[0].writer, rows=rows)


async def advance(conn: asyncpg.Connection, writer: int, position: int) -> None:
    """Says that everything of `writer` up to `position` has taken effect, when this transaction commits."""
    await conn.execute("UPDATE inbox_cursors SET position = $2 WHERE writer = $1", writer, position)


async def read_row(conn: asyncpg.Connection, writer: int, row_id: int) -> Row | None:
    """One stored payload, for showing it; None when it was forgotten."""
    record = await conn.fetchrow(
        "SELECT writer, id, received_at, key_id, format, raw FROM inbox WHERE writer = $1 AND id = $2", writer, row_id
    )
    return Row(**record) if record else None


async def lag(conn: asyncpg.Connection) -> tuple[int, datetime | None]:
    """How many rows wait to be read, and when the oldest of them was received."""
    # The ids of one writer have no gaps, so counting them is a subtraction.
    record = await conn.fetchrow(
        "SELECT coalesce(sum(last - position), 0)::bigint AS rows, min(oldest) AS oldest FROM ("
        " SELECT position, (SELECT max(id) FROM inbox WHERE inbox.writer = cursor.writer) AS last,"
        "  (SELECT received_at FROM inbox WHERE inbox.writer = cursor.writer AND id > position ORDER BY id LIMIT 1)"
        "   AS oldest"
        " FROM inbox_cursors AS cursor) AS writers WHERE last > position"
    )
    return record["rows"], record["oldest"]


async def forget_payloads(conn: asyncpg.Connection, before: datetime, *, limit: int = 5_000) -> int:
    """Deletes rows received before `before` that have been read; returns how many. Call again while it is `limit`."""
    deleted: str = await conn.execute(
        "DELETE FROM inbox WHERE ctid = ANY (ARRAY("
        " SELECT inbox.ctid FROM inbox LEFT JOIN inbox_cursors AS cursor USING (writer)"
        # A writer without a cursor has ended and was read to its end.
        " WHERE inbox.received_at < $1 AND (cursor.writer IS NULL OR inbox.id <= cursor.position)"
        " LIMIT $2))",
        before,
        limit,
    )
    return int(deleted.rsplit(maxsplit=1)[-1])


async def forget_writers(conn: asyncpg.Connection) -> int:
    """Deletes the cursors of writers whose connection has ended and whose rows have all been read; returns how many.

    Needs a transaction of its own, so that the second statement sees what a writer committed before its lock went.
    """
    ended = await conn.fetch(
        "SELECT writer FROM inbox_cursors WHERE pg_try_advisory_xact_lock($1, writer)", WRITER_LOCK
    )
    deleted: str = await conn.execute(
        "DELETE FROM inbox_cursors AS cursor WHERE writer = ANY ($1::int[])"
        " AND NOT EXISTS (SELECT FROM inbox WHERE inbox.writer = cursor.writer AND inbox.id > cursor.position)",
        [record["writer"] for record in ended],
    )
    return int(deleted.rsplit(maxsplit=1)[-1])
