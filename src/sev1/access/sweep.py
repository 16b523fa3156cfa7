"""Takes away what no longer counts: sessions that are over, old links, failures outside their window."""

from datetime import datetime

from sev1.access.sessions import IDLE
from sev1.access.sign_in import WINDOW
from sev1.engine.database import Database


async def sweep(db: Database, now: datetime) -> int:
    """One step; returns how many rows it deleted. A failed attempt is forgotten once its 15 minutes are over."""
    deletions = (
        ("DELETE FROM sessions WHERE expires_at <= $1 OR seen_at <= $2", (now, now - IDLE)),
        ("DELETE FROM setup_links WHERE expires_at <= $1 OR used_at IS NOT NULL", (now,)),
        ("DELETE FROM sign_in_failures WHERE at <= $1", (now - WINDOW,)),
    )
    deleted = 0
    async with db.connection() as conn:
        for statement, arguments in deletions:
            deleted += int((await conn.execute(statement, *arguments)).rpartition(" ")[2])
    return deleted
