"""A running sev1 with the sample organisation, for browsers: real database, real uvicorn, real intake, real commands.

The node runs in a thread of its own; `house.do(coroutine)` runs something beside it. Its clock can be set back while
data is made, so that an incident may be 47 minutes old without anybody waiting.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from msgspec.structs import replace

from sev1.access import accounts, keys, sessions
from sev1.access.model import OPERATOR, Role
from sev1.access.sessions import open_session
from sev1.app import Node
from sev1.catalog import store as catalogs
from sev1.catalog.load import load
from sev1.catalog.model import Catalog, Diagnostic
from sev1.command import model as m
from sev1.command.react import declare
from sev1.engine.decider import Actor
from sev1.engine.settings import Settings
from sev1.oncall.schedule import on_call
from sev1.paging import model as p
from sev1.practice.mailbox import Mailbox
from sev1.server import serve

SAMPLE = Path(__file__).parents[2] / "src/sev1/practice/sample"
PASSWORD = "a lamp in the harbour fog"
T = TypeVar("T")


NIGHT = timedelta(hours=3, minutes=52)
"""The time of day at which the house opens, so that its pictures are of a night whenever they are made."""


class SetBackClock:
    """Runs at the real pace from 03:52 on, less what it was set back by."""

    def __init__(self) -> None:
        real = datetime.now(UTC)  # noqa: TID251 - this is a clock
        midnight = real.replace(hour=0, minute=0, second=0, microsecond=0)
        self._behind = (real - midnight - NIGHT) % timedelta(days=1)
        self.back = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self._behind - self.back  # noqa: TID251 - this is a clock


def _with_a_diagnostic(catalog: Catalog) -> Catalog:
    """Its answer is always the same: the address is one that requests must not reach."""
    depth = Diagnostic(
        name="depth", title="How many orders wait", url="http://127.0.0.1:9/depth", cost="scans the queue", every_s=0
    )
    queue = replace(catalog.services["queue"], diagnostics=(depth,))
    return replace(catalog, services={**catalog.services, "queue": queue})


class House:
    """`with House(database_url, port) as house:`; everybody of the sample organisation has an account."""

    def __init__(self, database_url: str, port: int, folder: Path) -> None:
        """`folder` takes the mails that are sent."""
        self.clock = SetBackClock()
        self.url = f"http://127.0.0.1:{port}"
        self._mailbox = Mailbox(folder)
        self._settings = Settings(
            port=port,
            smtp_host="127.0.0.1",
            smtp_port=self._mailbox.port,
            smtp_tls="none",
            mail_from="sev1@nordlicht.example",
        )
        self._database_url = database_url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="house", daemon=True)
        self._ready = threading.Event()
        self._ended: BaseException | None = None
        self.node: Node

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        if self._ended:
            raise self._ended
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(15)
        self._mailbox.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the server's own loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            self._ended = error
            self._ready.set()

    async def _live(self) -> None:
        self._stop = asyncio.Event()
        async with Node(self._settings, self._database_url, clock=self.clock) as node:
            self.node = node
            await self._furnish()
            node.start_work()
            ready = asyncio.Event()
            server = asyncio.create_task(serve(node, ready=ready))
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait([server, waiting], return_when=asyncio.FIRST_COMPLETED)
            if server.done():
                server.result()
            self._ready.set()
            await self._stop.wait()
            node.stopping.set()
            server.cancel()
            await asyncio.gather(server, waiting, return_exceptions=True)

    async def _furnish(self) -> None:
        now = self.clock.now()
        async with self.node.db.transaction() as conn:
            await catalogs.write(conn, _with_a_diagnostic(load(SAMPLE)), actor="operator", now=now)
        self.catalog = await self._current()
        for person in self.catalog.people.values():
            role = Role.ADMIN if person.name == "gus" else Role.RESPONDER
            await accounts.create_user(
                self.node.db, email=person.email, full_name=person.full_name, role=role, by=OPERATOR, now=now,
                password=PASSWORD if person.name == "ana" else None,
            )  # fmt: skip
        await accounts.create_user(
            self.node.db, email="guest@nordlicht.example", full_name="Ida Guest", role=Role.VIEWER, by=OPERATOR, now=now
        )
        self.key = await keys.create(self.node.db, kind="prometheus", by=OPERATOR, now=now)
        await self.node.keyring.refresh()

    async def _current(self) -> Any:
        async with self.node.db.connection() as conn:
            return await self.node.catalogs.current(conn)

    # --- people -------------------------------------------------------------------------------------------------------

    def on_call(self, schedule: str) -> str:
        shift = on_call(self.catalog.schedules[schedule], self.clock.now())
        assert shift is not None
        return shift.person

    def actor(self, name: str) -> Actor:
        return Actor(id=name, name=self.catalog.people[name].full_name, via="web")

    def cookie(self, email: str) -> str:
        """A session of this account, without its password."""

        async def make() -> str:
            user = await accounts.user_by_email(self.node.db, email)
            async with self.node.db.transaction() as conn:
                return await open_session(conn, user.id, agent="browser test", now=self.clock.now())

        return self.do(make())

    def sign_out_everywhere(self, name: str) -> None:
        async def end() -> None:
            user = await accounts.user_by_email(self.node.db, self.catalog.people[name].email)
            await sessions.sign_out_everywhere(self.node.db, user.id, by=OPERATOR, now=self.clock.now())

        self.do(end())

    # --- what happens -------------------------------------------------------------------------------------------------

    def at(self, minutes_ago: float) -> Self:
        """What follows happens so long ago."""
        self.clock.back = timedelta(minutes=minutes_ago)
        return self

    def alert(self, name: str, service: str, summary: str, *, severity: str = "critical", env: str = "prod-eu",
              resolved: bool = False, **annotations: str) -> None:  # fmt: skip
        """Sent as Prometheus sends it, and triaged."""
        now = self.clock.now()
        body = [{
            "labels": {"alertname": name, "service": service, "severity": severity, "env": env},
            "annotations": {"summary": summary, **annotations},
            "startsAt": (now - timedelta(minutes=2)).isoformat(),
            "endsAt": (now if resolved else now + self.clock.back + timedelta(hours=2)).isoformat(),
            "generatorURL": "https://prometheus.nordlicht.example/graph?g0.expr=errors",
        }]  # fmt: skip
        self.send(json.dumps(body).encode())

    def send(self, body: bytes) -> httpx.Response:
        answer = httpx.post(
            f"{self.url}/integrations/{self.key.secret}/api/v2/alerts",
            content=body,
            headers={"content-type": "application/json"},
            trust_env=False,
        )
        self.do(self._triaged())
        return answer

    async def _triaged(self) -> None:
        while await self.node.triage():
            pass

    def page_of(self, summary: str) -> str:
        """The page that the alert with this summary opened or joined."""

        async def read() -> str:
            async with self.node.db.connection() as conn:
                page: str | None = await conn.fetchval(
                    "SELECT page FROM alerts WHERE summary = $1 ORDER BY id DESC LIMIT 1", summary
                )
            assert page is not None, f"nobody was paged for {summary}"
            return page

        return self.do(read())

    def page(self, key: str, command: p.PageCommand, by: str) -> None:
        self.do(self.node.commands.run("page", key, command, by=self.actor(by)))

    def declare(self, command: m.Declare, by: str) -> str:
        async def run() -> str:
            async with self.node.db.transaction() as conn:
                change = await declare(
                    self.node.commands, conn, self.node.catalogs, command, by=self.actor(by), commands_it=True
                )
            self.node.commands.tell(change)
            return change.key

        return self.do(run())

    def incident(self, key: str, *commands: m.ResponderCommand, by: str) -> None:
        for command in commands:
            self.do(self.node.commands.run("incident", key, command, by=self.actor(by)))
