"""Pages as rows: what the events add up to, written in the transaction that appends them."""

from collections.abc import Sequence

import asyncpg
import msgspec

from sev1.engine.commands import Change
from sev1.paging.model import Page

SHAPE = 4
"""Of the projected state. Raise it when `evolve` or `Page` changes what a state means: rows of another shape are then not
used as a starting point, but read anew from their events."""

_json = msgspec.json.Encoder(enc_hook=str).encode


async def project(conn: asyncpg.Connection, changes: Sequence[Change[Page]]) -> None:
    """A reaction: makes the rows of the pages say what their events say."""
    pages = [change.after for change in changes]
    await conn.execute(
        """
        INSERT INTO pages (id, number, version, status, title, service, group_key, incident, people, opened_at,
                           acknowledged_at, resolved_at, state, shape)
        SELECT id, number, version, status, title, service, group_key, incident,
               ARRAY(SELECT jsonb_array_elements_text(people::jsonb)), opened_at, acknowledged_at, resolved_at,
               state::jsonb, $14
        FROM unnest($1::text[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[])
            AS new (id, number, version, status, title, service, group_key, incident, people, opened_at,
                    acknowledged_at, resolved_at, state)
        ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, status = EXCLUDED.status, title = EXCLUDED.title,
            service = EXCLUDED.service, incident = EXCLUDED.incident, people = EXCLUDED.people,
            acknowledged_at = EXCLUDED.acknowledged_at, resolved_at = EXCLUDED.resolved_at, state = EXCLUDED.state,
            shape = EXCLUDED.shape
        """,
        [page.key for page in pages], [number_of(page.key) for page in pages], [change.version for change in changes],
        [page.status for page in pages], [page.title for page in pages], [page.service for page in pages],
        [page.group_key for page in pages], [page.incident for page in pages],
        [_json(page.paged).decode() for page in pages], [page.opened_at for page in pages],
        [page.acknowledged_at for page in pages], [page.resolved_at for page in pages],
        [_json(page).decode() for page in pages], SHAPE,
    )  # fmt: skip


async def snapshots(conn: asyncpg.Connection, keys: Sequence[str]) -> dict[str, tuple[Page, int]]:
    """The pages as this release projected them, with their versions; what another release wrote is left out."""
    rows = await conn.fetch(
        "SELECT id, state, version FROM pages WHERE id = ANY($1::text[]) AND shape = $2", keys, SHAPE
    )
    return {row["id"]: (msgspec.convert(row["state"], Page), row["version"]) for row in rows}


def number_of(key: str) -> int:
    return int(key.rpartition("-")[2])


async def get(conn: asyncpg.Connection, key: str) -> Page | None:
    state = await conn.fetchval("SELECT state FROM pages WHERE id = $1", key)
    return None if state is None else msgspec.convert(state, Page)


async def open_pages(conn: asyncpg.Connection, *, limit: int = 200) -> list[Page]:
    """Pages that are not over, oldest first."""
    rows = await conn.fetch("SELECT state FROM pages WHERE status <> 'resolved' ORDER BY opened_at LIMIT $1", limit)
    return [msgspec.convert(row["state"], Page) for row in rows]


async def recent_pages(conn: asyncpg.Connection, *, limit: int = 50) -> list[Page]:
    """The latest pages whatever their state, newest first."""
    rows = await conn.fetch("SELECT state FROM pages ORDER BY number DESC LIMIT $1", limit)
    return [msgspec.convert(row["state"], Page) for row in rows]


async def of_incident(conn: asyncpg.Connection, incident: str) -> list[Page]:
    rows = await conn.fetch("SELECT state FROM pages WHERE incident = $1 ORDER BY number", incident)
    return [msgspec.convert(row["state"], Page) for row in rows]


async def get_with_version(conn: asyncpg.Connection, key: str) -> tuple[Page, int] | None:
    """The page and how many events it has."""
    row = await conn.fetchrow("SELECT state, version FROM pages WHERE id = $1", key)
    return None if row is None else (msgspec.convert(row["state"], Page), row["version"])


async def with_version(conn: asyncpg.Connection, *, only_open: bool, limit: int) -> list[tuple[Page, int]]:
    """Open pages, oldest first; or the latest of any state, newest first."""
    query = (
        "SELECT state, version FROM pages WHERE status <> 'resolved' ORDER BY opened_at LIMIT $1"
        if only_open
        else "SELECT state, version FROM pages ORDER BY number DESC LIMIT $1"
    )
    return [(msgspec.convert(row["state"], Page), row["version"]) for row in await conn.fetch(query, limit)]
