"""Signals in the database: noted by anybody, then promoted, reviewed or dropped; each step in the audit log (mission 2.4)."""

from collections.abc import Mapping
from datetime import datetime

import asyncpg
import msgspec
from msgspec.structs import replace

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.react import declare
from sev1.command.sight import Sight, withheld
from sev1.engine import audit
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import Actor
from sev1.engine.errors import NotFound
from sev1.risk.decide import check_open, checked, prose
from sev1.risk.model import Dropping, NewSignal, Promotion, Review, Signal, SignalKind, SignalState

_COLUMNS = ", ".join(Signal.__struct_fields__)


async def note(conn: asyncpg.Connection, catalog: Catalog, new: NewSignal, *, by: Actor, now: datetime) -> Signal:
    """Keeps it. Raises Invalid."""
    kept = checked(new, catalog)
    row = await conn.fetchrow(
        f"""
        INSERT INTO signals (kind, text, service, might_have, tags, noted_by, noted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}
        """,
        kept.kind, kept.text, kept.service, kept.might_have, list(kept.tags), by.id, now,
    )  # fmt: skip
    signal = _signal(row)
    await _record(conn, signal, "noted", {"kind": signal.kind, "text": signal.text, "service": signal.service}, by, now)
    return signal


async def promote(
    commands: Commands,
    conn: asyncpg.Connection,
    catalogs: CatalogCache,
    number: int,
    promotion: Promotion,
    *,
    by: Actor,
    commands_it: bool,
) -> tuple[Signal, list[Change[m.Incident]]]:
    """Declares an incident from it in the caller's transaction: the signal names the incident, its timeline the signal.

    The caller tells the changes after its commit. Raises NotFound, and Conflict for a signal that is not open.
    """
    signal = await _locked(conn, number)
    catalog = await catalogs.current(conn)
    services = (signal.service,) if signal.service in catalog.services else ()
    declaring = m.Declare(
        title=promotion.title or signal.text,
        severity=promotion.severity,
        services=services,
        restricted=promotion.restricted,
    )
    declared = await declare(commands, conn, catalogs, declaring, by=by, commands_it=commands_it)
    noted = await commands.run_in(conn, "incident", declared.key, m.AddNote(text=origin(signal)), by=by)
    named = {} if promotion.restricted else {"incident": declared.key}
    after = await _settle(conn, signal, "promoted", "", by, commands.clock.now(), named, incident=declared.key)
    return after, [declared, noted]


async def review(conn: asyncpg.Connection, number: int, done: Review, *, by: Actor, now: datetime) -> Signal:
    """Keeps what was learnt. Raises NotFound, Conflict, Invalid."""
    lesson = prose(done.lesson, "lesson")
    return await _settle(conn, await _locked(conn, number), "reviewed", lesson, by, now, {"lesson": lesson})


async def drop(conn: asyncpg.Connection, number: int, dropping: Dropping, *, by: Actor, now: datetime) -> Signal:
    """Puts it away with a reason; it stays on record. Raises NotFound, Conflict, Invalid."""
    reason = prose(dropping.reason, "reason")
    return await _settle(conn, await _locked(conn, number), "dropped", reason, by, now, {"reason": reason})


def origin(signal: Signal) -> str:
    """The first note of the incident that a signal was promoted to."""
    kind = "weak signal" if signal.kind == "weak-signal" else "near miss"
    more = f" What might have happened: {signal.might_have}" if signal.might_have else ""
    return f"Promoted from the {kind} {signal.key} of {signal.noted_at:%Y-%m-%d %H:%M} UTC: {signal.text}.{more}"[:5000]


async def get(conn: asyncpg.Connection, sight: Sight, number: int) -> Signal:
    """As `listed` shows it. Raises NotFound."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM signals WHERE number = $1", number)
    if row is None:
        raise NotFound(f"There is no SIG-{number}.")
    signal = _signal(row)
    return replace(signal, incident=None) if signal.incident in await withheld(conn, sight) else signal


async def listed(
    conn: asyncpg.Connection,
    sight: Sight,
    *,
    state: SignalState | None = None,
    kind: SignalKind | None = None,
    service: str | None = None,
    tag: str | None = None,
    incident: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Signal]:
    """The latest first, older than the number `before`; each filter that is given must hold.

    The incident that one was promoted to is not named to whom `sight` shows nothing of it (mission 3.3).
    """
    hidden = await withheld(conn, sight)
    if incident in hidden:
        return []
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM signals
        WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2)
            AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR $4 = ANY(tags))
            AND ($5::text IS NULL OR incident = $5) AND ($6::bigint IS NULL OR number < $6)
        ORDER BY number DESC LIMIT $7
        """,
        state, kind, service, tag, incident, before, limit,
    )  # fmt: skip
    found = [_signal(row) for row in rows]
    return [replace(one, incident=None) if one.incident in hidden else one for one in found]


async def _locked(conn: asyncpg.Connection, number: int) -> Signal:
    """The open signal, until the transaction ends: of two who settle it at once, the second finds it settled."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM signals WHERE number = $1 FOR UPDATE", number)
    if row is None:
        raise NotFound(f"There is no SIG-{number}.")
    signal = _signal(row)
    check_open(signal)
    return signal


async def _settle(
    conn: asyncpg.Connection,
    signal: Signal,
    state: SignalState,
    outcome: str,
    by: Actor,
    now: datetime,
    data: dict[str, str],
    *,
    incident: str | None = None,
) -> Signal:
    row = await conn.fetchrow(
        f"UPDATE signals SET state = $2, outcome = $3, settled_by = $4, settled_at = $5, incident = $6"
        f" WHERE number = $1 RETURNING {_COLUMNS}",
        signal.number, state, outcome, by.id, now, incident,
    )  # fmt: skip
    await _record(conn, signal, state, data, by, now)
    return _signal(row)


async def _record(
    conn: asyncpg.Connection, signal: Signal, what: str, data: Mapping[str, str | None], by: Actor, now: datetime
) -> None:
    await audit.record(conn, actor=by.id, action=f"signal.{what}", subject=signal.key, data=dict(data), now=now)


def _signal(row: asyncpg.Record) -> Signal:
    return msgspec.convert(dict(row), Signal)
