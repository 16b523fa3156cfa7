"""Who gets through, who is led to the sign-in form, and who is refused; and the headers of every answer."""

import httpx
import pytest
from litestar import Litestar, WebSocket, asgi, get, post, websocket
from litestar.router import Router
from litestar.types import Receive, Scope, Send

from sev1.access import accounts, sessions, tokens
from sev1.access.accounts import UserChange
from sev1.access.declare import check_every_route_declares, declared_routes, needs, public
from sev1.access.model import OPERATOR, Role
from sev1.access.web import COOKIE, Gate, local_path, session_cookie


@pytest.fixture
async def bearer(db, clock):
    async def make(role="responder", scopes=None):
        issued = await tokens.create(
            db, name=f"t-{role}-{scopes}", role=Role(role), scopes=scopes, by=OPERATOR, now=clock.now()
        )
        return {"Authorization": f"Bearer {issued.token}"}

    return make


# Pages and the cookie -------------------------------------------------------------------------------------------------


async def test_a_signed_in_browser_sees_the_page_as_itself(client, enter):
    await enter("viewer")
    answer = await client.get("/who")
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["role"]) == ("ana@example.org", "viewer")


async def test_nobody_is_led_to_the_sign_in_form_and_back_to_the_page(client):
    answer = await client.get("/who?tab=2&x=%2F")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/who%3Ftab%3D2%26x%3D%252F"
    form = await client.get(answer.headers["location"])
    assert 'value="/who?tab=2&amp;x=%2F"' in form.text


