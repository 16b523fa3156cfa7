import asyncio

import pytest

from sev1.access import accounts, links, passwords, sessions
from sev1.access.accounts import UserChange
from sev1.access.model import OPERATOR, Role
from sev1.access.sweep import sweep
from sev1.engine.errors import Invalid, NotFound, Refused

GOOD = "four plain words here"


@pytest.fixture
def set_up(db, clock):
    def start(token, email="root@example.org", full_name="Root R.", password=GOOD):
        return links.complete_set_up(db, token, email=email, full_name=full_name, password=password, now=clock.now())

    return start


async def test_the_set_up_link_makes_the_first_admin_and_signs_them_in(db, clock, set_up, audited):
    session = await set_up(await links.first_run_link(db, clock.now()))
    principal = await sessions.principal_of(db, session, clock.now())
    assert (principal.name, principal.role, principal.display) == ("root@example.org", Role.ADMIN, "Root R.")
    assert await audited() == ["first-run set-up user.created user:root@example.org"]


async def test_there_is_no_set_up_link_once_there_is_an_admin(db, clock, make_user):
    await make_user("responder", "bo@example.org")
    assert await links.first_run_link(db, clock.now())
    await make_user("admin", "root@example.org")
    assert await links.first_run_link(db, clock.now()) is None


async def test_a_set_up_link_works_once(db, clock, set_up):
    link = await links.first_run_link(db, clock.now())
    await set_up(link)
    with pytest.raises(NotFound, match="used already or is too old"):
        await set_up(link, "second@example.org")
    async with db.connection() as conn:
        await conn.execute("UPDATE users SET role = 'viewer'")
    with pytest.raises(NotFound):
        await set_up(link, "third@example.org")


async def test_a_set_up_link_of_another_start_works_too_until_somebody_used_one(db, clock, set_up):
    earlier, later = await links.first_run_link(db, clock.now()), await links.first_run_link(db, clock.now())
    await links.check_set_up_link(db, earlier, clock.now())
    await set_up(earlier)
    with pytest.raises(NotFound):
        await links.check_set_up_link(db, later, clock.now())
    with pytest.raises(NotFound):
        await set_up(later, "second@example.org")


async def test_two_links_used_at_once_make_one_admin(db, clock, set_up, monkeypatch):
    async def at_once(password):
        return "hash"

    monkeypatch.setattr(passwords, "hashed", at_once)
    for _ in range(3):
        pair = [await links.first_run_link(db, clock.now()) for _ in range(2)]
        outcomes = await asyncio.gather(
            *(set_up(link, f"root{n}@example.org") for n, link in enumerate(pair)), return_exceptions=True
        )
        assert sorted(type(o).__name__ for o in outcomes) == ["NotFound", "str"]
        async with db.connection() as conn:
            assert len(await conn.fetch("DELETE FROM users RETURNING 1")) == 1


async def test_a_set_up_link_ends_after_a_day(db, clock, set_up):
    link = await links.first_run_link(db, clock.now())
    clock.advance(hours=23, minutes=59)
    await links.check_set_up_link(db, link, clock.now())
    clock.advance(minutes=1)
    with pytest.raises(NotFound):
        await links.check_set_up_link(db, link, clock.now())
    with pytest.raises(NotFound):
        await set_up(link)


async def test_a_refused_form_does_not_use_the_set_up_link_up(db, clock, set_up, make_user):
    await make_user("viewer", "taken@example.org")
    link = await links.first_run_link(db, clock.now())
    with pytest.raises(Invalid, match="too short"):
        await set_up(link, password="short")
    with pytest.raises(Invalid, match="email"):
        await set_up(link, email="nonsense")
    with pytest.raises(Invalid, match="name is missing"):
        await set_up(link, full_name=" ")
    with pytest.raises(Refused, match="already an account"):
        await set_up(link, email="taken@example.org")
    await set_up(link)


async def test_links_are_stored_as_hashes_only(db, clock, make_user):
    await make_user()
    tokens = [
        await links.first_run_link(db, clock.now()),
        await links.sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now()),
    ]
    async with db.connection() as conn:
        stored = await conn.fetchval("SELECT string_agg(setup_links::text, ' ') FROM setup_links")
    assert not any(token in stored for token in tokens)


async def test_a_sign_in_link_names_its_owner_without_being_used_and_signs_in_once(db, clock, make_user, audited):
    user = await make_user()
    link = await links.sign_in_link(db, "ANA@example.org", by=OPERATOR, now=clock.now())
    for _ in range(3):
        assert await links.email_of_sign_in_link(db, link, clock.now()) == "ana@example.org"
    session = await links.use_sign_in_link(db, link, now=clock.now())
    assert (await sessions.principal_of(db, session, clock.now())).user_id == user.id
    for again in (
        links.email_of_sign_in_link(db, link, clock.now()),
        links.use_sign_in_link(db, link, now=clock.now()),
    ):
        with pytest.raises(NotFound):
            await again
    assert (await audited())[1:] == [
        "operator:cli user.sign_in_link_made user:ana@example.org",
        "ana@example.org user.signed_in user:ana@example.org",
    ]


async def test_a_sign_in_link_pressed_twice_at_once_opens_one_session(db, clock, make_user):
    await make_user()
    link = await links.sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now())
    outcomes = await asyncio.gather(
        *(links.use_sign_in_link(db, link, now=clock.now()) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["NotFound"] * 3 + ["str"]


async def test_a_sign_in_link_ends_after_fifteen_minutes(db, clock, make_user):
    await make_user()
    link = await links.sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now())
    clock.advance(minutes=15)
    with pytest.raises(NotFound):
        await links.email_of_sign_in_link(db, link, clock.now())
    with pytest.raises(NotFound):
        await links.use_sign_in_link(db, link, now=clock.now())


async def test_a_disabled_account_gets_no_link_and_an_earlier_one_is_dead(db, clock, make_user):
    user = await make_user()
    link = await links.sign_in_link(db, user.email, by=OPERATOR, now=clock.now())
    await accounts.update_user(db, user.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
    with pytest.raises(NotFound):
        await links.email_of_sign_in_link(db, link, clock.now())
    with pytest.raises(NotFound):
        await links.use_sign_in_link(db, link, now=clock.now())
    with pytest.raises(Refused, match="disabled"):
        await links.sign_in_link(db, user.email, by=OPERATOR, now=clock.now())


async def test_one_kind_of_link_does_not_work_as_the_other(db, clock, make_user, set_up):
    await make_user()
    sign_in = await links.sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now())
    set_up_link = await links.first_run_link(db, clock.now())
    with pytest.raises(NotFound):
        await set_up(sign_in)
    with pytest.raises(NotFound):
        await links.use_sign_in_link(db, set_up_link, now=clock.now())


async def test_nobody_gets_a_link_who_has_no_account(db, clock):
    with pytest.raises(NotFound):
        await links.sign_in_link(db, "nobody@example.org", by=OPERATOR, now=clock.now())


async def test_the_sweep_takes_used_and_old_links_away(db, clock, make_user):
    await make_user()
    for _ in range(2):
        link = await links.sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now())
    await links.use_sign_in_link(db, link, now=clock.now())
    assert await sweep(db, clock.now()) == 1
    clock.advance(minutes=15)
    assert await sweep(db, clock.now()) == 1
