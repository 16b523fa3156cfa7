"""From the gate to the last step of the recovery, through API, page, mail and terminal's API (mission 11)."""

from datetime import timedelta

from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser

GATE = tuple(f"/confirm {criterion}" for criterion in ("restored", "impact_ended", "stable", "no_residual"))


async def jump(stage: Stage, **delta: float) -> None:
    stage.clock.jump_to(stage.clock.now() + timedelta(**delta))
    await stage.settle()


async def test_the_gate_names_what_fires_of_affected_services_and_of_those_that_depend_on_them(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.fires("LedgerSlow", labels={"service": "ledger"})
    await stage.fires("CheckoutErrors")
    await stage.declares(commander="ana", services=["payments"], alerts=[1])
    gate = await stage.api("GET", "/incidents/INC-1/gate")
    by_name = {row["criterion"]: row for row in gate["criteria"]}
    assert by_name["stable"]["holds_up"] == ["A-1 of this incident fires"]
    assert by_name["restored"]["findings"] == ["A-2 of Checkout, which depends on it, fires"]
    assert "Checkout" in gate["checked"]
    page = (await stage.http.get("/incidents/INC-1/gate", headers=ana)).text
    assert "A-2 of Checkout, which depends on it, fires" in page
    answer = await stage.says("INC-1", "/confirm restored")
    assert answer["advice"][0]["kind"] == "known_against"
    assert answer["recorded"][0]["details"] == [["Despite", "A-2 of Checkout, which depends on it, fires"]]
    refused = await stage.says("INC-1", "/confirm stable", expect=409)
    assert "A-1 of this incident still fire" in refused["detail"]


async def test_recovery_is_tracked_step_by_step_beyond_the_all_clear(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.declares(commander="ana", services=["checkout"])
    await stage.says("INC-1", "/role ops @bo", "/task @gus write a test", "/mitigation retries are off @bo")
    refused = await stage.says("INC-1", "/recovered R1", expect=409)
    assert "Recovery begins when the incident is resolved" in refused["detail"]
    answer = await stage.says("INC-1", *GATE, "/resolve")
    assert [one["line"] for one in answer["advice"]] == ["/carry T1 @gus"]
    await stage.says(
        "INC-1", "/carry T1 @gus until 2026-03-09 12:00", "/recovered R2 does not apply because nothing was written"
    )
    page = (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert "7 of 8 open" in page
    assert "nothing was written" in page
    gate = (await stage.http.get("/incidents/INC-1/gate", headers=ana)).text
    assert "M1 retries are off (@bo)" in gate
    answer = await stage.says("INC-1", "/all-clear Cards work again.")
    assert [entry["headline"] for entry in answer["recorded"]] == [
        "All clear",
        "Review proposed for 2026-03-09 10:00 UTC, led by Ana Ribeiro",
    ]
    thanked = dict(answer["recorded"][0]["details"])["Thanks to"]
    assert "Ana" in thanked
    assert "Gus" in thanked
    assert {"ana@nordlicht.example", "bo@nordlicht.example", "gus@nordlicht.example"} <= set(stage.mailed("All clear"))
    await stage.says("INC-1", "/recovery R6 @bo", "/review @bo by 2026-03-06 10:00")
    assert stage.mailed("see to it: logs and traces") == ["bo@nordlicht.example"]
    await jump(stage, days=3, minutes=1)
    assert len(stage.mailed("Recovery is not through: every affected service")) == 1
    await jump(stage, hours=7)
    assert stage.mailed("You lead the review on") == ["bo@nordlicht.example"]
    for step in (1, 3, 4, 5, 6, 7):
        await stage.says("INC-1", f"/recovered R{step}")
    state = await stage.api("GET", "/incidents/INC-1")
    assert len(state["recovery"]["ticks"]) == 8
    await jump(stage, days=4, hours=2)
    assert stage.mailed("Due now, how does it stand? write a test") == ["gus@nordlicht.example"]
    await stage.says("INC-1", "/done T1 merged")


async def test_what_is_temporary_is_listed_over_all_incidents_until_it_is_removed(stage: Stage):
    await stage.declares(commander="ana")
    await stage.declares("Kestrel", commander="ana", restricted=True)
    await stage.declares("Refunds are late", commander="bo")
    await stage.says("INC-1", "/mitigation retries are off @bo until 2026-03-05 12:00", *GATE, "/resolve", "/all-clear")
    await stage.says("INC-2", "/mitigation kestrel keys are blocked @ana")
    await stage.says("INC-3", "/mitigation refunds by hand @gus until 2026-03-03 12:00")
    await jump(stage, days=2)
    hana = await browser(stage, "hana")
    listed = await stage.api("GET", "/mitigations")
    assert [(one["incident"], one["overdue"], one["is_over"]) for one in listed] == [
        ("INC-3", True, False),
        ("INC-1", False, True),
        ("INC-2", False, False),
    ]
    page = (await stage.http.get("/mitigations", headers=hana)).text
    assert page.index("refunds by hand") < page.index("retries are off")
    assert "estrel" not in page
    assert [one["ref"] for one in await stage.api("GET", "/mitigations?owner=bo")] == ["M1"]
    await stage.says("INC-1", "/done M1 switched on again")
    assert "retries are off" not in (await stage.http.get("/mitigations", headers=hana)).text


async def test_reopened_the_earlier_end_stays_readable(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.declares(commander="ana")
    await stage.says(
        "INC-1", "/task @bo measure the lag", *GATE, "/resolve", "/all-clear", "/reopen because errors are back"
    )
    state = await stage.api("GET", "/incidents/INC-1")
    assert [len(end["gate"]) for end in state["earlier_ends"]] == [4]
    assert state["tasks"][0]["state"] == "open"
    page = (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert "Ended before, reopened" in page
    assert "errors are back" in page
