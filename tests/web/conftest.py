"""The real node and the real app on a database of one's own, a browser without scripts, and a reader of streams."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from msgspec import Struct
from tests.live.shared_app import app_of
from tests.live.someone import Someone, signed_in
from typer.testing import CliRunner

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.access.web import COOKIE
from sev1.app import Node
from sev1.catalog import store as catalogs
from sev1.catalog.load import load
from sev1.catalog.model import Catalog
from sev1.cli.main import app as cli
from sev1.command import model as m
from sev1.command.react import declare
from sev1.engine.clock import FakeClock
from sev1.engine.decider import Actor
from sev1.engine.settings import Settings

SAMPLE = Path(__file__).parents[2] / "src/sev1/practice/sample"
URL = "http://sev1.test"
WITHIN_S = 5.0


@pytest.fixture(scope="session")
def nordlicht() -> Catalog:
    return load(SAMPLE)


@pytest.fixture
def settings() -> Settings:
    return Settings(public_url=URL)


@pytest.fixture
async def node(
    fresh_database_url: str, clock: FakeClock, nordlicht: Catalog, settings: Settings
) -> AsyncIterator[Node]:
    async with Node(settings, fresh_database_url, clock=clock) as node:
        async with node.db.transaction() as conn:
            await catalogs.write(conn, nordlicht, actor="operator", now=clock.now())
        yield node


@pytest.fixture
def app(node: Node) -> Litestar:
    return app_of(node)


def actor(name: str) -> Actor:
    return Actor(id=name, name=name.capitalize(), via="web")


@pytest.fixture
def run(node: Node) -> Callable[..., Awaitable[Any]]:
    """Runs commands of an incident or a page as somebody of the sample organisation."""

    async def run(key: str, *commands: Any, by: str = "ana") -> None:
        kind = "incident" if key.startswith("INC-") else "page"
        for command in commands:
            await node.commands.run(kind, key, command, by=actor(by))

    return run


@pytest.fixture
def declared(node: Node) -> Callable[..., Awaitable[str]]:
    async def make(title: str = "Card payments fail", *, by: str = "ana", **more: Any) -> str:
        async with node.db.transaction() as conn:
            change = await declare(
                node.commands, conn, node.catalogs, m.Declare(title=title, **more), by=actor(by), commands_it=True
            )
        node.commands.tell(change)
        return change.key

    return make


@pytest.fixture
def enter(node: Node, app: Litestar) -> Callable[..., Awaitable[Someone]]:
    async def sign_in(name: str = "ana", role: Role = Role.RESPONDER) -> Someone:
        return await signed_in(node, app, name, role)

    return sign_in


class Message(Struct, frozen=True):
    event: str
    data: str
    id: str | None = None


class Stream:
    """One open stream, as a browser would read it."""

    def __init__(self, chunks: "asyncio.Queue[bytes | None]") -> None:
        self._chunks = chunks
        self._text = ""
        self.status = 0
        self.ended = False

    async def next(self) -> Message | None:
        """The next event; None when the stream has ended. Fails when nothing comes."""
        while "\n\n" not in self._text:
            chunk = await asyncio.wait_for(self._chunks.get(), WITHIN_S)
            if chunk is None:
                self.ended = True
                return None
            self._text += chunk.decode()
        block, _, self._text = self._text.partition("\n\n")
        fields: dict[str, list[str]] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            fields.setdefault(name, []).append(value)
        if "event" not in fields:
            return await self.next()
        return Message(fields["event"][0], "\n".join(fields.get("data", [])), fields.get("id", [None])[0])

    async def drain(self) -> None:
        """Reads until the end, whatever comes."""
        while await asyncio.wait_for(self._chunks.get(), WITHIN_S) is not None:
            pass

    async def next_of(self, event: str) -> Message:
        while (message := await self.next()) is not None:
            if message.event == event:
                return message
        raise AssertionError(f"the stream ended before {event}")


@pytest.fixture
def listen(app: Litestar) -> Callable[..., Any]:
    """`async with listen(someone, path) as stream`. Leaving it is the browser that goes away."""

    @asynccontextmanager
    async def opened(who: Someone, path: str, **headers: str) -> AsyncIterator[Stream]:
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        gone, started = asyncio.Event(), asyncio.Event()
        stream = Stream(chunks)
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                stream.status = message["status"]
                started.set()
            elif message["body"]:
                await chunks.put(message["body"])
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await chunks.put(None)
                gone.set()

        url = httpx.URL(URL + path)
        given = {"cookie": f"{COOKIE}={who.cookie}", "host": "sev1.test", **headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": url.path, "raw_path": url.raw_path.partition(b"?")[0], "query_string": url.query, "root_path": "",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "client": ("203.0.113.7", 1), "server": ("sev1.test", 80),
        }  # fmt: skip
        task = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
        await asyncio.wait_for(started.wait(), WITHIN_S)
        try:
            yield stream
        finally:
            gone.set()
            await asyncio.wait_for(task, WITHIN_S)

    return opened


@pytest.fixture
async def api(app: Litestar, node: Node, clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    """The API as a responder's token reaches it."""
    token = await tokens.create(node.db, name="terminal", role=Role.RESPONDER, by=OPERATOR, now=clock.now())
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {token.token}"}
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as http:
        yield http


@pytest.fixture
def terminal(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[Any]]:
    """Runs a command in a thread; what it asks goes to the real API."""
    monkeypatch.setenv("SEV1_URL", URL)
    monkeypatch.setenv("SEV1_TOKEN", "in the client")

    async def run(*arguments: str) -> Any:
        loop = asyncio.get_running_loop()

        def request(method: str, url: str, **more: Any) -> httpx.Response:
            return asyncio.run_coroutine_threadsafe(api.request(method, url, json=more["json"]), loop).result(10)

        monkeypatch.setattr(httpx, "request", request)
        return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments))

    return run
