"""The screen on the wall: what is active, by page, API and terminal; nothing of what is restricted; one query."""

import asyncio
import re
from datetime import timedelta

from sev1.command.active import active_incidents
from sev1.command.sight import NOBODY
from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser


async def test_it_shows_what_is_active_late_first_and_all_clear_when_nothing_is(stage: Stage):
    hana = await browser(stage, "hana")
    assert "All clear" in (await stage.http.get("/wall", headers=hana)).text
    await stage.declares("Search is slow", severity="sev-3", commander="bo")
    await stage.later(minutes=5)
    await stage.declares("Card payments fail", severity="sev-1", services=["checkout"], commander="ana")
    await stage.says("INC-2", "/need a DBA", "/need a second pair of eyes", "/stage investigation")
    active = await stage.api("GET", "/incidents/active")
    assert [one["id"] for one in active] == ["INC-2", "INC-1"]
    assert (active[0]["open_needs"], active[0]["stage"], active[0]["update_late"]) == (2, "investigation", False)
    await stage.says("INC-1", "/priority 1 the press is calling")
    assert [one["priority_set"] for one in await stage.api("GET", "/incidents/active")] == [None, 1]
    assert active[0]["url"].endswith("/incidents/INC-2")
    await stage.says("INC-2", "/done N1")
    stage.clock.jump_to(stage.clock.now() + timedelta(hours=3))
    await stage.says("INC-2", "/can 4 of 10 payments fail")
    wall = (await stage.http.get("/wall", headers=hana)).text
    assert re.findall(r'id="wall-(INC-\d)"', wall) == ["INC-1", "INC-2"]
    assert "2 active incidents, 1 update late" in wall
    assert "update late by" in wall
    assert "1 open need<" in wall
    assert "Investigation" in wall
    assert re.findall(r">P(\d)</abbr> (INC-\d)<", wall) == [("1", "INC-1")]
    await stage.says("INC-1", "/false-alarm a test")
    await stage.says("INC-2", "/false-alarm a test")
    assert await stage.api("GET", "/incidents/active") == []
    assert "All clear" in (await stage.http.get("/wall", headers=hana)).text


async def test_a_restricted_incident_is_on_no_wall_but_that_of_those_who_see_it(stage: Stage):
    hana, ana = await browser(stage, "hana"), await browser(stage, "ana")
    await stage.declares("Kestrel credentials were stolen", restricted=True, commander="ana")
    wall = (await stage.http.get("/wall", headers=hana)).text
    assert "All clear" in wall
    assert "Kestrel" not in wall
    own = (await stage.http.get("/wall", headers=ana)).text
    assert "Kestrel" in own
    assert "Restricted" in own


async def test_a_hundred_active_incidents_are_one_query_that_is_bounded(stage: Stage):
    await stage.declares("Card payments fail", commander="ana")
    await stage.says("INC-1", "/need a DBA")
    async with stage.node.db.transaction() as conn:
        columns = [
            row["column_name"]
            for row in await conn.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'incidents'"
                " AND column_name NOT IN ('id', 'number')"
            )
        ]
        names = ", ".join(columns)
        await conn.execute(
            f"INSERT INTO incidents (id, number, {names})"
            f" SELECT 'INC-' || n, n, {names} FROM incidents, generate_series(2, 300) AS n WHERE id = 'INC-1'"
        )
        asked: list[str] = []
        with conn.query_logger(lambda query: asked.append(query.query)):
            found = await active_incidents(conn, NOBODY, stage.clock.now())
            await asyncio.sleep(0)  # loggers are told in the next turn of the loop
        assert len(asked) == 1
        assert len(found) == 200
        assert {one.open_needs for one in found} == {1}
        await conn.execute("DELETE FROM incidents WHERE number > 1")
