"""Secret links to calendars: made once, revocable, stored as a hash only; and what their feeds are made of."""

from datetime import datetime, timedelta
from typing import Literal

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.engine import audit
from sev1.engine.errors import Invalid, NotFound
from sev1.oncall import store
from sev1.oncall.calendar import CalendarShift, render
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import shifts

Kind = Literal["person", "team", "schedule"]
BACK, AHEAD = timedelta(days=7), timedelta(days=92)


class Link(Struct, frozen=True, kw_only=True):
    id: int
    kind: str
    name: str
    created_by: str
    created_at: datetime


async def add(
    conn: asyncpg.Connection, catalog: Catalog, kind: Kind, name: str, token_hash: bytes, *, by: str, now: datetime
) -> int:
    """Stores a link by the hash of its token. Raises `NotFound` for what the catalog does not hold."""
    _title(catalog, kind, name)
    number: int = await conn.fetchval(
        "INSERT INTO calendar_links (token_hash, kind, name, created_by, created_at) VALUES ($1, $2, $3, $4, $5) "
        "RETURNING id",
        token_hash, kind, name, by, now,
    )  # fmt: skip
    await audit.record(conn, actor=by, action="calendar.link", subject=f"{kind} {name}", data={"id": number}, now=now)
    return number


async def revoke(conn: asyncpg.Connection, number: int, *, by: str, now: datetime) -> None:
    """From now on the link opens nothing. Raises `NotFound`."""
    subject = await conn.fetchval(
        "UPDATE calendar_links SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING kind || ' ' || name",
        number, now,
    )  # fmt: skip
    if subject is None:
        raise NotFound(f"There is no calendar link {number}. It may have been revoked already.")
    await audit.record(conn, actor=by, action="calendar.revoke", subject=subject, data={"id": number}, now=now)


async def in_use(conn: asyncpg.Connection) -> list[Link]:
    rows = await conn.fetch("SELECT * FROM calendar_links WHERE revoked_at IS NULL ORDER BY id")
    return [
        Link(id=r["id"], kind=r["kind"], name=r["name"], created_by=r["created_by"], created_at=r["created_at"])
        for r in rows
    ]


async def feed(conn: asyncpg.Connection, catalog: Catalog, token_hash: bytes, url: str, now: datetime) -> bytes:
    """The calendar behind a link: from a week ago to 92 days ahead. Raises `NotFound` for a dead link."""
    row = await conn.fetchrow(
        "SELECT kind, name FROM calendar_links WHERE token_hash = $1 AND revoked_at IS NULL", token_hash
    )
    if row is None:
        raise NotFound("There is no such calendar. Its link may have been revoked.")
    kind, name = row["kind"], row["name"]
    title = _title(catalog, kind, name)
    people = {name} if kind == "person" else set(catalog.teams[name].members) if kind == "team" else None
    wanted = [catalog.schedules[name]] if kind == "schedule" else list(catalog.schedules.values())
    # The window begins with a day, so that asking twice gives the same bytes.
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - BACK
    exceptions = await store.overrides_since(conn, since - store.LOOK_BACK)
    found = [
        CalendarShift(schedule=s.name, title=s.title, name=catalog.people[shift.person].full_name, shift=shift)
        for s in wanted
        for shift in shifts(s, since, since + AHEAD, in_force(exceptions.get(s.name, ()), catalog))
        if shift.person in catalog.people and (people is None or shift.person in people)
    ]
    change = await conn.fetchrow(
        "SELECT id, at FROM audit_log WHERE action LIKE 'schedule.%' OR action LIKE 'leave.%' OR action = 'catalog.apply' "
        "ORDER BY id DESC LIMIT 1"
    )
    sequence, at = (change["id"], change["at"]) if change else (0, since)
    # RFC 5545 integers have 32 bits.
    return render(title, found, sequence=sequence % 2**31, changed_at=at, url=url)


def _title(catalog: Catalog, kind: str, name: str) -> str:
    if kind == "person" and name in catalog.people:
        return f"{catalog.people[name].full_name}: on call"
    if kind == "team" and name in catalog.teams:
        return f"{catalog.teams[name].title}: on call"
    if kind == "schedule" and name in catalog.schedules:
        return catalog.schedules[name].title
    if kind not in {"person", "team", "schedule"}:
        raise Invalid("A calendar is of a person, a team or a schedule.", field="kind")
    raise NotFound(f'There is no {kind} "{name}" in the catalog.')
