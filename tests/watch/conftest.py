"""A watch over a real database and a real inbox, with a clock that is moved by hand."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from tests.live.web import WebServer, web_server

from sev1.catalog import store as catalog_store
from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.fetch import Fetch
from sev1.intake.inbox import Inbox
from sev1.watch import store
from sev1.watch.model import Row
from sev1.watch.step import WATCH_KEY, WatchStep


class Watching:
    """What a test does with a watch: says what there is, moves the clock, reads what was said to intake."""

    def __init__(self, db: Database, clock: FakeClock, inbox: Inbox, fetch: Fetch) -> None:
        self.db, self.clock, self.inbox, self.fetch = db, clock, inbox, fetch
        self.step = self.node("one")
        self._read = 0

    def node(self, name: str) -> WatchStep:
        return WatchStep(self.db, CatalogCache(), self.clock, self.inbox, self.fetch, holder=name)

    async def has(self, **kinds: list[Struct]) -> None:
        fields: dict[str, Any] = {field: {o.name: o for o in objects} for field, objects in kinds.items()}
        async with self.db.connection() as conn:
            await catalog_store.write(conn, Catalog(**fields), actor="test", now=self.clock.now())

    async def later(self, step_s: int = 10, **delta: float) -> list[dict[str, Any]]:
        """Time passes with the step running as its loop would; returns what was said meanwhile."""
        from datetime import timedelta

        end = self.clock.now() + timedelta(**delta)
        await self.run()
        while self.clock.now() < end:
            self.clock.jump_to(min(end, self.clock.now() + timedelta(seconds=step_s)))
            await self.run()
        return await self.said()

    async def run(self) -> None:
        for _ in range(20):
            if not await self.step():
                return

    async def said(self) -> list[dict[str, Any]]:
        async with self.db.connection() as conn:
            rows = await conn.fetch("SELECT * FROM inbox ORDER BY received_at, writer, id")
        assert all((row["key_id"], row["format"]) == (WATCH_KEY.id, "watch") for row in rows)
        new, self._read = rows[self._read :], len(rows)
        return [event for row in new for event in msgspec.json.decode(row["raw"])]

    async def row(self, name: str) -> Row:
        async with self.db.connection() as conn:
            return next(row for row in await store.read_all(conn) if row.name == name)

    async def ping(self, name: str) -> None:
        async with self.db.transaction() as conn:
            await store.ping(conn, name, self.clock.now())


@pytest.fixture
async def watching(db: Database, clock: FakeClock, fresh_database_url: str) -> AsyncIterator[Watching]:
    async with Fetch(allow_private=True) as fetch, Inbox(fresh_database_url, clock) as inbox:
        yield Watching(db, clock, inbox, fetch)


Answer = Callable[[bytes], bytes]


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with web_server() as web:
        yield web
