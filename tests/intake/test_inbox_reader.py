import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.intake.inbox import Inbox
from sev1.intake.inbox_reader import (
    _READ,
    advance,
    forget_payloads,
    forget_writers,
    lag,
    read_batch,
    read_row,
)

AT = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


async def fill(url: str, clock: FakeClock, count: int, *, at: datetime = AT, raw: bytes = b"x") -> None:
    """Rows of a writer of its own, which has ended."""
    async with Inbox(url, clock) as inbox:
        await asyncio.gather(*(inbox.submit(1, "json", raw, at) for _ in range(count)))


async def drain(db: Database, **limits: int) -> list[tuple[int, int]]:
    """Reads to the end as triage does; what was read and in which order."""
    seen: list[tuple[int, int]] = []
    while True:
        async with db.transaction() as conn:
            batch = await read_batch(conn, **limits)
            if batch is None:
                return seen
            seen += [(row.writer, row.id) for row in batch.rows]
            await advance(conn, batch.writer, batch.position)


async def test_an_empty_inbox_has_no_batch(db: Database):
    async with db.transaction() as conn:
        assert await read_batch(conn) is None


async def test_rows_are_read_in_order_and_once(inbox: Inbox, db: Database):
    await asyncio.gather(*(inbox.submit(n, "json", b"%d" % n, AT) for n in range(25)))
    seen = await drain(db, limit_rows=10)
    assert [row_id for _, row_id in seen] == list(range(1, 26))
    assert await drain(db) == []
    await inbox.submit(1, "json", b"later", AT)
    assert [row_id for _, row_id in await drain(db)] == [26]


async def test_a_batch_is_limited_by_bytes_but_never_empty(inbox: Inbox, db: Database):
    for size in (10, 10, 500, 10):
        await inbox.submit(1, "json", b"x" * size, AT)
    async with db.transaction() as conn:
        assert len((await read_batch(conn, limit_bytes=20)).rows) == 2
        await advance(conn, 1, 2)
        (large,) = (await read_batch(conn, limit_bytes=20)).rows
        assert len(large.raw) == 500


async def test_what_a_failed_reader_read_is_read_again(inbox: Inbox, db: Database):
    await inbox.submit(1, "json", b"x", AT)
    async with db.connection() as conn:
        failing = conn.transaction()
        await failing.start()
        batch = await read_batch(conn)
        await advance(conn, batch.writer, batch.position)
        await failing.rollback()
    assert len(await drain(db)) == 1


async def test_two_readers_do_not_share_a_writer(fresh_database_url: str, clock: FakeClock, db: Database):
    await fill(fresh_database_url, clock, 3)
    await fill(fresh_database_url, clock, 3)
    async with db.transaction() as one, db.transaction() as two, db.transaction() as three:
        first, second = await read_batch(one), await read_batch(two)
        assert first.writer != second.writer
        assert await read_batch(three) is None


async def test_many_readers_take_each_row_exactly_once_while_rows_come_in(
    fresh_database_url: str, clock: FakeClock, db: Database
):
    taken: list[tuple[int, int]] = []
    async with Inbox(fresh_database_url, clock) as one, Inbox(fresh_database_url, clock) as two:

        async def write(inbox: Inbox) -> None:
            for _ in range(40):
                await asyncio.gather(*(inbox.submit(1, "json", b"x", AT) for _ in range(10)))

        writing = asyncio.gather(write(one), write(two))

        async def read() -> None:
            while not writing.done() or (await waiting(db)):
                taken.extend(await drain(db, limit_rows=7))

        await asyncio.gather(writing, read(), read(), read())
    assert len(taken) == len(set(taken)) == 800
    for writer in {writer for writer, _ in taken}:
        ids = [row_id for w, row_id in taken if w == writer]
        assert sorted(ids) == list(range(1, 401))


async def waiting(db: Database) -> int:
    async with db.connection() as conn:
        rows, _ = await lag(conn)
    return rows


async def test_the_writer_that_has_waited_longest_is_read_first(
    fresh_database_url: str, clock: FakeClock, db: Database
):
    await fill(fresh_database_url, clock, 1, at=AT)
    await fill(fresh_database_url, clock, 1, at=AT - timedelta(minutes=1))
    assert [writer for writer, _ in await drain(db)] == [2, 1]


