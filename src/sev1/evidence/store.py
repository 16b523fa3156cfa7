"""Evidence in the database: content in chunks, its record, and an entry of custody with everything that happens to it."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import asyncpg
import msgspec

from sev1.command import model as m
from sev1.command.sight import Sight, must_see
from sev1.engine import audit
from sev1.engine.commands import Change, Commands
from sev1.engine.database import Database
from sev1.engine.decider import Actor
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.evidence import custody
from sev1.evidence.model import Custody, Described, Finding, Piece, file_name, number_of, size_in_words
from sev1.evidence.receive import Received

CHUNK = 256 * 1024
FUTURE_TOLERANCE = timedelta(minutes=5)
_COLUMNS = (
    "id, incident, name, media_type, size, encode(sha256, 'hex') AS sha256, origin, note, collected_at, added_at,"
    " added_by, retain_until, hold, destroyed_at"
)


async def add(
    commands: Commands,
    conn: asyncpg.Connection,
    incident: str,
    described: Described,
    received: Received,
    *,
    by: Actor,
    actor: str,
    keep_days: int,
) -> tuple[Piece, Change[m.Incident]]:
    """Keeps what was received with the incident and says so on its timeline, all or nothing.

    The caller has asked whether `by` sees the incident. Raises NotFound, Refused, Invalid.
    """
    now = commands.clock.now().astimezone(UTC)
    collected_at = (described.collected_at or now).astimezone(UTC)
    if collected_at > now + FUTURE_TOLERANCE:
        raise Invalid("It cannot have been collected in the future.", field="collected_at")
    row = await conn.fetchrow(
        "INSERT INTO evidence (incident, name, media_type, size, sha256, origin, note, collected_at, added_at, added_by,"
        " retain_until) VALUES ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, $8, $9, $10, $11)"
        f" RETURNING {_COLUMNS}",
        incident, file_name(described.name), described.media_type, received.size, received.sha256, described.origin,
        described.note, collected_at, now, by.id, now + timedelta(days=keep_days),
    )  # fmt: skip
    piece = _piece(row)
    await conn.executemany(
        "INSERT INTO evidence_chunks (evidence, position, content) VALUES ($1, $2, $3)",
        ((piece.id, place, part) for place, part in enumerate(_chunks(received.content))),
    )
    data = {**custody.collected(piece), "until": piece.retain_until.isoformat()}
    await custody.append(conn, piece.key, "collected", data, actor=actor, now=now)
    told = f"Evidence {piece.key}: {piece.name} ({size_in_words(piece.size)}), SHA-256 {piece.sha256}"
    change = await commands.run_in(conn, "incident", incident, m.AddNote(text=told), by=by)
    return piece, change


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    content.seek(0)
    while part := content.read(CHUNK):
        yield part


async def of_incident(conn: asyncpg.Connection, incident: str) -> list[Piece]:
    rows = await conn.fetch(f"SELECT {_COLUMNS} FROM evidence WHERE incident = $1 ORDER BY id", incident)
    return [_piece(row) for row in rows]


async def get(conn: asyncpg.Connection, key: str, sight: Sight, *, lock: bool = False) -> Piece:
    """Raises NotFound for what does not exist, and for a piece of an incident that they may not see."""
    missing = NotFound(f"There is no evidence {key}.")
    number = number_of(key)
    row = number and await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM evidence WHERE id = $1 {'FOR UPDATE' if lock else ''}", number
    )
    if not row:
        raise missing
    piece = _piece(row)
    try:
        await must_see(conn, sight, piece.incident)
    except NotFound:
        raise missing from None
    return piece


async def hand_out(conn: asyncpg.Connection, key: str, sight: Sight, *, to: str, actor: str, now: datetime) -> Piece:
    """Writes down that the content is taken, before it is: `to` says to whom it is exported. Raises NotFound, Refused."""
    piece = await get(conn, key, sight, lock=True)
    if piece.destroyed_at:
        raise Refused(f"The content of {key} was destroyed when its retention ended. Its record and custody are kept.")
    if to:
        await custody.append(conn, key, "exported", {"to": to}, actor=actor, now=now)
    else:
        await custody.append(conn, key, "downloaded", {}, actor=actor, now=now)
    return piece


async def chunk(conn: asyncpg.Connection, piece: Piece, place: int) -> bytes | None:
    """A part of the content; None after the last."""
    part: bytes | None = await conn.fetchval(
        "SELECT content FROM evidence_chunks WHERE evidence = $1 AND position = $2", piece.id, place
    )
    return part


async def content(db: Database, piece: Piece) -> AsyncIterator[bytes]:
    """The content in order. Each part takes a connection of its own: whoever downloads may be slow."""
    for place in itertools.count():
        async with db.connection() as conn:
            part = await chunk(conn, piece, place)
        if part is None:
            return
        yield part


async def transfer(
    conn: asyncpg.Connection, key: str, sight: Sight, *, to: str, reason: str, actor: str, now: datetime
) -> None:
    await get(conn, key, sight, lock=True)
    await custody.append(conn, key, "transferred", {"to": to, "reason": reason}, actor=actor, now=now)


async def set_hold(conn: asyncpg.Connection, key: str, sight: Sight, *, reason: str, actor: str, now: datetime) -> None:
    """From now on it is kept whatever its retention says. Raises NotFound, Refused."""
    piece = await get(conn, key, sight, lock=True)
    if piece.destroyed_at:
        raise Refused(f"The content of {key} was destroyed already; there is nothing to hold.")
    if piece.hold:
        raise Refused(f"{key} is held already: {piece.hold}")
    await conn.execute("UPDATE evidence SET hold = $2 WHERE id = $1", piece.id, reason)
    await custody.append(conn, key, "hold_set", {"reason": reason}, actor=actor, now=now)


async def lift_hold(
    conn: asyncpg.Connection, key: str, sight: Sight, *, reason: str, actor: str, now: datetime
) -> None:
    piece = await get(conn, key, sight, lock=True)
    if not piece.hold:
        raise Refused(f"{key} is not held.")
    await conn.execute("UPDATE evidence SET hold = '' WHERE id = $1", piece.id)
    await custody.append(conn, key, "hold_lifted", {"reason": reason}, actor=actor, now=now)


async def retain(
    conn: asyncpg.Connection, key: str, sight: Sight, *, until: datetime, reason: str, actor: str, now: datetime
) -> None:
    """Kept until then. Raises NotFound, Invalid, Refused."""
    piece = await get(conn, key, sight, lock=True)
    until = until.astimezone(UTC)
    if until <= now:
        raise Invalid("Keep it until a moment in the future.", field="until")
    if piece.destroyed_at:
        raise Refused(f"The content of {key} was destroyed already.")
    await conn.execute("UPDATE evidence SET retain_until = $2 WHERE id = $1", piece.id, until)
    data = {"until": until.isoformat(), "before": piece.retain_until.isoformat(), "reason": reason}
    await custody.append(conn, key, "retention_changed", data, actor=actor, now=now)


async def destroy_expired(conn: asyncpg.Connection, now: datetime, *, limit: int = 20) -> int:
    """Destroys the content of what is past keeping and not held; its record and its custody stay. How many."""
    rows = await conn.fetch(
        "SELECT id FROM evidence WHERE retain_until <= $1 AND hold = '' AND destroyed_at IS NULL"
        " ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED",
        now, limit,
    )  # fmt: skip
    for row in rows:
        await conn.execute("DELETE FROM evidence_chunks WHERE evidence = $1", row["id"])
        await conn.execute("UPDATE evidence SET destroyed_at = $2 WHERE id = $1", row["id"], now)
        await custody.append(conn, f"E-{row['id']}", "destroyed", {"because": "retention ended"}, actor="sev1", now=now)
    return len(rows)


async def chains(conn: asyncpg.Connection, pieces: Sequence[Piece]) -> list[list[Custody]]:
    """The custody of each, in the order of `pieces`."""
    found = await custody.read(conn, [piece.id for piece in pieces])
    return [found[piece.id] for piece in pieces]


async def verify(conn: asyncpg.Connection, sight: Sight, incident: str = "") -> list[Finding]:
    """Reads all content and all custody again, of one incident or of all that `sight` sees. Raises NotFound.

    In a transaction that sees one moment: a download in between would look like a difference.
    """
    if incident:
        await must_see(conn, sight, incident)
    rows = await conn.fetch(f"SELECT {_COLUMNS} FROM evidence WHERE $1 = '' OR incident = $1 ORDER BY id", incident)
    seen: dict[str, bool] = {}
    found = []
    for piece in map(_piece, rows):
        if piece.incident not in seen:
            seen[piece.incident] = await _sees(conn, sight, piece.incident)
        if seen[piece.incident]:
            found.append(await _finding(conn, piece))
    if incident:
        await must_see(conn, sight, incident)
    return found


async def _sees(conn: asyncpg.Connection, sight: Sight, incident: str) -> bool:
    try:
        await must_see(conn, sight, incident)
    except NotFound:
        return False
    return True


async def _finding(conn: asyncpg.Connection, piece: Piece) -> Finding:
    (entries,) = await chains(conn, [piece])
    noted = [entry.data for entry in await audit.about(conn, f"evidence:{piece.key}", limit=1_000_000)]
    problems = custody.problems_of(piece, entries, noted)
    digest, size = hashlib.sha256(), 0
    for place in itertools.count():
        if (part := await chunk(conn, piece, place)) is None:
            break
        digest.update(part)
        size += len(part)
    matches = size == piece.size and digest.hexdigest() == piece.sha256
    if piece.destroyed_at is None and not matches:
        problems.append("its content is not what was collected")
    return Finding(
        piece=piece.key,
        incident=piece.incident,
        name=piece.name,
        intact=not problems,
        problems=tuple(problems),
        content="destroyed" if piece.destroyed_at else "matches" if matches else "differs",
        entries=len(entries),
    )


def _piece(row: Any) -> Piece:
    return msgspec.convert(dict(row), Piece)
