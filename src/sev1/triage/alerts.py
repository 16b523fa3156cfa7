"""Alerts as they are read: for the pages, the API and other slices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog.matchers import Matcher, all_match
from sev1.catalog.model import Tier
from sev1.triage.model import AlertRow, Held, Transition, Verdict

VERDICT = (
    "coalesce((SELECT s.verdict FROM shared_verdicts s WHERE s.first_alert = (alerts.verdict ->> 'of')::bigint),"
    " alerts.verdict) AS verdict"
)
"""The whole verdict, where the alert shares it as well. For conditions its gist is enough, which stands in `alerts.verdict`."""
COLUMNS = ", ".join(VERDICT if name == "verdict" else name for name in AlertRow.__struct_fields__)
SCAN_MAX = 20_000
"""Rows that one call looks through for matchers that only we can evaluate."""


HELD_BACK = (
    "tier = 'fyi' AND service IS NOT NULL"
    " AND EXISTS (SELECT FROM incidents i WHERE i.resolved_at IS NULL AND NOT i.restricted AND alerts.service = ANY(i.services))"
)

NOBODY_ROUTES = (
    """(verdict -> 'stages' @> '[{"name": "route", "outcome": "fallback"}]'"""
    """ OR verdict -> 'stages' @> '[{"name": "route", "outcome": "nobody"}]')"""
)
NO_TIER = "verdict ->> 'tier_from' = 'nothing'"
"""These two have partial indexes with the same words (migration 0014)."""
LOOSE_ENDS_MAX = 1_000


class AlertList(Struct, frozen=True, kw_only=True):
    alerts: list[AlertRow]
    before: int | None = None
    """Where the next part begins; None when this was the last."""


async def list_alerts(
    conn: asyncpg.Connection,
    *,
    status: Literal["firing", "resolved"] | None = None,
    tier: Tier | None = None,
    service: str | None = None,
    held: Held | None = None,
    key_id: int | None = None,
    matchers: Sequence[Matcher] = (),
    limit: int = 50,
    before: int | None = None,
    hold_back_fyi: bool = False,
) -> AlertList:
    """Alerts, newest first, for which everything that is given holds.

    `hold_back_fyi` leaves out FYIs of services that have an open incident: they are shown when it is over.

    `before` continues where the last part ended. A part may be shorter than `limit` and still have a next one: it then
    looked through 20,000 alerts.
    """
    where, values = _conditions(matchers)
    if status:
        # As a constant, so that PostgreSQL may use its index of what fires.
        where.append("status = 'firing'" if status == "firing" else "status = 'resolved'")
    if hold_back_fyi:
        where.append(f"NOT ({HELD_BACK})")
    asked = (("tier =", tier), ("service =", service), ("held =", held), ("key_id =", key_id), ("id <", before))
    for condition, value in asked:
        if value is not None:
            values.append(value)
            where.append(f"{condition} ${len(values)}")
    # Where PostgreSQL decides everything, it may plan for the few rows that are wanted.
    scan = SCAN_MAX if any(matcher.op in {"=~", "!~"} for matcher in matchers) else limit + 1
    query = f"SELECT {COLUMNS} FROM alerts WHERE {' AND '.join(where) or 'true'} ORDER BY id DESC LIMIT {scan}"
    found: list[AlertRow] = []
    seen, last = 0, before
    async with conn.transaction():
        async for row in conn.cursor(query, *values, prefetch=min(limit + 1, 500)):
            if len(found) == limit:
                return AlertList(alerts=found, before=last)
            seen, last = seen + 1, row["id"]
            if all_match(matchers, row["labels"]):
                found.append(_alert(row))
    return AlertList(alerts=found, before=last if seen == scan else None)


def _conditions(matchers: Sequence[Matcher]) -> tuple[list[str], list[Any]]:
    """What PostgreSQL can decide itself: plain comparisons. Regular expressions are ours (RE2), so they are not."""
    where: list[str] = []
    values: list[Any] = []
    for matcher in matchers:
        if matcher.op in {"=", "!="}:
            values += [matcher.name, matcher.value]
            where.append(f"coalesce(labels ->> ${len(values) - 1}::text, '') {matcher.op} ${len(values)}::text")
    return where, values


async def get_alert(conn: asyncpg.Connection, alert_id: int) -> AlertRow | None:
    row = await conn.fetchrow(f"SELECT {COLUMNS} FROM alerts WHERE id = $1", alert_id)
    return _alert(row) if row else None


async def latest_named(conn: asyncpg.Connection, key_id: int, fingerprint: str) -> AlertRow | None:
    """The newest alert that its sender calls `fingerprint`, whether it fires or not."""
    # One that fires is newer than all that have ended, and each kind has its index.
    for status in ("firing", "resolved"):
        which = f"key_id = $1 AND fingerprint = $2 AND status = '{status}' ORDER BY id DESC LIMIT 1"
        if found := await _select(conn, which, key_id, fingerprint):
            return found[0]
    return None


async def by_number(conn: asyncpg.Connection, numbers: Sequence[int]) -> dict[int, AlertRow]:
    return {alert.id: alert for alert in await _select(conn, "id = ANY($1::bigint[])", list(numbers))}


async def transitions(conn: asyncpg.Connection, alert_id: int) -> list[Transition]:
    """The alert's history, oldest first. Its first line is in the table only once another verdict has replaced the first."""
    rows = await conn.fetch(
        "SELECT alert_id, at, what, reason FROM alert_transitions WHERE alert_id = $1 ORDER BY what <> 'fired', id",
        alert_id,
    )
    lines = [msgspec.convert(dict(row), Transition) for row in rows]
    if lines and lines[0].what == "fired":
        return lines
    return [*await beginnings(conn, [alert_id]), *lines]


