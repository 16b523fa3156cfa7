"""How healthy the alerts of a service are: how many asked somebody to act, how fast somebody had them, when they come
(mission 5.10). Only the record counts, and only what fired within the window.
"""

from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.measure.alert_history import FALSE_ALARM, RULE

DAYS = 30
MOST_ALERTS = 50_000
NOISIEST = 5
BLOCK_H = 3
"""Hours of the day are shown in blocks of so many: a phone has no room for 24."""


class NoisyRule(Struct, frozen=True, kw_only=True):
    rule: str
    fired: int
    acted_on: int
    false_alarms: int = 0
    """Of those that woke somebody or were declared, and were nothing."""


class Frequency(Struct, frozen=True, kw_only=True):
    """Alerts of one severity by the hour of the day at which they began."""

    severity: str
    """`sev-1`, or the tier of what suggests no severity: `ticket`, `fyi`."""
    blocks: tuple[int, ...]
    """Eight numbers: from 0 to 3 o'clock, from 3 to 6, …"""

    @property
    def total(self) -> int:
        return sum(self.blocks)


class AlertHealth(Struct, frozen=True, kw_only=True):
    since: datetime
    time_zone: str
    fired: int
    acted_on: int
    """Alerts whose page was acknowledged, or that belong to an incident, and that were no false alarm."""
    false_alarms: int
    by_itself: int
    """Alerts that were over before anybody acted."""
    action_ratio: float | None
    """What share of the alerts whose fate is known somebody acted on; None when there are none."""
    pages: int
    mtta_s: float | None
    """Mean seconds from page to first acknowledgement; None when no page was acknowledged."""
    frequency: tuple[Frequency, ...]
    """The worst severity first."""
    noisiest: tuple[NoisyRule, ...]
    """The rules that fired most often, and on how many of these alerts somebody acted."""

    @property
    def mtta(self) -> timedelta | None:
        return None if self.mtta_s is None else timedelta(seconds=self.mtta_s)


async def health_of(
    conn: asyncpg.Connection, service: str, now: datetime, *, time_zone: str, days: int = DAYS
) -> AlertHealth:
    """Of the latest 50,000 alerts of `service` at most. Hours of the day are those of `time_zone`."""
    since = now - timedelta(days=days)
    rows = await conn.fetch(
        f"""
        WITH latest AS MATERIALIZED (
            SELECT {RULE} AS rule, coalesce(verdict ->> 'severity', tier, 'no tier') AS severity, status, page, incident,
                   extract(hour FROM received_at AT TIME ZONE $3)::int / {BLOCK_H} AS block
            FROM alerts WHERE service = $1 AND received_at >= $2 ORDER BY id DESC LIMIT {MOST_ALERTS}
        ), judged AS (
            SELECT a.rule, a.severity, a.block, a.status,
                   p.acknowledged_at IS NOT NULL OR i.id IS NOT NULL AS acted,
                   coalesce({FALSE_ALARM}, false) OR coalesce(i.status = 'false_alarm', false) AS nothing
            FROM latest a LEFT JOIN pages p ON p.id = a.page LEFT JOIN incidents i ON i.id = coalesce(a.incident, p.incident)
        )
        SELECT rule, severity, block, count(*) AS fired, count(*) FILTER (WHERE acted AND NOT nothing) AS acted_on,
               count(*) FILTER (WHERE nothing) AS false_alarms,
               count(*) FILTER (WHERE status = 'resolved' AND NOT acted AND NOT nothing) AS by_itself
        FROM judged GROUP BY rule, severity, block
        """,
        service, since, time_zone,
    )  # fmt: skip
    answers = await conn.fetchrow(
        """
        SELECT count(*) AS pages, avg(extract(epoch FROM acknowledged_at - opened_at)::float8) AS mtta_s
        FROM pages WHERE service = $1 AND opened_at >= $2
        """,
        service, since,
    )  # fmt: skip
    acted_on, false_alarms, by_itself = (
        sum(row[name] for row in rows) for name in ("acted_on", "false_alarms", "by_itself")
    )
    known = acted_on + false_alarms + by_itself
    return AlertHealth(
        since=since,
        time_zone=time_zone,
        fired=sum(row["fired"] for row in rows),
        acted_on=acted_on,
        false_alarms=false_alarms,
        by_itself=by_itself,
        action_ratio=acted_on / known if known else None,
        pages=answers["pages"],
        mtta_s=answers["mtta_s"],
        frequency=_frequency(rows),
        noisiest=_noisiest(rows),
    )


def _frequency(rows: list[asyncpg.Record]) -> tuple[Frequency, ...]:
    found: dict[str, list[int]] = {}
    for row in rows:
        blocks = found.setdefault(row["severity"], [0] * (24 // BLOCK_H))
        blocks[row["block"]] += row["fired"]
    order = sorted(found, key=lambda name: (not name.startswith("sev-"), name))
    return tuple(Frequency(severity=name, blocks=tuple(found[name])) for name in order)


def _noisiest(rows: list[asyncpg.Record]) -> tuple[NoisyRule, ...]:
    found: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        fired, acted_on, false = found.get(row["rule"], (0, 0, 0))
        found[row["rule"]] = (fired + row["fired"], acted_on + row["acted_on"], false + row["false_alarms"])
    order = sorted(found, key=lambda rule: (-found[rule][0], rule))[:NOISIEST]
    return tuple(
        NoisyRule(rule=rule, fired=found[rule][0], acted_on=found[rule][1], false_alarms=found[rule][2])
        for rule in order
    )
