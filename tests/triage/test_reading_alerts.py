"""Alerts as the pages and the API read them."""

from typing import Any

from sev1.catalog.matchers import parse
from sev1.engine.database import Database
from sev1.triage import alerts

from .world import World

CHECKOUT = {"alertname": "HighErrors", "service": "checkout", "severity": "critical", "env": "prod"}


async def many(world: World) -> None:
    """A-1 … A-12: every third a ticket, every fourth of search; the last two are over."""
    for number in range(1, 13):
        labels = {**CHECKOUT, "instance": f"web-{number}"}
        labels |= {"severity": "warning"} if number % 3 == 0 else {}
        labels |= {"service": "search"} if number % 4 == 0 else {}
        await world.prometheus(labels)
        if number > 10:
            await world.prometheus(labels, over=True)
    await world.triage()


ASKED: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
    ({"status": "resolved"}, [12, 11]),
    ({"status": "firing", "tier": "ticket"}, [9, 6, 3]),
    ({"service": "search"}, [12, 8, 4]),
    ({"matchers": parse('instance="web-7"')}, [7]),
    ({"matchers": parse('instance!="web-7", status!="x"'), "status": "firing"}, [10, 9, 8, 6, 5, 4, 3, 2, 1]),
    ({"matchers": parse('instance=~"web-1.*"')}, [12, 11, 10, 1]),
    ({"matchers": parse('instance!~"web-.", env="prod"')}, [12, 11, 10]),
    ({"matchers": parse('team=""'), "tier": "ticket"}, [12, 9, 6, 3]),
    ({"matchers": parse('team!=""')}, []),
    ({"key_id": 99}, []),
    ({"held": "silenced"}, []),
    ({"service": "'; DROP TABLE alerts; --"}, []),
]


async def test_alerts_are_listed_newest_first_by_what_is_asked(world: World):
    await many(world)
    async with world.db.connection() as conn:
        for where, found in ASKED:
            part = await alerts.list_alerts(conn, **where)
            assert [alert.id for alert in part.alerts] == found, where
            assert part.before is None


async def test_a_long_list_is_read_in_parts_without_gap_or_double(world: World):
    await many(world)
    for text in ("", 'instance=~"web-.*"', 'env="prod"'):
        seen: list[int] = []
        before = None
        async with world.db.connection() as conn:
            for _ in range(10):
                part = await alerts.list_alerts(conn, matchers=parse(text), limit=5, before=before)
                assert len(part.alerts) <= 5
                seen += [alert.id for alert in part.alerts]
                before = part.before
                if before is None:
                    break
        assert seen == list(range(12, 0, -1)), text


async def test_a_search_that_looks_through_too_many_goes_on_where_it_stopped(world: World, monkeypatch):
    monkeypatch.setattr(alerts, "SCAN_MAX", 5)
    await many(world)
    async with world.db.connection() as conn:
        first = await alerts.list_alerts(conn, matchers=parse('instance=~"web-(1|9)"'))
        second = await alerts.list_alerts(conn, matchers=parse('instance=~"web-(1|9)"'), before=first.before)
        third = await alerts.list_alerts(conn, matchers=parse('instance=~"web-(1|9)"'), before=second.before)
    assert [[a.id for a in part.alerts] for part in (first, second, third)] == [[9], [], [1]]
    assert third.before is None


async def test_the_alerts_of_a_page_and_of_an_incident_are_found(db: Database, world: World):
    await many(world)
    async with db.transaction() as conn:
        on_page = await alerts.alerts_of_page(conn, "P-1")
        assert {alert.page for alert in on_page} == {"P-1"}
        await alerts.link_incident(conn, [alert.id for alert in on_page], "INC-1")
        assert [a.id for a in await alerts.alerts_of_incident(conn, "INC-1")] == [a.id for a in on_page]
        await alerts.link_incident(conn, [on_page[0].id], None)
        assert len(await alerts.alerts_of_incident(conn, "INC-1")) == len(on_page) - 1


async def test_an_alert_that_does_not_exist_is_none(db: Database):
    async with db.connection() as conn:
        assert await alerts.get_alert(conn, 1) is None
        assert await alerts.transitions(conn, 1) == []


async def test_alerts_that_belong_to_no_tier_are_listed(world: World):
    await world.prometheus({"alertname": "A"}, {"alertname": "B", "severity": "urgent"}, CHECKOUT)
    await world.triage()
    async with world.db.connection() as conn:
        assert [a.labels["alertname"] for a in await alerts.without_tier(conn)] == ["A", "B"]
