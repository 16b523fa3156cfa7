"""News: "something changed in stream X". A hint to look, never the data itself.

Within the node, subscribers are told at once. To other nodes it goes as a PostgreSQL NOTIFY, coalesced: NOTIFY in
every transaction would serialise commits, and its payload is limited. A missed hint costs a poll, not a change.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

import asyncpg

from sev1.engine.database import Database

log = logging.getLogger(__name__)

CHANNEL = "sev1_news"
COALESCE_S = 0.02
MAX_TOPICS = 100
EVERYTHING = "*"


class News:
    """`tell(topic)` wakes everybody who listens to that topic, on every node."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}
        self._outgoing: set[str] = set()
        self._has_outgoing = asyncio.Event()

    def tell(self, topic: str) -> None:
        self._wake(topic)
        self._outgoing.add(topic)
        self._has_outgoing.set()

    def _wake(self, topic: str) -> None:
        if topic == EVERYTHING:
            for events in self._events.values():
                for event in events:
                    event.set()
            return
        kind, _, rest = topic.partition("/")
        for name in (topic, f"{kind}/*" if rest else "", EVERYTHING):
            for event in self._events.get(name, ()):
                event.set()

    @contextlib.contextmanager
    def listen(self, *topics: str) -> Iterator[asyncio.Event]:
        """An asyncio.Event that is set at each news of `topics`; the listener clears it.

        `page/P-1` is one stream, `page/*` all pages, `*` anything.
        """
        event = asyncio.Event()
        for topic in topics:
            self._events.setdefault(topic, set()).add(event)
        try:
            yield event
        finally:
            for topic in topics:
                self._events[topic].discard(event)
                if not self._events[topic]:
                    del self._events[topic]

    async def exchange(self, db: Database) -> None:
        """Carries news between nodes until cancelled; reconnects when PostgreSQL restarts."""
        while True:
            try:
                async with self._listening(db) as conn:
                    self._wake(EVERYTHING)
                    await self._send(conn)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                log.warning("news between nodes is interrupted; trying again in 1 s")
                await asyncio.sleep(1)

    @contextlib.asynccontextmanager
    async def _listening(self, db: Database) -> AsyncIterator[asyncpg.Connection]:
        conn = await asyncpg.connect(db.url)
        try:
            own = conn.get_server_pid()

            def received(_: object, pid: int, __: str, payload: object) -> None:
                if pid != own:
                    for topic in str(payload).split(","):
                        self._wake(topic)

            await conn.add_listener(CHANNEL, received)
            yield conn
        finally:
            conn.terminate()

    async def _send(self, conn: asyncpg.Connection) -> None:
        while True:
            try:
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the event.
                async with asyncio.timeout(15):
                    await self._has_outgoing.wait()
            except TimeoutError:
                await conn.execute("SELECT 1")  # notices a lost connection
                continue
            await asyncio.sleep(COALESCE_S)
            self._has_outgoing.clear()
            topics, self._outgoing = self._outgoing, set()
            payload = ",".join(topics) if len(topics) <= MAX_TOPICS else EVERYTHING
            await conn.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
