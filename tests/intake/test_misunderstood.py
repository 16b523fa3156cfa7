from datetime import UTC, datetime, timedelta

import pytest

from sev1.engine.database import Database
from sev1.engine.errors import NotFound
from sev1.intake import misunderstood

AT = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


async def keep(db: Database, raw: bytes = b"{", *, key_id: int | None = 1, error: str = "Not JSON.") -> int:
    return await misunderstood.keep(db, key_id=key_id, format_="json", raw=raw, error=error, received_at=AT)


async def test_a_payload_is_kept_until_somebody_dismisses_it(db: Database):
    first = await keep(db, b"\x00\xff{")
    second = await keep(db, error="bad \0 \ud800 text")
    async with db.connection() as conn:
        assert [payload.id for payload in await misunderstood.list_open(conn)] == [second, first]
        await misunderstood.dismiss(conn, second, by="ana@example.net", now=AT)
        await misunderstood.dismiss(conn, second, by="bo@example.net", now=AT + timedelta(hours=1))
        assert [payload.id for payload in await misunderstood.list_open(conn)] == [first]
        dismissed = await misunderstood.get(conn, second)
        assert (dismissed.dismissed_by, dismissed.dismissed_at) == ("ana@example.net", AT)
        assert dismissed.error == "bad \ufffd ? text"
        assert (await misunderstood.get(conn, first)).raw == b"\x00\xff{"


async def test_a_large_payload_is_kept_up_to_a_megabyte_and_listed_by_its_beginning(db: Database):
    kept = await keep(db, b"x" * 3_000_000)
    async with db.connection() as conn:
        (listed,) = await misunderstood.list_open(conn)
        assert len(listed.raw) == 2_000
        assert len((await misunderstood.get(conn, kept)).raw) == 1024 * 1024


async def test_a_sender_that_repeats_itself_fills_no_disk(db: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(misunderstood, "KEPT_PER_KEY", 5)
    other = await keep(db, key_id=2)
    last = 0
    for _ in range(40):
        last = await keep(db)
    async with db.connection() as conn:
        kept = {payload.id for payload in await misunderstood.list_open(conn)}
    assert len(kept) <= 5 + 20 + 1
    assert {other, last} <= kept


async def test_what_does_not_exist_is_not_found(db: Database):
    async with db.connection() as conn:
        with pytest.raises(NotFound):
            await misunderstood.get(conn, 4)
        with pytest.raises(NotFound):
            await misunderstood.dismiss(conn, 4, by="x", now=AT)


async def test_old_payloads_are_forgotten(db: Database):
    await keep(db)
    async with db.connection() as conn:
        assert await misunderstood.forget(conn, AT) == 0
        assert await misunderstood.forget(conn, AT + timedelta(seconds=1)) == 1
