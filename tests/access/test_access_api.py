"""The access part of `/api/v1`, as a program with a token uses it."""

import re

import pytest

from sev1.access import keys, tokens
from sev1.access.declare import Access, declared_routes
from sev1.access.model import OPERATOR, SCOPES, Role

GOOD = "four plain words here"
HUGE_ID = 2**63


@pytest.fixture
async def api(client, db, clock):
    """The browser's twin with an admin's token."""
    issued = await tokens.create(db, name="admin", role=Role.ADMIN, by=OPERATOR, now=clock.now())
    client.headers["Authorization"] = f"Bearer {issued.token}"
    return client


async def test_every_route_of_the_api_is_closed_to_responders_and_their_tokens(client, db, clock, app):
    issued = await tokens.create(db, name="r", role=Role.RESPONDER, by=OPERATOR, now=clock.now())
    reader = await tokens.create(db, name="a", role=Role.ADMIN, scopes=["read"], by=OPERATOR, now=clock.now())
    calls = [
        (method, re.sub(r"{\w+:int}", "1", path))
        for path, methods, access in declared_routes(app)
        for method in methods
        if path.startswith("/api/v1/") and access == Access(scope="access:write")
    ]
    assert len(calls) == 9
    for method, url in calls:
        for token in (issued.token, reader.token):
            answer = await client.request(method, url, headers={"Authorization": f"Bearer {token}"}, json={})
            assert answer.status_code == 403, (method, url)


async def test_me_is_who_holds_the_token(api, client, db, clock):
    assert (await api.get("/api/v1/me")).json() == {
        "kind": "token", "name": "admin", "display": "admin", "role": "admin", "scopes": sorted(SCOPES),
    }  # fmt: skip


async def test_a_token_is_made_shown_once_listed_and_revoked(api):
    made = await api.post("/api/v1/tokens", json={"name": "ci", "role": "admin", "scopes": ["catalog:write"]})
    assert made.status_code == 201
    assert made.json()["token"].startswith("sev1_")
    assert made.json()["created_by"] == "token:admin"
    listed = await api.get("/api/v1/tokens")
    assert [(t["name"], t["scopes"]) for t in listed.json()] == [("admin", sorted(SCOPES)), ("ci", ["catalog:write"])]
    assert made.json()["token"] not in listed.text
    assert "hash" not in listed.text
    path = f"/api/v1/tokens/{made.json()['id']}"
    assert [(await api.delete(path)).status_code for _ in range(2)] == [204, 204]
    gone = await api.get("/api/v1/me", headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert gone.status_code == 401


async def test_a_key_made_through_the_api_works_at_once_and_stops_at_once(api, keyring):
    made = await api.post("/api/v1/keys", json={"kind": "prometheus", "service": "checkout"})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert keyring.get_cached(secret).service == "checkout"
    listed = await api.get("/api/v1/keys")
    assert [k["hint"] for k in listed.json()] == [secret[-4:]]
    assert secret not in listed.text
    assert (await api.delete(f"/api/v1/keys/{made.json()['id']}")).status_code == 204
    assert keyring.get_cached(secret) is None
    assert (await keyring.load(secret)) is None


async def test_accounts_are_made_listed_and_changed_and_no_answer_holds_a_password(api, db):
    made = await api.post("/api/v1/users", json={"email": "ana@example.org", "role": "viewer", "password": GOOD})
    assert made.status_code == 201
    assert (made.json()["role"], made.json()["has_password"]) == ("viewer", True)
    changed = await api.patch(f"/api/v1/users/{made.json()['id']}", json={"role": "responder"})
    assert (changed.status_code, changed.json()["role"], changed.json()["disabled"]) == (200, "responder", False)
    disabled = await api.patch(f"/api/v1/users/{made.json()['id']}", json={"disabled": True})
    assert (disabled.json()["role"], disabled.json()["disabled"]) == ("responder", True)
    listed = await api.get("/api/v1/users")
    assert [u["email"] for u in listed.json()] == ["ana@example.org"]
    for answer in (made, changed, disabled, listed):
        assert "argon2" not in answer.text
        assert GOOD not in answer.text


async def test_the_last_admin_stays_one(api, make_user):
    admin = await make_user("admin", "root@example.org")
    for change in ({"role": "viewer"}, {"disabled": True}):
        answer = await api.patch(f"/api/v1/users/{admin.id}", json=change)
        assert answer.status_code == 409
        assert "last admin" in answer.json()["message"]


async def test_what_does_not_exist_is_not_found_and_impossible_numbers_are_no_crash(api):
    for path in ("/api/v1/tokens/404", "/api/v1/keys/404"):
        assert (await api.delete(path)).status_code == 404
    assert (await api.patch("/api/v1/users/404", json={})).status_code == 404
    for number in (0, -1, HUGE_ID, "x", "1.5"):
        assert (await api.delete(f"/api/v1/tokens/{number}")).status_code in {400, 404}
        assert (await api.delete(f"/api/v1/keys/{number}")).status_code in {400, 404}
        assert (await api.patch(f"/api/v1/users/{number}", json={})).status_code in {400, 404}


async def test_a_malformed_request_is_refused_and_changes_nothing(api, db):
    bad = {
        "/api/v1/tokens": [
            {}, [], {"name": "x"}, {"name": "x", "role": "king"}, {"name": "x", "role": "viewer", "scopes": ["no"]},
            {"name": "a\x00b", "role": "viewer"}, {"name": "\u202e", "role": "viewer"}, {"name": 5, "role": "viewer"},
            {"name": "x", "role": "viewer", "scopes": []}, {"name": "x", "role": "viewer", "more": 1},
            {"name": "x" * 101, "role": "viewer"}, {"name": "x", "role": "viewer", "scopes": ["access:write"]},
        ],
        "/api/v1/keys": [
            {}, {"kind": "smoke"}, {"kind": "json", "service": "Not A Slug"}, {"kind": "json", "name": "a\x00"},
        ],
        "/api/v1/users": [
            {}, {"email": "x", "role": "viewer"}, {"email": "a@b\x00", "role": "viewer"},
            {"email": "a@b", "role": "viewer", "password": "short"}, {"email": "a@b", "role": "x"},
            {"email": "a@b", "role": "viewer", "full_name": "a\x00"},
            {"email": "abcdefghijklmn@b", "role": "viewer", "password": "abcdefghijklmn"},
        ],
    }  # fmt: skip
    for path, bodies in bad.items():
        for body in bodies:
            assert (await api.post(path, json=body)).status_code == 400, (path, body)
        for raw in (b"", b"{", b"\xff", b'{"name": "\\ud800", "role": "viewer"}', b"null"):
            answer = await api.post(path, content=raw, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, (path, raw)
    assert len(await tokens.list_all(db)) == 1
    assert await keys.list_all(db) == []
    assert (await api.get("/api/v1/users")).json() == []


async def test_names_that_are_taken_are_a_conflict(api):
    assert (await api.post("/api/v1/tokens", json={"name": "admin", "role": "viewer"})).status_code == 409
    user = {"email": "ana@example.org", "role": "viewer"}
    assert (await api.post("/api/v1/users", json=user)).status_code == 201
    assert (await api.post("/api/v1/users", json={**user, "email": "ANA@example.org"})).status_code == 409


async def test_a_body_over_the_limit_is_refused(api):
    answer = await api.post("/api/v1/tokens", json={"name": "x" * 100_000, "role": "viewer"})
    assert answer.status_code == 413
