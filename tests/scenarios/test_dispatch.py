"""Central, decentral and hybrid dispatch, as the sample organisation routes them; Monday, 03:14 UTC."""

from tests.scenarios.stage import Stage


def people(entry: dict) -> list[str]:
    return [one["person"] for one in entry["people"]]


async def fires(stage: Stage, service: str) -> dict:
    await stage.fires(f"{service.title()}Down", labels={"service": service})
    return await stage.page()


async def test_central_the_desk_is_asked_first_whatever_broke(stage: Stage):
    page = await fires(stage, "session-cache")
    assert page["policy"] == "desk-first"
    assert page["people"] == [
        {"person": "fumiko", "because": "on call for Platform around the clock until Mon 08:00 UTC"}
    ]


async def test_decentral_the_owning_team_is_asked_and_nobody_else(stage: Stage):
    await fires(stage, "warehouse")
    await stage.later(minutes=20)
    page = await stage.page()
    assert page["policy"] == "fulfilment"
    assert set(page["paged"]) == {"gus", "hana"}


async def test_hybrid_the_team_comes_first_and_the_desk_when_it_is_silent(stage: Stage):
    page = await fires(stage, "cart")
    assert page["step"] == 1
    assert set(people(page)) <= {"dana", "eli"}
    events = await stage.api("GET", "/pages/P-1/events")
    skipped = [e["event"]["reason"] for e in events if e["event"]["type"] == "step_skipped"]
    assert skipped == ["Only for SEV-1 and worse: this is SEV-2."]
    await stage.later(minutes=3)
    assert people(await stage.page()) == ["fumiko"]


async def test_hybrid_a_sev_1_goes_to_both_at_once_and_waits_thirty_seconds(stage: Stage):
    plan = await stage.api("GET", "/policies/storefront-and-desk/plan?severity=sev-1")
    assert plan[0]["kind"] == "asks"
    assert "fumiko" in people(plan[0])
    assert len(people(plan[0])) == 2
    assert [entry["kind"] for entry in plan[:4]] == ["asks", "skips", "skips", "asks"]


async def test_the_plan_of_a_page_says_what_then_happens(stage: Stage):
    await fires(stage, "session-cache")
    plan = await stage.api("GET", "/pages/P-1/plan")
    first = plan[0]
    await stage.later(seconds=120)
    page = await stage.page()
    assert page["people"] == first["people"]
    assert plan[-1]["kind"] == "ends"
    await stage.answers("P-1", "resolve")
    assert await stage.api("GET", "/pages/P-1/plan") == []


async def test_a_plan_of_what_does_not_exist_says_so(stage: Stage):
    answer = await stage.api("GET", "/policies/storefrnt/plan", expect=404)
    assert "storefront" in str(answer)
    await stage.api("GET", "/policies/storefront/plan?severity=bad", expect=400)
    await stage.api("GET", "/pages/P-99/plan", expect=404)


async def test_the_catalog_shows_a_policy_with_all_its_fields(stage: Stage):
    """Also those that nobody wrote and that are not stored."""
    found = (await stage.api("GET", "/catalog"))["policies"]
    platform = next(policy for policy in found if policy["name"] == "platform")
    assert platform["unattended_after_s"] == 1800
    assert platform["steps"][0]["wait_s"] == 300
    assert platform["steps"][0]["round_robin"] is False
    assert platform["pause_s"] == 0


async def test_those_who_are_awake_are_asked_first_by_the_timers_too(stage: Stage):
    """In the third step of the desk's policy: at 03:21 UTC it is the middle of the day in Tokyo, night in Berlin."""
    await fires(stage, "session-cache")
    await stage.later(seconds=420)
    page = await stage.page()
    assert page["step"] == 2
    assert people(page) == ["fumiko"]
    assert page["people"][0]["because"].startswith("in team platform; awake: 12:2")
    before = len(stage.mailed("Card payments"))
    await stage.later(seconds=160)
    assert set(people(await stage.page())) == {"fumiko", "cem", "gus"}
    assert len(stage.mailed("Card payments")) == before + 2
