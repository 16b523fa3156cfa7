"""Runbooks run as checklists inside an incident, through the API and on the page."""

from tests.scenarios.stage import Stage


async def test_a_runbook_is_run_step_by_step_to_its_done(stage: Stage):
    await stage.declares(services=["checkout"])
    begun = (await stage.says("INC-1", "/run checkout-errors"))["incident"]["runs"][0]
    assert [step["cue"] for step in begun["steps"]] == ["", "", "stop", "verify", "done"]
    assert begun["steps"][1]["branches"][1] == {"asks": "One region only?", "then": "`traffic drain checkout REGION`"}
    refused = await stage.says("INC-1", "/tick 4 below 1 %", expect=409)
    assert "/tick C1 3 done" in refused["detail"]
    out_of_order = await stage.says("INC-1", "/tick C1 2 skip no region stands out")
    assert [one["kind"] for one in out_of_order["advice"]] == ["out_of_order"]
    await stage.says("INC-1", "/tick 1 done the 03:05 deploy is rolled back", "/tick 3 nothing is being booked")
    ended = await stage.says("INC-1", "/tick 4 errors at 0.2 % for 10 min", "/tick 5")
    assert [one["headline"] for one in ended["recorded"]] == [
        "C1 step 5 done: DONE: tell #payments what was rolled back or drained.",
        "Runbook C1 done: Checkout: too many errors",
    ]
    run = ended["incident"]["runs"][0]
    assert (run["complete"], run["ticks"]["2"]["outcome"], run["ticks"]["3"]["note"]) == (
        True, "skipped", "nothing is being booked",
    )  # fmt: skip


async def test_runbooks_of_what_is_affected_are_offered_first_and_unknown_ones_named(stage: Stage):
    await stage.declares(services=["checkout"])
    draft = await stage.api("GET", "/incidents/INC-1/draft?line=/run%20")
    assert draft["candidates"][0] == {"text": "checkout-errors", "says": "Checkout: too many errors"}
    assert len(draft["candidates"]) == 6
    unknown = await stage.says("INC-1", "/run checkout-error", expect=404)
    assert "Did you mean checkout-errors" in unknown["detail"]


async def test_a_run_is_ended_with_a_reason_and_none_begins_when_it_is_over(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/run queue-backlog", "/run database-failover")
    after = (await stage.says("INC-1", "/run C1 end because it drains by itself"))["incident"]
    assert [(run["ended_at"] is None, run["reason"]) for run in after["runs"]] == [
        (False, "it drains by itself"), (True, ""),
    ]  # fmt: skip
    await stage.says("INC-1", "/false-alarm")
    await stage.says("INC-1", "/run storefront-slow", expect=409)
