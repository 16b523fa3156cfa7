"""Overrides made at run time: who covers for whom, beside those written in the catalog."""

from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog, Override
from sev1.catalog.problems import did_you_mean
from sev1.engine import audit
from sev1.engine.errors import Invalid, NotFound

LOOK_BACK = timedelta(days=31)
"""How long ended overrides are still read: the present shift may have begun where one of them ended."""


class MadeOverride(Struct, frozen=True, kw_only=True):
    id: int
    schedule: str
    override: Override
    created_by: str
    created_at: datetime


async def add_override(
    conn: asyncpg.Connection, catalog: Catalog, schedule: str, override: Override, *, created_by: str, now: datetime
) -> int:
    """Stores an override on top of all earlier ones and returns its id.

    Raises `NotFound` for an unknown schedule, `Invalid` for an unknown person and for times that cannot be.
    """
    check_override(catalog, schedule, override, now)
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
        data={**data, "reason": override.reason},
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


async def overrides_at(conn: asyncpg.Connection, at: datetime) -> dict[str, list[Override]]:
    """By schedule, what `on_call` needs at an instant: present and coming overrides, and those that ended lately."""
    return await overrides_since(conn, at - LOOK_BACK)


async def overrides_since(conn: asyncpg.Connection, since: datetime) -> dict[str, list[Override]]:
    """By schedule, every override that ends after `since`, in the order they were made (a later one wins)."""
    found: dict[str, list[Override]] = {}
    for made in await made_since(conn, since):
        found.setdefault(made.schedule, []).append(made.override)
    return found


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
