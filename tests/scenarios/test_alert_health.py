"""The health of a service's alerts: what was acted on, how fast, and when they come, from what really happened."""

from tests.scenarios.stage import Stage


async def health(stage: Stage, query: str = "") -> dict:
    return await stage.api("GET", f"/services/checkout/alert-health{query}")


async def test_a_service_without_alerts_has_no_ratio(stage: Stage):
    found = await health(stage)
    assert (found["fired"], found["action_ratio"], found["mtta_s"]) == (0, None, None)
    assert (found["frequency"], found["noisiest"]) == ([], [])


async def test_what_was_acted_on_is_told_from_what_was_over_by_itself_and_what_was_false(stage: Stage):
    acted = await stage.fires("Errors")
    await stage.later(minutes=2)
    await stage.answers("P-1", "acknowledge")
    await stage.ends(acted)
    by_itself = await stage.fires("Blip")
    await stage.ends(by_itself)
    await stage.fires("Ghost")
    await stage.answers("P-3", "resolve", reason="False alarm: a test of ours.")
    await stage.fires("Still")
    found = await health(stage)
    assert (found["fired"], found["acted_on"], found["by_itself"], found["false_alarms"]) == (4, 1, 1, 1)
    assert found["action_ratio"] == 1 / 3, "what still fires has no fate yet"
    assert found["pages"] == 4
    assert found["mtta_s"] == 120


async def test_the_noisiest_rules_say_how_often_anybody_acted(stage: Stage):
    for n in range(3):
        noisy = await stage.fires("Noisy", labels={"instance": str(n)})
        await stage.ends(noisy)
    await stage.fires("Real")
    await stage.answers((await stage.api("GET", "/pages"))[-1]["id"], "acknowledge")
    found = await health(stage)
    assert found["noisiest"] == [
        {"rule": "Noisy", "fired": 3, "acted_on": 0, "false_alarms": 0},
        {"rule": "Real", "fired": 1, "acted_on": 1, "false_alarms": 0},
    ]


async def test_an_incident_that_was_a_false_alarm_counts_against_the_rules_that_led_to_it(stage: Stage):
    await stage.fires("Ghost")
    await stage.declares("Card payments fail", page="P-1", commander="ana")
    await stage.says("INC-1", "/false-alarm a test card")
    found = await health(stage)
    assert found["noisiest"] == [{"rule": "Ghost", "fired": 1, "acted_on": 0, "false_alarms": 1}]
    assert (await stage.api("GET", "/measures"))["false_alarms"] == 1


async def test_they_are_counted_by_severity_and_by_the_hour_of_the_readers_clock(stage: Stage):
    await stage.fires("Errors")  # 03:14 UTC
    await stage.fires("Plan", labels={"severity": "warning"})
    found = await health(stage)
    assert [(one["severity"], one["blocks"]) for one in found["frequency"]] == [
        ("sev-1", [0, 1, 0, 0, 0, 0, 0, 0]),
        ("sev-3", [0, 1, 0, 0, 0, 0, 0, 0]),
    ]
    tokyo = await health(stage, "?time_zone=Asia/Tokyo")  # 12:14
    assert tokyo["frequency"][0]["blocks"] == [0, 0, 0, 0, 1, 0, 0, 0]


async def test_only_the_window_counts(stage: Stage):
    alert = await stage.fires("Old")
    await stage.ends(alert)
    stage.clock.advance(days=31)
    assert (await health(stage))["fired"] == 0
    assert (await health(stage, "?days=60"))["fired"] == 1


async def test_an_unknown_zone_or_service_is_refused_in_words(stage: Stage):
    answer = await stage.api("GET", "/services/checkout/alert-health?time_zone=Mars/Olympus", expect=400)
    assert "Write it like Europe/Berlin" in str(answer)
    await stage.api("GET", "/services/nothing/alert-health", expect=404)
