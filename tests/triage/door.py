"""sev1's door for Alertmanager's clients: intake in front, the readers' API behind it, as the server has it."""

from contextlib import AsyncExitStack
from typing import Any, Self

import httpx
import msgspec
from litestar import Litestar
from litestar.di import Provide

from sev1.access import keys
from sev1.access.keyring import KeyRing
from sev1.access.model import OPERATOR
from sev1.engine.settings import Settings
from sev1.intake.asgi import IntakeApp
from sev1.intake.inbox import Inbox
from sev1.surfaces import alertmanager

from .world import World


class Door:
    """`async with Door(world, url) as door:`; `door.app` is the ASGI application, `door.http` calls it."""

    def __init__(self, world: World, database_url: str) -> None:
        self.world = world
        self.inbox = Inbox(database_url, world.clock)
        self.keyring = KeyRing(world.db)
        given = {
            "db": world.db,
            "clock": world.clock,
            "catalogs": world.catalogs,
            "news": world.news,
            "keyring": self.keyring,
        }
        framework = Litestar(
            route_handlers=alertmanager.ROUTES,
            dependencies={name: _provide(value) for name, value in given.items()},
            openapi_config=None,
        )
        self.app = IntakeApp(
            framework, inbox=self.inbox, keys=self.keyring, settings=Settings(), clock=world.clock, db=world.db
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.inbox)
            transport = httpx.ASGITransport(app=self.app)
            self.http = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://sev1.test")
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def key(self, kind: keys.KeyKind = "prometheus", service: str | None = None) -> "Holder":
        issued = await keys.create(self.world.db, kind=kind, by=OPERATOR, now=self.world.clock.now(), service=service)
        return Holder(self, issued.secret, issued.id)


class Holder:
    """Whoever holds one integration key."""

    def __init__(self, door: Door, secret: str, key_id: int) -> None:
        self._door = door
        self.path = f"/integrations/{secret}"
        self.id = key_id

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._door.http.get(f"{self.path}/api/v2/{path}", params=params)

    async def read(self, path: str, **params: Any) -> Any:
        answer = await self.get(path, **params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return msgspec.json.decode(answer.content)

    async def post(self, path: str, body: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self._door.http.post(
            f"{self.path}/api/v2/{path}", content=content, headers={"content-type": "application/json"}
        )

    async def delete(self, path: str) -> httpx.Response:
        return await self._door.http.delete(f"{self.path}/api/v2/{path}")

    async def fire(self, *alerts: dict[str, str]) -> None:
        """Posts alerts as Prometheus does, and lets them take effect."""
        now = self._door.world.clock.now()
        body = [
            {"labels": labels, "generatorURL": "http://prometheus.test/graph", "startsAt": now} for labels in alerts
        ]
        assert (await self.post("alerts", body)).status_code == 200
        await self._door.world.triage()


def _provide(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
