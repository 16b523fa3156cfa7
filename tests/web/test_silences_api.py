"""Silences, maintenance and the lists of what has no home, over the API and from a terminal."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from typer.testing import CliRunner

from sev1.access import keys, tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.catalog import store as catalogs
from sev1.catalog.model import Maintenance
from sev1.cli.main import app as cli
from sev1.engine.clock import FakeClock

URL = "http://sev1.test"
ERRORS = 'alertname="Errors"'


@pytest.fixture
async def token(node: Node, clock: FakeClock) -> str:
    issued = await tokens.create(node.db, name="terminal", role=Role.RESPONDER, by=OPERATOR, now=clock.now())
    return issued.token


@pytest.fixture
def api(app: Litestar, token: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url=URL, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def terminal(api: httpx.AsyncClient, token: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[Any]]:
    """Runs a command in a thread; what it asks goes to the real API."""
    monkeypatch.setenv("SEV1_URL", URL)
    monkeypatch.setenv("SEV1_TOKEN", token)

    async def run(*arguments: str) -> Any:
        loop = asyncio.get_running_loop()

        def request(method: str, url: str, **more: Any) -> httpx.Response:
            return asyncio.run_coroutine_threadsafe(api.request(method, url, json=more["json"]), loop).result(10)

        monkeypatch.setattr(httpx, "request", request)
        return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments))

    return run


@pytest.fixture
async def fired(node: Node, clock: FakeClock) -> None:
    key = await keys.create(node.db, kind="prometheus", by=OPERATOR, now=clock.now())
    body = [{"labels": {"alertname": "Errors", "service": name, "severity": "odd"}} for name in ("checkout", "nowhere")]
    await node.inbox.submit(key.id, "prometheus", json.dumps(body).encode(), clock.now())
    while await node.triage():
        pass


@pytest.mark.usefixtures("fired")
async def test_a_preview_counts_and_names_what_would_be_hidden_and_changes_nothing(api: httpx.AsyncClient):
    seen = (await api.post("/api/v1/silences/preview", json={"matchers": [ERRORS]})).json()
    assert (seen["now"]["alerts"], seen["now"]["names"]) == (2, [["Errors", 2]])
    assert len(seen["week"]["pages"]) == len(seen["now"]["pages"]) > 0
    assert seen["warnings"] == []
    assert (await api.get("/api/v1/silences")).json() == []


async def test_an_over_broad_silence_is_refused_until_it_is_confirmed(api: httpx.AsyncClient, clock: FakeClock):
    body = {"matchers": ['env=~".*.+"'], "comment": "all", "ends_at": (clock.now() + timedelta(hours=1)).isoformat()}
    refused = await api.post("/api/v1/silences", json=body)
    assert refused.is_client_error
    assert "nearly everything matches" in refused.text
    made = await api.post("/api/v1/silences", json={**body, "confirm": True})
    assert made.is_success


async def test_a_silence_is_extended_and_never_shortened(api: httpx.AsyncClient, clock: FakeClock):
    end = clock.now() + timedelta(hours=1)
    body = {"matchers": [ERRORS], "comment": "move", "ends_at": end.isoformat(), "owner": "Platform"}
    made = (await api.post("/api/v1/silences", json=body)).json()
    assert made["created_by"] == "Platform"
    path = f"/api/v1/silences/{made['id']}"
    assert (await api.patch(path, json={"ends_at": (end + timedelta(hours=1)).isoformat()})).is_success
    assert (await api.patch(path, json={"ends_at": end.isoformat()})).is_client_error


@pytest.mark.usefixtures("fired")
async def test_what_has_no_home_is_listed(api: httpx.AsyncClient, node: Node, clock: FakeClock):
    rules = (await api.get("/api/v1/alerts/without-tier")).json()
    assert [(rule["rule"], rule["alerts"], rule["why"]) for rule in rules] == [
        ("Errors", 2, "severity=odd means nothing here")
    ]
    assert (await api.get("/api/v1/alerts/unrouted")).status_code == 200


async def test_maintenance_is_listed_with_its_windows(api: httpx.AsyncClient, node: Node, clock: FakeClock):
    planned = Maintenance(
        name="move",
        title="Move",
        owner="payments",
        reason="new disks",
        services=("checkout",),
        at=time(3, 0),
        duration_min=30,
        on=date(2099, 1, 1),
    )
    async with node.db.transaction() as conn:
        catalog = await node.catalogs.current(conn)
        owner = min(catalog.teams)
        changed = msgspec.structs.replace(catalog, maintenance={"move": msgspec.structs.replace(planned, owner=owner)})
        await catalogs.write(conn, changed, actor="operator", now=clock.now())
    [view] = (await api.get("/api/v1/maintenance")).json()
    assert (view["name"], view["owner"], view["in_force_until"]) == ("move", owner, None)


@pytest.mark.usefixtures("fired")
async def test_a_silence_from_a_terminal(terminal: Callable[..., Awaitable[Any]], clock: FakeClock):
    end = (clock.now() + timedelta(hours=1)).isoformat()
    assert "now: 2 alerts" in (await terminal("silence-preview", ERRORS)).output
    made = await terminal("silence", ERRORS, "--until", end, "--reason", "move")
    assert made.exit_code == 0, made.output
    number = made.output.split()[-1]
    assert "move" in (await terminal("silences")).output
    later = (clock.now() + timedelta(hours=2)).isoformat()
    assert (await terminal("silence-extend", number, "--until", later)).exit_code == 0
    assert "expired" in (await terminal("silence-end", number)).output
    refused = await terminal("silence", 'env=~".+"', "--until", end, "--reason", "all")
    assert refused.exit_code == 1
