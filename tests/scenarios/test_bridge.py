"""A bridge, through the API, with the clock moved by hand (missions 8.9, 9.7)."""

from tests.scenarios.stage import Stage

URL = "https://meet.example/sev1"


async def test_who_is_called_onto_the_bridge_gets_its_address_once(stage: Stage):
    await stage.declares(severity="sev-1", commander="ana")
    answer = await stage.says("INC-1", f"/bridge {URL} with @bo @gus")
    assert answer["recorded"][0]["headline"] == f"Bridge: {URL}"
    assert (answer["incident"]["bridge"]["url"], answer["incident"]["bridge"]["people"]) == (URL, ["bo", "gus"])
    assert stage.mailed(f"asks you onto the bridge: {URL}") == ["bo@nordlicht.example", "gus@nordlicht.example"]
    await stage.says("INC-1", "/bridge with @bo @dana")
    assert stage.mailed("asks you onto the bridge")[2:] == ["dana@nordlicht.example"]
    refused = await stage.does("INC-1", "open_bridge", people=["nobody"], expect=400)
    assert "Nobody here is called 'nobody'" in refused["detail"]
    await stage.does("INC-1", "open_bridge", url="http://meet.example", expect=400)
    assert (await stage.says("INC-1", "/bridge off"))["incident"]["bridge"] is None


async def test_the_scribe_is_asked_once_what_was_decided_and_a_decision_answers(stage: Stage):
    await stage.declares(severity="sev-1", commander="ana")
    await stage.says("INC-1", "/role scribe @bo", f"/bridge {URL}")
    await stage.later(minutes=9)
    assert stage.mailed("What was decided on the bridge?") == []
    await stage.later(minutes=12)
    assert stage.mailed("What was decided on the bridge?") == ["bo@nordlicht.example"]
    assert (await stage.api("GET", "/incidents/INC-1"))["bridge"]["asked_at"] is not None
    answer = await stage.says("INC-1", "/decide on the bridge: fail over because db-1 is lost")
    assert answer["recorded"][0]["headline"] == "Decision D1 on the bridge: fail over"
    assert answer["incident"]["decisions"][0]["on_bridge"] is True
    assert answer["incident"]["bridge"]["asked_at"] is None
    await stage.says("INC-1", "/release scribe @bo")
    await stage.later(minutes=10)
    assert stage.mailed("What was decided on the bridge?")[1:] == ["ana@nordlicht.example"]
    await stage.says("INC-1", "/bridge nothing")
    headlines = [entry["headline"] for entry in await stage.api("GET", "/incidents/INC-1/timeline")]
    assert not any("Asked" in headline or "Nothing was decided" in headline for headline in headlines)


async def test_a_bridge_that_moves_after_a_restriction_calls_those_only_who_still_see_it(stage: Stage):
    await stage.declares(severity="sev-1", commander="ana")
    await stage.says("INC-1", f"/bridge {URL} with @bo", "/restrict because of a breach")
    await stage.says("INC-1", "/admit @gus", "/bridge https://other.example with @gus")
    assert stage.mailed("onto the bridge: https://other.example") == ["gus@nordlicht.example"]
    await stage.says("INC-1", "/bridge with @dana", expect=409)
