"""A change is no alert: it is kept, listed, and wakes nobody."""

import json
from datetime import timedelta

from tests.intake.amazon import signed
from tests.intake.contract import FIXTURES

from sev1.intake import changes
from sev1.intake.formats import FORMATS
from sev1.intake.request import Request

from .world import World

CHANGE = (FIXTURES / "pagerduty-change" / "documented.json").read_bytes()


async def kept(world: World, **where: object) -> list[changes.Change]:
    async with world.db.connection() as conn:
        return await changes.list_changes(conn, **where)


async def test_a_change_event_is_kept_once_and_makes_no_alert(world: World):
    await world.put("pagerduty-change", CHANGE)
    await world.triage()
    await world.triage()
    (change,) = await kept(world)
    assert (change.summary, change.service, change.source) == (
        "Build success: checkout 2.4.1 is in production", "checkout", "ci-runner-7",
    )  # fmt: skip
    assert change.details["build_number"] == "2"
    assert [link.url for link in change.links] == ["https://ci.example.net/builds/2"]
    assert await world.alerts() == []
    assert await world.pages() == []


async def test_the_keys_service_stands_in_where_a_change_names_none(world: World):
    key = await world.key("json", service="search")
    await world.put("json", json.dumps({"kind": "change", "summary": "flag on"}).encode(), key=key)
    await world.triage()
    (change,) = await kept(world, service="search")
    assert (change.summary, change.at, change.source) == ("flag on", world.clock.now(), "json")


async def test_alerts_and_changes_of_one_payload_each_go_their_way(world: World):
    body = [{"kind": "change", "summary": "deploy"}, {"summary": "Disk full", "severity": "critical"}]
    await world.put("json", json.dumps(body).encode())
    await world.triage()
    assert [change.summary for change in await kept(world)] == ["deploy"]
    assert (await world.alert()).summary == "Disk full"


async def test_changes_are_listed_by_service_and_time_newest_first_and_forgotten_in_the_end(world: World):
    for minutes, service in ((0, "checkout"), (10, "checkout"), (20, "search")):
        at = (world.clock.now() - timedelta(minutes=minutes)).isoformat()
        body = {"kind": "change", "summary": f"{minutes}", "service": service, "starts_at": at}
        await world.put("json", json.dumps(body).encode())
    await world.triage()
    now = world.clock.now()
    assert [change.summary for change in await kept(world)] == ["0", "10", "20"]
    assert [change.summary for change in await kept(world, service="checkout", until=now - timedelta(minutes=5))] == [
        "10"
    ]
    assert [change.summary for change in await kept(world, since=now - timedelta(minutes=15))] == ["0", "10"]
    async with world.db.transaction() as conn:
        assert await changes.forget(conn, now) == 0
        assert await changes.forget(conn, now + timedelta(seconds=1)) == 3


async def test_a_note_of_a_sender_changes_nothing_but_the_history(world: World):
    for state in ("insufficient_data", "alarm", "insufficient_data", "ok"):
        body = signed((FIXTURES / "sns" / f"{state}.json").read_bytes())
        await world.put("sns", FORMATS["sns"].stored(Request(method="POST", path="sns", body=body)))
        await world.triage()
    alert = await world.alert()
    assert (alert.status, alert.times) == ("resolved", 1)
    assert await world.history(alert.id) == ["fired", "noted", "resolved"]
