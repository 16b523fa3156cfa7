"""What somebody says in confidence: I am unsure, I am overwhelmed, something feels wrong (mission 2.3).

It is no event: it is in no record, export, postmortem, measure or report, and it is deleted thirty days after the incident ended.
Read by whoever commands and by whoever said it; said openly, by all who see the incident.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.engine.errors import Forbidden, NotFound, Refused

KEPT = timedelta(days=30)
"""After the end of the incident."""
MOST = 200
"""In one incident; more is a mistake of a program."""


class Concern(Struct, frozen=True, kw_only=True):
    id: int
    incident: str
    author: str
    text: str
    openly: bool
    said_at: datetime
    heard_at: datetime | None
    """When whoever commands said that they have read it."""
    heard_by: str | None


async def say(conn: asyncpg.Connection, incident: str, author: str, text: str, *, openly: bool, now: datetime) -> None:
    """Raises Refused when it is said too often."""
    if await conn.fetchval("SELECT count(*) FROM concerns WHERE incident = $1", incident) >= MOST:
        raise Refused(f"{MOST} concerns were said here. Talk to the Incident Commander.")
    await conn.execute(
        "INSERT INTO concerns (incident, author, text, openly, said_at) VALUES ($1, $2, $3, $4, $5)",
        incident, author, text.strip(), openly, now,
    )  # fmt: skip


async def of_incident(conn: asyncpg.Connection, incident: str) -> list[Concern]:
    """All of them, for nobody as they are: see `readable`."""
    rows = await conn.fetch("SELECT * FROM concerns WHERE incident = $1 ORDER BY id", incident)
    return [Concern(**dict(row)) for row in rows]


def readable(concerns: Iterable[Concern], me: str, commander: str) -> list[Concern]:
    """Those that `me` may read."""
    return [one for one in concerns if one.openly or me in {one.author, commander}]


async def hear(
    conn: asyncpg.Connection, incident: str, concern: int, *, by: str, commander: str, now: datetime
) -> None:
    """Whoever commands has read it; the author sees that. Raises NotFound, or Forbidden for anybody else."""
    if by != commander:
        raise Forbidden("Only whoever commands answers this.")
    found = await conn.fetchval(
        "UPDATE concerns SET heard_at = coalesce(heard_at, $3), heard_by = coalesce(heard_by, $4)"
        " WHERE incident = $1 AND id = $2 RETURNING id",
        incident, concern, now, by,
    )  # fmt: skip
    if found is None:
        raise NotFound("Nobody said this here.")


async def forget(conn: asyncpg.Connection, now: datetime) -> None:
    """Deletes what was said in incidents that ended thirty days ago."""
    await conn.execute(
        "DELETE FROM concerns c USING incidents i WHERE i.id = c.incident AND i.status IN ('closed', 'false_alarm', 'merged')"
        " AND i.resolved_at < $1",
        now - KEPT,
    )
