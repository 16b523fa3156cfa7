"""Accepted risks in the database; each step in the audit log (mission 7.5)."""

from datetime import datetime

import asyncpg
import msgspec
from msgspec.structs import replace

from sev1.catalog.model import Catalog
from sev1.command.sight import Sight, must_see, withheld
from sev1.engine import audit
from sev1.engine.decider import Actor
from sev1.engine.errors import NotFound
from sev1.risk.acceptance import (
    Closing,
    NewRisk,
    Renewal,
    Renewing,
    Risk,
    RiskState,
    check_accepted,
    check_reminds,
    check_until,
    checked,
    next_reminder,
)
from sev1.risk.decide import prose

_COLUMNS = ", ".join(Risk.__struct_fields__)


async def accept(
    conn: asyncpg.Connection, catalog: Catalog, sight: Sight, new: NewRisk, *, by: Actor, now: datetime
) -> Risk:
    """Raises Invalid, also when nobody would be reminded; NotFound for an incident that there is not or that is not theirs
    to see.
    """
    kept = checked(new, catalog, now)
    check_reminds(kept, by.id, catalog)
    if kept.incident:
        await must_see(conn, sight, kept.incident)
    remind_at = next_reminder(kept.until, now, catalog.organisation.risk_reminders_days)
    row = await conn.fetchrow(
        f"""
        INSERT INTO risks (risk, reason, monitoring, match, service, incident, decided_by, decided_at, until, remind_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {_COLUMNS}
        """,
        kept.risk, kept.reason, kept.monitoring, list(kept.match), kept.service, kept.incident, by.id, now, kept.until,
        remind_at,
    )  # fmt: skip
    risk = _risk(row)
    data = {"risk": risk.risk, "service": risk.service, "until": risk.until.isoformat()}
    await audit.record(conn, actor=by.id, action="risk.accepted", subject=risk.key, data=data, now=now)
    return risk


async def renew(
    conn: asyncpg.Connection, catalog: Catalog, number: int, wanted: Renewing, *, by: Actor, now: datetime
) -> Risk:
    """Accepts it for longer: whoever renews it has decided it anew. Raises NotFound, Conflict, Invalid."""
    risk = await _locked(conn, number)
    check_until(wanted.until, catalog, now)
    reason = prose(wanted.reason, "reason")
    renewals = (*risk.renewals, Renewal(by=by.id, at=now, until=wanted.until, reason=reason))
    remind_at = next_reminder(wanted.until, now, catalog.organisation.risk_reminders_days)
    row = await conn.fetchrow(
        f"UPDATE risks SET until = $2, renewals = $3, remind_at = $4 WHERE number = $1 RETURNING {_COLUMNS}",
        number, wanted.until, renewals, remind_at,
    )  # fmt: skip
    data = {"until": wanted.until.isoformat(), "reason": reason}
    await audit.record(conn, actor=by.id, action="risk.renewed", subject=risk.key, data=data, now=now)
    return _risk(row)


async def close(conn: asyncpg.Connection, number: int, wanted: Closing, *, by: Actor, now: datetime) -> Risk:
    """Raises NotFound, Conflict, Invalid."""
    risk = await _locked(conn, number)
    outcome = prose(wanted.outcome, "outcome")
    row = await conn.fetchrow(
        "UPDATE risks SET state = 'closed', outcome = $2, closed_by = $3, closed_at = $4, remind_at = NULL"
        f" WHERE number = $1 RETURNING {_COLUMNS}",
        number, outcome, by.id, now,
    )  # fmt: skip
    await audit.record(conn, actor=by.id, action="risk.closed", subject=risk.key, data={"outcome": outcome}, now=now)
    return _risk(row)


async def get(conn: asyncpg.Connection, sight: Sight, number: int) -> Risk:
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM risks WHERE number = $1", number)
    if row is None:
        raise NotFound(f"There is no RISK-{number}.")
    risk = _risk(row)
    return replace(risk, incident=None) if risk.incident in await withheld(conn, sight) else risk


async def listed(
    conn: asyncpg.Connection, sight: Sight, *, state: RiskState | None = None, service: str | None = None
) -> list[Risk]:
    """What ends first, at most 500. The incident is not named to whom `sight` shows nothing of it (mission 3.3)."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM risks WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR service = $2)"
        " ORDER BY until, number LIMIT 500",
        state, service,
    )  # fmt: skip
    hidden = await withheld(conn, sight)
    return [replace(one, incident=None) if one.incident in hidden else one for one in map(_risk, rows)]


async def of_services(conn: asyncpg.Connection, services: tuple[str, ...]) -> list[Risk]:
    """Those that are accepted for these services, what ends first; without the incidents where they came up."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM risks WHERE state = 'accepted' AND service = ANY($1::text[]) ORDER BY until LIMIT 20",
        list(services),
    )
    return [replace(_risk(row), incident=None) for row in rows]


async def due(conn: asyncpg.Connection, now: datetime, *, limit: int) -> list[Risk]:
    """What is to be brought to mind now; nobody else takes it until the transaction ends."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM risks WHERE state = 'accepted' AND remind_at <= $1 ORDER BY remind_at LIMIT $2"
        " FOR UPDATE SKIP LOCKED",
        now, limit,
    )  # fmt: skip
    return [_risk(row) for row in rows]


async def reminded(conn: asyncpg.Connection, risk: Risk, again_at: datetime) -> None:
    await conn.execute("UPDATE risks SET remind_at = $2 WHERE number = $1", risk.number, again_at)


async def _locked(conn: asyncpg.Connection, number: int) -> Risk:
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM risks WHERE number = $1 FOR UPDATE", number)
    if row is None:
        raise NotFound(f"There is no RISK-{number}.")
    risk = _risk(row)
    check_accepted(risk)
    return risk


def _risk(row: asyncpg.Record) -> Risk:
    return msgspec.convert(dict(row), Risk)
