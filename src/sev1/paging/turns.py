"""Round-robin: whose turn was when, in the database.

Whose turn it is, is decided in the transaction of the page that takes it. Pages queue behind each other for that, so that
two at once never take the same turn; who was asked longest ago comes next, also after a crash.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import asyncpg

from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.engine.commands import Change
from sev1.oncall.absence import on_leave_since
from sev1.paging import model as m
from sev1.paging.eligible import Absent, Taken
from sev1.paging.hours import local_day

REMEMBERED = timedelta(minutes=15)
"""Whoever could not be reached in so long comes last in turn."""


def takes_turns(policy: EscalationPolicy) -> bool:
    return any(step.round_robin for step in policy.steps)


async def lock(conn: asyncpg.Connection, policies: Collection[str]) -> None:
    """Until the transaction ends nobody else takes a turn; nothing happens when none is to be taken.

    One lock for all policies: a transaction takes turns at several moments (an alert that makes a page worse, then a page
    that opens), so with a lock for each policy two transactions could hold what the other wants next. For the same
    reason everybody locks in one order: streams that exist, turns, the counter of pages.
    """
    if policies:
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('round-robin', 0))")


async def read(conn: asyncpg.Connection, policies: Iterable[str]) -> Taken:
    """The turns of these policies. Whoever is going to take one calls `lock` before."""
    rows = await conn.fetch(
        "SELECT policy, step, person, turn FROM turns WHERE policy = ANY($1::text[])", list(policies)
    )
    taken: dict[tuple[str, int], dict[str, int]] = {}
    for row in rows:
        taken.setdefault((row["policy"], row["step"]), {})[row["person"]] = row["turn"]
    return taken


async def read_absent(conn: asyncpg.Connection, catalog: Catalog, now: datetime) -> Absent:
    """Who is on leave, and whom lately no channel reached."""
    away = {
        leave.person: f"on leave until {local_day(leave.end, catalog.people[leave.person].time_zone)}"
        for leave in await on_leave_since(conn, now)
        if leave.start <= now and leave.person in catalog.people
    }
    rows = await conn.fetch(
        "SELECT DISTINCT person FROM deliveries WHERE state = 'failed' AND person IS NOT NULL AND finished_at > $1",
        now - REMEMBERED,
    )
    return Absent(away=away, unreachable={row["person"] for row in rows})


async def remember(conn: asyncpg.Connection, changes: Sequence[Change[m.Page]]) -> None:
    """A reaction: keeps who took a turn, in the transaction in which they took it."""
    taken = [
        (change.after.policy.name, fact.event.step, paged.person)
        for change in changes
        for fact in change.facts
        if isinstance(fact.event, m.StepStarted) and change.after.policy
        if change.after.policy.steps[fact.event.step].round_robin
        for paged in fact.event.people
    ]
    if not taken:
        return
    # One after the other: in one statement a person who takes two turns would be updated twice, which is refused.
    await conn.executemany(
        """
        INSERT INTO turns (policy, step, person, turn) VALUES ($1, $2, $3, nextval('turns_taken'))
        ON CONFLICT (policy, step, person) DO UPDATE SET turn = EXCLUDED.turn
        """,
        taken,
    )