async def test_a_form_sent_after_the_session_ended_leads_back_to_the_page_it_was_on(client):
    answer = await client.post("/act", headers={"Referer": "https://sev1.example/pages/7?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/pages/7%3Fx%3D1")
    for referer in ("https://evil.example//evil.example/x", "https://[", ""):
        answer = await client.post("/act", headers={"Referer": referer})
        assert answer.headers["location"] == "/sign-in?next=/"


async def test_a_fragment_fetched_after_the_session_ended_moves_the_whole_page(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://sev1.example/incidents/3"}
    answer = await client.get("/who", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=/incidents/3"


async def test_a_cookie_that_is_no_session_is_nobody(client):
    for cookie in ("x", "", "a" * 43, "%00", "sev1_" + "a" * 43, "\xff"):
        headers = {"Cookie": f"{COOKIE}={cookie}".encode("latin-1")}
        assert (await client.get("/who", headers=headers)).status_code == 303, cookie


async def test_a_session_that_was_idle_for_too_long_is_led_to_the_form(client, enter, clock):
    await enter()
    clock.advance(hours=12)
    assert (await client.get("/who")).status_code == 303


async def test_a_page_beyond_ones_role_is_refused_and_not_a_reason_to_sign_in(client, enter):
    await enter("responder")
    answer = await client.get("/admin-only")
    assert answer.status_code == 403
    assert "access:write" in answer.text
    assert "secrets of the house" not in answer.text


async def test_a_change_of_role_counts_at_the_next_request(client, enter, make_user, db, clock):
    await make_user("admin", "root@example.org")
    user = await enter("admin")
    assert (await client.get("/admin-only")).status_code == 200
    await accounts.update_user(db, user.id, UserChange(role=Role.VIEWER), by=OPERATOR, now=clock.now())
    assert (await client.get("/admin-only")).status_code == 403
    await accounts.update_user(db, user.id, UserChange(disabled=True), by=OPERATOR, now=clock.now())
    assert (await client.get("/who")).status_code == 303


async def test_a_page_does_not_take_a_bearer_token(client, bearer):
    assert (await client.get("/who", headers=await bearer("admin"))).status_code == 303


async def test_a_public_route_is_answered_without_asking_the_database_who_it_is(client, enter, monkeypatch):
    await enter()
    monkeypatch.setattr(sessions, "principal_of", None)
    answer = await client.get("/asset")
    assert (answer.status_code, answer.text) == (200, "anonymous")


async def test_a_public_route_can_recognise_who_is_there(client, enter):
    assert (await client.get("/recognised")).json() == {"name": ""}
    await enter()
    assert (await client.get("/recognised")).json() == {"name": "ana@example.org"}


# The API and bearer tokens --------------------------------------------------------------------------------------------


async def test_the_api_takes_a_token_and_knows_its_name(client, bearer):
    headers = await bearer("viewer")
    assert (await client.get("/api/v1/read", headers=headers)).json() == {"name": "t-viewer-None"}
    lower = {"Authorization": headers["Authorization"].replace("Bearer", "bearer")}
    assert (await client.get("/api/v1/read", headers=lower)).status_code == 200


async def test_the_api_without_a_valid_token_says_which_kind_it_wants(client):
    for sent in (None, "", "Bearer", "Bearer ", "Bearer sev1_x", "Basic sev1_x", "Bearer \xff", "sev1_x"):
        headers = {} if sent is None else {"Authorization": sent.encode("latin-1")}
        answer = await client.get("/api/v1/read", headers=headers)
        assert answer.status_code == 401, sent
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "sign_in_needed"


async def test_the_api_never_takes_the_cookie_not_even_with_the_forms_token(client, enter):
    await enter("admin")
    csrf = (await client.get("/who")).json()["csrf"]
    assert (await client.get("/api/v1/read")).status_code == 401
    answer = await client.post("/api/v1/act", headers={"X-CSRF-Token": csrf}, data={"csrf": csrf})
    assert answer.status_code == 401


async def test_a_token_without_the_scope_is_refused(client, bearer):
    assert (await client.post("/api/v1/act", headers=await bearer("responder"))).status_code == 200
    refused = await client.post("/api/v1/act", headers=await bearer("responder", ["read"]))
    assert refused.status_code == 403
    assert refused.json()["data"] == {"scope": "pages:write"}
    assert (await client.post("/api/v1/act", headers=await bearer("viewer"))).status_code == 403


async def test_a_token_works_from_any_origin_because_no_browser_sends_it_by_itself(client, bearer):
    headers = {**await bearer(), "Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/api/v1/act", headers=headers)).status_code == 200


async def test_the_api_description_is_public(client):
    answer = await client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert "/api/v1/tokens" in answer.json()["paths"]
    assert "/sign-in" not in answer.json()["paths"]


async def test_intake_is_nobodys_session_and_no_form(client, enter):
    await enter()
    headers = {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
    answer = await client.post("/integrations/x", headers=headers)
    assert (answer.status_code, answer.text) == (200, "anonymous")


# Every route says who may call it -------------------------------------------------------------------------------------


def test_the_start_fails_when_a_route_does_not_say_who_may_call_it():
    @get("/silent")
    async def silent() -> None: ...

    @post("/spoken", opt=public())
    async def spoken() -> None: ...

    @asgi("/mounted", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None: ...

    app = Litestar([silent, spoken, mounted], openapi_config=None)
    with pytest.raises(RuntimeError, match=r"GET /silent.*ANY /mounted") as error:
        check_every_route_declares(app)
    assert "/spoken" not in str(error.value)


def test_the_start_fails_when_a_route_says_something_else_than_needs_or_public():
    @get("/typo", opt={"access": "read"})
    async def typo() -> None: ...

    with pytest.raises(RuntimeError, match="GET /typo"):
        check_every_route_declares(Litestar([typo], openapi_config=None))


def test_the_start_fails_on_a_websocket():
    @websocket("/live", opt=needs("read"))
    async def live(socket: WebSocket) -> None: ...

    with pytest.raises(RuntimeError, match="/live is a WebSocket"):
        check_every_route_declares(Litestar([live], openapi_config=None))


async def test_all_routes_of_the_slice_declare_who_may_call_them(app):
    check_every_route_declares(app)
    said = {(method, path): str(access) for path, methods, access in declared_routes(app) for method in methods}
    assert said["POST", "/sign-in"] == "public"
    assert said["POST", "/sign-out"] == "read"
    assert said["POST", "/integrations/x"] == "integration key"
    assert said["PATCH", "/api/v1/users/{user_id:int}"] == "access:write"


def test_a_router_may_declare_for_its_routes():
    @get("/x")
    async def x() -> None: ...

    check_every_route_declares(Litestar([Router("/r", route_handlers=[x], opt=needs("read"))], openapi_config=None))


async def test_a_route_that_says_nothing_is_closed_even_if_the_check_was_forgotten(gate):
    @get("/silent")
    async def silent() -> str:
        return "open"

    app = Litestar([silent], guards=[gate.guard], middleware=[gate.authentication], openapi_config=None)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://sev1.example") as browser:
        answer = await browser.get("/silent")
    assert answer.status_code >= 400
    assert answer.text != "open"


async def test_options_names_the_methods_and_needs_nobody(client):
    answer = await client.options("/act")
    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")


# What every answer carries --------------------------------------------------------------------------------------------


async def test_every_answer_carries_the_security_headers_errors_too(client):
    for path in ("/sign-in", "/who", "/nowhere", "/api/v1/read", "/link/x"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
        ), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_an_asset_keeps_its_own_caching(client):
    assert (await client.get("/asset")).headers["cache-control"] == "max-age=3600"


def test_the_cookie_is_out_of_reach_for_scripts_and_travels_encrypted_where_the_server_is():
    header = session_cookie("t", "https://sev1.example").to_header(header="")
    assert {part.strip() for part in header.split(";")} == {
        "sev1_session=t", "HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=604800",
    }  # fmt: skip
    assert "Secure" not in session_cookie("t", "http://127.0.0.1:8080").to_header()


@pytest.mark.parametrize("path", ["/", "/pages/7", "/x?y=%2F%2Fz&u=http://a", "/ü?q=a b", "/sign-in-report", "/a//b"])
def test_a_local_path_is_followed(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None, "", "pages", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: x=y", "javascript:alert(1)", " //evil.example",
        "/" + "x" * 2000, "/sign-in", "/sign-in?next=/sign-in", "/sign-out/", "/a\u2028b",
    ],
)  # fmt: skip
def test_a_path_that_leads_away_or_around_in_circles_is_not(path):
    assert local_path(path) == "/"


async def test_a_short_secret_is_refused(db, clock):
    with pytest.raises(ValueError, match="32 bytes"):
        Gate(db, clock, public_url="http://x", secret=b"short")
