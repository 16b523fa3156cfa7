import asyncio

import pytest

from sev1.access import accounts, sessions
from sev1.access.accounts import UserChange
from sev1.access.model import OPERATOR, Role
from sev1.access.sign_in import sign_in
from sev1.engine.errors import Forbidden, Invalid, NotFound, Refused

GOOD = "four plain words here"


async def _session(db, user, now):
    async with db.transaction() as conn:
        return await sessions.open_session(conn, user.id, agent="", now=now)


async def test_an_account_is_found_by_its_email_however_it_is_spelled(db, make_user):
    user = await make_user(email="Ana.R@Example.org")
    assert user.email == "Ana.R@Example.org"
    assert await accounts.user_by_email(db, " ana.r@EXAMPLE.org ") == user
    assert await accounts.list_users(db) == [user]


async def test_a_second_account_for_the_same_email_is_refused(make_user):
    await make_user(email="ana@example.org")
    with pytest.raises(Refused, match="already an account"):
        await make_user(email="ANA@example.org")


async def test_what_is_not_an_email_is_refused_and_nothing_is_kept(db, make_user):
    for email in ("", "ana", "@example.org", "a b@example.org", "a@b@c", "a\x00@b", "a@" + "b" * 300):
        with pytest.raises(Invalid):
            await make_user(email=email)
    assert await accounts.list_users(db) == []


async def test_a_bad_password_is_refused_and_nothing_is_kept(db, make_user):
    with pytest.raises(Invalid, match="too short"):
        await make_user(password="short")
    assert await accounts.list_users(db) == []


async def test_the_database_never_sees_the_password(db, make_user):
    await make_user(password=GOOD)
    async with db.connection() as conn:
        row = await conn.fetchrow("SELECT users::text AS everything FROM users")
        log = await conn.fetchval("SELECT string_agg(data::text, '') FROM audit_log")
    assert GOOD not in row["everything"]
    assert GOOD not in log


async def test_changes_are_recorded_with_who_made_them(db, clock, make_user, audited):
    await make_user("admin", "root@example.org")
    user = await make_user("viewer")
    change = UserChange(role=Role.RESPONDER, full_name="Ana Roberts", password=GOOD, disabled=True)
    after = await accounts.update_user(db, user.id, change, by=OPERATOR, now=clock.now())
    assert (after.role, after.full_name, after.disabled, after.has_password) == (
        Role.RESPONDER, "Ana Roberts", True, True,
    )  # fmt: skip
    await accounts.update_user(db, user.id, UserChange(disabled=False), by=OPERATOR, now=clock.now())
    assert (await audited())[2:] == [
        "operator:cli user.role_changed user:ana@example.org",
        "operator:cli user.disabled user:ana@example.org",
        "operator:cli user.renamed user:ana@example.org",
        "operator:cli user.password_set user:ana@example.org",
        "operator:cli user.enabled user:ana@example.org",
    ]


async def test_a_change_that_changes_nothing_is_not_recorded(db, clock, make_user, audited):
    user = await make_user("viewer")
    assert await accounts.update_user(db, user.id, UserChange(), by=OPERATOR, now=clock.now()) == user
    await accounts.update_user(db, user.id, UserChange(role=Role.VIEWER), by=OPERATOR, now=clock.now())
    assert len(await audited()) == 1


async def test_an_account_that_does_not_exist_cannot_be_changed(db, clock):
    with pytest.raises(NotFound):
        await accounts.update_user(db, 404, UserChange(disabled=True), by=OPERATOR, now=clock.now())


async def test_a_new_role_counts_for_the_session_that_is_open(db, clock, make_user):
    await make_user("admin", "root@example.org")
    user = await make_user("responder")
    token = await _session(db, user, clock.now())
    await accounts.update_user(db, user.id, UserChange(role=Role.VIEWER), by=OPERATOR, now=clock.now())
    principal = await sessions.principal_of(db, token, clock.now())
    assert principal is not None
    assert principal.role is Role.VIEWER
    assert not principal.may("pages:write")


