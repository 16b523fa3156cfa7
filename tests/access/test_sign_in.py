import asyncio
from datetime import timedelta

import argon2
import pytest

from sev1.access import accounts, passwords, sessions
from sev1.access.accounts import UserChange
from sev1.access.model import OPERATOR
from sev1.access.sign_in import address_key, sign_in
from sev1.access.sweep import sweep
from sev1.engine.errors import Forbidden, TooMany

GOOD = "four plain words here"


@pytest.fixture
def attempt(db, clock):
    def start(email="ana@example.org", password="wrong", address="203.0.113.7"):
        return sign_in(db, email=email, password=password, address=address, now=clock.now())

    return start


@pytest.fixture
def checks(monkeypatch):
    """The hashes that passwords are compared with, in a list; comparing costs nothing and succeeds for GOOD."""
    seen: list[str] = []

    class Counting:
        def verify_and_update(self, password, stored):
            seen.append(stored)
            return password == GOOD.encode(), None

        def hash(self, password):
            return f"hash of {len(password)}"

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return seen


async def _failures(db):
    async with db.connection() as conn:
        return await conn.fetchval("SELECT count(*) FROM sign_in_failures")


async def test_the_right_email_and_password_open_a_session(db, clock, make_user, attempt, audited):
    user = await make_user(password=GOOD)
    token = await attempt("  ANA@example.org ", GOOD)
    assert (await sessions.principal_of(db, token, clock.now())).user_id == user.id
    assert (await audited())[-1] == "ana@example.org user.signed_in user:ana@example.org"
    assert await _failures(db) == 0


