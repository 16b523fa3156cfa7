"""Debian's amtool, over a real socket, against intake, triage and the readers' API."""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from sev1.engine.clock import SystemClock
from sev1.engine.database import Database

from .door import Door
from .world import World, organisation

AMTOOL = shutil.which("amtool")


class Amtool:
    def __init__(self, url: str, world: World) -> None:
        self.url = url
        self.world = world

    async def __call__(self, *arguments: str) -> str:
        """What amtool prints; fails with its own words."""
        assert AMTOOL, "amtool is missing: apt-get install prometheus-alertmanager"
        process = await asyncio.create_subprocess_exec(
            AMTOOL, f"--alertmanager.url={self.url}", *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(30):
            out, err = await process.communicate()
        assert process.returncode == 0, f"amtool {arguments}: {err.decode()}{out.decode()}"
        await self.world.triage()
        return out.decode()

    async def alerts(self, *arguments: str) -> list[str]:
        """The names of the alerts that `alert query` lists."""
        found = json.loads(await self("--output=json", "alert", "query", *arguments))
        return sorted(alert["labels"]["alertname"] for alert in found)


@pytest.fixture
async def amtool(db: Database, fresh_database_url: str) -> AsyncIterator[Amtool]:
    world = World(db, SystemClock())  # type: ignore[arg-type] - amtool takes the time from this machine
    await world.apply(organisation())
    async with Door(world, fresh_database_url) as door:
        key = await door.key(service="checkout")
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(door.app, lifespan="off", log_config=None, ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield Amtool(f"http://127.0.0.1:{listening.getsockname()[1]}{key.path}", world)
        server.should_exit = True
        await serving


async def test_amtool_adds_alerts_silences_them_and_ends_the_silence(amtool: Amtool):
    await amtool("alert", "add", "HighErrors", "severity=critical", "env=prod", "--annotation=summary=42 % fail")
    await amtool("alert", "add", "Slow", "severity=warning")
    assert await amtool.alerts() == ["HighErrors", "Slow"]
    assert await amtool.alerts("alertname=~High.*") == ["HighErrors"]
    assert await amtool.alerts("--receiver=payments-primary") == ["HighErrors"]

    identity = (await amtool("silence", "add", "alertname=HighErrors", "-c", "reason", "-d", "1h", "-a", "me")).strip()
    assert await amtool.alerts() == ["Slow"]
    assert await amtool.alerts("--silenced") == ["HighErrors"]
    (listed,) = json.loads(await amtool("--output=json", "silence", "query"))
    assert (listed["id"], listed["comment"], listed["createdBy"]) == (identity, "reason", "me")
    assert identity in await amtool("silence", "query", "alertname=HighErrors")
    assert (await amtool.world.page()).resolution.startswith(f"Silenced by S-{identity[:4]} (me: reason)")

    updated = (await amtool("silence", "update", "--duration=2h", "--comment=longer", identity)).split()
    assert identity in updated
    await amtool("silence", "expire", identity)
    assert identity not in await amtool("silence", "query")
    assert identity in await amtool("silence", "query", "--expired")
    assert await amtool.alerts() == ["HighErrors", "Slow"]
    assert [page.status for page in await amtool.world.pages()] == ["resolved", "triggered"]


async def test_amtool_reads_the_extended_view_and_the_configuration(amtool: Amtool):
    await amtool("alert", "add", "HighErrors", "severity=critical", "--generator-url=http://prometheus.test/graph")
    extended = await amtool("--output=extended", "alert", "query")
    assert "http://prometheus.test/graph" in extended
    assert "active" in extended
    shown = await amtool("config", "show")
    assert "everyone" in shown
    assert "Routing tree" in await amtool("config", "routes", "show")


async def test_amtool_says_why_a_silence_is_refused(amtool: Amtool):
    with pytest.raises(AssertionError, match="must not match the empty string"):
        await amtool("silence", "add", "alertname=~.*", "-c", "everything", "-a", "me")
    with pytest.raises(AssertionError, match="needs an owner"):
        await amtool("silence", "add", "alertname=X", "-c", "reason", "-a", " ")
