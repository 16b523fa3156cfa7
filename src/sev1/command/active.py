"""Active incidents at a glance, for a screen on the wall: one query, which reads of each state only what is shown."""

from collections.abc import Iterable
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from sev1.command.model import Stage, Status
from sev1.command.sight import Sight, condition, values

MOST = 200
"""Beyond that nobody reads a wall."""


class ActiveIncident(Struct, frozen=True, kw_only=True):
    """One that has no all-clear and no other end yet."""

    id: str
    title: str
    severity: str
    priority_set: int | None = None
    """1 to 5 where somebody set one; null while it follows the severity."""
    status: Status
    stage: Stage
    commander: str
    services: tuple[str, ...]
    started_at: datetime
    next_update_at: datetime | None
    open_needs: int
    restricted: bool

    @property
    def is_open(self) -> bool:
        """Otherwise it is resolved and waits for the all-clear."""
        return self.status == "open"

    def is_late(self, now: datetime) -> bool:
        """Whether its next update should have been said by now."""
        return self.next_update_at is not None and self.next_update_at <= now


async def active_incidents(conn: asyncpg.Connection, sight: Sight, now: datetime) -> list[ActiveIncident]:
    """Those that `sight` sees, in the order in which they need somebody."""
    rows = await conn.fetch(
        f"""
        SELECT id, title, severity, status, stage, commander, services, started_at, restricted,
            state->>'next_update_at' AS next_update_at,
            (state->'priority'->>'level')::integer AS priority_set,
            (SELECT count(*) FROM jsonb_each(coalesce(state->'needs', '{{}}')) AS need WHERE need.value->>'state' = 'open')
                AS open_needs
        FROM incidents WHERE status IN ('open', 'resolved') AND {condition(1)}
        ORDER BY severity, declared_at LIMIT {MOST}
        """,
        *values(sight),
    )
    return in_order((msgspec.convert(dict(row), ActiveIncident) for row in rows), now)


def in_order(incidents: Iterable[ActiveIncident], now: datetime) -> list[ActiveIncident]:
    """Open before resolved, a late update before one in time, worse before less bad, older before newer. Pure."""
    return sorted(
        incidents, key=lambda one: (not one.is_open, not one.is_late(now), one.severity, one.started_at, one.id)
    )
