"""The chain of custody: each entry carries the hash of the one before, from the hash of the file on (mission 3.4).

What is hashed, by SHA-256, are these parts as netstrings: `sev1 custody 1` · key of the piece · position · hash before,
hex · microseconds since 1970 · actor · action · data as JSON text. Each entry is also an entry of the audit log, with its
hash: so the end of a chain cannot be cut off unseen either.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from sev1.engine import audit
from sev1.engine.audit_chain import EPOCH, netstrings
from sev1.evidence.model import Action, Custody, Piece

FORMAT = "sev1 custody 1"
GENESIS = "0" * 64


def digest_of(piece: str, entry: Custody) -> str:
    micros = (entry.at - EPOCH) // timedelta(microseconds=1)
    parts = (FORMAT, piece, str(entry.position), entry.previous, str(micros), entry.actor, entry.action, entry.data)
    return hashlib.sha256(netstrings(parts)).hexdigest()


async def append(
    conn: asyncpg.Connection, piece: str, action: Action, data: dict[str, Any], *, actor: str, now: datetime
) -> Custody:
    """Adds an entry, in the caller's transaction, which must hold the lock on the piece's row."""
    number = int(piece.removeprefix("E-"))
    last = await conn.fetchrow(
        "SELECT position, encode(hash, 'hex') AS hash FROM custody WHERE evidence = $1 ORDER BY position DESC LIMIT 1",
        number,
    )
    entry = Custody(
        position=last["position"] + 1 if last else 1,
        at=now.astimezone(UTC),
        actor=actor,
        action=action,
        data=msgspec.json.encode(data, order="sorted").decode(),
        previous=last["hash"] if last else GENESIS,
        hash="",
    )
    entry = msgspec.structs.replace(entry, hash=digest_of(piece, entry))
    await conn.execute(
        "INSERT INTO custody (evidence, position, at, actor, action, data, previous, hash)"
        " VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), decode($8, 'hex'))",
        number, entry.position, entry.at, entry.actor, entry.action, entry.data, entry.previous, entry.hash,
    )  # fmt: skip
    noted = {"position": entry.position, "hash": entry.hash}
    await audit.record(conn, actor=actor, action=f"evidence.{action}", subject=f"evidence:{piece}", data=noted, now=now)
    return entry


async def read(conn: asyncpg.Connection, numbers: Sequence[int]) -> dict[int, list[Custody]]:
    """The whole chain of each piece, oldest first."""
    rows = await conn.fetch(
        "SELECT evidence, position, at, actor, action, data, encode(previous, 'hex') AS previous,"
        " encode(hash, 'hex') AS hash FROM custody WHERE evidence = ANY($1::bigint[]) ORDER BY position",
        list(numbers),
    )
    found: dict[int, list[Custody]] = {number: [] for number in numbers}
    for row in rows:
        found[row["evidence"]].append(msgspec.convert(dict(row), Custody))
    return found


def problems_of(piece: Piece, entries: Sequence[Custody], noted: Sequence[dict[str, Any]]) -> list[str]:
    """What is not as it was written: in the chain, in the record of the piece, or against the audit log. Pure."""
    if broken := _broken(piece, entries):
        return [broken]
    found = []
    if [(entry.position, entry.hash) for entry in entries] != [(one.get("position"), one.get("hash")) for one in noted]:
        found.append("the custody is not the one that the audit log has")
    if not entries or entries[0].action != "collected":
        return [*found, "it was never collected"]
    written = msgspec.json.decode(entries[0].data)
    if {name: value for name, value in written.items() if name != "until"} != collected(piece):
        found.append("its record is not as it was when it was collected")
    hold, until = _as_told(entries)
    if piece.hold != hold:
        found.append("its legal hold is not what the custody says")
    if piece.retain_until.isoformat() != until:
        found.append("its retention is not what the custody says")
    if (piece.destroyed_at is not None) != any(entry.action == "destroyed" for entry in entries):
        found.append(
            "its content is gone and the custody does not say so" if piece.destroyed_at else "it was destroyed"
        )
    return found


def _broken(piece: Piece, entries: Sequence[Custody]) -> str:
    """The first entry that is not as it was written, and how; empty when the chain holds."""
    previous = GENESIS
    for place, entry in enumerate(entries, start=1):
        if entry.position != place:
            return f"entry {place} of the custody is missing"
        if entry.previous != previous:
            return f"entry {place} of the custody does not follow from the one before"
        if digest_of(piece.key, entry) != entry.hash:
            return f"entry {place} of the custody was changed"
        previous = entry.hash
    return ""


def collected(piece: Piece) -> dict[str, Any]:
    """What the first entry of a chain binds: everything that never changes. It also says until when it is kept."""
    return {
        "incident": piece.incident,
        "name": piece.name,
        "media_type": piece.media_type,
        "size": piece.size,
        "sha256": piece.sha256,
        "origin": piece.origin,
        "note": piece.note,
        "collected_at": piece.collected_at.isoformat(),
        "added_at": piece.added_at.isoformat(),
        "added_by": piece.added_by,
    }


def _as_told(entries: Sequence[Custody]) -> tuple[str, str]:
    """Hold and retention as the entries tell them."""
    hold, until = "", ""
    for entry in entries:
        data = msgspec.json.decode(entry.data)
        match entry.action:
            case "collected":
                until = str(data.get("until", ""))
            case "retention_changed":
                until = str(data.get("until", ""))
            case "hold_set":
                hold = str(data.get("reason", ""))
            case "hold_lifted":
                hold = ""
            case _:
                pass
    return hold, until
