"""Pages as rows: what the events add up to, written in the transaction that appends them."""

import asyncpg
import msgspec

from sev1.engine.commands import Change
from sev1.paging.model import Page


async def project(conn: asyncpg.Connection, change: Change[Page]) -> None:
    """A reaction: makes the row of the page say what its events say."""
    await write(conn, change.after, change.version)


async def write(conn: asyncpg.Connection, page: Page, version: int) -> None:
    await conn.execute(
        """
        INSERT INTO pages (id, number, version, status, title, service, group_key, incident, people, opened_at,
                           acknowledged_at, resolved_at, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, status = EXCLUDED.status, title = EXCLUDED.title,
            service = EXCLUDED.service, incident = EXCLUDED.incident, people = EXCLUDED.people,
            acknowledged_at = EXCLUDED.acknowledged_at, resolved_at = EXCLUDED.resolved_at, state = EXCLUDED.state
        """,
        page.key, number_of(page.key), version, page.status, page.title, page.service, page.group_key, page.incident,
        list(page.paged), page.opened_at, page.acknowledged_at, page.resolved_at, page,
    )  # fmt: skip


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
