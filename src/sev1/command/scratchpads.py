"""Scratchpads of workstreams: Markdown that several people write at once, every version kept for a while (mission 8.3).

It stands beside the record: what matters for the record is said as a note, an update or a decision.
"""

import asyncio
from datetime import datetime

import asyncpg
from msgspec import Struct

from sev1.command import model as m
from sev1.command import restricted
from sev1.command.scratch_merge import merge
from sev1.engine.decider import Actor
from sev1.engine.errors import Conflict, Invalid, NotFound, Refused

MOST_BYTES = 20_000
MOST_LINES = 1_000
"""Comparing costs up to the square of it."""
KEPT_VERSIONS = 500
"""Of one scratchpad; only whoever began to write before all of them has to look again."""
TRIES = 5
"""To save at the same moment as others."""


class Scratchpad(Struct, frozen=True, kw_only=True):
    version: int
    """0: nobody wrote anything yet."""
    text: str
    by: str | None
    at: datetime | None
    merged: bool = False
    """Answer to a save: others saved since its base, and the text has their lines too."""


EMPTY = Scratchpad(version=0, text="", by=None, at=None)


def check_workstream(incident: m.Incident, workstream: int) -> None:
    """Raises NotFound."""
    if workstream not in incident.workstreams:
        raise NotFound(f"There is no workstream W{workstream} in {incident.key}.")


async def latest(conn: asyncpg.Connection, incident: str, workstream: int) -> Scratchpad:
    row = await conn.fetchrow(
        "SELECT version, text, by, at FROM scratchpads WHERE incident = $1 AND workstream = $2"
        " ORDER BY version DESC LIMIT 1",
        incident, workstream,
    )  # fmt: skip
    return Scratchpad(**dict(row)) if row else EMPTY


async def save(
    conn: asyncpg.Connection,
    incident: m.Incident,
    workstream: int,
    text: str,
    *,
    base: int,
    by: Actor,
    now: datetime,
) -> Scratchpad:
    """Saves `text`, written on top of version `base`, together with what others saved since.

    Raises NotFound for an unknown workstream, Refused in an incident that is over or not for `by`, Invalid for a text
    that is too long, Conflict (with `base`, `yours`, `theirs` and its `version`) when the same lines were changed.
    """
    check_workstream(incident, workstream)
    restricted.check_acts(incident, by)
    if incident.status in m.OVER:
        raise Refused(
            f"{incident.key} is over, and its scratchpads stay as they are. Reopen it first: /reopen because …"
        )
    text = tidy(text)
    for _ in range(TRIES):
        current = await latest(conn, incident.key, workstream)
        joined = await _joined(conn, incident.key, workstream, text, base, current)
        if joined == current.text:
            return current if joined == text else _merged(current)
        version = await conn.fetchval(
            "INSERT INTO scratchpads (incident, workstream, version, text, by, at) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT DO NOTHING RETURNING version",
            incident.key, workstream, current.version + 1, joined, by.id, now,
        )  # fmt: skip
        if version is not None:
            await _forget_old(conn, incident.key, workstream, version)
            return Scratchpad(version=version, text=joined, by=by.id, at=now, merged=joined != text)
    raise Refused("Many save here at this moment. Save again.")


def tidy(text: str) -> str:
    """With line feeds and without empty lines at the end. Raises Invalid when it is too long."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if (size := len(text.encode())) > MOST_BYTES:
        raise Invalid(f"The text has {size:,} bytes, {MOST_BYTES:,} fit. Shorten it, or keep a part as evidence.")
    if (count := text.count("\n") + 1) > MOST_LINES:
        raise Invalid(f"The text has {count:,} lines, {MOST_LINES:,} fit. Shorten it, or keep a part as evidence.")
    return text


async def _joined(
    conn: asyncpg.Connection, incident: str, workstream: int, text: str, base: int, current: Scratchpad
) -> str:
    if base > current.version:
        raise Invalid(
            f"There is no version {base} yet, the latest is {current.version}. Read it, then save on top of it."
        )
    if base == current.version:
        return text
    old = "" if base == 0 else await _text_of(conn, incident, workstream, base)
    joined = None if old is None else await asyncio.to_thread(merge, old, current.text, text)
    if joined is None:
        raise Conflict(
            "Somebody changed the same lines meanwhile. Nothing was saved; both texts are kept here."
            f" Make one of them and save it on top of version {current.version}.",
            base=old, yours=text, theirs=current.text, version=current.version, by=current.by,
        )  # fmt: skip
    return tidy(joined)


def _merged(current: Scratchpad) -> Scratchpad:
    return Scratchpad(version=current.version, text=current.text, by=current.by, at=current.at, merged=True)


async def _text_of(conn: asyncpg.Connection, incident: str, workstream: int, version: int) -> str | None:
    found: str | None = await conn.fetchval(
        "SELECT text FROM scratchpads WHERE incident = $1 AND workstream = $2 AND version = $3",
        incident, workstream, version,
    )  # fmt: skip
    return found


async def _forget_old(conn: asyncpg.Connection, incident: str, workstream: int, version: int) -> None:
    await conn.execute(
        "DELETE FROM scratchpads WHERE incident = $1 AND workstream = $2 AND version <= $3",
        incident, workstream, version - KEPT_VERSIONS,
    )  # fmt: skip
