"""A page of another site cannot make a signed-in browser change anything, and cannot sign it in as somebody else."""

import pytest

from sev1.access.csrf import _unmasked, csrf_token, is_own_origin, masked
from sev1.access.links import sign_in_link
from sev1.access.model import OPERATOR
from sev1.access.web import COOKIE

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://sev1.example.evil.example"},
    {"Origin": "https://sev1.example@evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://wiki.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://sev1.example"},
]


async def _csrf(client):
    return (await client.get("/who")).json()["csrf"]


async def test_a_plain_form_with_the_token_is_accepted_and_the_handler_still_sees_its_fields(client, enter):
    await enter()
    answer = await client.post("/act", data={"csrf": await _csrf(client), "note": "it's mine"})
    assert (answer.status_code, answer.json()["note"]) == (200, "it's mine")


async def test_a_form_with_files_is_accepted_too(client, enter):
    await enter()
    fields = {"csrf": (None, await _csrf(client)), "note": (None, "hello")}
    assert (await client.post("/act", files=fields)).json()["note"] == "hello"


async def test_the_token_may_come_in_a_header(client, enter):
    await enter()
    assert (await client.post("/act", headers={"X-CSRF-Token": await _csrf(client)})).status_code == 200


async def test_without_the_right_token_nothing_happens(client, enter):
    await enter()
    answer = await client.post("/act")
    assert answer.status_code == 403
    assert "reload the page" in answer.text
    for token in ("", "x", "ü", "a" * 43, "\ud800"):
        as_field = await client.post("/act", data={"csrf": token.encode("utf-8", "surrogatepass")})
        as_header = await client.post("/act", headers={"X-CSRF-Token": token.encode("utf-8", "surrogatepass")})
        assert (as_field.status_code, as_header.status_code) == (403, 403), token


async def test_a_token_in_the_address_or_in_json_or_twice_in_disagreement_does_not_count(client, enter):
    await enter()
    token = await _csrf(client)
    assert (await client.post(f"/act?csrf={token}")).status_code == 403
    assert (await client.post("/act", json={"csrf": token})).status_code == 403
    wrong_header = await client.post("/act", data={"csrf": token}, headers={"X-CSRF-Token": "wrong"})
    assert wrong_header.status_code == 403


async def test_a_token_of_another_session_of_the_same_person_does_not_count(client, enter, db, clock):
    await enter()
    first = await _csrf(client)
    client.cookies.clear()
    await enter(email="bo@example.org")
    assert (await client.post("/act", data={"csrf": first})).status_code == 403
    assert (await client.post("/act", data={"csrf": await _csrf(client)})).status_code == 200


def test_the_token_depends_on_the_servers_secret_and_on_the_session_and_does_not_reveal_it():
    token = csrf_token(b"a" * 32, b"session")
    assert token == csrf_token(b"a" * 32, b"session")
    assert len({token, csrf_token(b"b" * 32, b"session"), csrf_token(b"a" * 32, b"other")}) == 3
    assert len(token) == 43


async def test_the_token_reads_differently_in_each_page_and_counts_in_each(client, enter):
    await enter()
    first, second = await _csrf(client), await _csrf(client)
    assert first != second
    for token in (first, second):
        assert (await client.post("/act", data={"csrf": token})).status_code == 200


@pytest.mark.parametrize("wrong", ["", "é", "%%%", "a", "\ud800", "A" * 86, "A" * 43, "A" * 200_000])
def test_what_is_no_masked_token_is_none(wrong):
    assert _unmasked(wrong) != csrf_token(b"a" * 32, b"session")


def test_a_masked_token_is_found_again_and_the_bare_one_is_not_taken():
    token = csrf_token(b"a" * 32, b"session")
    assert _unmasked(masked(token)) == token
    assert _unmasked(token) != token
    assert len(masked(token)) == 86


async def test_a_form_on_another_site_is_refused_even_with_the_right_token(client, enter):
    await enter()
    token = await _csrf(client)
    for headers in FOREIGN:
        answer = await client.post("/act", data={"csrf": token}, headers=headers)
        assert answer.status_code == 403, headers
        assert "another site" in answer.text


async def test_a_form_on_another_site_cannot_sign_the_browser_in(client, make_user, db, clock):
    await make_user(password="four plain words here")
    link = await sign_in_link(db, "ana@example.org", by=OPERATOR, now=clock.now())
    form = {"email": "ana@example.org", "password": "four plain words here"}
    for headers in FOREIGN:
        for path in ("/sign-in", f"/link/{link}", "/setup/x"):
            answer = await client.post(path, data=form, headers=headers)
            assert answer.status_code == 403, (path, headers)
            assert COOKIE not in answer.cookies
    assert COOKIE in (await client.post(f"/link/{link}")).cookies, "the link was not used up by the refused ones"


async def test_our_own_pages_are_let_through(client, enter):
    await enter()
    form = {"csrf": await _csrf(client)}
    del client.headers["Origin"]
    ours = [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "https://sev1.example"}]
    for headers in ours:
        assert (await client.post("/act", data=form, headers=headers)).status_code == 200, headers


async def test_a_program_that_says_nothing_of_origins_still_needs_the_token(client, enter):
    await enter()
    token = await _csrf(client)
    del client.headers["Origin"]
    assert (await client.post("/act")).status_code == 403
    assert (await client.post("/act", data={"csrf": token})).status_code == 200


async def test_a_link_from_another_site_opens_a_page(client, enter):
    await enter()
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    assert (await client.get("/who", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://localhost:8080", "localhost:8080", True),
        ("http://127.0.0.1:8080", "localhost:8080", False),
        ("https://sev1.example", "10.0.0.7:8080", True),
        ("http://sev1.example", "10.0.0.7:8080", False),
        ("https://sev1.example:444", "10.0.0.7:8080", False),
        ("", "", False),
        ("null", "", False),
        ("file://", "", False),
        ("https://[", "x", False),
    ],
)
def test_an_origin_is_ours_when_it_is_the_address_asked_or_the_one_we_are_known_by(origin, host, ours):
    assert is_own_origin(origin, host, "https://sev1.example") is ours