async def test_the_lag_is_what_was_not_read_yet(fresh_database_url: str, clock: FakeClock, db: Database):
    async with db.connection() as conn:
        assert await lag(conn) == (0, None)
    await fill(fresh_database_url, clock, 3, at=AT)
    await fill(fresh_database_url, clock, 2, at=AT + timedelta(seconds=5))
    async with db.transaction() as conn:
        assert await lag(conn) == (5, AT)
        batch = await read_batch(conn)
        await advance(conn, batch.writer, batch.position)
        assert await lag(conn) == (2, AT + timedelta(seconds=5))


async def test_a_stored_payload_can_be_shown(inbox: Inbox, db: Database):
    await inbox.submit(5, "json", b"payload", AT)
    async with db.connection() as conn:
        row = await read_row(conn, 1, 1)
        assert (row.key_id, row.raw) == (5, b"payload")
        assert await read_row(conn, 1, 2) is None


async def test_old_payloads_are_forgotten_only_once_they_were_read(
    fresh_database_url: str, clock: FakeClock, db: Database
):
    await fill(fresh_database_url, clock, 5, at=AT)
    await fill(fresh_database_url, clock, 2, at=AT + timedelta(days=40))
    soon = AT + timedelta(days=30)
    async with db.transaction() as conn:
        assert await forget_payloads(conn, soon) == 0, "nobody has read them"
    await drain(db)
    async with db.transaction() as conn:
        assert await forget_payloads(conn, soon, limit=3) == 3
        assert await forget_payloads(conn, soon, limit=3) == 2
        assert await forget_payloads(conn, soon, limit=3) == 0
        assert await conn.fetchval("SELECT count(*) FROM inbox") == 2


async def test_the_cursor_of_an_ended_writer_goes_when_its_rows_were_read(
    fresh_database_url: str, clock: FakeClock, db: Database
):
    await fill(fresh_database_url, clock, 2)
    async with db.transaction() as conn:
        assert await forget_writers(conn) == 0, "its rows were not read yet"
    await drain(db)
    async with db.transaction() as conn:
        assert await forget_writers(conn) == 1
    async with db.transaction() as conn:
        assert await forget_payloads(conn, AT + timedelta(days=1)) == 2, "rows without a cursor were read"


async def test_reading_uses_the_primary_key_however_large_the_table_is(inbox: Inbox, db: Database):
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO inbox SELECT 1, n, now(), 1, 'json', 'x' FROM generate_series(1, 20000) AS n;"
            "UPDATE inbox_cursors SET position = 19990; ANALYZE inbox"
        )
        before = await conn.fetchval("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'inbox'")
        async with conn.transaction():
            assert len((await read_batch(conn)).rows) == 10
        await conn.execute("SELECT pg_stat_force_next_flush()")
        after = await conn.fetchval("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'inbox'")
    assert after == before


async def test_reading_a_batch_looks_at_no_more_than_the_batch_however_long_the_backlog_and_without_statistics(
    inbox: Inbox, db: Database
):
    async with db.connection() as conn:
        await conn.execute("INSERT INTO inbox SELECT 1, n, now(), 1, 'json', 'x' FROM generate_series(1, 20000) AS n")
        async with conn.transaction():
            # As triage does: a plan for these very values.
            await conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            assert len((await read_batch(conn, limit_rows=25)).rows) == 25
            explained = await conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {_READ}", 25, 1_000_000)
    assert max(rows_of(json.loads(explained)[0]["Plan"])) == 25


def rows_of(plan: dict[str, Any]) -> Iterator[float]:
    """How many rows each node of the plan gave."""
    yield plan["Actual Rows"] * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from rows_of(part)


async def test_rows_behind_a_gap_are_read_too(inbox: Inbox, db: Database):
    async with db.connection() as conn:
        await conn.execute("INSERT INTO inbox SELECT 1, n, now(), 1, 'json', 'x' FROM unnest(ARRAY[1, 5000]) AS n")
    assert await drain(db, limit_rows=10) == [(1, 1), (1, 5000)]
