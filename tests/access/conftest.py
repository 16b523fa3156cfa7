"""A small app made of the access routes and one dummy route for each way of access, on a real database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.router import Router
from litestar.template import TemplateConfig
from msgspec import Struct
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from sev1.access import accounts, passwords
from sev1.access.accounts import User
from sev1.access.declare import needs, public, with_integration_key
from sev1.access.keyring import KeyRing
from sev1.access.model import OPERATOR, Role
from sev1.access.routes import ROUTES
from sev1.access.sessions import open_session
from sev1.access.web import COOKIE, Gate, SignInFirst, add_security_headers, is_api, lead_to_sign_in
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.errors import Sev1Error

PUBLIC_URL = "https://sev1.example"


class WebSettings(Struct):
    public_url: str = PUBLIC_URL


@get("/who", opt=needs("read"))
async def who(request: Request) -> dict[str, str]:
    return {"name": request.user.name, "role": request.user.role, "csrf": request.auth}


@get("/recognised", opt=public(recognise=True))
async def recognised(request: Request) -> dict[str, str]:
    return {"name": request.user.name}


@get("/asset", opt=public())
async def asset(request: Request) -> Response[str]:
    return Response(request.user.kind, headers={"Cache-Control": "max-age=3600"})


@post("/act", opt=needs("pages:write"), status_code=200)
async def act(request: Request) -> dict[str, str]:
    form = await request.form()
    return {"done": "yes", "note": form.get("note", "")}


@get("/admin-only", opt=needs("access:write"))
async def admin_only() -> str:
    return "secrets of the house"


@post("/integrations/x", opt=with_integration_key(), status_code=200)
async def integration(request: Request) -> str:
    return request.user.kind


@get("/api/v1/read", opt=needs("read"))
async def api_read(request: Request) -> dict[str, str]:
    return {"name": request.user.name}


@post("/api/v1/act", opt=needs("pages:write"), status_code=200)
async def api_act(request: Request) -> dict[str, str]:
    return {"name": request.user.name}


def answer_error(request: Request, error: Sev1Error) -> Response | Template:
    if is_api(request.scope["path"]):
        return Response({"code": error.code, "message": error.message, "data": error.data}, status_code=error.status)
    context = {"status": error.status, "code": error.code, "message": error.message}
    return Template(template_name="error.html", context=context, status_code=error.status)


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password's hash costs a tenth of a second of both cores on purpose; only its own tests have to pay that."""
    if request.module.__name__.rpartition(".")[2] != "test_passwords":
        cheap = Argon2Hasher(time_cost=1, memory_cost=16, parallelism=1)
        monkeypatch.setattr(passwords, "_hasher", PasswordHash((cheap,)))
        parts = cheap.hash("nobody's").split("$")
        monkeypatch.setattr(passwords, "NOBODYS_HASH", "$".join([*parts[:-1], parts[-1][::-1]]))


@pytest.fixture
def keyring(db: Database) -> KeyRing:
    return KeyRing(db)


@pytest.fixture
def gate(db: Database, clock: FakeClock) -> Gate:
    return Gate(db, clock, public_url=PUBLIC_URL, secret=b"s" * 32)


@pytest.fixture
def app(db: Database, clock: FakeClock, gate: Gate, keyring: KeyRing) -> Litestar:
    return Litestar(
        [*ROUTES, who, recognised, asset, act, admin_only, integration, api_read, api_act],
        middleware=[gate.authentication],
        guards=[gate.guard],
        before_send=[add_security_headers],
        exception_handlers={Sev1Error: answer_error, SignInFirst: lead_to_sign_in},
        dependencies={
            "db": Provide(lambda: db, sync_to_thread=False),
            "clock": Provide(lambda: clock, sync_to_thread=False),
            "keyring": Provide(lambda: keyring, sync_to_thread=False),
            "settings": Provide(WebSettings, sync_to_thread=False),
        },
        template_config=TemplateConfig(directory=Path(__file__).parent / "templates", engine=JinjaTemplateEngine),
        openapi_config=OpenAPIConfig(
            title="test", version="1", openapi_router=Router("/api", route_handlers=[], opt=public())
        ),
    )


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in. It says which page its requests come from, as browsers do."""
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 40000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers={"Origin": PUBLIC_URL}) as browser:
        yield browser


@pytest.fixture
def make_user(db: Database, clock: FakeClock) -> Callable[..., Awaitable[User]]:
    async def make(role: Role | str = Role.RESPONDER, email: str = "ana@example.org", **more: str) -> User:
        return await accounts.create_user(
            db, email=email, role=Role(role), by=OPERATOR, now=clock.now(), full_name="Ana R.", **more
        )

    return make


@pytest.fixture
def enter(
    db: Database, clock: FakeClock, client: httpx.AsyncClient, make_user: Callable[..., Awaitable[User]]
) -> Callable[..., Awaitable[User]]:
    """Makes an account and signs the browser in, without the cost of a password."""

    async def sign_in(role: Role | str = Role.RESPONDER, email: str = "ana@example.org") -> User:
        user = await make_user(role, email)
        async with db.transaction() as conn:
            client.cookies.set(COOKIE, await open_session(conn, user.id, agent="test", now=clock.now()))
        return user

    return sign_in


@pytest.fixture
def audited(db: Database) -> Callable[[], Awaitable[list[str]]]:
    """The audit log, oldest first, as `actor action subject`."""

    async def read() -> list[str]:
        async with db.connection() as conn:
            rows = await conn.fetch("SELECT actor, action, subject FROM audit_log ORDER BY id")
        return [" ".join(row) for row in rows]

    return read