async def beginnings(conn: asyncpg.Connection, alert_ids: Sequence[int]) -> list[Transition]:
    """The first line in the history of each of these alerts, by the verdict that it has now."""
    rows = await conn.fetch(
        f"SELECT id, received_at, {VERDICT} FROM alerts WHERE id = ANY($1::bigint[]) ORDER BY id", list(alert_ids)
    )
    return [
        Transition(
            alert_id=row["id"],
            at=row["received_at"],
            what="fired",
            reason=msgspec.convert(row["verdict"], Verdict).conclusion,
        )
        for row in rows
    ]


async def alerts_of_page(conn: asyncpg.Connection, page: str, *, limit: int = 200) -> list[AlertRow]:
    """The alerts of a page, those that fire first, each part oldest first."""
    return await _select(conn, "page = $1 ORDER BY status, id LIMIT $2", page, limit)


async def alerts_of_incident(conn: asyncpg.Connection, incident: str, *, limit: int = 200) -> list[AlertRow]:
    """The alerts of an incident, those that fire first, each part oldest first."""
    return await _select(conn, "incident = $1 ORDER BY status, id LIMIT $2", incident, limit)


async def unrouted(conn: asyncpg.Connection, *, limit: int = 200) -> list[AlertRow]:
    """Alerts that fire, should wake somebody, and have nobody to wake: a defect of the catalog (mission 5.2)."""
    return await _select(
        conn, "status = 'firing' AND tier = 'page' AND held IS NULL AND page IS NULL ORDER BY id LIMIT $1", limit
    )


class LooseEnds(Struct, frozen=True, kw_only=True):
    """How many of the alerts that fire need somebody's hand; counted up to `LOOSE_ENDS_MAX`."""

    nobody_routes: int
    without_tier: int
    fyi_held_back: int


async def loose_ends(conn: asyncpg.Connection) -> LooseEnds:
    counts = ", ".join(
        f"(SELECT count(*) FROM (SELECT FROM alerts WHERE status = 'firing' AND {condition} LIMIT {LOOSE_ENDS_MAX}) s)"
        for condition in (NOBODY_ROUTES, NO_TIER, HELD_BACK)
    )
    return LooseEnds(**dict(zip(LooseEnds.__struct_fields__, await conn.fetchrow(f"SELECT {counts}"), strict=True)))


async def nobody_routes(conn: asyncpg.Connection, *, limit: int = 200) -> list[AlertRow]:
    """Alerts that fire and that neither a route nor a service claims: the fallback has them, or nobody (mission 5.2)."""
    return await _select(conn, f"status = 'firing' AND {NOBODY_ROUTES} ORDER BY id LIMIT $1", limit)


class Untiered(Struct, frozen=True, kw_only=True):
    rule: str
    """The label `alertname`, else the summary."""
    source: str
    alerts: int
    last_at: datetime
    why: str


async def untiered_by_rule(conn: asyncpg.Connection, since: datetime, *, limit: int = 200) -> list[Untiered]:
    """What belongs to no tier by itself, counted by the rule to be mended, the most frequent first."""
    rows = await conn.fetch(
        """
        SELECT coalesce(nullif(labels ->> 'alertname', ''), summary) AS rule, source, count(*) AS alerts,
               max(received_at) AS last_at, max(coalesce(verdict ->> 'tier_by', '')) AS why
        FROM alerts WHERE received_at > $1 AND verdict ->> 'tier_from' = 'nothing'
        GROUP BY 1, 2 ORDER BY alerts DESC, rule LIMIT $2
        """,
        since, limit,
    )  # fmt: skip
    return [msgspec.convert({**row, "why": row["why"].removeprefix("nothing: ")}, Untiered) for row in rows]


async def without_tier(conn: asyncpg.Connection, *, limit: int = 200) -> list[AlertRow]:
    """Alerts that fire and belong to no tier by themselves (mission 5.5), oldest first."""
    return await _select(conn, f"status = 'firing' AND {NO_TIER} ORDER BY id LIMIT $1", limit)


async def firing_of_key(conn: asyncpg.Connection, key_id: int) -> list[AlertRow]:
    """Everything that fires and came through one integration key."""
    return await _select(conn, "status = 'firing' AND key_id = $1 ORDER BY fingerprint", key_id)


async def link_incident(conn: asyncpg.Connection, alert_ids: Sequence[int], incident: str | None) -> None:
    """Says that these alerts belong to `incident`; None takes them out of theirs."""
    await conn.execute("UPDATE alerts SET incident = $2 WHERE id = ANY($1::bigint[])", list(alert_ids), incident)


async def _select(conn: asyncpg.Connection, rest: str, *values: Any) -> list[AlertRow]:
    return [_alert(row) for row in await conn.fetch(f"SELECT {COLUMNS} FROM alerts WHERE {rest}", *values)]


def _alert(row: asyncpg.Record) -> AlertRow:
    return msgspec.convert(dict(row), AlertRow)
