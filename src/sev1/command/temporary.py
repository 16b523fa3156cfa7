"""What is temporary and not removed yet, over all incidents: it outlives them until somebody has removed it (mission 11.4)."""

from datetime import datetime

import asyncpg
from msgspec import Struct

from sev1.command.parts.mitigations import Mitigation
from sev1.command.sight import Sight, condition, values
from sev1.command.store import as_incident

MOST = 500
"""Incidents that are looked at, the latest first."""


class Temporary(Struct, frozen=True, kw_only=True):
    incident: str
    title: str
    severity: str
    services: tuple[str, ...]
    is_over: bool
    """Whether the incident is."""
    ref: str
    text: str
    owner: str
    since: datetime
    remove_by: datetime
    overdue: bool


async def temporary(conn: asyncpg.Connection, sight: Sight, *, now: datetime, owner: str = "") -> list[Temporary]:
    """Of the incidents that `sight` sees: what should be gone first. With `owner`, that person's alone."""
    rows = await conn.fetch(
        "SELECT state::text FROM incidents WHERE jsonb_path_exists(state, '$.mitigations.* ? (@.removed_at == null)')"
        f" AND {condition(2)} ORDER BY number DESC LIMIT $1",
        MOST, *values(sight),
    )  # fmt: skip
    found = [
        _of(incident.key, incident.title, incident.severity, incident.services, not incident.is_open, one, now)
        for incident in (as_incident(row["state"]) for row in rows)
        for one in incident.mitigations.values()
        if one.is_open and owner in {"", one.owner}
    ]
    return sorted(found, key=lambda one: (one.remove_by, one.incident, one.ref))


def _of(
    key: str, title: str, severity: str, services: tuple[str, ...], is_over: bool, one: Mitigation, now: datetime
) -> Temporary:
    return Temporary(
        incident=key,
        title=title,
        severity=severity,
        services=services,
        is_over=is_over,
        ref=one.ref,
        text=one.text,
        owner=one.owner,
        since=one.at,
        remove_by=one.remove_by,
        overdue=one.remove_by <= now,
    )
