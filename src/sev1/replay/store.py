"""Reads history as a stream and runs it through two catalogs at once: the one in force and the changed one."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from sev1.catalog.model import Catalog
from sev1.oncall import store as oncall_store
from sev1.paging import model as paging
from sev1.replay.model import Answers, Past, Report, Tally
from sev1.replay.simulate import Simulation
from sev1.triage import silences
from sev1.triage.model import Verdict

PART = 1_000
"""Rows that are fetched at once."""


async def replay(
    conn: asyncpg.Connection,
    in_force: Catalog,
    changed: Catalog,
    *,
    since: datetime,
    until: datetime,
    answers: Answers = "as-recorded",
) -> Report:
    """What `changed` would have made of the alerts that came in `since` <= t < `until`. Writes nothing."""
    report = Report(since=since, until=until, answers=answers)
    known: dict[str, Any] = {
        "silences": await silences.list_all(conn, until, ended_after=since),
        "overrides": await oncall_store.overrides_since(conn, since - oncall_store.LOOK_BACK),
        "answers": answers,
        "median_s": await _median_s(conn, since, until),
    }

    def compare(past: Past, verdict: Verdict, paged: bool) -> None:
        if past.page and not paged:
            report.missed.add(past, verdict.conclusion)
        elif paged and not past.page:
            report.new.add(past, " ".join(s.reason for s in verdict.stages if s.name in {"tier", "route"}))

    before = Simulation(in_force, **known)
    after = Simulation(changed, **known, on_over=compare)
    async with conn.transaction(readonly=True, isolation="repeatable_read"):
        async for past in _alerts(conn, since, until):
            report.alerts += 1
            _count(report.recorded, past)
            before.take(past)
            after.take(past)
        await _recorded_pages(conn, report.recorded, in_force, since, until)
    for simulation in (before, after):
        simulation.finish(until)
    report.in_force, report.changed = before.tally, after.tally
    return report


async def _alerts(conn: asyncpg.Connection, since: datetime, until: datetime) -> AsyncIterator[Past]:
    """By number, which is the order in which triage took them: the primary key gives them without sorting."""
    first = await conn.fetchval("SELECT min(id) FROM alerts WHERE received_at >= $1", since)
    if first is None:
        return
    query = """
        SELECT a.id, a.key_id, a.fingerprint, a.summary, a.labels, a.annotations, a.starts_at, a.received_at,
               a.resolved_at, a.tier, a.held IS NOT NULL AS held, a.page,
               extract(epoch FROM p.acknowledged_at - p.opened_at)::float8 AS answered_after_s
        FROM alerts a LEFT JOIN pages p ON p.id = a.page
        WHERE a.id >= $1 AND a.received_at >= $2 AND a.received_at < $3 ORDER BY a.id
    """
    async for row in conn.cursor(query, first, since, until, prefetch=PART):
        yield msgspec.convert(dict(row), Past)


def _count(tally: Tally, past: Past) -> None:
    if past.tier:
        tally.tiers[past.tier] = tally.tiers.get(past.tier, 0) + 1
    tally.held += past.held


async def _recorded_pages(
    conn: asyncpg.Connection, tally: Tally, catalog: Catalog, since: datetime, until: datetime
) -> None:
    """Whom the pages of that time really asked, and when."""
    query = """
        SELECT e.at, e.version, e.event FROM pages p JOIN events e ON e.stream = 'page/' || p.id
        WHERE p.opened_at >= $1 AND p.opened_at < $2
          AND e.event ->> 'type' IN ('page_opened', 'step_started', 'page_reassigned', 'policy_exhausted')
    """
    async for row in conn.cursor(query, since, until, prefetch=PART):
        match msgspec.convert(row["event"], paging.PageEvent):
            case paging.PageOpened():
                tally.pages += 1
            case paging.StepStarted(people=people):
                for paged in people:
                    tally.ask(paged.person, row["at"], catalog)
            case paging.PageReassigned(person=person):
                tally.ask(person, row["at"], catalog)
            case paging.PolicyExhausted():
                tally.unanswered += 1


async def _median_s(conn: asyncpg.Connection, since: datetime, until: datetime) -> float | None:
    found: float | None = await conn.fetchval(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - opened_at)::float8) "
        "FROM pages WHERE opened_at >= $1 AND opened_at < $2 AND acknowledged_at IS NOT NULL",
        since, until,
    )  # fmt: skip
    return found
