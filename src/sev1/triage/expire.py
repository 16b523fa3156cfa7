"""The step that ends alerts whose sender has gone silent: without news until `expires_at`, it is over."""

from datetime import timedelta
from typing import Any

import asyncpg

from sev1.catalog.cache import CatalogCache
from sev1.engine.clock import Clock
from sev1.engine.commands import Change, Commands
from sev1.engine.database import Database
from sev1.intake import inbox_reader
from sev1.triage import store
from sev1.triage.assign import Pages
from sev1.triage.model import Transition
from sev1.triage.once_more import ONCE_MORE
from sev1.triage.pages import PagesByCommand
from sev1.triage.phrases import instant
from sev1.triage.settle import settle

BATCH = 500
GRACE = timedelta(minutes=3)
"""After a start nothing expires for so long: while we were away nobody could tell us that it still fires.
Prometheus says so again every minute or two."""


class ExpireStep:
    """`await step()` ends a batch of alerts; True when there was one."""

    def __init__(
        self,
        db: Database,
        commands: Commands,
        catalogs: CatalogCache,  # noqa: ARG002 - the three steps are made alike
        clock: Clock,
        *,
        pages: Pages | None = None,
        grace: timedelta = GRACE,
    ) -> None:
        self._db = db
        self._commands = commands
        self._clock = clock
        self._pages = pages or PagesByCommand(commands)
        self._earliest = clock.now() + grace

    async def __call__(self) -> bool:
        now = self._clock.now()
        if now < self._earliest:
            return False
        async with self._db.connection() as conn:
            if not await conn.fetchval(
                "SELECT EXISTS (SELECT FROM alerts WHERE status = 'firing' AND expires_at <= $1)", now
            ):
                return False
        try:
            async with self._db.transaction() as conn:
                changes = await self._expire(conn)
        except ONCE_MORE:
            return True
        if changes is None:
            return False
        self._commands.tell(*changes)
        self._commands.news.tell("alerts")
        return True

    async def _expire(self, conn: asyncpg.Connection) -> list[Change[Any]] | None:
        await store.begin(conn)
        now = self._clock.now()
        waiting, _ = await inbox_reader.lag(conn)
        if waiting:
            # What is not read yet may say that they still fire.
            return None
        rows = await conn.fetch(
            """
            SELECT id, expires_at, updated_at, page FROM alerts WHERE status = 'firing' AND expires_at <= $1
            ORDER BY expires_at LIMIT $2
            """,
            now, BATCH,
        )  # fmt: skip
        open_pages = await self._pages.lock(conn, {row["page"] for row in rows if row["page"]})
        await store.resolve(conn, {row["id"]: row["expires_at"] for row in rows}, now)
        await store.add_transitions(
            conn,
            [
                Transition(
                    alert_id=row["id"],
                    at=now,
                    what="expired",
                    reason=f"No longer reported: last heard of at {instant(row['updated_at'], now)}.",
                )
                for row in rows
            ],
        )
        return await settle(conn, self._pages, open_pages, now)