async def test_disabling_ends_the_sessions_for_good_even_if_the_account_is_enabled_again(db, clock, make_user):
    user = await make_user("responder")
    token = await _session(db, user, clock.now())
    await accounts.update_user(db, user.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
    assert await sessions.principal_of(db, token, clock.now()) is None
    await accounts.update_user(db, user.id, UserChange(disabled=False), by=OPERATOR, now=clock.now())
    assert await sessions.principal_of(db, token, clock.now()) is None


async def test_a_disabled_account_is_refused_even_where_its_session_is_still_stored(db, clock, make_user):
    user = await make_user("responder")
    token = await _session(db, user, clock.now())
    async with db.connection() as conn:
        await conn.execute("UPDATE users SET disabled = true")
    assert await sessions.principal_of(db, token, clock.now()) is None


async def test_a_new_password_ends_all_sessions_but_the_one_that_set_it(db, clock, make_user):
    user = await make_user("admin", password=GOOD)
    mine, stolen = await _session(db, user, clock.now()), await _session(db, user, clock.now())
    me = await sessions.principal_of(db, mine, clock.now())
    await accounts.update_user(db, user.id, UserChange(password="another few words"), by=me, now=clock.now())
    assert await sessions.principal_of(db, mine, clock.now()) == me
    assert await sessions.principal_of(db, stolen, clock.now()) is None
    with pytest.raises(Forbidden):
        await sign_in(db, email=user.email, password=GOOD, address="::1", now=clock.now())
    await sign_in(db, email=user.email, password="another few words", address="::1", now=clock.now())


async def test_a_changed_password_is_checked_against_the_accounts_own_email(db, clock, make_user):
    user = await make_user("viewer", "somebody@example.org")
    with pytest.raises(Invalid, match="email address"):
        await accounts.update_user(
            db, user.id, UserChange(password="Somebody@example.org"), by=OPERATOR, now=clock.now()
        )


@pytest.mark.parametrize("change", [UserChange(disabled=True), UserChange(role=Role.RESPONDER)])
async def test_the_last_admin_cannot_be_disabled_or_demoted(db, clock, make_user, change):
    admin = await make_user("admin", "root@example.org")
    gone = await make_user("admin", "gone@example.org")
    await accounts.update_user(db, gone.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
    with pytest.raises(Refused, match="last admin"):
        await accounts.update_user(db, admin.id, change, by=OPERATOR, now=clock.now())
    assert (await accounts.user_by_email(db, "root@example.org")) == admin


async def test_somebody_else_may_be_demoted_while_there_is_one_admin(db, clock, make_user):
    await make_user("admin", "root@example.org")
    other = await make_user("responder")
    await accounts.update_user(db, other.id, UserChange(role=Role.VIEWER), by=OPERATOR, now=clock.now())


async def test_of_two_admins_who_demote_each_other_at_once_one_stays(db, clock, make_user):
    for round_ in range(5):
        pair = [await make_user("admin", f"{name}{round_}@example.org") for name in ("a", "b")]
        outcomes = await asyncio.gather(
            *(
                accounts.update_user(db, user.id, UserChange(role=Role.VIEWER), by=OPERATOR, now=clock.now())
                for user in pair
            ),
            return_exceptions=True,
        )
        assert sorted(type(o).__name__ for o in outcomes) == ["Refused", "User"]
        async with db.connection() as conn:
            assert await conn.fetchval("SELECT count(*) FROM users WHERE role = 'admin'") == 1
            await conn.execute("UPDATE users SET role = 'viewer'")


async def test_the_chosen_theme_travels_with_the_session(db, clock, make_user):
    user = await make_user()
    token = await _session(db, user, clock.now())
    assert (await sessions.principal_of(db, token, clock.now())).theme == "auto"
    await accounts.set_theme(db, user.id, "dark")
    assert (await sessions.principal_of(db, token, clock.now())).theme == "dark"