async def test_wrong_unknown_disabled_and_passwordless_are_answered_with_the_same_words(
    db, clock, make_user, attempt, checks
):
    await make_user(password=GOOD)
    gone = await make_user(email="gone@example.org", password=GOOD)
    await make_user(email="link-only@example.org")
    await accounts.update_user(db, gone.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
    answers = []
    for email, password in [
        ("ana@example.org", "wrong"),
        ("nobody@example.org", GOOD),
        ("gone@example.org", GOOD),
        ("link-only@example.org", GOOD),
        ("not an email\x00\ud800", GOOD),
        ("", ""),
    ]:
        with pytest.raises(Forbidden) as refusal:
            await attempt(email, password)
        answers.append(refusal.value.message)
    assert set(answers) == {"The email or the password is not right."}
    assert len(checks) == 6, "a hash is compared for an unknown email too, so the time does not tell"
    assert set(checks[1:]) == {passwords.NOBODYS_HASH}


async def test_a_failure_of_a_known_account_is_recorded_and_a_mistyped_email_is_not(
    make_user, attempt, audited, checks
):
    await make_user(password=GOOD)
    for email in ("ana@example.org", "my secret in the wrong field"):
        with pytest.raises(Forbidden):
            await attempt(email)
    assert (await audited())[1:] == ["ana@example.org user.sign_in_failed user:ana@example.org"]


async def test_after_five_failures_an_account_waits_even_with_the_right_password(clock, make_user, attempt, checks):
    await make_user(password=GOOD)
    for n in range(5):
        with pytest.raises(Forbidden):
            await attempt(address=f"198.51.100.{n}")
        clock.advance(minutes=1)
    compared = len(checks)
    with pytest.raises(TooMany, match="10 minutes") as refusal:
        await attempt(password=GOOD, address="192.0.2.1")
    assert refusal.value.retry_after_s == 600, "the first failure leaves the window then"
    assert len(checks) == compared, "no hash is computed for an attempt that is over the limit"


async def test_the_wait_is_over_when_it_said_it_would_be(clock, make_user, attempt, checks):
    await make_user(password=GOOD)
    for _ in range(5):
        with pytest.raises(Forbidden):
            await attempt()
    with pytest.raises(TooMany) as refusal:
        await attempt(password=GOOD)
    clock.advance(seconds=refusal.value.retry_after_s - 1)
    with pytest.raises(TooMany, match="1 minute\\."):
        await attempt(password=GOOD)
    clock.advance(seconds=1)
    assert await attempt(password=GOOD)


async def test_an_account_that_does_not_exist_waits_just_the_same(attempt, checks):
    for n in range(5):
        with pytest.raises(Forbidden):
            await attempt("nobody@example.org", address=f"198.51.100.{n}")
    with pytest.raises(TooMany):
        await attempt("nobody@example.org", address="192.0.2.1")


async def test_after_twenty_failures_an_address_waits_whatever_account_it_tries(make_user, attempt, checks):
    await make_user(password=GOOD)
    for n in range(20):
        with pytest.raises(Forbidden):
            await attempt(f"guess{n}@example.org")
    with pytest.raises(TooMany):
        await attempt(password=GOOD)
    assert await attempt(password=GOOD, address="192.0.2.1"), "others are not held up"


async def test_signing_in_forgets_the_failures_of_the_account(db, make_user, attempt, checks):
    await make_user(password=GOOD)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(Forbidden):
                await attempt()
        await attempt(password=GOOD)
    assert await _failures(db) == 0


async def test_signing_in_to_ones_own_account_does_not_forgive_guesses_at_others(make_user, attempt, checks):
    await make_user(password=GOOD)
    for n in range(19):
        with pytest.raises(Forbidden):
            await attempt(f"guess{n}@example.org")
    await attempt(password=GOOD)
    with pytest.raises(Forbidden):
        await attempt("guess19@example.org")
    with pytest.raises(TooMany):
        await attempt("guess20@example.org")


async def test_guesses_sent_at_once_do_not_slip_through_before_the_first_has_failed(make_user, attempt, checks):
    await make_user(password=GOOD)
    at_one_account = [attempt(address=f"198.51.100.{n}") for n in range(30)]
    outcomes = await asyncio.gather(*at_one_account, return_exceptions=True)
    assert sorted(type(o).__name__ for o in outcomes) == ["Forbidden"] * 5 + ["TooMany"] * 25
    from_one_address = [attempt(f"guess{n}@example.org") for n in range(30)]
    outcomes = await asyncio.gather(*from_one_address, return_exceptions=True)
    assert sorted(type(o).__name__ for o in outcomes) == ["Forbidden"] * 20 + ["TooMany"] * 10
    assert len(checks) == 25


async def test_attempts_over_the_limit_do_not_prolong_the_wait(clock, make_user, attempt, checks):
    await make_user(password=GOOD)
    for _ in range(5):
        with pytest.raises(Forbidden):
            await attempt()
    for _ in range(14):
        clock.advance(minutes=1)
        with pytest.raises(TooMany):
            await attempt()
    clock.advance(minutes=1)
    assert await attempt(password=GOOD)


async def test_a_password_changed_while_the_old_one_was_checked_opens_nothing(
    db, clock, make_user, attempt, monkeypatch
):
    user = await make_user(password=GOOD)
    really = passwords.matches

    async def slow(password, stored):
        answer = await really(password, stored)
        await accounts.update_user(db, user.id, UserChange(password="another few words"), by=OPERATOR, now=clock.now())
        return answer

    monkeypatch.setattr(passwords, "matches", slow)
    with pytest.raises(Forbidden):
        await attempt(password=GOOD)


async def test_an_account_disabled_while_its_password_was_checked_stays_out(db, clock, make_user, attempt, monkeypatch):
    user = await make_user(password=GOOD)
    really = passwords.matches

    async def slow(password, stored):
        answer = await really(password, stored)
        await accounts.update_user(db, user.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
        return answer

    monkeypatch.setattr(passwords, "matches", slow)
    with pytest.raises(Forbidden):
        await attempt(password=GOOD)


async def test_signing_in_renews_a_hash_that_was_made_at_a_lower_cost(db, make_user, attempt):
    await make_user(password=GOOD)
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    async with db.connection() as conn:
        await conn.execute("UPDATE users SET password_hash = $1", weak)
        await attempt(password=GOOD)
        stored = await conn.fetchval("SELECT password_hash FROM users")
    assert stored != weak
    assert await passwords.matches(GOOD, stored) == (True, None)


async def test_the_sweep_forgets_failures_outside_their_window(db, clock, attempt, checks):
    with pytest.raises(Forbidden):
        await attempt()
    clock.advance(minutes=14, seconds=59)
    assert await sweep(db, clock.now()) == 0
    clock.jump_to(clock.now() + timedelta(seconds=1))
    assert await sweep(db, clock.now()) == 1
    assert await _failures(db) == 0


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_network_counts_as_one_address_because_one_holder_has_all_of_it(address, counted_as):
    assert address_key(address) == counted_as
