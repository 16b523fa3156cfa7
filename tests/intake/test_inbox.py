import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from tests.intake.conftest import until_somebody_waits_for_a_lock

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.errors import Unavailable
from sev1.intake import inbox as inbox_module
from sev1.intake.inbox import Inbox
from sev1.intake.inbox_reader import forget_writers

AT = datetime(2026, 3, 2, 3, 14, 0, 123456, tzinfo=UTC)


async def stored(db: Database) -> list[asyncpg.Record]:
    async with db.connection() as conn:
        return await conn.fetch("SELECT * FROM inbox ORDER BY writer, id")


@pytest.fixture
async def held(inbox: Inbox, db: Database) -> AsyncIterator[asyncpg.transaction.Transaction]:
    """A transaction that keeps the inbox from committing anything until it is rolled back."""
    async with db.connection() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute("LOCK TABLE inbox IN EXCLUSIVE MODE")
        yield transaction
        if conn.is_in_transaction():
            await transaction.rollback()


async def test_what_was_answered_is_in_the_database(inbox: Inbox, db: Database):
    await inbox.submit(7, "prometheus", b"raw \x00 bytes", AT)
    (row,) = await stored(db)
    assert (row["key_id"], row["format"], row["raw"], row["received_at"]) == (7, "prometheus", b"raw \x00 bytes", AT)


async def test_nothing_is_answered_before_its_commit(inbox: Inbox, db: Database, held):
    answers = [inbox.submit(1, "json", b"%d" % n, AT) for n in range(10)]
    await until_somebody_waits_for_a_lock(db)
    assert not any(answer.done() for answer in answers)
    await held.rollback()
    await asyncio.gather(*answers)
    assert len(await stored(db)) == 10


async def test_many_at_once_share_few_commits_and_all_are_found(
    fresh_database_url: str, clock: FakeClock, db: Database
):
    commits = []
    async with Inbox(fresh_database_url, clock, on_commit=lambda: commits.append(1)) as inbox:
        await asyncio.gather(*(inbox.submit(1, "json", b"%d" % n, AT) for n in range(500)))
    rows = await stored(db)
    assert [row["raw"] for row in rows] == [b"%d" % n for n in range(500)]
    assert [row["id"] for row in rows] == list(range(1, 501))
    async with db.connection() as conn:
        transactions = await conn.fetchval("SELECT count(DISTINCT xmin::text) FROM inbox")
    assert transactions == len(commits) <= 3


async def test_a_batch_has_at_most_so_many_rows_and_bytes(inbox: Inbox, db: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox_module, "BATCH_ROWS", 10)
    monkeypatch.setattr(inbox_module, "BATCH_BYTES", 1000)
    await asyncio.gather(*(inbox.submit(1, "json", b"x", AT) for _ in range(25)))
    await asyncio.gather(*(inbox.submit(2, "json", b"x" * 400, AT) for _ in range(5)))
    await inbox.submit(3, "json", b"x" * 5000, AT)
    async with db.connection() as conn:
        sizes = await conn.fetch("SELECT key_id, count(*) AS n FROM inbox GROUP BY key_id, xmin ORDER BY min(id)")
    assert [tuple(row) for row in sizes] == [(1, 10), (1, 10), (1, 5), (2, 2), (2, 2), (2, 1), (3, 1)]


async def test_a_full_queue_refuses_at_once_and_keeps_what_it_took(inbox: Inbox, db: Database, held):
    inbox._queue_max = 3
    first = inbox.submit(1, "json", b"first", AT)
    await until_somebody_waits_for_a_lock(db)
    queued = [inbox.submit(1, "json", b"%d" % n, AT) for n in range(3)]
    with pytest.raises(Unavailable, match="send it again"):
        inbox.submit(1, "json", b"one too many", AT)
    await held.rollback()
    await asyncio.gather(first, *queued)
    assert len(await stored(db)) == 4


async def test_the_queue_is_bounded_by_bytes_too(inbox: Inbox, db: Database, held, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox_module, "QUEUE_BYTES", 100)
    first = inbox.submit(1, "json", b"x", AT)
    await until_somebody_waits_for_a_lock(db)
    large = inbox.submit(1, "json", b"x" * 101, AT)
    with pytest.raises(Unavailable):
        inbox.submit(1, "json", b"x", AT)
    await held.rollback()
    await asyncio.gather(first, large)
    await inbox.submit(1, "json", b"x", AT)


async def test_a_request_that_is_given_up_disturbs_nobody(inbox: Inbox, db: Database, held):
    given_up, waiting = inbox.submit(1, "json", b"a", AT), inbox.submit(1, "json", b"b", AT)
    await until_somebody_waits_for_a_lock(db)
    given_up.cancel()
    await held.rollback()
    await waiting
    assert len(await stored(db)) == 2


