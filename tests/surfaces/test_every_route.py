"""Every route × everybody who could call it: who may, may; who may not is turned away before anything happens."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar

from sev1.access import accounts, links, tokens
from sev1.access.csrf import csrf_token, masked
from sev1.access.declare import Access, declared_routes
from sev1.access.model import OPERATOR, SCOPES_OF, Role
from sev1.access.secret import digest
from sev1.access.web import COOKIE, is_api
from sev1.app import Node
from sev1.engine.clock import FakeClock
from sev1.engine.settings import Settings
from tests.live.shared_app import app_of, asgi_of

PARAMETER = re.compile(r"\{(\w+):?(\w*)\}")
SAMPLES = {
    "int": "999999",
    "uuid": "7b0e5a3e-5a4a-4c56-9f0e-2f6f2f0f2f0f",
    "str": "nothing-here",
    "path": "nothing-here",
}
LEAVES = {"/sign-out"}
"""Routes that end the caller's own session: called last, so that the others still have it."""

Everybody = dict[str, tuple[Role | None, dict[str, str]]]


@pytest.fixture
async def node(fresh_database_url: str, clock: FakeClock) -> AsyncIterator[Node]:
    settings = Settings(public_url="http://sev1.test")
    async with Node(settings, fresh_database_url, clock=clock) as node:
        node.stopping.set()  # so that streams end at once instead of going on for ever
        yield node


@pytest.fixture
async def everybody(node: Node) -> Everybody:
    """Anonymous, a browser session and an API token of each role: (role, headers)."""
    now = node.clock.now()
    found: Everybody = {"anonymous": (None, {})}
    for role in Role:
        email = f"{role}@example.org"
        await accounts.create_user(node.db, email=email, role=role, by=OPERATOR, now=now)
        link = await links.sign_in_link(node.db, email, by=OPERATOR, now=now)
        session = await links.use_sign_in_link(node.db, link, now=now)
        found[f"{role} in a browser"] = (
            role,
            {
                "Cookie": f"{COOKIE}={session}",
                "Origin": "http://sev1.test",
                "X-CSRF-Token": masked(csrf_token(node.secret, digest(session))),
            },
        )
        token = await tokens.create(node.db, name=role, role=role, by=OPERATOR, now=now)
        found[f"{role} with a token"] = (role, {"Authorization": f"Bearer {token.token}"})
    return found


def address(path: str) -> str:
    return PARAMETER.sub(lambda found: SAMPLES[found[2] or "str"], path)


def routes_of(app: Litestar) -> list[tuple[str, str, Access]]:
    routes = [
        (method, path, access)
        for path, methods, access in declared_routes(app)
        for method in sorted(methods - {"HEAD", "OPTIONS"})
        if access is not None
    ]
    return sorted(routes, key=lambda route: (route[1] in LEAVES, route[1], route[0]))


def expected(access: Access, path: str, role: Role | None, who: str) -> bool:
    """May this caller? The API knows tokens only, everything else the browser's session only."""
    if access.scope is None:
        return True
    if role is None or ("token" in who) != is_api(path):
        return False
    return access.scope in SCOPES_OF[role]


def turned_away(answer: httpx.Response) -> bool:
    if answer.status_code in {401, 403}:
        return True
    to = urlsplit(answer.headers.get("location", ""))
    return answer.status_code == 303 and to.path == "/sign-in" and to.query.startswith("next=")


async def test_every_route_lets_in_exactly_those_it_names(node: Node, everybody: Everybody):
    app = app_of(node)
    routes = routes_of(app)
    assert len(routes) > 50
    transport = httpx.ASGITransport(asgi_of(node))
    wrong = []
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        for method, path, access in routes:
            if access.integration_key:
                continue  # their answers to a wrong key are the imitated vendors': see tests/intake, tests/triage
            for who, (role, headers) in everybody.items():
                answer = await http.request(method, address(path), headers=headers)
                # A public form may refuse by itself, as the sign-in does a wrong password.
                if access.scope and turned_away(answer) == expected(access, path, role, who):
                    wrong.append(f"{who}: {method} {path} -> {answer.status_code}, declared {access}")
                assert answer.status_code < 500 or path == "/readyz", f"{who}: {method} {path} -> {answer.text}"
    assert wrong == []


async def test_a_wrong_integration_key_opens_nothing(node: Node):
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        for method, path, access in routes_of(app_of(node)):
            if access.integration_key:
                answer = await http.request(method, address(path))
                assert answer.status_code in {401, 403, 404}, f"{method} {path} -> {answer.status_code}"


async def test_a_post_from_another_site_changes_nothing_even_with_the_session(node: Node, everybody: Everybody):
    _, headers = everybody["admin in a browser"]
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        for method, path, access in routes_of(app_of(node)):
            if method in {"GET", "HEAD"} or access.integration_key or is_api(path):
                continue
            foreign = await http.request(method, address(path), headers={**headers, "Origin": "http://evil.example"})
            assert foreign.status_code == 403, f"{method} {path} took a foreign origin"
            if access.scope:
                without = {name: value for name, value in headers.items() if name != "X-CSRF-Token"}
                answer = await http.request(method, address(path), headers=without)
                assert answer.status_code == 403, f"{method} {path} needs no form token"


async def test_every_answer_carries_the_strict_content_security_policy(node: Node, everybody: Everybody):
    _, headers = everybody["admin in a browser"]
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        for method, path, access in routes_of(app_of(node)):
            if method == "GET" and not access.integration_key:
                answer = await http.get(address(path), headers=headers)
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
