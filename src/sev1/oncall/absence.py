"""Who is away: leave entered here or read from calendars, and public holidays by the region written in the catalog."""

import functools
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.catalog.problems import did_you_mean
from sev1.engine import audit
from sev1.engine.errors import Forbidden, Invalid, NotFound
from sev1.oncall import feeds
from sev1.oncall.feeds import FeedEvent
from sev1.oncall.model import Away

LONGEST = timedelta(days=366)
HOLIDAYS_AHEAD = 1
"""Years beyond the present one for which public holidays are known."""


class Leave(Struct, frozen=True, kw_only=True):
    id: int
    person: str
    start: datetime
    end: datetime
    reason: str
    created_by: str


async def add_leave(
    conn: asyncpg.Connection,
    catalog: Catalog,
    away: Away,
    *,
    created_by: str,
    now: datetime,
    for_anybody: bool = False,
) -> int:
    """Stores leave and returns its id. `for_anybody`: whoever enters it is an admin.

    Raises `Invalid` for an unknown person and for times that cannot be, `Forbidden` for somebody else's leave.
    """
    if away.person not in catalog.people:
        raise Invalid(f'There is no person "{away.person}". {did_you_mean(away.person, catalog.people)}'.rstrip())
    if away.end <= away.start:
        raise Invalid("The leave ends before it starts. Let it end later.", field="end")
    if away.end <= now:
        raise Invalid("The leave lies wholly in the past. Let it end in the future.", field="end")
    if away.end - away.start > LONGEST:
        raise Invalid("Leave lasts at most a year here. For longer, change the schedule.", field="end")
    _require_own(away.person, created_by, for_anybody=for_anybody)
    number: int = await conn.fetchval(
        """
        INSERT INTO leave_periods (person, starts_at, ends_at, reason, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
        """,
        away.person, away.start, away.end, away.reason, created_by, now,
    )  # fmt: skip
    # The reason of somebody's leave is theirs: the audit log says that there is leave, not why.
    data = {"id": number, "start": away.start, "end": away.end}
    await audit.record(conn, actor=created_by, action="leave.add", subject=away.person, data=data, now=now)
    return number


async def remove_leave(
    conn: asyncpg.Connection, number: int, *, actor: str, now: datetime, for_anybody: bool = False
) -> None:
    """Takes leave back. Raises `NotFound`, and `Forbidden` for somebody else's. Call it in a transaction."""
    person = await conn.fetchval("DELETE FROM leave_periods WHERE id = $1 RETURNING person", number)
    if person is None:
        raise NotFound(f"There is no leave {number}. It may have been taken back already.")
    _require_own(person, actor, for_anybody=for_anybody)
    await audit.record(conn, actor=actor, action="leave.remove", subject=person, data={"id": number}, now=now)


def _require_own(person: str, actor: str, *, for_anybody: bool) -> None:
    if person != actor and not for_anybody:
        raise Forbidden(
            f"Leave is entered and taken back by whoever it is of, or by an admin. Ask {person} or an admin."
        )


async def leave_since(conn: asyncpg.Connection, since: datetime) -> list[Leave]:
    """All leave that ends after `since`, by its start."""
    rows = await conn.fetch("SELECT * FROM leave_periods WHERE ends_at > $1 ORDER BY starts_at, id", since)
    return [
        Leave(
            id=row["id"], person=row["person"], start=row["starts_at"], end=row["ends_at"], reason=row["reason"],
            created_by=row["created_by"],
        )
        for row in rows
    ]  # fmt: skip


async def on_leave_since(
    conn: asyncpg.Connection, since: datetime, calendars: Sequence[FeedEvent] | None = None
) -> list[Away]:
    """Leave that ends after `since`: what was entered here and what the calendars of `calendars` (or all) hold."""
    entered = [Away(person=leave.person, start=leave.start, end=leave.end) for leave in await leave_since(conn, since)]
    found = await feeds.events_since(conn, since) if calendars is None else calendars
    return entered + [
        Away(person=one.name, start=one.start, end=one.end, reason=f"calendar {one.title}")
        for one in found
        if one.kind == "person"
    ]


async def away_since(
    conn: asyncpg.Connection, since: datetime, calendars: Sequence[FeedEvent] | None = None
) -> list[Away]:
    """Leave, and the public holidays of people's regions, that end after `since`."""
    away = await on_leave_since(conn, since, calendars)
    rows = await conn.fetch(
        "SELECT name, spec->>'holidays' AS region, spec->>'time_zone' AS zone FROM catalog_objects "
        "WHERE kind = 'person' AND spec->>'holidays' IS NOT NULL ORDER BY name"
    )
    for row in rows:
        away += public_holidays(row["name"], row["region"], row["zone"] or "UTC", since)
    return away


def public_holidays(person: str, region: str, zone: str, since: datetime) -> Iterable[Away]:
    """The public holidays of a region that end after `since`, each from midnight to midnight of the person's zone."""
    info = ZoneInfo(zone)
    for day, title in holidays_of(region, tuple(range(since.year, since.year + HOLIDAYS_AHEAD + 1))):
        start, end = (datetime.combine(d, time(), info).astimezone(UTC) for d in (day, day + timedelta(days=1)))
        if end > since:
            yield Away(person=person, start=start, end=end, kind="holiday", reason=title)


@functools.lru_cache(maxsize=256)
def holidays_of(region: str, years: tuple[int, ...]) -> tuple[tuple[date, str], ...]:
    """Day and title of each public holiday, in order; nothing for a region that is not known."""
    import holidays  # noqa: PLC0415 - most commands never ask for a holiday and need not wait for it

    country, _, part = region.partition("-")
    try:
        return tuple(sorted(holidays.country_holidays(country, subdiv=part or None, years=years).items()))
    except NotImplementedError:
        return ()
