"""Runs of diagnostics that wait for a worker, and when each was asked last."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.engine.commands import Change
from sev1.paging.diagnostics import DiagnosticAsked
from sev1.paging.model import Page


class Waiting(Struct, frozen=True, kw_only=True):
    page: str
    run: int
    service: str
    name: str
    cut_off: bool
    """Somebody began it and did not come back."""


async def queue(conn: asyncpg.Connection, changes: Sequence[Change[Page]]) -> None:
    """A reaction: what was asked waits for a worker, in the transaction that asks."""
    asked = [
        (change.key, fact.event.run, fact.event.service, fact.event.name, fact.at)
        for change in changes
        for fact in change.facts
        if isinstance(fact.event, DiagnosticAsked)
    ]
    if asked:
        await conn.executemany(
            "INSERT INTO diagnostic_runs (page, run, service, name, asked_at) VALUES ($1, $2, $3, $4, $5)", asked
        )


async def last_asked(conn: asyncpg.Connection, service: str, name: str) -> datetime | None:
    """When it was asked last. Until the transaction ends nobody else is told: two pages cannot both be the first."""
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('diagnostic/' || $1 || '/' || $2, 0))", service, name
    )
    at: datetime | None = await conn.fetchval(
        "SELECT max(asked_at) FROM diagnostic_runs WHERE service = $1 AND name = $2", service, name
    )
    return at


async def claim(conn: asyncpg.Connection, *, holder: str, now: datetime, lease_s: int, limit: int) -> list[Waiting]:
    """Takes up to `limit` runs that nobody works on, oldest first, until `now + lease_s`."""
    rows = await conn.fetch(
        """
        WITH due AS (
            SELECT page, run, started_at IS NOT NULL AS cut_off FROM diagnostic_runs
            WHERE NOT done AND (lease_until IS NULL OR lease_until <= $2)
            ORDER BY asked_at LIMIT $4 FOR UPDATE SKIP LOCKED
        )
        UPDATE diagnostic_runs r SET holder = $1, started_at = coalesce(started_at, $2), lease_until = $3
        FROM due WHERE r.page = due.page AND r.run = due.run
        RETURNING r.page, r.run, r.service, r.name, due.cut_off
        """,
        holder, now, now + timedelta(seconds=lease_s), limit,
    )  # fmt: skip
    return [Waiting(**row) for row in rows]


async def done(conn: asyncpg.Connection, run: Waiting) -> None:
    await conn.execute("UPDATE diagnostic_runs SET done = true WHERE page = $1 AND run = $2", run.page, run.run)


async def release(conn: asyncpg.Connection, holder: str) -> None:
    """Gives back what `holder` held before it died; what it had begun is then reported as cut off."""
    await conn.execute("UPDATE diagnostic_runs SET lease_until = NULL WHERE holder = $1 AND NOT done", holder)


async def forget(conn: asyncpg.Connection, before: datetime) -> None:
    """Only what limits the rate is needed; what came back is in the page's history."""
    await conn.execute("DELETE FROM diagnostic_runs WHERE done AND asked_at < $1", before)
