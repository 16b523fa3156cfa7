import asyncio
import re

import pytest

from sev1.access import keyring as keyring_module
from sev1.access import keys
from sev1.access.keyring import Bucket, KeyRing
from sev1.access.model import OPERATOR
from sev1.engine.errors import Invalid, NotFound


class Seconds:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def ring(db, seconds):
    return KeyRing(db, rate_per_s=10, burst=20, monotonic=seconds)


@pytest.fixture
def make(db, clock):
    def start(kind="prometheus", **more):
        return keys.create(db, kind=kind, by=OPERATOR, now=clock.now(), **more)

    return start


@pytest.fixture
def reads(monkeypatch):
    """How often the database was asked for one key."""
    seen: list[bytes] = []
    really = keys.by_digest

    async def counting(conn, secret_hash):
        seen.append(secret_hash)
        return await really(conn, secret_hash)

    monkeypatch.setattr(keys, "by_digest", counting)
    return seen


async def test_a_key_has_the_shape_of_a_pagerduty_routing_key_and_is_stored_as_a_hash(db, make, audited):
    issued = await make("pagerduty", service="checkout")
    assert re.fullmatch(r"[a-z0-9]{32}", issued.secret)
    assert issued.hint == issued.secret[-4:]
    assert issued.name == "checkout, pagerduty"
    async with db.connection() as conn:
        stored = await conn.fetchval("SELECT string_agg(integration_keys::text, ' ') FROM integration_keys")
        logged = await conn.fetchval("SELECT string_agg(audit_log::text, ' ') FROM audit_log")
    assert issued.secret not in stored + logged
    assert await audited() == [f"operator:cli key.created key:{issued.id}"]
    [listed] = await keys.list_all(db)
    assert not hasattr(listed, "secret")
    assert (listed.kind, listed.service, listed.created_by) == ("pagerduty", "checkout", "operator:cli")


async def test_a_key_may_have_a_name_and_no_service(make):
    issued = await make(name="the old cluster")
    assert (issued.name, issued.service) == ("the old cluster", None)
    assert (await make()).name == "any service, prometheus"
    with pytest.raises(Invalid):
        await make(name="a\x00b")


async def test_a_revoked_key_stays_in_the_list_and_revoking_twice_is_no_error(db, clock, make, audited):
    issued = await make()
    for _ in range(2):
        await keys.revoke(db, issued.id, by=OPERATOR, now=clock.now())
    assert (await keys.list_all(db))[0].revoked_at == clock.now()
    assert len(await audited()) == 2
    with pytest.raises(NotFound):
        await keys.revoke(db, issued.id + 1, by=OPERATOR, now=clock.now())


async def test_after_a_refresh_a_key_is_found_without_the_database_as_text_or_bytes(db, make, ring, reads):
    issued = await make()
    assert ring.get_cached(issued.secret) is None
    await ring.refresh(db)
    assert ring.get_cached(issued.secret).id == issued.id
    assert ring.get_cached(issued.secret.encode()).id == issued.id
    assert ring.get_cached(issued.secret.upper()) is None
    assert reads == []


async def test_a_miss_is_loaded_once_and_then_cached(make, ring, reads):
    issued = await make()
    assert (await ring.load(issued.secret)).id == issued.id
    assert ring.get_cached(issued.secret).id == issued.id
    assert (await ring.load(issued.secret.encode())).id == issued.id
    assert len(reads) == 1


async def test_an_unknown_secret_is_asked_for_once_in_five_seconds(ring, reads, seconds):
    for _ in range(3):
        assert await ring.load("x" * 32) is None
    assert len(reads) == 1
    seconds.now_s += 4.99
    await ring.load("x" * 32)
    assert len(reads) == 1
    seconds.now_s += 0.01
    await ring.load("x" * 32)
    assert len(reads) == 2


async def test_what_cannot_be_a_key_is_not_looked_up(ring, reads):
    for secret in ("", "x" * 31, "x" * 33, b"", "ü" * 31):
        assert await ring.load(secret) is None
    assert reads == []


async def test_the_memory_of_unknown_secrets_is_bounded(ring, monkeypatch, reads):
    monkeypatch.setattr(keyring_module, "UNKNOWN_MAX", 3)
    for n in range(4):
        await ring.load(str(n) * 32)
    assert len(ring._unknown) == 3
    await ring.load("3" * 32)
    assert len(reads) == 4
    await ring.load("0" * 32)
    assert len(reads) == 5, "the oldest was forgotten"


async def test_a_revoked_key_is_gone_after_the_refresh_and_is_not_loaded_again(db, clock, make, ring):
    issued = await make()
    await ring.load(issued.secret)
    await keys.revoke(db, issued.id, by=OPERATOR, now=clock.now())
    await ring.refresh()
    assert ring.get_cached(issued.secret) is None
    assert await ring.load(issued.secret) is None


async def test_a_key_revoked_while_it_was_loaded_does_not_stay_in_the_cache(db, clock, make, ring, monkeypatch):
    issued = await make()
    really = keys.by_digest

    async def slow(conn, secret_hash):
        key = await really(conn, secret_hash)
        await keys.revoke(db, issued.id, by=OPERATOR, now=clock.now())
        await ring.refresh()
        return key

    monkeypatch.setattr(keys, "by_digest", slow)
    await ring.load(issued.secret)
    assert ring.get_cached(issued.secret) is None


async def test_an_older_refresh_does_not_undo_a_newer_one(db, clock, make, ring, monkeypatch):
    issued = await make()
    really = keys.all_valid
    read_before, go_on = asyncio.Event(), asyncio.Event()

    async def slow(conn):
        valid = await really(conn)
        if not read_before.is_set():
            read_before.set()
            await go_on.wait()
        return valid

    monkeypatch.setattr(keys, "all_valid", slow)
    older = asyncio.create_task(ring.refresh())
    await read_before.wait()
    await keys.revoke(db, issued.id, by=OPERATOR, now=clock.now())
    newer = asyncio.create_task(ring.refresh())
    await asyncio.wait({newer}, timeout=0.05)  # It would be done by now if it did not wait for the older one.
    go_on.set()
    await asyncio.gather(older, newer)
    assert ring.get_cached(issued.secret) is None


async def test_each_key_has_a_rate_of_its_own_and_a_refresh_does_not_refill_it(make, ring, seconds):
    greedy, modest = await make(), await make()
    await ring.refresh()
    assert sum(ring.allows(greedy) for _ in range(100)) == 20
    assert ring.allows(modest)
    await ring.refresh()
    assert not ring.allows(greedy)
    seconds.now_s += 0.5
    assert sum(ring.allows(greedy) for _ in range(100)) == 5


async def test_the_buckets_of_revoked_keys_are_put_away(db, clock, make, ring):
    issued = await make()
    await ring.refresh()
    ring.allows(issued)
    await keys.revoke(db, issued.id, by=OPERATOR, now=clock.now())
    await ring.refresh()
    assert ring._buckets == {}


def test_a_bucket_gives_its_burst_at_once_then_its_rate_and_never_saves_more_than_the_burst():
    bucket = Bucket(rate_per_s=2, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.25), bucket.take(0.5), bucket.take(0.75)] == [False, True, False]
    assert [bucket.take(3600.0) for _ in range(4)] == [True, True, True, False]


def test_a_bucket_asked_all_the_time_still_fills():
    bucket = Bucket(rate_per_s=1, burst=1)
    assert bucket.take(0.0)
    assert sum(bucket.take(n / 64) for n in range(1, 641)) == 10
