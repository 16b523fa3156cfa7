"""sev1's own vital signs (mission 2.1): is what was accepted judged, what is due fired, what has to go out sent?

One read, used by the metrics, the dead-man switch and `sev1 doctor`, so that all of them say the same.
"""

from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct
from prometheus_client import Gauge

from sev1.engine import audit_chain
from sev1.engine.audit_chain import Head
from sev1.intake import inbox_reader

TRIAGE_LAG_MAX = timedelta(seconds=30)
"""How long an accepted payload may wait for its verdict."""
TIMER_LATE_MAX = timedelta(seconds=10)
DELIVERY_WAIT_MAX = timedelta(seconds=60)
"""How long a delivery that is due may wait for a worker."""

DATABASE_UP = Gauge("sev1_database_up", "1 while the database answers this node")
INBOX_UNREAD = Gauge("sev1_inbox_unread_payloads", "Stored payloads that triage has still to read")
INBOX_LAG = Gauge("sev1_triage_lag_seconds", "Age of the oldest payload that triage has still to read")
TIMER_LATE = Gauge("sev1_timer_late_seconds", "How late the longest due timer is")
DELIVERIES_DUE = Gauge("sev1_deliveries_due", "Deliveries that could go out now and have not")
DELIVERY_WAIT = Gauge("sev1_delivery_wait_seconds", "How long the longest due delivery has waited for a worker")
DELIVERIES_LOST = Gauge("sev1_deliveries_failed_24h", "Deliveries of the last 24 h that no contact method could take")
CHANNELS_PAUSED = Gauge("sev1_channels_paused", "Channels that deliveries avoid because they keep failing")
MISUNDERSTOOD = Gauge("sev1_not_understood_24h", "Payloads of the last 24 h that could not be understood")
UNREACHABLE = Gauge("sev1_on_call_unreachable", "People on call within a week whom no contact method reaches")
AUDIT_HEAD = Gauge("sev1_audit_head", "Position of the last entry of the audit log, whose hash is the label", ["hash"])
PAGES_OPEN = Gauge("sev1_pages_open", "Open pages, by whether somebody has acknowledged them", ["state"])


class Vitals(Struct, frozen=True, kw_only=True):
    unread: int
    oldest_unread_at: datetime | None
    timer_due_at: datetime | None
    """The longest due timer; None when none is due."""
    deliveries_due: int
    delivery_due_at: datetime | None
    failed_24h: int
    paused: int
    misunderstood_24h: int
    waiting_pages: int
    """Open pages that nobody has acknowledged."""
    answered_pages: int
    audit_head: Head
    """What to note elsewhere, so that the log cannot be made anew unseen."""

    def troubles(self, now: datetime) -> list[str]:
        """What is wrong, as sentences; none when all is well."""
        late = [
            (self.oldest_unread_at, TRIAGE_LAG_MAX, f"triage is behind: {self.unread} payloads wait, the oldest for"),
            (self.timer_due_at, TIMER_LATE_MAX, "timers are late: escalations wait, the oldest for"),
            (self.delivery_due_at, DELIVERY_WAIT_MAX, f"{self.deliveries_due} deliveries wait, the oldest for"),
        ]
        return [
            f"{what} {(now - since).total_seconds():.0f} s"
            for since, limit, what in late
            if since is not None and now - since > limit
        ]

    def show(self, now: datetime) -> None:
        """Sets the gauges."""
        DATABASE_UP.set(1)
        INBOX_UNREAD.set(self.unread)
        INBOX_LAG.set(_age_s(self.oldest_unread_at, now))
        TIMER_LATE.set(_age_s(self.timer_due_at, now))
        DELIVERIES_DUE.set(self.deliveries_due)
        DELIVERY_WAIT.set(_age_s(self.delivery_due_at, now))
        DELIVERIES_LOST.set(self.failed_24h)
        CHANNELS_PAUSED.set(self.paused)
        MISUNDERSTOOD.set(self.misunderstood_24h)
        AUDIT_HEAD.clear()
        AUDIT_HEAD.labels(self.audit_head.hash).set(self.audit_head.position)
        PAGES_OPEN.labels("waiting").set(self.waiting_pages)
        PAGES_OPEN.labels("answered").set(self.answered_pages)


async def read(conn: asyncpg.Connection, now: datetime) -> Vitals:
    unread, oldest = await inbox_reader.lag(conn)
    row = await conn.fetchrow(
        """
        SELECT
            (SELECT min(due_at) FROM timers
                WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)) AS timer_due_at,
            due.n AS deliveries_due, due.oldest AS delivery_due_at,
            (SELECT count(*) FROM deliveries WHERE state = 'failed' AND finished_at > $1 - interval '24 hours')
                AS failed_24h,
            (SELECT count(*) FROM channel_health WHERE open_until > $1) AS paused,
            (SELECT count(*) FROM misunderstood WHERE received_at > $1 - interval '24 hours') AS misunderstood_24h,
            (SELECT count(*) FROM pages WHERE status = 'triggered') AS waiting_pages,
            (SELECT count(*) FROM pages WHERE status IN ('acknowledged', 'snoozed')) AS answered_pages
        FROM (SELECT count(*) AS n, min(due_at) AS oldest FROM deliveries
              WHERE state IN ('queued', 'sending') AND due_at <= $1 AND (state = 'queued' OR lease_until <= $1)) AS due
        """,
        now,
    )
    return Vitals(unread=unread, oldest_unread_at=oldest, audit_head=await audit_chain.head(conn), **row)


def _age_s(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
