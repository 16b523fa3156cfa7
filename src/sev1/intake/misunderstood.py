"""Payloads that could not be read, kept for people to look at: an alert that nobody understood must not vanish."""

from datetime import datetime

import asyncpg
from msgspec import Struct

from sev1.engine.database import Database
from sev1.engine.errors import NotFound
from sev1.intake.formats.reading import clean

RAW_MAX = 1024 * 1024
KEPT_PER_KEY = 200
"""A broken sender repeats itself; its newest payloads are enough to see why."""
_SWEEP_EVERY = 20
PREVIEW = 2_000
_COLUMNS = "id, received_at, key_id, format, error, dismissed_at, dismissed_by"


class MisunderstoodPayload(Struct, frozen=True, kw_only=True):
    id: int
    received_at: datetime
    key_id: int | None
    format: str
    error: str
    """The sentence that the sender was answered with."""
    raw: bytes
    """At most its first megabyte; in a list the first 2,000 bytes."""
    dismissed_at: datetime | None
    dismissed_by: str | None


async def keep(db: Database, *, key_id: int | None, format_: str, raw: bytes, error: str, received_at: datetime) -> int:
    """Stores the payload and returns its id. Only the newest 200 or so of a key stay."""
    async with db.transaction() as conn:
        kept: int = await conn.fetchval(
            "INSERT INTO misunderstood (received_at, key_id, format, error, raw) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            received_at, key_id, format_, clean(error), raw[:RAW_MAX],
        )  # fmt: skip
        if kept % _SWEEP_EVERY == 0:
            await conn.execute(
                "DELETE FROM misunderstood WHERE id IN (SELECT id FROM misunderstood"
                " WHERE key_id IS NOT DISTINCT FROM $1 ORDER BY id DESC OFFSET $2)",
                key_id, KEPT_PER_KEY,
            )  # fmt: skip
    return kept


async def list_open(conn: asyncpg.Connection, *, limit: int = 100) -> list[MisunderstoodPayload]:
    """Those that nobody dismissed, newest first."""
    records = await conn.fetch(
        f"SELECT {_COLUMNS}, substring(raw FOR {PREVIEW}) AS raw FROM misunderstood WHERE dismissed_at IS NULL"
        " ORDER BY received_at DESC, id DESC LIMIT $1",
        limit,
    )
    return [MisunderstoodPayload(**record) for record in records]


async def get(conn: asyncpg.Connection, payload_id: int) -> MisunderstoodPayload:
    """Raises NotFound."""
    record = await conn.fetchrow(f"SELECT {_COLUMNS}, raw FROM misunderstood WHERE id = $1", payload_id)
    if record is None:
        raise NotFound("There is no such payload; it may have been forgotten.")
    return MisunderstoodPayload(**record)


async def dismiss(conn: asyncpg.Connection, payload_id: int, *, by: str, now: datetime) -> None:
    """Takes it off the list. The first one to dismiss it is remembered. Raises NotFound."""
    dismissed = await conn.execute(
        "UPDATE misunderstood SET dismissed_at = coalesce(dismissed_at, $2), dismissed_by = coalesce(dismissed_by, $3)"
        " WHERE id = $1",
        payload_id,
        now,
        by,
    )
    if dismissed == "UPDATE 0":
        raise NotFound("There is no such payload; it may have been forgotten.")


async def forget(conn: asyncpg.Connection, before: datetime) -> int:
    """Deletes what was received before `before`; returns how many."""
    deleted: str = await conn.execute("DELETE FROM misunderstood WHERE received_at < $1", before)
    return int(deleted.rsplit(maxsplit=1)[-1])
