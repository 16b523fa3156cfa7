import re
from datetime import timedelta

import pytest

from sev1.access import tokens
from sev1.access.model import OPERATOR, SCOPES_OF, Principal, Role
from sev1.engine.errors import Forbidden, Invalid, NotFound, Refused


@pytest.fixture
def make(db, clock):
    def start(name="ci", role=Role.RESPONDER, scopes=None, by=OPERATOR):
        return tokens.create(db, name=name, role=role, scopes=scopes, by=by, now=clock.now())

    return start


async def _last_used(db):
    return (await tokens.list_all(db))[0].last_used_at


async def test_a_token_is_recognisable_random_and_stored_as_a_hash_only(db, make):
    first, second = await make("a"), await make("b")
    assert re.fullmatch(r"sev1_[A-Za-z0-9_-]{43}", first.token)
    assert first.token != second.token
    async with db.connection() as conn:
        stored = await conn.fetchval("SELECT string_agg(api_tokens::text, ' ') FROM api_tokens")
        logged = await conn.fetchval("SELECT string_agg(audit_log::text, ' ') FROM audit_log")
    assert first.token[5:] not in stored + logged
    assert not any(hasattr(listed, "token") for listed in await tokens.list_all(db))


async def test_a_token_without_named_scopes_has_all_of_its_role(db, clock, make):
    principal = await tokens.verify(db, (await make()).token, clock.now())
    assert (principal.kind, principal.name, principal.role) == ("token", "ci", Role.RESPONDER)
    assert principal.scopes == SCOPES_OF[Role.RESPONDER]
    assert (principal.user_id, principal.session_id) == (None, None)


async def test_a_token_can_do_what_it_was_given_and_no_more(db, clock, make):
    token = await make(role=Role.ADMIN, scopes=["catalog:write", "read"])
    principal = await tokens.verify(db, token.token, clock.now())
    assert principal.scopes == {"catalog:write", "read"}


async def test_a_stored_scope_that_the_role_does_not_have_gives_nothing(db, clock, make):
    token = await make(role=Role.VIEWER)
    async with db.connection() as conn:
        await conn.execute("UPDATE api_tokens SET scopes = '{read,access:write,from-the-future}'")
    assert (await tokens.verify(db, token.token, clock.now())).scopes == {"read"}


async def test_scopes_that_make_no_sense_are_refused(db, make):
    for role, scopes, sentence in [
        (Role.ADMIN, ["everything"], "no scope everything"),
        (Role.VIEWER, ["read", "pages:write"], "viewer does not have the scope pages:write"),
        (Role.VIEWER, [], "at least one scope"),
    ]:
        with pytest.raises(Invalid, match=sentence):
            await make(role=role, scopes=scopes)
    assert await tokens.list_all(db) == []


async def test_nobody_hands_out_more_than_they_have(make):
    narrow = Principal(kind="token", name="t", display="t", role=Role.ADMIN, scopes=frozenset({"access:write", "read"}))
    low = Principal(kind="user", name="u", display="u", role=Role.RESPONDER, scopes=SCOPES_OF[Role.ADMIN])
    with pytest.raises(Forbidden):
        await make(role=Role.ADMIN, by=narrow)
    with pytest.raises(Forbidden):
        await make(role=Role.ADMIN, scopes=["read"], by=low)
    assert (await make(role=Role.ADMIN, scopes=["read"], by=narrow)).created_by == "token:t"


async def test_a_name_is_used_once_even_after_the_token_is_revoked(db, clock, make):
    token = await make("ci")
    await tokens.revoke(db, token.id, by=OPERATOR, now=clock.now())
    with pytest.raises(Refused, match="already a token named ci"):
        await make("ci")


async def test_a_name_that_cannot_be_read_is_refused(make):
    for name in ("", "a\nb", "x" * 101):
        with pytest.raises(Invalid):
            await make(name)


async def test_a_revoked_token_stops_at_once_and_revoking_twice_is_no_error(db, clock, make, audited):
    token = await make()
    revoked_at = clock.now()
    for _ in range(2):
        await tokens.revoke(db, token.id, by=OPERATOR, now=clock.now())
        clock.advance(minutes=1)
    assert await tokens.verify(db, token.token, clock.now()) is None
    assert (await tokens.list_all(db))[0].revoked_at == revoked_at
    assert await audited() == ["operator:cli token.created token:ci", "operator:cli token.revoked token:ci"]
    with pytest.raises(NotFound):
        await tokens.revoke(db, token.id + 1, by=OPERATOR, now=clock.now())


@pytest.mark.parametrize(
    "change", [str.upper, lambda t: t[5:], lambda t: t + "x", lambda t: t[:-1], lambda _: "\ud800"]
)
async def test_what_is_not_the_token_is_nobody(db, clock, make, change):
    token = (await make()).token
    assert await tokens.verify(db, change(token), clock.now()) is None


async def test_the_last_use_is_written_at_most_once_a_minute(db, clock, make):
    token, start = (await make()).token, clock.now()
    assert await _last_used(db) is None
    await tokens.verify(db, token, clock.now())
    clock.advance(seconds=59)
    await tokens.verify(db, token, clock.now())
    assert await _last_used(db) == start
    clock.advance(seconds=1)
    await tokens.verify(db, token, clock.now())
    assert await _last_used(db) == start + timedelta(minutes=1)
