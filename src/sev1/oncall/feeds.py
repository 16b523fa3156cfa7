"""Calendars that are read, in the database: rows with a due time, claimed under a lease, and the events of each."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.oncall.calendar_in import Event

KEPT = timedelta(days=120)
"""How long events stay after they have ended: on-call load looks back at a quarter."""

Kind = Literal["person", "schedule"]
FeedKey = tuple[Kind, str, str]
"""Kind and name of whom it is for, and its title."""


class FeedState(Struct, frozen=True, kw_only=True):
    """Where one calendar stands. Stored as it is; everything has a default, so that a later release can add fields."""

    status: Literal["waiting", "ok", "failing"] = "waiting"
    why: str = "Not read yet."
    checked_at: datetime | None = None
    """When it was last asked."""
    read_at: datetime | None = None
    """When its events were last read: those are in force until it can be read again."""
    failures: int = 0
    """In a row."""
    events: int = 0
    etag: str = ""
    modified: str = ""
    source: str = ""
    """Hash of the address and the zone that were read with: what was known of another is worth nothing."""


class FeedRow(Struct, frozen=True, kw_only=True):
    kind: Kind
    name: str
    title: str
    state: FeedState

    @property
    def key(self) -> FeedKey:
        return (self.kind, self.name, self.title)


class FeedEvent(Struct, frozen=True, kw_only=True):
    kind: Kind
    name: str
    title: str
    start: datetime
    end: datetime
    summary: str


def wanted(catalog: Catalog) -> list[FeedKey]:
    """Every calendar that the catalog names."""
    people: list[FeedKey] = [("person", p.name, c.title) for p in catalog.people.values() for c in p.leave_calendars]
    return people + [("schedule", s.name, c.title) for s in catalog.schedules.values() for c in s.holiday_calendars]


async def sync(conn: asyncpg.Connection, keys: Sequence[FeedKey], now: datetime) -> bool:
    """Adds rows for what the catalog has newly got; forgets the rest with its events. True when something went."""
    columns = [list(column) for column in zip(*keys, strict=True)] or [[], [], []]
    await conn.execute(
        "INSERT INTO calendar_feeds (kind, name, title, due_at, state) SELECT kind, name, title, $4, $5"
        " FROM unnest($1::text[], $2::text[], $3::text[]) AS new (kind, name, title) ON CONFLICT DO NOTHING",
        *columns, now, FeedState(),
    )  # fmt: skip
    done = await conn.execute(
        "DELETE FROM calendar_feeds WHERE (kind, name, title) NOT IN"
        " (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))",
        *columns,
    )
    return bool(done != "DELETE 0")


async def claim(conn: asyncpg.Connection, *, holder: str, now: datetime, lease_s: int, limit: int) -> list[FeedRow]:
    """Takes up to `limit` due rows that nobody holds until `now + lease_s`."""
    rows = await conn.fetch(
        """
        UPDATE calendar_feeds SET holder = $1, lease_until = $3
        WHERE (kind, name, title) IN (
            SELECT kind, name, title FROM calendar_feeds
            WHERE due_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
            ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
        )
        RETURNING kind, name, title, state
        """,
        holder, now, now + timedelta(seconds=lease_s), limit,
    )  # fmt: skip
    return [_row(row) for row in rows]


async def save(
    conn: asyncpg.Connection,
    row: FeedRow,
    state: FeedState,
    due_at: datetime,
    *,
    holder: str,
    events: Sequence[Event] | None = None,
    window: tuple[datetime, datetime, datetime] | None = None,
) -> bool:
    """Writes what became of it, and with `events` those that end after the window's beginning for what was known of them.

    `window` is from when the events were worked out, the present, and until when they were known before.

    True when the events in force have changed; False as well when the lease was lost, and then nothing is written.
    """
    done = await conn.execute(
        "UPDATE calendar_feeds SET state = $4, due_at = $5, holder = NULL, lease_until = NULL"
        " WHERE kind = $1 AND name = $2 AND title = $3 AND holder = $6",
        *row.key, state, due_at, holder,
    )  # fmt: skip
    if done == "UPDATE 0" or events is None or window is None:
        return False
    since, now, until = window
    before = await conn.fetch(
        "DELETE FROM calendar_events WHERE kind = $1 AND name = $2 AND title = $3"
        " AND (ends_at > $4 OR ends_at < $4 - $5::interval) RETURNING starts_at, ends_at, summary",
        *row.key, since, KEPT,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO calendar_events (kind, name, title, starts_at, ends_at, summary) SELECT $1, $2, $3, s, e, t"
        " FROM unnest($4::timestamptz[], $5::timestamptz[], $6::text[]) AS new (s, e, t)",
        *row.key, [e.start for e in events], [e.end for e in events], [e.summary for e in events],
    )  # fmt: skip
    known = (Event(row["starts_at"], row["ends_at"], row["summary"]) for row in before)
    return _within(known, now, until) != _within(events, now, until)


def _within(events: Iterable[Event], now: datetime, until: datetime) -> list[Event]:
    """Cut to what was worked out both times: that the window has moved on is no change of the plan."""
    cut = (Event(max(one.start, now), min(one.end, until), one.summary) for one in events)
    return sorted(one for one in cut if one.start < one.end)


async def release(conn: asyncpg.Connection, holder: str) -> None:
    """Frees what a node of this name held before it died."""
    await conn.execute("UPDATE calendar_feeds SET holder = NULL, lease_until = NULL WHERE holder = $1", holder)


async def read_all(conn: asyncpg.Connection) -> list[FeedRow]:
    """Every calendar and where it stands, those that fail first."""
    rows = await conn.fetch(
        "SELECT kind, name, title, state FROM calendar_feeds ORDER BY state->>'status' <> 'failing', kind, name, title"
    )
    return [_row(row) for row in rows]


async def events_since(conn: asyncpg.Connection, since: datetime) -> list[FeedEvent]:
    """The events of all calendars that end after `since`, as last read."""
    rows = await conn.fetch(
        "SELECT kind, name, title, starts_at AS start, ends_at AS end, summary FROM calendar_events"
        " WHERE ends_at > $1 ORDER BY starts_at, ends_at, kind, name, title",
        since,
    )
    return [msgspec.convert(dict(row), FeedEvent) for row in rows]


def _row(row: asyncpg.Record) -> FeedRow:
    return msgspec.convert(dict(row), FeedRow)
