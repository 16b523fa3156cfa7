"""Signing in and out as a browser without scripts does it."""

import pytest

from sev1.access import accounts, links
from sev1.access.accounts import UserChange
from sev1.access.model import OPERATOR, Role
from sev1.access.sessions import open_session
from sev1.access.web import COOKIE

GOOD = "four plain words here"
SIGN_IN = {"email": "ana@example.org", "password": GOOD}


async def _sessions(db):
    async with db.connection() as conn:
        return await conn.fetchval("SELECT count(*) FROM sessions")


async def test_the_form_signs_in_and_leads_on(client, make_user):
    await make_user(password=GOOD)
    assert (await client.get("/sign-in")).status_code == 200
    answer = await client.post("/sign-in", data={**SIGN_IN, "next": "/admin-only?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin-only?x=1")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=604800"))
    assert (await client.get("/who")).json()["name"] == "ana@example.org"


async def test_the_form_does_not_lead_away(client, make_user):
    await make_user(password=GOOD)
    for away in ("//evil.example", "https://evil.example", "/\\evil.example"):
        assert "evil" not in (await client.get("/sign-in", params={"next": away})).text
        answer = await client.post("/sign-in", data={**SIGN_IN, "next": away})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_wrong_password_shows_the_form_again_with_the_email_and_without_the_password(client, make_user):
    await make_user(password=GOOD)
    wrong = {"email": "ana@example.org", "password": "not the password", "next": "/pages/7"}
    answer = await client.post("/sign-in", data=wrong)
    assert answer.status_code == 403
    assert "The email or the password is not right." in answer.text
    assert 'value="ana@example.org"' in answer.text
    assert 'value="/pages/7"' in answer.text
    assert "not the password" not in answer.text
    assert COOKIE not in answer.cookies


async def test_what_was_typed_is_shown_as_text(client):
    answer = await client.post("/sign-in", data={"email": '"><script>x</script>', "password": "y"})
    assert "<script>" not in answer.text


async def test_too_many_attempts_say_when_to_come_back(client, make_user):
    await make_user(password=GOOD)
    for _ in range(5):
        await client.post("/sign-in", data={**SIGN_IN, "password": "wrong"})
    answer = await client.post("/sign-in", data=SIGN_IN)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "900"
    assert "Try again in 15 minutes." in answer.text


@pytest.mark.parametrize("body", [b"", b"email=%00&password=%ff%fe", b"email=a&email=b&password=c", b"=&&&", b"\xff"])
async def test_a_broken_form_is_a_wrong_password_and_no_crash(client, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post("/sign-in", content=body, headers=headers)
    assert answer.status_code in {400, 403}


async def test_a_form_of_a_megabyte_is_refused_unread(client):
    answer = await client.post("/sign-in", data={**SIGN_IN, "next": "x" * 1_000_000})
    assert answer.status_code == 413


async def test_signing_in_gives_a_new_session_and_ends_the_one_before(client, db, clock, enter, make_user):
    await enter(email="bo@example.org")
    before = client.cookies[COOKIE]
    await make_user(password=GOOD)
    await client.post("/sign-in", data=SIGN_IN)
    client.cookies.clear()
    client.cookies.set(COOKIE, before)
    assert (await client.get("/who")).status_code == 303
    assert await _sessions(db) == 1


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(client, db, enter):
    await enter()
    cookie = client.cookies[COOKIE]
    csrf = (await client.get("/who")).json()["csrf"]
    assert (await client.post("/sign-out")).status_code == 403, "another site must not sign one out either"
    answer = await client.post("/sign-out", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    client.cookies.set(COOKIE, cookie)
    assert (await client.get("/who")).status_code == 303
    assert await _sessions(db) == 0


async def test_signing_out_everywhere_ends_the_sessions_on_other_machines(client, db, clock, enter):
    user = await enter()
    async with db.transaction() as conn:
        await open_session(conn, user.id, agent="phone", now=clock.now())
    csrf = (await client.get("/who")).json()["csrf"]
    await client.post("/sign-out", data={"csrf": csrf, "everywhere": "yes"})
    assert await _sessions(db) == 0


async def test_signing_out_on_one_machine_leaves_the_others(client, db, clock, enter):
    user = await enter()
    async with db.transaction() as conn:
        await open_session(conn, user.id, agent="phone", now=clock.now())
    csrf = (await client.get("/who")).json()["csrf"]
    await client.post("/sign-out", data={"csrf": csrf})
    assert await _sessions(db) == 1


async def test_signing_out_twice_leads_to_the_form(client):
    answer = await client.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")


async def test_the_set_up_page_makes_the_first_admin_and_signs_them_in(client, db, clock):
    link = await links.first_run_link(db, clock.now())
    form = await client.get(f"/setup/{link}")
    assert form.status_code == 200
    assert f'action="/setup/{link}"' in form.text
    fields = {"email": "root@example.org", "full_name": "Root R."}
    short = await client.post(f"/setup/{link}", data={**fields, "password": "short"})
    assert short.status_code == 400
    assert "at least 12 characters" in short.text
    assert 'value="Root R."' in short.text
    answer = await client.post(f"/setup/{link}", data={**fields, "password": GOOD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await client.get("/who")).json()["role"] == "admin"
    assert (await client.get(f"/setup/{link}")).status_code == 404
    assert (await client.post(f"/setup/{link}", data={**fields, "password": GOOD})).status_code == 404


async def test_a_made_up_link_leads_nowhere(client):
    for path in ("/setup/x", "/link/x", "/link/%00", "/link/" + "x" * 5000):
        for answer in (await client.get(path), await client.post(path)):
            assert answer.status_code == 404, path
            assert "used already or is too old" in answer.text


async def test_opening_a_sign_in_link_shows_a_button_and_only_pressing_it_signs_in(client, db, clock, make_user):
    await make_user()
    link = await links.sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now())
    for _ in range(3):
        page = await client.get(f"/link/{link}")
        assert page.status_code == 200
        assert "Sign in as ana@example.org" in page.text
        assert COOKIE not in page.cookies
    assert await _sessions(db) == 0
    answer = await client.post(f"/link/{link}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await client.get("/who")).json()["name"] == "ana@example.org"
    assert (await client.post(f"/link/{link}")).status_code == 404


async def test_a_person_who_was_disabled_can_neither_sign_in_nor_use_the_link(client, db, clock, make_user):
    user = await make_user(password=GOOD)
    link = await links.sign_in_link(db, user.email, by=OPERATOR, now=clock.now())
    await make_user(Role.ADMIN, "root@example.org")
    await accounts.update_user(db, user.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
    assert (await client.post("/sign-in", data=SIGN_IN)).status_code == 403
    assert (await client.get(f"/link/{link}")).status_code == 404
    assert (await client.post(f"/link/{link}")).status_code == 404
