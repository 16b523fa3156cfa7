"""Overrides made at run time: who covers for whom, beside those written in the catalog."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog, Override
from sev1.catalog.problems import did_you_mean
from sev1.engine import audit
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.oncall import feeds
from sev1.oncall.absence import away_since
from sev1.oncall.limits import breaches
from sev1.oncall.model import EVERYBODY, Away
from sev1.oncall.resolve import in_force

LOOK_BACK = timedelta(days=31)
"""How long ended overrides are still read: the present shift may have begun where one of them ended."""


LOCK = 0x5E06
"""First key of the advisory lock under which overrides are made."""


class Unhealthy(Refused):
    """A shift that breaks a limit of the team. `limits` holds one sentence for each."""

    code = "unhealthy_shift"


class MadeOverride(Struct, frozen=True, kw_only=True):
    id: int
    schedule: str
    override: Override
    created_by: str
    created_at: datetime


async def add_override(
    conn: asyncpg.Connection,
    catalog: Catalog,
    schedule: str,
    override: Override,
    *,
    created_by: str,
    now: datetime,
    anyway: str = "",
    together: Sequence[Override] = (),
) -> int:
    """Stores an override on top of all earlier ones and returns its id. `together` are those that the same transaction
    makes next: limits are held against what comes out of all.

    Raises `NotFound` for an unknown schedule, `Invalid` for an unknown person and for times that cannot be, `Unhealthy`
    for a shift that breaks a limit of the person's team; `anyway`, a reason, lets it through and stays in the audit log.
    """
    check_override(catalog, schedule, override, now)
    # One at a time: two that are healthy each may together be none, also on two schedules.
    await conn.execute("SELECT pg_advisory_xact_lock($1, 0)", LOCK)
    broken = await _breaches(conn, catalog, schedule, override, now, together)
    if broken and not anyway.strip():
        raise Unhealthy(f"{' '.join(broken)} Choose somebody else, or give a reason why it must be.", limits=broken)
    override_id: int = await conn.fetchval(
        """
        INSERT INTO schedule_overrides (schedule, person, starts_at, ends_at, reason, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
        """,
        schedule,
        override.person,
        override.start,
        override.end,
        override.reason,
        created_by,
        now,
    )
    data = {"id": override_id, "person": override.person, "start": override.start, "end": override.end}
    await audit.record(
        conn,
        actor=created_by,
        action="schedule.override",
        subject=schedule,
        data={**data, "reason": override.reason} | ({"limits": broken, "anyway": anyway.strip()} if broken else {}),
        now=now,
    )
    return override_id


async def remove_override(conn: asyncpg.Connection, override_id: int, *, actor: str, now: datetime) -> None:
    """Takes an override back; what it covered falls to whoever lies below. Raises `NotFound`."""
    row = await conn.fetchrow(
        "DELETE FROM schedule_overrides WHERE id = $1 RETURNING schedule, person, starts_at, ends_at", override_id
    )
    if row is None:
        raise NotFound(f"There is no override {override_id}. It may have been taken back already.")
    data = {"id": override_id, "person": row["person"], "start": row["starts_at"], "end": row["ends_at"]}
    await audit.record(
        conn, actor=actor, action="schedule.override.remove", subject=row["schedule"], data=data, now=now
    )


async def overrides_at(conn: asyncpg.Connection, at: datetime) -> dict[str, list[Override | Away]]:
    """By schedule, what `on_call` needs at an instant: present and coming exceptions, and those that ended lately."""
    return await overrides_since(conn, at - LOOK_BACK)


async def overrides_since(conn: asyncpg.Connection, since: datetime) -> dict[str, list[Override | Away]]:
    """By schedule, every override that ends after `since`, in the order they were made (a later one wins), and who of
    its people is away.
    """
    found: dict[str, list[Override | Away]] = {}
    for made in await made_since(conn, since):
        found.setdefault(made.schedule, []).append(made.override)
    calendars = await feeds.events_since(conn, since)
    for one in calendars:
        if one.kind == "schedule":
            reason = f"{one.summary}, {one.title}" if one.summary else one.title
            closed = Away(person=EVERYBODY, start=one.start, end=one.end, kind="holiday", reason=reason)
            found.setdefault(one.name, []).append(closed)
    away = await away_since(conn, since, calendars)
    if away:
        rows = await conn.fetch(
            "SELECT name, jsonb_path_query_array(spec, '$.**.people[*]') AS turns, "
            "jsonb_path_query_array(spec, '$.overrides[*].person') AS covers "
            "FROM catalog_objects WHERE kind = 'schedule'"
        )
        for row in rows:
            people = {*row["turns"], *row["covers"], *(e.person for e in found.get(row["name"], ()))}
            theirs = [one for one in away if one.person in people]
            if theirs:
                found.setdefault(row["name"], []).extend(theirs)
    return found


async def night_pages(conn: asyncpg.Connection, person: str, zone: str, now: datetime) -> int:
    """How many pages of the last seven days asked the person between 22:00 and 07:00 of their own clock."""
    count: int = await conn.fetchval(
        """
        SELECT count(*) FROM pages WHERE opened_at > $2 AND opened_at <= $3 AND $1 = ANY (people)
          AND (extract(hour FROM opened_at AT TIME ZONE $4) >= 22 OR extract(hour FROM opened_at AT TIME ZONE $4) < 7)
        """,
        person, now - timedelta(days=7), now, zone,
    )  # fmt: skip
    return count


async def _breaches(
    conn: asyncpg.Connection,
    catalog: Catalog,
    schedule: str,
    override: Override,
    now: datetime,
    together: Sequence[Override],
) -> list[str]:
    if not any(team.limits and override.person in team.members for team in catalog.teams.values()):
        return []
    exceptions = {name: in_force(held, catalog) for name, held in (await overrides_at(conn, now)).items()}
    nights = await night_pages(conn, override.person, catalog.people[override.person].time_zone, now)
    return breaches(catalog, schedule, override, exceptions, nights, together=together)


async def made_since(conn: asyncpg.Connection, since: datetime) -> list[MadeOverride]:
    """Every override that ends after `since` with its id and who made it, in the order they were made."""
    rows = await conn.fetch("SELECT * FROM schedule_overrides WHERE ends_at > $1 ORDER BY id", since)
    return [
        MadeOverride(
            id=row["id"],
            schedule=row["schedule"],
            override=Override(person=row["person"], start=row["starts_at"], end=row["ends_at"], reason=row["reason"]),
            created_by=row["created_by"],
            created_at=row["created_at"],
        )
        for row in rows
    ]


def check_override(catalog: Catalog, schedule: str, override: Override, now: datetime) -> None:
    """Raises the error that `add_override` would."""
    if schedule not in catalog.schedules:
        raise NotFound(f'There is no schedule "{schedule}". {did_you_mean(schedule, catalog.schedules)}'.rstrip())
    if override.person not in catalog.people:
        raise Invalid(
            f'There is no person "{override.person}". {did_you_mean(override.person, catalog.people)}'.rstrip()
        )
    if override.end <= override.start:
        raise Invalid("The override ends before it starts. Let it end later.")
    if override.end <= now:
        raise Invalid("The override lies wholly in the past, where it would change nothing. Let it end in the future.")


async def unreachable(conn: asyncpg.Connection, people: Iterable[str]) -> set[str]:
    """Those whose latest finished delivery failed on every contact method."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (person) person, state FROM deliveries
        WHERE person = ANY ($1) AND state IN ('sent', 'failed') AND finished_at IS NOT NULL
        ORDER BY person, finished_at DESC
        """,
        list(people),
    )
    return {row["person"] for row in rows if row["state"] == "failed"}


async def asked_between(conn: asyncpg.Connection, since: datetime, until: datetime) -> list[tuple[str, datetime]]:
    """Who was paged and when the page opened, from the recorded pages."""
    rows = await conn.fetch(
        "SELECT unnest(people) AS person, opened_at FROM pages WHERE opened_at >= $1 AND opened_at < $2", since, until
    )
    return [(row["person"], row["opened_at"]) for row in rows]
