import asyncio
import gzip
import json

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY
from tests.intake.conftest import KeysInMemory, fixture, path, secret_of, until_somebody_waits_for_a_lock

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.intake import misunderstood
from sev1.intake.asgi import IntakeApp
from sev1.intake.inbox import Inbox
from sev1.intake.inbox_reader import Row, read_batch
from sev1.intake.keys import IntegrationKey
from sev1.intake.misunderstood import MisunderstoodPayload

ALERTS = path("prometheus", "api/v2/alerts")


async def inbox_rows(db: Database) -> tuple[Row, ...]:
    async with db.transaction() as conn:
        batch = await read_batch(conn)
    return batch.rows if batch else ()


async def kept(db: Database) -> list[MisunderstoodPayload]:
    async with db.connection() as conn:
        return await misunderstood.list_open(conn)


@pytest.mark.parametrize(
    ("kind", "tail", "payload", "status"),
    [
        ("prometheus", "api/v2/alerts", "prometheus/prometheus-2.42-firing", 200),
        ("alertmanager", "alertmanager", "alertmanager/alertmanager-0.25-firing", 200),
        ("alertmanager", "alertmanager", "alertmanager/grafana-webhook", 200),
        ("json", "events", "json/list", 202),
        ("pagerduty", "v2/enqueue", "pagerduty/documented-trigger", 202),
        ("pagerduty", "v2/enqueue/", "pagerduty/pdpyras-5.4-resolve", 202),
    ],
)
async def test_each_address_stores_its_payload_as_it_came(
    client: httpx.AsyncClient, db: Database, clock: FakeClock, kind: str, tail: str, payload: str, status: int
):
    answer = await client.post(path(kind, tail), content=fixture(payload))
    assert answer.status_code == status
    (row,) = await inbox_rows(db)
    assert (row.format, row.raw, row.received_at) == (kind, fixture(payload), clock.now())


async def test_prometheus_gets_an_empty_success(client: httpx.AsyncClient):
    answer = await client.post(ALERTS, content=fixture("prometheus/prometheus-2.42-firing"))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize("address", ["/v2/enqueue", "/v2/enqueue/"])
async def test_a_pagerduty_client_shows_its_key_in_the_body(client: httpx.AsyncClient, db: Database, address: str):
    event = json.loads(fixture("pagerduty/pdpyras-5.4-trigger"))
    answer = await client.post(address, json={**event, "routing_key": secret_of("pagerduty")})
    assert answer.status_code == 202
    (row,) = await inbox_rows(db)
    assert json.loads(row.raw)["dedup_key"] == answer.json()["dedup_key"]


async def test_a_pagerduty_client_with_an_unknown_key_is_answered_as_by_pagerduty(
    client: httpx.AsyncClient, db: Database
):
    for body in (fixture("pagerduty/pdpyras-5.4-resolve"), b'{"event_action": "resolve", "dedup_key": "x"}'):
        answer = await client.post("/v2/enqueue", content=body)
        assert answer.status_code == 400
        assert answer.json()["errors"] == ["Invalid routing key"]
    assert await kept(db) == [], "who shows no key does not fill our disk"


async def test_an_unknown_key_is_refused_before_the_body_counts(client: httpx.AsyncClient, db: Database):
    answer = await client.post("/integrations/nobody/api/v2/alerts", content=b"{")
    assert answer.status_code == 401
    assert isinstance(answer.json(), str)
    answer = await client.post("/integrations/nobody/events", content=b"{")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")
    assert await kept(db) == []


async def test_a_key_made_a_moment_ago_is_found(client: httpx.AsyncClient, keys: KeysInMemory):
    keys.loadable["new"] = IntegrationKey(id=9, name="new", kind="json")
    answer = await client.post("/integrations/new/events", json={"summary": "x"})
    assert answer.status_code == 202


async def test_a_key_for_something_else_is_told_where_it_belongs(client: httpx.AsyncClient, db: Database):
    answer = await client.post(path("alertmanager", "api/v2/alerts"), content=b'{"alerts": []}')
    assert answer.status_code == 403
    assert "send that to /integrations/<key>/alertmanager" in answer.json()
    (payload,) = await kept(db)
    assert (payload.format, payload.raw) == ("prometheus", b'{"alerts": []}')
    answer = await client.post("/v2/enqueue", json={
        "routing_key": secret_of("json"), "event_action": "resolve", "dedup_key": "x",
    })  # fmt: skip
    assert answer.status_code == 400
    assert "this key was made for JSON" in answer.json()["errors"][0]


async def test_what_is_not_understood_is_kept_before_it_is_answered(
    client: httpx.AsyncClient, db: Database, keys: KeysInMemory
):
    answer = await client.post(ALERTS, content=b'[{"labels": {')
    assert answer.status_code == 400
    assert "not valid JSON" in answer.json()
    (payload,) = await kept(db)
    assert payload.raw == b'[{"labels": {'
    assert payload.error == answer.json()
    assert payload.key_id == keys.by_secret[secret_of("prometheus")].id
    assert await inbox_rows(db) == ()


async def test_a_broken_pagerduty_event_is_kept_when_its_key_can_be_read(client: httpx.AsyncClient, db: Database):
    broken = b'{"routing_key": "%b", "event_action"' % secret_of("pagerduty").encode()
    answer = await client.post("/v2/enqueue", content=broken)
    assert (answer.status_code, answer.json()["status"]) == (400, "Unrecognized object")
    (payload,) = await kept(db)
    assert payload.raw == broken


