import hashlib
from datetime import timedelta

import pytest

from sev1.access import sessions
from sev1.access.model import OPERATOR
from sev1.access.sweep import sweep


@pytest.fixture
def opened(db, clock, make_user):
    async def open_one(**who):
        user = await make_user(**who)
        async with db.transaction() as conn:
            return user, await sessions.open_session(conn, user.id, agent="Firefox\x00\n", now=clock.now())

    return open_one


async def _seen_at(db):
    async with db.connection() as conn:
        return await conn.fetchval("SELECT seen_at FROM sessions")


async def test_only_the_hash_of_the_cookie_is_stored(db, opened):
    _, token = await opened()
    assert len(token) == 43
    async with db.connection() as conn:
        row = await conn.fetchrow("SELECT token_hash, agent, sessions::text AS everything FROM sessions")
    assert row["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert token not in row["everything"]
    assert row["agent"] == "Firefox"


async def test_a_session_says_who_it_is_with_what_rights(db, clock, opened):
    user, token = await opened(role="viewer")
    principal = await sessions.principal_of(db, token, clock.now())
    assert (principal.kind, principal.name, principal.display, principal.user_id) == (
        "user", "ana@example.org", "Ana R.", user.id,
    )  # fmt: skip
    assert principal.scopes == {"read", "report"}


async def test_what_is_not_a_session_is_nobody(db, clock, opened):
    await opened()
    for token in ("", "x", "\ud800", "a\x00b"):
        assert await sessions.principal_of(db, token, clock.now()) is None


async def test_an_unused_session_ends_after_twelve_hours(db, clock, opened):
    _, token = await opened()
    clock.advance(hours=11, minutes=59)
    assert await sessions.principal_of(db, token, clock.now())
    clock.advance(hours=12)
    assert await sessions.principal_of(db, token, clock.now()) is None


async def test_a_session_in_constant_use_ends_after_seven_days(db, clock, opened):
    _, token = await opened()
    for _ in range(7 * 24 - 1):
        clock.advance(hours=1)
        assert await sessions.principal_of(db, token, clock.now())
    clock.advance(hours=1)
    assert await sessions.principal_of(db, token, clock.now()) is None


async def test_use_is_written_down_at_most_once_in_five_minutes(db, clock, opened):
    start = clock.now()
    _, token = await opened()
    clock.advance(minutes=4, seconds=59)
    await sessions.principal_of(db, token, clock.now())
    assert await _seen_at(db) == start
    clock.advance(seconds=1)
    await sessions.principal_of(db, token, clock.now())
    assert await _seen_at(db) == start + timedelta(minutes=5)
    clock.advance(minutes=4)
    await sessions.principal_of(db, token, clock.now())
    assert await _seen_at(db) == start + timedelta(minutes=5)


async def test_signing_out_ends_this_session_and_no_other(db, clock, opened, make_user):
    user, token = await opened()
    async with db.transaction() as conn:
        other = await sessions.open_session(conn, user.id, agent="", now=clock.now())
    await sessions.sign_out(db, token)
    await sessions.sign_out(db, "no such session")
    assert await sessions.principal_of(db, token, clock.now()) is None
    assert await sessions.principal_of(db, other, clock.now())


async def test_signing_out_everywhere_ends_all_sessions_of_the_account_and_nobody_elses(db, clock, opened, audited):
    user, first = await opened()
    _, neighbour = await opened(email="bo@example.org")
    async with db.transaction() as conn:
        second = await sessions.open_session(conn, user.id, agent="", now=clock.now())
    assert await sessions.sign_out_everywhere(db, user.id, by=OPERATOR, now=clock.now()) == 2
    assert await sessions.principal_of(db, first, clock.now()) is None
    assert await sessions.principal_of(db, second, clock.now()) is None
    assert await sessions.principal_of(db, neighbour, clock.now())
    assert (await audited())[-1] == "operator:cli user.signed_out_everywhere user:ana@example.org"


async def test_a_long_stream_can_ask_whether_its_session_is_still_there(db, clock, opened):
    _, token = await opened()
    principal = await sessions.principal_of(db, token, clock.now())
    assert await sessions.still_there(db, principal.session_id, clock.now()) == principal
    await sessions.sign_out(db, token)
    assert await sessions.still_there(db, principal.session_id, clock.now()) is None


async def test_the_sweep_takes_away_what_is_over_and_says_how_much(db, clock, opened):
    async def count() -> int:
        async with db.connection() as conn:
            return await conn.fetchval("SELECT count(*) FROM sessions")

    await opened()
    clock.advance(hours=11)
    _, young = await opened(email="bo@example.org")
    assert await sweep(db, clock.now()) == 0
    clock.advance(hours=1)
    assert await sweep(db, clock.now()) == 1
    assert await count() == 1
    assert await sessions.principal_of(db, young, clock.now())
    assert await sweep(db, clock.now()) == 0
