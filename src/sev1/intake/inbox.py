"""The inbox: an append-only log of what came in, answered only after commit, read by cursor.

Writing is group commit. Requests queue; one task inserts everything that queued during the last commit with one
statement, then wakes the requests. There is no timer: an idle inbox commits at once, a busy one in larger batches.

One connection is one writer with its own cursor. A writer's ids grow in commit order, because it has one transaction at
a time, so a position is enough for a reader. A new connection is a new writer: a batch whose commit was cut off by a
lost connection may still appear under the old one, and is then read rather than skipped.

Reading happens in the reader's own transaction: the cursor moves together with what the rows caused, so each row takes
effect exactly once, however many nodes read.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, Self

import asyncpg
from prometheus_client import Counter, Gauge, Histogram

from sev1.engine.clock import Clock
from sev1.engine.errors import Unavailable
from sev1.intake.inbox_reader import WRITER_LOCK

log = logging.getLogger(__name__)

BATCH_ROWS = 2_000
BATCH_BYTES = 16 * 1024 * 1024
QUEUE_BYTES = 256 * 1024 * 1024
"""Payloads that may wait for their commit, whatever their number."""
COMMIT_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
RECONNECT_WAIT_S = 3.0
"""How long a payload may wait for a lost database to come back before its sender is asked to retry.

Below the 5 s after which many senders give up: one that has gone learns nothing of the 503.
"""
CLOSE_TIMEOUT_S = 3.0
BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)

DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a lost or refusing database raises."""

_INSERT = """
INSERT INTO inbox (writer, id, received_at, key_id, format, raw)
SELECT $1, $2 + n, received_at, key_id, format, raw
FROM unnest($3::timestamptz[], $4::bigint[], $5::text[], $6::bytea[])
     WITH ORDINALITY AS item (received_at, key_id, format, raw, n)
"""

