"""What was changed: deploys, flags, migrations. Kept to be shown beside alerts; a change wakes nobody (mission T.4)."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from sev1.intake.model import InboundChange, InboundLink

LISTED_MAX = 200
_COLUMNS = "id, key_id, service, at, summary, source, links, details, received_at"


class Change(Struct, frozen=True, kw_only=True):
    id: int
    key_id: int
    """The integration key that it came through."""
    service: str | None
    at: datetime
    summary: str
    source: str
    links: tuple[InboundLink, ...]
    details: dict[str, str]
    received_at: datetime


class ReceivedChange(Struct, frozen=True, kw_only=True):
    """A change with where it came from. `service` is what it says itself, else the one that its key stands for."""

    change: InboundChange
    key_id: int
    service: str | None
    received_at: datetime


async def add(conn: asyncpg.Connection, received: Sequence[ReceivedChange]) -> None:
    """Stores them in the caller's transaction."""
    await conn.executemany(
        "INSERT INTO changes (key_id, service, at, summary, source, links, details, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                one.key_id,
                one.service,
                one.change.at,
                one.change.summary,
                one.change.source,
                msgspec.to_builtins(one.change.links),
                one.change.details,
                one.received_at,
            )
            for one in received
        ],
    )


async def list_changes(
    conn: asyncpg.Connection,
    *,
    service: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = LISTED_MAX,
) -> list[Change]:
    """The changes of a service, or of all, from `since` to `until` inclusive, newest first, at most `limit`."""
    where, values = ["true"], []
    for condition, value in (("service = ", service), ("at >= ", since), ("at <= ", until)):
        if value is not None:
            values.append(value)
            where.append(f"{condition}${len(values)}")
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM changes WHERE {' AND '.join(where)} ORDER BY at DESC, id DESC LIMIT {int(limit)}",
        *values,
    )
    return [msgspec.convert(dict(row), Change) for row in rows]


async def list_changes_of(
    conn: asyncpg.Connection, *, services: Sequence[str], since: datetime, until: datetime, limit: int
) -> list[Change]:
    """The changes of any of `services`, newest first, at most `limit`."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM changes WHERE service = ANY($1::text[]) AND at >= $2 AND at <= $3"
        " ORDER BY at DESC, id DESC LIMIT $4",
        list(services), since, until, limit,
    )  # fmt: skip
    return [msgspec.convert(dict(row), Change) for row in rows]


async def forget(conn: asyncpg.Connection, before: datetime) -> int:
    """Deletes what was received before `before`; returns how many."""
    deleted: str = await conn.execute("DELETE FROM changes WHERE received_at < $1", before)
    return int(deleted.rsplit(maxsplit=1)[-1])
