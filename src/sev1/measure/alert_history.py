"""What alerts of one type did in the past: how often, what became of them, how quickly somebody had them (mission 5.8).

A type is the rule (label `alertname`, else the summary) and the service. Only the record counts.
"""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from sev1.command.sight import Sight, condition, values
from sev1.command.store import as_incident

DAYS = 90
MOST_ALERTS = 20_000
LAST = 5

RULE = "left(coalesce(nullif(labels ->> 'alertname', ''), summary), 200)"
"""As the index `alerts_rule` has it."""
FALSE_ALARM = "(p.state ->> 'resolution') ~* '^(it was a )?false (alarm|positive)'"
"""Of a page `p`: whoever resolved it said so."""


class PastIncident(Struct, frozen=True, kw_only=True):
    key: str
    title: str
    severity: str
    declared_at: datetime | None
    commander: str
    summary: str
    """The condition that its last update told."""


class AlertHistory(Struct, frozen=True, kw_only=True):
    since: datetime
    fired: int
    pages: int
    acted_on: int
    """Alerts whose page was acknowledged, or that belong to an incident, and that were no false alarm."""
    false_alarms: int
    """Alerts whose page was resolved as a false alarm, or whose incident was closed as one."""
    by_itself: int
    """Alerts that were over before anybody acted."""
    median_ack_s: float | None
    """Seconds from page to first acknowledgement, in the middle; None when nobody acknowledged any."""
    handled_by: tuple[str, ...]
    """Who acknowledged most often, first."""
    incidents: tuple[PastIncident, ...]
    """The last five."""

    @property
    def median_span(self) -> timedelta:
        return timedelta(seconds=self.median_ack_s or 0)


async def history_of(
    conn: asyncpg.Connection, rule: str, service: str | None, now: datetime, sight: Sight, *, days: int = DAYS
) -> AlertHistory:
    """Of the latest 20,000 alerts at most; of past incidents those that `sight` sees. `rule` is cut to 200 characters, as the index is."""
    since = now - timedelta(days=days)
    row = await conn.fetchrow(
        f"""
        WITH type AS MATERIALIZED (
            SELECT id, status, page, incident FROM alerts
            WHERE {RULE} = left($1, 200) AND service IS NOT DISTINCT FROM $2 AND received_at >= $3
            ORDER BY id DESC LIMIT {MOST_ALERTS}
        ), judged AS (
            SELECT a.status, a.page, p.acknowledged_at - p.opened_at AS took, p.state ->> 'acknowledged_by' AS by,
                   p.acknowledged_at IS NOT NULL OR i.id IS NOT NULL AS acted,
                   coalesce({FALSE_ALARM}, false) OR coalesce(i.status = 'false_alarm', false) AS nothing
            FROM type a LEFT JOIN pages p ON p.id = a.page
                        LEFT JOIN incidents i ON i.id = coalesce(a.incident, p.incident)
        ), answered AS (SELECT DISTINCT page, took, by FROM judged WHERE took IS NOT NULL)
        SELECT count(*) AS fired, count(DISTINCT page) AS pages, count(*) FILTER (WHERE acted AND NOT nothing) AS acted_on,
               count(*) FILTER (WHERE nothing) AS false_alarms,
               count(*) FILTER (WHERE status = 'resolved' AND NOT acted AND NOT nothing) AS by_itself,
               (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM took)::float8) FROM answered)
                   AS median_ack_s,
               ARRAY(SELECT by FROM answered WHERE by IS NOT NULL GROUP BY by ORDER BY count(*) DESC, by LIMIT {LAST})
                   AS handled_by
        FROM judged
        """,
        rule, service, since,
    )  # fmt: skip
    incidents = await _incidents(conn, rule, service, since, sight)
    return msgspec.convert({**dict(row), "since": since, "incidents": incidents}, AlertHistory)


async def _incidents(
    conn: asyncpg.Connection, rule: str, service: str | None, since: datetime, sight: Sight
) -> list[dict[str, Any]]:
    rows = await conn.fetch(
        f"""
        SELECT i.state::text FROM incidents i WHERE i.id IN (
            SELECT coalesce(a.incident, p.incident) FROM alerts a LEFT JOIN pages p ON p.id = a.page
            WHERE {RULE.replace("labels", "a.labels").replace("summary", "a.summary")} = left($1, 200)
              AND a.service IS NOT DISTINCT FROM $2 AND a.received_at >= $3
        ) AND {condition(4, "i")} ORDER BY i.number DESC LIMIT {LAST}
        """,
        rule, service, since, *values(sight),
    )  # fmt: skip
    found = [as_incident(row["state"]) for row in rows]
    return [
        msgspec.to_builtins(
            PastIncident(
                key=i.key,
                title=i.title,
                severity=i.severity,
                declared_at=i.declared_at,
                commander=i.commander,
                summary=i.update.condition if i.update else "",
            )
        )
        for i in found
    ]


class RuleSeen(Struct, frozen=True, kw_only=True):
    """The latest alert of a rule, and how often the rule fired."""

    rule: str
    service: str | None
    alerts: int
    last_id: int
    last_at: datetime


async def rules_seen(conn: asyncpg.Connection, since: datetime, *, limit: int = 500) -> list[RuleSeen]:
    """The rules that fired since then, the most frequent first."""
    rows = await conn.fetch(
        f"""
        SELECT {RULE} AS rule, service, count(*) AS alerts, max(id) AS last_id, max(received_at) AS last_at
        FROM alerts WHERE received_at >= $1 GROUP BY 1, 2 ORDER BY alerts DESC, 1 LIMIT $2
        """,
        since, limit,
    )  # fmt: skip
    return [msgspec.convert(dict(row), RuleSeen) for row in rows]
