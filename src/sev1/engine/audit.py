"""The audit log: who changed what in catalog, access and settings. Incidents and pages are their own record."""

from datetime import datetime
from typing import Any

import asyncpg


async def record(
    conn: asyncpg.Connection, *, actor: str, action: str, subject: str, data: dict[str, Any], now: datetime
) -> None:
    """Adds one line in the caller's transaction. `data` must hold no secret."""
    await conn.execute(
        "INSERT INTO audit_log (at, actor, action, subject, data) VALUES ($1, $2, $3, $4, $5)",
        now, actor, action, subject, data,
    )  # fmt: skip
