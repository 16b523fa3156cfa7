"""Round-robin: whose turn was when, in the database.

Whose turn it is, is decided in the transaction of the page that takes it. Pages of one policy queue behind each other
for that, so that two at once never take the same turn; who was asked longest ago comes next, also after a crash.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import asyncpg

from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.engine.commands import Change
from sev1.oncall.absence import leave_since
from sev1.paging import model as m
from sev1.paging.eligible import Absent, Taken
from sev1.paging.hours import local_day

REMEMBERED = timedelta(hours=1)
"""Who could not be reached so long ago is tried again."""


def takes_turns(policy: EscalationPolicy) -> bool:
    return any(step.round_robin for step in policy.steps)


async def read(conn: asyncpg.Connection, policies: Iterable[str]) -> Taken:
    """The turns of these policies. Until the transaction ends nobody else reads or takes any of theirs."""
    names = sorted(set(policies))
    # Always after the streams, which the caller holds, and in sorted order: nobody waits in a circle.
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('round-robin/' || policy, 0)) FROM unnest($1::text[]) AS policy",
        names,
    )
    rows = await conn.fetch("SELECT policy, step, person, turn FROM turns WHERE policy = ANY($1::text[])", names)
    taken: dict[tuple[str, int], dict[str, int]] = {}
    for row in rows:
        taken.setdefault((row["policy"], row["step"]), {})[row["person"]] = row["turn"]
    return taken


async def read_absent(conn: asyncpg.Connection, catalog: Catalog, now: datetime) -> Absent:
    """Who is on leave, and whom lately no channel reached."""
    away = {
        leave.person: f"on leave until {local_day(leave.end, catalog.people[leave.person].time_zone)}"
        for leave in await leave_since(conn, now)
        if leave.start <= now and leave.person in catalog.people
    }
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (person) person, state FROM deliveries
        WHERE person IS NOT NULL AND state IN ('sent', 'failed') AND finished_at > $1
        ORDER BY person, finished_at DESC
        """,
        now - REMEMBERED,
    )
    return Absent(away=away, unreachable={row["person"] for row in rows if row["state"] == "failed"})


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
