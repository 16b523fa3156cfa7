"""Somebody comes to help: they see what waits for somebody, and pick it up (mission 8.10)."""

from typing import Any

from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser


async def waits(stage: Stage) -> list[tuple[str, str]]:
    state = await stage.api("GET", "/incidents/INC-1")
    return [(one["ref"], one["line"]) for one in state["openings"]]


async def press(stage: Stage, who: dict[str, str], kind: str, **fields: Any) -> None:
    form = {"type": kind, "form": "pick", "csrf": who["X-CSRF-Token"], **fields}
    answer = await stage.http.post("/incidents/INC-1/commands", headers=who, data=form)
    assert answer.status_code in (200, 303), answer.text
    await stage.settle()


async def test_what_nobody_has_is_listed_until_somebody_has_it(stage: Stage):
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/task measure the lag of db-2 in 40 min", "/task @bo drain checkout-7 in 20 min")
    await stage.says("INC-1", "/task restart the pool of db-2 in 10 min", "/need a DBA", "/unknown since when?")
    assert await waits(stage) == [
        ("T3", "/take T3"),
        ("T1", "/take T1"),
        ("N1", "/take N1"),
        ("ops", "/role ops @me"),
        ("comms", "/role comms @me"),
        ("scribe", "/role scribe @me"),
    ]
    await stage.says("INC-1", "/take T3 @bo", "/take T1 @bo", "/take N1 @gus", "/role ops @bo", "/role comms @hana")
    await stage.says("INC-1", "/role scribe @gus")
    assert await waits(stage) == [("U1", "/answer U1 ")]
    await stage.says("INC-1", "/answer U1 since 03:05")
    assert await waits(stage) == []


async def test_a_newcomer_picks_something_up_with_one_press_and_is_a_newcomer_no_more(stage: Stage):
    bo = await browser(stage, "bo")
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/task measure the lag of db-2 in 40 min")
    await stage.says("INC-1", "/run checkout-errors")
    page = (await stage.http.get("/incidents/INC-1", headers=bo)).text
    assert 0 < page.index("Pick something up") < page.index('id="work-runs"'), "a runbook stands before it"
    ana = await browser(stage, "ana")
    assert "Pick something up" not in (await stage.http.get("/incidents/INC-1", headers=ana)).text
    await press(stage, bo, "take_task", task="1")
    state = await stage.api("GET", "/incidents/INC-1")
    assert state["tasks"][0]["owner"] == "bo"
    assert "Pick something up" not in (await stage.http.get("/incidents/INC-1", headers=bo)).text


async def test_the_first_word_of_a_newcomer_is_recorded_and_answered_with_what_waits(stage: Stage):
    bo = await browser(stage, "bo")
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/task measure the lag of db-2 in 40 min")

    async def says(line: str) -> str:
        form = {"line": line, "form": "line", "csrf": bo["X-CSRF-Token"]}
        answer = await stage.http.post("/incidents/INC-1/lines", headers=bo, data=form)
        assert answer.status_code in (200, 303), answer.text
        await stage.settle()
        return answer.text if answer.status_code == 200 else answer.headers["Location"]

    first = await says("I see it as well, from Lisbon")
    assert "If you can do more: nobody has T1 yet." in first
    await stage.later(minutes=1)
    assert "If you can do more" not in await says("and from Porto")
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    assert [e["headline"] for e in timeline if "from" in e["headline"]] == [
        "I see it as well, from Lisbon", "and from Porto",
    ]  # fmt: skip


async def test_nothing_waits_once_it_is_over(stage: Stage):
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/task measure the lag of db-2 in 40 min", "/false-alarm because the probe was wrong")
    assert await waits(stage) == []
