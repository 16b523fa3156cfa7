"""Incidents as rows: state and the facts to measure, written in the transaction that appends the events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from sev1.command.decide import IncidentAggregate
from sev1.command.model import Incident, IncidentEvent
from sev1.command.sight import Sight, condition, values
from sev1.engine import event_log
from sev1.engine.commands import Change
from sev1.engine.decider import Aggregate, fold

SHAPE = 3
"""Of the projected state. Raise it when `evolve` or `Incident` changes what a state means: rows of another shape are then
not used as a starting point, but read anew from their events."""


async def project(conn: asyncpg.Connection, change: Change[Incident]) -> None:
    """A reaction: makes the row of the incident say what its events say."""
    await write(conn, change.after, change.version)


async def write(conn: asyncpg.Connection, incident: Incident, version: int) -> None:
    await conn.execute(
        """
        INSERT INTO incidents (id, number, version, status, title, severity, stage, commander, services, started_at,
                               detected_at, declared_at, acknowledged_at, mitigated_at, resolved_at, state, shape,
                               shaped_at, restricted, visible_to, parent)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $3, $18, $19, $20)
        ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, status = EXCLUDED.status, title = EXCLUDED.title,
            severity = EXCLUDED.severity, stage = EXCLUDED.stage, commander = EXCLUDED.commander,
            services = EXCLUDED.services, started_at = EXCLUDED.started_at, detected_at = EXCLUDED.detected_at,
            acknowledged_at = EXCLUDED.acknowledged_at, mitigated_at = EXCLUDED.mitigated_at,
            resolved_at = EXCLUDED.resolved_at, state = EXCLUDED.state, shape = EXCLUDED.shape,
            shaped_at = EXCLUDED.shaped_at, restricted = EXCLUDED.restricted, visible_to = EXCLUDED.visible_to,
            parent = EXCLUDED.parent
        """,
        incident.key, int(incident.key.removeprefix("INC-")), version, incident.status, incident.title,
        incident.severity, incident.stage, incident.commander, list(incident.services), incident.started_at,
        incident.detected_at, incident.declared_at, incident.acknowledged_at, incident.mitigated_at,
        incident.resolved_at, incident, SHAPE, incident.privacy.restricted, list(incident.insiders),
        incident.family.parent,
    )  # fmt: skip


async def snapshots(conn: asyncpg.Connection, keys: Sequence[str]) -> dict[str, tuple[Incident, int]]:
    """The incidents as this release projected them, with their versions; what another release wrote is left out."""
    rows = await conn.fetch(
        "SELECT id, state::text, version FROM incidents WHERE id = ANY($1::text[]) AND shape = $2 AND shaped_at = version",
        keys, SHAPE,
    )  # fmt: skip
    return {row["id"]: (as_incident(row["state"]), row["version"]) for row in rows}


_decode = msgspec.json.Decoder(Incident).decode


def as_incident(state: str | bytes) -> Incident:
    """The state as the row holds it, as `state::text`: read in one pass, because a long record has thousands of values."""
    return _decode(state)


async def get(conn: asyncpg.Connection, key: str) -> Incident | None:
    state = await conn.fetchval("SELECT state::text FROM incidents WHERE id = $1", key)
    return None if state is None else as_incident(state)


async def open_incidents(conn: asyncpg.Connection, sight: Sight) -> list[Incident]:
    """Incidents without an all-clear or another end, worst first, then oldest; of those that `sight` sees."""
    rows = await conn.fetch(
        f"SELECT state::text FROM incidents WHERE status IN ('open', 'resolved') AND {condition(1)}"
        " ORDER BY severity, declared_at LIMIT 200",
        *values(sight),
    )
    return [as_incident(row["state"]) for row in rows]


async def recent_incidents(
    conn: asyncpg.Connection, sight: Sight, *, limit: int = 50, before: int | None = None
) -> list[Incident]:
    """The latest incidents whatever their state, newest first; `before` is a number to page on from."""
    return [incident for incident, _ in await recent_with_version(conn, sight, limit=limit, before=before)]


async def declared_since(conn: asyncpg.Connection, since: datetime) -> list[Incident]:
    """To be counted only: restricted ones are among them."""
    rows = await conn.fetch("SELECT state::text FROM incidents WHERE declared_at >= $1 ORDER BY number", since)
    return [as_incident(row["state"]) for row in rows]


async def get_with_version(conn: asyncpg.Connection, key: str) -> tuple[Incident, int] | None:
    """The incident and how many events it has. What another release projected is read anew from its events."""
    row = await conn.fetchrow(
        "SELECT state::text, version, shape = $2 AND shaped_at = version AS ours FROM incidents WHERE id = $1",
        key,
        SHAPE,
    )
    if row is None:
        return None
    if row["ours"]:
        return as_incident(row["state"]), row["version"]
    aggregate: Aggregate[Incident, Any, Any] = IncidentAggregate()
    facts = await event_log.read(conn, event_log.stream_name(aggregate.kind, key), IncidentEvent)
    return fold(aggregate, key, facts), facts[-1].version


async def recent_with_version(
    conn: asyncpg.Connection, sight: Sight, *, limit: int = 50, before: int | None = None
) -> list[tuple[Incident, int]]:
    """The latest incidents whatever their state, newest first; `before` is a number to page on from."""
    rows = await conn.fetch(
        f"SELECT state::text, version FROM incidents WHERE ($2::bigint IS NULL OR number < $2) AND {condition(3)}"
        " ORDER BY number DESC LIMIT $1",
        limit, before, *values(sight),
    )  # fmt: skip
    return [(as_incident(row["state"]), row["version"]) for row in rows]