STORED = Counter("sev1_intake_stored_total", "Payloads stored and answered", ["format"])
BATCH_SIZE = Histogram(
    "sev1_inbox_batch_payloads", "Payloads that shared one commit", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 512, 2000)
)
COMMIT_SECONDS = Histogram(
    "sev1_inbox_commit_seconds",
    "Time of one commit of the inbox",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
WAITING = Gauge("sev1_inbox_waiting_payloads", "Payloads that wait for their commit")

_FULL = "Too much is waiting to be stored right now. Nothing of this request was kept: send it again in a moment."
_NOT_SURE = "The database was lost while this was being stored. It may be kept or not: send it again."
_NOT_STORED = "The database cannot be reached. Nothing of this request was kept: send it again."
_CLOSING = "This server is stopping. Nothing of this request was kept: send it again."


class Address(NamedTuple):
    """Where a stored payload is, for ever."""

    writer: int
    row: int


class _Item(NamedTuple):
    done: asyncio.Future[Address]
    received_at: datetime
    key_id: int
    format: str
    raw: bytes


class Inbox:
    """`async with Inbox(url, clock) as inbox: await inbox.submit(…)`.

    It lives on the event loop that entered it and keeps a connection of its own, apart from the pool: what other work
    does to the pool must not delay an answer.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        queue_max: int = 20_000,
        on_commit: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_commit` is called once after each commit (wakes triage); `monotonic` gives seconds."""
        self.on_commit = on_commit
        self._url = url
        self._clock = clock
        self._queue_max = queue_max
        self._monotonic = monotonic
        self._queue: deque[_Item] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._conn: asyncpg.Connection | None = None
        self._insert: asyncpg.PreparedStatement | None = None
        self.stored_bytes = 0
        """Their payloads, in bytes."""
        self._writer = 0
        self._position = 0

    async def __aenter__(self) -> Self:
        """Connects and starts. Raises Unavailable when the database cannot be reached."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._connect()
        except DATABASE_ERRORS as error:
            raise Unavailable(f"The inbox cannot reach PostgreSQL: {error}.") from error
        self._task = asyncio.create_task(self._run(), name="inbox")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def stored(self) -> int:
        """How many payloads this inbox has committed since it connected."""
        return self._position

    def submit(self, key_id: int, format_: str, raw: bytes, received_at: datetime) -> asyncio.Future[Address]:
        """Queues a payload. The future is done after the commit that holds it, and says where it is.

        Raises Unavailable, at once when the queue is full or the inbox is closing, from the future when the commit
        failed or nobody knows whether it succeeded. Never reports success without a commit.
        """
        if self._closing:
            raise Unavailable(_CLOSING)
        if len(self._queue) >= self._queue_max or self._queued_bytes > QUEUE_BYTES:
            raise Unavailable(_FULL)
        done: asyncio.Future[Address] = self._loop.create_future()
        self._queue.append(_Item(done, received_at, key_id, format_, raw))
        self._queued_bytes += len(raw)
        self._wake.set()
        return done

    async def close(self, *, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Refuses what is new, commits what was queued, and ends. What cannot be committed in time is refused."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            _fail(self._queue, _CLOSING)
        if self._conn is not None:
            with contextlib.suppress(*DATABASE_ERRORS):
                await self._conn.close(timeout=2)
            self._conn = None

    async def _run(self) -> None:
        while True:
            if self._queue:
                batch = self._take()
                try:
                    await self._commit(batch)
                except BaseException as error:
                    _fail(batch, _NOT_SURE)
                    self._disconnect()
                    if not isinstance(error, Exception):
                        raise
                    # Whatever it is, later requests must not wait for a task that has ended.
                    log.exception("a batch of the inbox failed")
            elif self._closing:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    def _take(self) -> list[_Item]:
        """What queued during the last commit, up to the size of a batch."""
        batch: list[_Item] = []
        size = 0
        queue = self._queue
        while queue and len(batch) < BATCH_ROWS:
            size += len(queue[0].raw)
            if size > BATCH_BYTES and batch:
                size -= len(queue[0].raw)
                break
            batch.append(queue.popleft())
        self._queued_bytes -= size
        return batch

    async def _commit(self, batch: list[_Item]) -> None:
        if not await self._connected(self._monotonic() + RECONNECT_WAIT_S):
            # Who queued behind this batch has waited with it; a limit of its own for each batch would add up.
            _fail(batch, _NOT_STORED)
            _fail(self._queue, _NOT_STORED)
            self._queue.clear()
            self._queued_bytes = 0
            return
        assert self._insert is not None
        _, instants, key_ids, formats, payloads = zip(*batch, strict=True)
        started_s = self._monotonic()
        try:
            await self._insert.fetch(
                self._writer, self._position, instants, key_ids, formats, payloads, timeout=COMMIT_TIMEOUT_S
            )
        except DATABASE_ERRORS as error:
            log.warning("%d payloads may not have been stored: %s", len(batch), error)
            _fail(batch, _NOT_SURE)
            self._disconnect()
            return
        self.stored_bytes += sum(map(len, payloads))
        for row, item in enumerate(batch, self._position + 1):
            # A request that was given up has cancelled its future; its payload is stored all the same.
            if not item.done.done():
                item.done.set_result(Address(self._writer, row))
        self._position += len(batch)
        self.on_commit()
        COMMIT_SECONDS.observe(self._monotonic() - started_s)
        BATCH_SIZE.observe(len(batch))
        WAITING.set(len(self._queue))
        for format_, count in Tally(formats).items():
            STORED.labels(format_).inc(count)

    async def _connected(self, give_up_at_s: float) -> bool:
        """True once there is a connection; False when there was none until `give_up_at_s`."""
        attempt = 0
        while self._conn is None or self._conn.is_closed():
            try:
                await self._connect()
            except DATABASE_ERRORS as error:
                if self._monotonic() >= give_up_at_s or self._closing:
                    log.warning("the inbox has no database: %s", error)
                    return False
                await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
                attempt += 1
        return True

    async def _connect(self) -> None:
        """A new connection is a new writer. It holds a lock for as long as it lives: see `forget_writers`."""
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            conn = await asyncpg.connect(
                self._url, server_settings={"timezone": "UTC", "application_name": "sev1 inbox", "jit": "off"}
            )
            try:
                # In one transaction: a cursor seen without its lock would look like that of an ended writer.
                async with conn.transaction():
                    writer = await conn.fetchval(
                        "INSERT INTO inbox_cursors (started_at) VALUES ($1) RETURNING writer", self._clock.now()
                    )
                    await conn.execute("SELECT pg_advisory_lock($1, $2)", WRITER_LOCK, writer)
                insert = await conn.prepare(_INSERT)
            except BaseException:
                conn.terminate()
                raise
        self._conn, self._insert, self._writer, self._position = conn, insert, writer, 0

    def _disconnect(self) -> None:
        """After any failure, so that the ids of a batch whose fate nobody knows are not used again."""
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None


def _fail(batch: Iterable[_Item], sentence: str) -> None:
    for item in batch:
        if not item.done.done():
            item.done.set_exception(Unavailable(sentence))
