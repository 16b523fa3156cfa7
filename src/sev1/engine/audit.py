"""The audit log: who changed what in catalog, access and settings. Incidents and pages are their own record.

Each entry is chained to the one before when its transaction commits (`engine/audit_chain.py`).
"""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the log, as it is listed."""

    id: int
    position: int | None
    """Its place in the chain."""
    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]
    hash: str | None


async def record(
    conn: asyncpg.Connection, *, actor: str, action: str, subject: str, data: dict[str, Any], now: datetime
) -> None:
    """Adds one line in the caller's transaction. `data` must hold no secret."""
    await conn.execute(
        "INSERT INTO audit_log (at, actor, action, subject, data) VALUES ($1, $2, $3, $4, $5)",
        now, actor, action, subject, data,
    )  # fmt: skip


async def entries(
    conn: asyncpg.Connection,
    *,
    actor: str = "",
    action: str = "",
    subject: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[Entry]:
    """The latest entries, newest first, older than the id `before`.

    Each filter is a part of the text it is about, whichever its case; an empty one holds for all.
    """
    rows = await conn.fetch(
        """
        SELECT id, position, at, actor, action, subject, data, encode(hash, 'hex') AS hash FROM audit_log
        WHERE ($1 = '' OR strpos(lower(actor), lower($1)) > 0) AND ($2 = '' OR strpos(lower(action), lower($2)) > 0)
            AND ($3 = '' OR strpos(lower(subject), lower($3)) > 0) AND ($4::bigint IS NULL OR id < $4)
        ORDER BY id DESC LIMIT $5
        """,
        actor, action, subject, before, limit,
    )  # fmt: skip
    return [msgspec.convert(dict(row), Entry) for row in rows]


async def about(conn: asyncpg.Connection, subject: str, *, limit: int = 1_000) -> list[Entry]:
    """All entries about exactly this subject, oldest first, at most `limit`."""
    rows = await conn.fetch(
        "SELECT id, position, at, actor, action, subject, data, encode(hash, 'hex') AS hash FROM audit_log"
        " WHERE subject = $1 ORDER BY id LIMIT $2",
        subject, limit,
    )  # fmt: skip
    return [msgspec.convert(dict(row), Entry) for row in rows]
