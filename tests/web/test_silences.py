"""Silences on the page and the API: what one would hide, when that is too much, extend and end."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sev1.access import keys
from sev1.access.model import OPERATOR
from sev1.app import Node
from sev1.catalog import store as catalogs
from sev1.engine.clock import FakeClock
from sev1.engine.errors import Invalid
from sev1.triage import silences
from sev1.triage.model import Silence

Do = Callable[..., Awaitable[Any]]


@pytest.fixture
def fire(node: Node, clock: FakeClock) -> Do:
    async def send(*services: str) -> int:
        key = await keys.create(node.db, kind="prometheus", by=OPERATOR, now=clock.now())
        body = [
            {
                "labels": {"alertname": "Errors", "service": name, "severity": "critical"},
                "annotations": {"summary": name},
            }
            for name in services
        ]
        await node.inbox.submit(key.id, "prometheus", json.dumps(body).encode(), clock.now())
        while await node.triage():
            pass
        async with node.db.connection() as conn:
            number: int = await conn.fetchval("SELECT max(id) FROM alerts")
        return number

    return send


async def made(node: Node, clock: FakeClock) -> list[Silence]:
    async with node.db.connection() as conn:
        return await silences.list_all(conn, clock.now())


def until(clock: FakeClock, hours: int) -> str:
    return (clock.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


async def test_an_alert_offers_to_silence_it_with_its_labels_and_shows_what_that_hides(enter: Do, fire: Do):
    number = await fire("checkout")
    ana = await enter()
    assert f'href="/silences?alert={number}"' in await ana.see(f"/alerts/{number}")
    page = await ana.see(f"/silences?alert={number}")
    assert "alertname=&#34;Errors&#34;, service=&#34;checkout&#34;" in page
    assert "Now: 1 alert, 1 page." in page
    assert "In the last 7 days: 1 alert, 1 page." in page


async def test_a_silence_is_made_with_owner_reason_and_end_and_is_listed(enter: Do, node: Node, clock: FakeClock):
    ana = await enter()
    fields = {"match": 'env="staging"', "owner": "Platform", "reason": "rebuild", "end": until(clock, 2)}
    answer = await ana.send("/silences", on="/silences", what="create", **fields)
    assert answer.status_code == 303
    [silence] = await made(node, clock)
    assert (silence.created_by, silence.comment) == ("Platform", "rebuild")
    assert "Platform: rebuild" in await ana.see("/silences")
    clock.advance(minutes=90)
    assert "ends soon" in await ana.see("/silences")
    assert "1 silence ends within the hour" in await ana.see("/alerts")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": ""}, "needs a comment"),
        ({"end": ""}, "end is not readable"),
        ({"end": "2020-01-01T00:00"}, "cannot be in the past"),
        ({"match": 'env=~"("'}, "cannot be read"),
        ({"match": 'env!="prod"'}, "must not match the empty string"),
    ],
)
async def test_a_silence_that_lacks_something_is_refused_with_what_was_typed(
    enter: Do, node: Node, clock: FakeClock, changes: dict[str, str], sentence: str
):
    ana = await enter()
    fields = {"match": 'env="x"', "reason": "rebuild", "end": until(clock, 1), **changes}
    answer = await ana.send("/silences", on="/silences", what="create", **fields)
    assert answer.status_code >= 400
    assert sentence in answer.text
    assert await made(node, clock) == []


async def test_an_over_broad_silence_needs_a_confirmation(enter: Do, node: Node, clock: FakeClock):
    ana = await enter()
    fields = {"match": 'alertname=~".+"', "reason": "everything moves", "end": until(clock, 1), "what": "create"}
    refused = await ana.send("/silences", on="/silences", **fields)
    assert "nearly everything matches" in refused.text
    assert 'name="confirm"' in refused.text
    assert await made(node, clock) == []
    await ana.send("/silences", on="/silences", confirm="yes", **fields)
    assert len(await made(node, clock)) == 1


async def test_one_that_hid_a_fifth_of_the_services_is_over_broad(enter: Do, node: Node, fire: Do):
    await fire(*sorted((await _catalog(node)).services))
    ana = await enter()
    page = await ana.send("/silences", on="/silences", what="preview", match='alertname="Errors"')
    assert "services in the last 7 days" in page.text


async def _catalog(node: Node) -> Any:
    async with node.db.connection() as conn:
        return await node.catalogs.current(conn)


async def test_a_silence_is_extended_and_ended_early_and_one_that_is_over_is_not_extended(
    enter: Do, node: Node, clock: FakeClock
):
    ana = await enter()
    fields = {"match": 'env="x"', "reason": "rebuild", "end": until(clock, 1)}
    await ana.send("/silences", on="/silences", what="create", **fields)
    [before] = await made(node, clock)
    await ana.send(f"/silences/{before.id}/extend", on="/silences", hours="4")
    [after] = await made(node, clock)
    assert after.ends_at == before.ends_at + timedelta(hours=4)
    await ana.send(f"/silences/{before.id}/end", on="/silences")
    [over] = await made(node, clock)
    assert over.state(clock.now()) == "expired"
    async with node.db.transaction() as conn:
        with pytest.raises(Invalid, match="is over"):
            await silences.extend(conn, before.id, by="ana", longer=timedelta(hours=1), now=clock.now())


async def test_the_lists_of_what_has_no_home_are_on_the_page_of_alerts(
    enter: Do, fire: Do, node: Node, clock: FakeClock
):
    catalog = await _catalog(node)
    head = msgspec.structs.replace(catalog.organisation, fallback_owner=min(catalog.teams))
    async with node.db.transaction() as conn:
        changed = msgspec.structs.replace(catalog, routes={}, organisation=head)
        await catalogs.write(conn, changed, actor="operator", now=clock.now())
    await fire("no-such-service")
    ana = await enter()
    assert "Nobody routes these: 1" in await ana.see("/alerts")
    page = await ana.see("/alerts?only=unrouted")
    assert f"{catalog.teams[min(catalog.teams)].title} gives them a home" in page
