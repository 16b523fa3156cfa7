"""Any JSON by a mapping of the catalog: understood as the mapping says, or kept as not understood."""

import json

import httpx
import msgspec
import pytest
from tests.intake.conftest import NOW, not_ours, path, secret_of

from sev1.catalog import store as catalog_store
from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog, Mapping
from sev1.engine.cel import Evaluator
from sev1.intake import misunderstood
from sev1.intake.asgi import IntakeApp
from sev1.intake.formats import FORMATS
from sev1.intake.mapping import Mapper

UPTIME = Mapping(
    name="uptime",
    summary='payload.monitor.name + " is " + payload.monitor.state',
    key="payload.monitor.id",
    status='payload.monitor.state == "up" ? "resolved" : "firing"',
    severity="payload.level",
    service='"storefront"',
    labels={"region": "payload.region", "code": "payload.code"},
    starts_at="payload.since",
)
LIST = Mapping(name="many", each="payload.alerts.filter(a, a.ours)", summary="item.text", key="item.id")
SLOW = Mapping(name="slow", summary="string(size(payload.l.map(x, payload.l).map(y, size(y))))")
DOWN = {
    "monitor": {"id": 7, "name": "Shop", "state": "down"},
    "level": "critical",
    "code": 502,
    "since": "2026-03-02T03:00:00Z",
}


@pytest.fixture
async def client(inbox, keys, settings, clock, db):
    async with db.connection() as conn:
        catalog = Catalog(mappings={m.name: m for m in (UPTIME, LIST, SLOW)})
        await catalog_store.write(conn, catalog, actor="test", now=NOW)
    async with Evaluator(time_max_s=1.0) as evaluator:
        mapper = Mapper(db, CatalogCache(), evaluator)
        app = IntakeApp(not_ours, inbox=inbox, keys=keys, settings=settings, clock=clock, db=db, map_=mapper)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            yield client


async def events(db):
    async with db.connection() as conn:
        rows = await conn.fetch("SELECT format, raw FROM inbox")
    assert {row["format"] for row in rows} <= {"mapped"}
    return [event for row in rows for event in FORMATS["mapped"].parse(row["raw"], NOW).events]


async def post(client, mapping: str, payload) -> httpx.Response:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return await client.post(path("mapped", f"mapped/{mapping}"), content=content)


async def test_each_field_is_what_its_expression_gives(client, db):
    assert (await post(client, "uptime", DOWN)).json() == {"accepted": 1, "keys": ["7"]}
    [event] = await events(db)
    assert (event.action, event.summary, event.fingerprint, event.source) == ("firing", "Shop is down", "7", "mapped")
    assert event.labels == {"service": "storefront", "severity": "critical", "code": "502"}
    assert event.starts_at.isoformat() == "2026-03-02T03:00:00+00:00"


async def test_the_payload_is_kept_as_it_came(client, db):
    await post(client, "uptime", DOWN)
    async with db.connection() as conn:
        raw = await conn.fetchval("SELECT raw FROM inbox")
    assert msgspec.json.decode(raw)["payload"] == DOWN


async def test_status_says_when_it_is_over(client, db):
    await post(client, "uptime", {**DOWN, "monitor": {"id": 7, "name": "Shop", "state": "up"}})
    assert [event.action for event in await events(db)] == ["resolved"]


async def test_a_list_gives_an_event_for_each_entry(client, db):
    alerts = [{"id": n, "text": f"number {n}", "ours": n != 2} for n in (1, 2, 3)]
    assert (await post(client, "many", {"alerts": alerts})).status_code == 202
    assert [event.summary for event in await events(db)] == ["number 1", "number 3"]


@pytest.mark.parametrize(
    ("mapping", "payload", "why"),
    [
        ("uptime", {"other": 1}, "`summary` is missing"),
        ("uptime", {"monitor": "text"}, "cannot read this"),
        ("uptime", {**DOWN, "since": "soon"}, "starts_at"),
        ("uptime", b"not json", "not valid JSON"),
        ("uptime", b"[" * 50_000, "nested too deeply"),
        ("many", {"alerts": []}, "finds no event"),
        ("many", {"alerts": "none"}, "cannot read this"),
        ("many", {"alerts": [{"id": 1, "text": "x", "ours": True}] * 501}, "500 is the most"),
        ("slow", {"l": list(range(9000))}, "longer than 1 s"),
        ("uptime", {"x": "y" * 300_000}, "larger than 256 kB"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_the_mapping_cannot_read_is_kept_as_not_understood(client, db, mapping, payload, why):
    answer = await post(client, mapping, payload)
    assert answer.status_code == 400
    assert why in answer.json()["detail"]
    async with db.connection() as conn:
        [kept] = await misunderstood.list_open(conn)
    assert kept.format == "mapped"
    assert await events(db) == []


async def test_a_mapping_that_is_not_there_is_said_and_kept(client, db):
    answer = await post(client, "nothing", DOWN)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with db.connection() as conn:
        assert len(await misunderstood.list_open(conn)) == 1


async def test_a_key_of_another_kind_is_refused(client):
    answer = await client.post(f"/integrations/{secret_of('json')}/mapped/uptime", content=b"{}")
    assert answer.status_code in {400, 403}
    assert (await client.post("/integrations/wrong/mapped/uptime", content=b"{}")).status_code == 401
    assert (await client.get(path("mapped", "mapped/uptime"))).status_code == 405


async def test_without_a_database_the_sender_is_asked_to_try_again(client, db):
    await db.pool.close()
    answer = await post(client, "uptime", DOWN)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
