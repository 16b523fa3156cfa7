"""What changed lately, where it is asked: on the page of an alert and by the API."""

import json
import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

import httpx
import pytest
from litestar import Litestar

from sev1.access import keys, tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.engine.clock import FakeClock
from sev1.intake.senders import KINDS, address_of, how_to

Do = Callable[..., Awaitable[Any]]
URL = "http://sev1.test"


@pytest.fixture
async def told(node: Node, clock: FakeClock) -> Do:
    key = await keys.create(node.db, kind="json", by=OPERATOR, now=clock.now())

    async def tell(*said: dict[str, object]) -> None:
        await node.inbox.submit(key.id, "json", json.dumps(said).encode(), clock.now())
        while await node.triage():
            pass

    return tell


def change(summary: str, at: str, service: str = "checkout") -> dict[str, object]:
    links = [{"title": "Build <7>", "url": "https://ci.example.net/7"}]
    return {"kind": "change", "summary": summary, "service": service, "starts_at": at, "source": "ci", "links": links}


async def test_an_alerts_page_shows_what_changed_in_its_service_in_the_last_day(enter: Do, told: Do):
    await told(
        change("checkout 2.4.1 <b>is out</b>", "2026-03-02T03:00:00Z"),
        change("long ago", "2026-03-01T03:00:00Z"),
        change("another service", "2026-03-02T03:00:00Z", "search"),
        {"summary": "Payments fail", "service": "checkout", "severity": "critical"},
    )
    html = await (await enter()).see("/alerts/1")
    assert "What changed lately" in html
    assert "checkout 2.4.1 &lt;b&gt;is out&lt;/b&gt;" in html
    assert 'href="https://ci.example.net/7"' in html
    assert "Build &lt;7&gt;" in html
    assert "long ago" not in html
    assert "another service" not in html


async def test_where_nothing_changed_nothing_is_said_about_it(enter: Do, told: Do):
    await told({"summary": "Payments fail", "service": "checkout", "severity": "critical"})
    assert "What changed lately" not in await (await enter()).see("/alerts/1")


async def test_the_api_lists_changes_of_a_service_since_an_instant(
    node: Node, app: Litestar, clock: FakeClock, told: Do
):
    await told(
        change("new", "2026-03-02T03:00:00Z"),
        change("old", "2026-03-01T03:00:00Z"),
        change("other", "2026-03-02T03:00:00Z", "search"),
    )
    token = await tokens.create(node.db, name="reader", role=Role.VIEWER, by=OPERATOR, now=clock.now())
    headers = {"Authorization": f"Bearer {token.token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://sev1.test", headers=headers
    ) as http:
        asked = {"service": "checkout", "since": "2026-03-02T00:00:00Z"}
        (found,) = (await http.get("/api/v1/changes", params=asked)).raise_for_status().json()
        assert (found["summary"], found["service"], found["source"]) == ("new", "checkout", "ci")
        assert len((await http.get("/api/v1/changes")).json()) == 3
        assert (await http.get("/api/v1/changes", params={"since": "2026-03-02T00:00:00"})).status_code == 400


async def test_the_page_for_keys_makes_one_of_every_kind_and_says_what_to_paste(enter: Do):
    admin = await enter("admin", Role.ADMIN)
    for kind in KINDS:
        answer = await admin.send("/settings/keys", kind=kind, name=f"key of {kind}", service="", signing_secret="")
        said = unescape(answer.text)
        (secret,) = set(re.findall(r"(?:/integrations/|/heartbeat/|<code>)(\w{32})\b", said))
        assert f"{address_of(kind, URL, secret)}</code>" in said
        assert how_to(kind, URL, secret) in said


async def test_the_secret_that_sentry_signs_with_is_kept_and_never_shown(enter: Do, node: Node):
    admin = await enter("admin", Role.ADMIN)
    answer = await admin.send("/settings/keys", kind="sentry", name="", service="", signing_secret="very-secret-word")
    assert answer.status_code == 200
    assert "very-secret-word" not in answer.text
    assert "very-secret-word" not in await admin.see("/settings")
    await node.keyring.refresh()
    (key,) = [held for held in node.keyring._keys.values() if held.kind == "sentry"]
    assert key.signing_secret == "very-secret-word"
    refused = await admin.send("/settings/keys", kind="json", name="", service="", signing_secret="x")
    assert "does not sign what it sends" in refused.text