async def test_when_it_cannot_be_kept_the_sender_is_asked_to_try_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    async def fail(*_: object, **__: object) -> int:
        raise asyncpg.CannotConnectNowError("starting up")

    monkeypatch.setattr(misunderstood, "keep", fail)
    answer = await client.post(ALERTS, content=b"{")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_database_that_is_away_while_a_key_is_looked_up_is_not_an_unknown_key(
    client: httpx.AsyncClient, keys: KeysInMemory
):
    keys.broken = ConnectionRefusedError("away")
    answer = await client.post("/integrations/new/events", json={"summary": "x"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["code"] == "unavailable"


async def test_a_full_queue_asks_the_sender_to_come_back(client: httpx.AsyncClient, inbox: Inbox):
    inbox._queue_max = 0
    answer = await client.post(ALERTS, content=b'[{"labels": {"a": "b"}}]')
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "send it again" in answer.json()


async def test_a_key_over_its_rate_is_asked_to_come_back(client: httpx.AsyncClient, keys: KeysInMemory, db: Database):
    keys.over_rate = True
    answer = await client.post(path("pagerduty", "v2/enqueue"), content=fixture("pagerduty/pdpyras-5.4-resolve"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["status"] == "throttle exceeded"
    assert await kept(db) == [], "it will come again"


async def test_no_answer_comes_while_the_commit_is_held_up(client: httpx.AsyncClient, db: Database):
    async with db.connection() as conn:
        async with conn.transaction():
            await conn.execute("LOCK TABLE inbox IN EXCLUSIVE MODE")
            posting = asyncio.create_task(client.post(ALERTS, content=b'[{"labels": {"a": "b"}}]'))
            await until_somebody_waits_for_a_lock(db)
            assert not posting.done()
        answer = await posting
    assert answer.status_code == 200


async def test_gzip_is_unpacked_and_stored_unpacked(client: httpx.AsyncClient, db: Database):
    body = fixture("prometheus/prometheus-2.42-firing")
    answer = await client.post(ALERTS, content=gzip.compress(body, mtime=0), headers={"content-encoding": "gzip"})
    assert answer.status_code == 200
    (row,) = await inbox_rows(db)
    assert row.raw == body


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        (gzip.compress(b" " * 100_000_000, mtime=0), 413),
        (gzip.compress(b"[]", mtime=0)[:-4], 400),
        (gzip.compress(b"[]", mtime=0) * 2, 400),
        (b"\x1f\x8b rubbish", 400),
    ],
)
async def test_gzip_that_is_a_bomb_or_broken_is_refused(client: httpx.AsyncClient, packed: bytes, status: int):
    assert (await client.post(ALERTS, content=packed)).status_code == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_wrong_content_type_is_tolerated(client: httpx.AsyncClient, content_type: str):
    answer = await client.post(ALERTS, content=b'[{"labels": {"a": "b"}}]', headers={"content-type": content_type})
    assert answer.status_code == 200


async def test_nothing_to_store_is_not_stored(client: httpx.AsyncClient, db: Database):
    assert (await client.post(ALERTS, content=b"[]")).status_code == 200
    assert await inbox_rows(db) == ()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", ALERTS),
        ("PUT", ALERTS),
        ("GET", path("prometheus", "api/v2/silences")),
        ("POST", path("prometheus", "api/v1/alerts")),
        ("POST", "/integrations/only-a-key"),
        ("POST", "/integrations/"),
        ("POST", "/v2/change/other"),
        ("GET", "/"),
    ],
)
async def test_everything_else_is_passed_on(client: httpx.AsyncClient, method: str, address: str):
    answer = await client.request(method, address)
    assert (answer.status_code, answer.text) == (418, f"{method} {address}")


@pytest.mark.parametrize("address", ["/v2/enqueue", path("json", "events"), path("alertmanager", "alertmanager")])
async def test_a_get_on_a_post_address_is_not_allowed(client: httpx.AsyncClient, address: str):
    answer = await client.get(address)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_lifespan_is_passed_on(app: IntakeApp):
    seen = []

    async def next_app(scope, receive, send) -> None:
        seen.append(scope["type"])

    app._next = next_app
    await app({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]


async def test_a_sender_that_goes_away_is_not_answered(app: IntakeApp, db: Database):
    messages = iter([{"type": "http.request", "body": b"[", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: object) -> None:
        raise AssertionError("nobody is there")

    await app({"type": "http", "method": "POST", "path": ALERTS, "headers": []}, receive, send)
    assert await inbox_rows(db) == ()
    assert await kept(db) == []


async def test_stored_and_refused_payloads_are_counted(client: httpx.AsyncClient):
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    stored, refused = (
        counted("sev1_intake_stored_total", format="json"),
        counted("sev1_intake_refused_total", format="json", status="400"),
    )
    await client.post(path("json", "events"), json={"summary": "x"})
    await client.post(path("json", "events"), json={})
    assert counted("sev1_intake_stored_total", format="json") == stored + 1
    assert counted("sev1_intake_refused_total", format="json", status="400") == refused + 1


async def test_a_format_that_means_nothing_by_its_headers_never_has_them_read(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """Prometheus' thousands a second must not pay for Opsgenie's header."""

    def refuse(*_: object) -> None:
        raise AssertionError("the request was read")

    monkeypatch.setattr("sev1.intake.asgi.request_of", refuse)
    answer = await client.post(ALERTS, content=fixture("prometheus/prometheus-2.42-firing"))
    assert answer.status_code == 200
    with pytest.raises(AssertionError, match="the request was read"):
        await client.post(path("google", "google"), content=b"{}")