async def test_a_commit_cut_off_is_never_answered_with_success(inbox: Inbox, db: Database, held):
    answer = inbox.submit(1, "json", b"cut off", AT)
    await until_somebody_waits_for_a_lock(db)
    await kill_the_writer(db)
    with pytest.raises(Unavailable, match="may be kept or not"):
        await answer
    await held.rollback()
    await inbox.submit(1, "json", b"after", AT)
    (row,) = await stored(db)
    assert row["raw"] == b"after"


async def test_a_new_connection_is_a_new_writer(inbox: Inbox, db: Database):
    await inbox.submit(1, "json", b"a", AT)
    await kill_the_writer(db)
    # Whether the loss is noticed before or during the next commit is a race; the sender tries again either way.
    try:
        await inbox.submit(1, "json", b"b", AT)
    except Unavailable:
        await inbox.submit(1, "json", b"b", AT)
    first, second = await stored(db)
    assert first["writer"] != second["writer"]
    assert (first["id"], second["id"]) == (1, 1)


async def test_what_was_not_sent_yet_waits_for_the_database_to_come_back(
    inbox: Inbox, db: Database, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    connect, tries = asyncpg.connect, []

    async def refuse_twice(*args: object, **kwargs: object) -> asyncpg.Connection:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionRefusedError("starting up")
        return await connect(*args, **kwargs)

    inbox._disconnect()
    monkeypatch.setattr(asyncpg, "connect", refuse_twice)
    monkeypatch.setattr(inbox_module, "BACKOFF_S", (0,))
    await inbox.submit(1, "json", b"patient", AT)
    assert len(tries) == 3
    assert len(await stored(db)) == 1


async def test_a_database_that_stays_away_is_said_so(
    fresh_database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    seconds = iter(range(0, 1000, 2))

    async def refuse(*_: object, **__: object) -> asyncpg.Connection:
        raise ConnectionRefusedError("away")

    async with Inbox(fresh_database_url, clock, monotonic=lambda: float(next(seconds))) as inbox:
        inbox._disconnect()
        monkeypatch.setattr(asyncpg, "connect", refuse)
        monkeypatch.setattr(inbox_module, "BACKOFF_S", (0,))
        with pytest.raises(Unavailable, match="Nothing of this request was kept"):
            await inbox.submit(1, "json", b"x", AT)


async def test_who_queued_while_the_database_was_away_waits_no_second_time(
    fresh_database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    seconds = [0.0]
    queued: list[asyncio.Future[inbox_module.Address]] = []

    async def refuse(*_: object, **__: object) -> asyncpg.Connection:
        if not queued:
            queued.extend(inbox.submit(1, "json", b"queued", AT) for _ in range(3))
        seconds[0] += 1
        raise ConnectionRefusedError("away")

    async with Inbox(fresh_database_url, clock, monotonic=lambda: seconds[0]) as inbox:
        inbox._disconnect()
        monkeypatch.setattr(asyncpg, "connect", refuse)
        monkeypatch.setattr(inbox_module, "BACKOFF_S", (0,))
        with pytest.raises(Unavailable):
            await inbox.submit(1, "json", b"first", AT)
        for answer in queued:
            with pytest.raises(Unavailable, match="Nothing of this request was kept"):
                await answer
        assert seconds[0] <= inbox_module.RECONNECT_WAIT_S + 1
        assert inbox._queued_bytes == 0


async def test_an_inbox_that_cannot_reach_the_database_says_so_at_the_start(clock: FakeClock):
    with pytest.raises(Unavailable, match="cannot reach PostgreSQL"):
        async with Inbox("postgresql://nobody@127.0.0.1:1/none", clock):
            pass


async def test_closing_commits_what_was_accepted_and_takes_no_more(inbox: Inbox, db: Database):
    answers = [inbox.submit(1, "json", b"%d" % n, AT) for n in range(50)]
    await inbox.close()
    await asyncio.gather(*answers)
    assert len(await stored(db)) == 50
    with pytest.raises(Unavailable, match="stopping"):
        inbox.submit(1, "json", b"late", AT)


async def test_closing_does_not_wait_for_ever(inbox: Inbox, db: Database, held):
    sent = inbox.submit(1, "json", b"sent", AT)
    await until_somebody_waits_for_a_lock(db)
    queued = inbox.submit(1, "json", b"queued", AT)
    await inbox.close(timeout_s=0.01)
    for answer in (sent, queued):
        with pytest.raises(Unavailable):
            await answer


async def test_a_hook_that_fails_does_not_stop_the_inbox(inbox: Inbox, db: Database):
    def fail() -> None:
        raise RuntimeError("a bug elsewhere")

    inbox.on_commit = fail
    await inbox.submit(1, "json", b"a", AT)
    inbox.on_commit = lambda: None
    await inbox.submit(1, "json", b"b", AT)
    assert [row["raw"] for row in await stored(db)] == [b"a", b"b"]


async def test_a_living_writers_cursor_is_never_forgotten(inbox: Inbox, db: Database):
    async with db.transaction() as conn:
        assert await forget_writers(conn) == 0


async def kill_the_writer(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'sev1 inbox' AND datname = current_database()"
        )
