"""Incidents under incidents: a commander of commanders sees how each stands, and needs go up and answers come down."""

import asyncio

from tests.scenarios.stage import Stage


async def under_one(stage: Stage) -> None:
    """INC-1 commanded by ana, with INC-2 under it, commanded by bo."""
    await stage.declares("Everything is slow", commander="ana", severity="sev-1")
    await stage.says("INC-1", "/child Refunds are late @bo sev 3")


async def test_a_child_has_its_own_commander_and_both_sides_know_each_other(stage: Stage):
    await under_one(stage)
    child = await stage.api("GET", "/incidents/INC-2")
    assert (child["title"], child["severity"], child["commander"]) == ("Refunds are late", "sev-3", "bo")
    assert child["family"]["parent"] == "INC-1"
    parent = await stage.api("GET", "/incidents/INC-1")
    assert list(parent["family"]["children"]) == ["INC-2"]
    assert stage.mailed("you command it: Refunds are late") == ["bo@nordlicht.example"]
    ours = [entry["headline"] for entry in await stage.api("GET", "/incidents/INC-1/timeline")]
    theirs = [entry["headline"] for entry in await stage.api("GET", "/incidents/INC-2/timeline")]
    assert ours[-1] == "INC-2 declared under this: Refunds are late"
    assert theirs[-1] == "Under INC-1 now: Everything is slow"


async def test_the_roll_up_shows_how_each_child_stands_and_what_is_late(stage: Stage):
    await under_one(stage)
    await stage.says(
        "INC-2", "/can 300 refunds wait | replaying | a DBA", "/stage investigation", "/child Mails are late @gus sev 4"
    )
    await stage.declares("Something else")
    before = await stage.api("GET", "/incidents/INC-1/family")
    assert (before["open"], before["worst"], before["late"], before["parent"]) == (2, "sev-3", 0, None)
    refunds, mails = before["children"]
    assert (refunds["id"], refunds["level"], refunds["condition"]) == ("INC-2", 1, "300 refunds wait")
    assert (refunds["stage"], refunds["commander"], [n["text"] for n in refunds["needs"]]) == (
        "investigation",
        "bo",
        ["a DBA"],
    )
    assert (mails["id"], mails["level"], mails["parent"]) == ("INC-3", 2, "INC-2")
    stage.clock.advance(hours=9)
    after = await stage.api("GET", "/incidents/INC-1/family")
    assert after["children"][0]["update_late"]
    assert after["late"] >= 1
    from_below = await stage.api("GET", "/incidents/INC-2/family")
    assert from_below["parent"]["id"] == "INC-1"
    assert [one["id"] for one in from_below["children"]] == ["INC-3"]


async def test_a_need_goes_up_and_its_answer_comes_down(stage: Stage):
    await under_one(stage)
    await stage.says("INC-1", "/need a bigger room")
    await stage.says("INC-2", "/need a DBA", "/raise N1")
    again = await stage.says("INC-2", "/raise N1")
    assert again["recorded"] == []
    parent = await stage.api("GET", "/incidents/INC-1")
    assert [(need["number"], need["text"], need["state"]) for need in parent["needs"]] == [
        (1, "a bigger room", "open"), (2, "a DBA", "open"),
    ]  # fmt: skip
    assert stage.mailed("INC-2 cannot meet this by itself: a DBA") == ["ana@nordlicht.example"]
    await stage.says("INC-1", "/done N2 Gus joins you")
    child = await stage.api("GET", "/incidents/INC-2")
    assert [(need["state"], need["outcome"]) for need in child["needs"]] == [("met", "INC-1: Gus joins you")]


async def test_a_need_that_the_child_met_itself_is_over_above_too_unless_another_child_asks_for_it(stage: Stage):
    await under_one(stage)
    await stage.says("INC-1", "/child Mails are late @gus")
    for child in ("INC-2", "INC-3"):
        await stage.says(child, "/need a DBA", "/raise N1")
    await stage.says("INC-2", "/done N1 found one")
    assert [need["state"] for need in (await stage.api("GET", "/incidents/INC-1"))["needs"]] == ["open"]
    await stage.says("INC-1", "/drop N1 because it is night")
    other = await stage.api("GET", "/incidents/INC-3")
    assert [(need["state"], need["outcome"]) for need in other["needs"]] == [("dropped", "INC-1: it is night")]


async def test_the_answer_to_a_need_that_was_raised_twice_comes_all_the_way_down(stage: Stage):
    await under_one(stage)
    await stage.says("INC-2", "/child Mails are late @gus")
    await stage.says("INC-3", "/need a DBA", "/raise N1")
    await stage.says("INC-2", "/raise N1")
    await stage.says("INC-1", "/done N1 Gus")
    bottom = await stage.api("GET", "/incidents/INC-3")
    assert [(need["state"], need["outcome"]) for need in bottom["needs"]] == [("met", "INC-2: INC-1: Gus")]


async def test_a_parent_waits_for_its_children_or_says_why_not(stage: Stage):
    await under_one(stage)
    await stage.says("INC-1", *(f"/confirm {one}" for one in ("restored", "impact_ended", "stable", "no_residual")))
    refused = await stage.says("INC-1", "/resolve", expect=409)
    assert "INC-2 under this one is still open" in refused["detail"]
    refused = await stage.says("INC-1", "/false-alarm", expect=409)
    assert "INC-2 under this one is still open" in refused["detail"]
    after = await stage.says("INC-1", "/resolve because refunds are slow for another reason")
    assert after["incident"]["status"] == "resolved"
    assert after["recorded"][-1]["details"] == [
        ["Still open under it", "INC-2"], ["Reason", "refunds are slow for another reason"],
    ]  # fmt: skip
    refused = await stage.says("INC-1", "/child One more", expect=409)
    assert "Reopen it first" in refused["detail"]


async def test_without_open_children_a_parent_resolves_as_ever(stage: Stage):
    await under_one(stage)
    await stage.says("INC-2", "/false-alarm")
    await stage.says("INC-1", *(f"/confirm {one}" for one in ("restored", "impact_ended", "stable", "no_residual")))
    assert (await stage.says("INC-1", "/resolve"))["incident"]["status"] == "resolved"


async def test_there_are_no_circles_no_two_parents_and_three_levels_at_most(stage: Stage):
    for title in ("a", "b", "c", "d"):
        await stage.declares(f"incident {title}", commander="ana")
    await stage.says("INC-2", "/parent INC-1")
    await stage.says("INC-3", "/parent INC-2")
    assert "own parent" in (await stage.says("INC-1", "/parent INC-1", expect=400))["detail"]
    assert "is under INC-1 itself" in (await stage.says("INC-1", "/parent INC-3", expect=409))["detail"]
    assert "nobody serves two" in (await stage.says("INC-3", "/parent INC-4", expect=409))["detail"]
    assert "more than 3 levels" in (await stage.says("INC-4", "/parent INC-3", expect=409))["detail"]
    assert "more than 3 levels" in (await stage.says("INC-1", "/parent INC-4", expect=409))["detail"]
    assert "more than 3 levels" in (await stage.says("INC-3", "/child deeper", expect=409))["detail"]
    assert "no incident INC-9" in (await stage.says("INC-4", "/parent INC-9", expect=404))["detail"]
    await stage.says("INC-4", "/false-alarm")
    await stage.says("INC-2", "/parent none because it is another cause")
    assert "is false alarm" in (await stage.says("INC-2", "/parent INC-4", expect=409))["detail"]
    assert (await stage.api("GET", "/incidents/INC-1"))["family"]["children"] == {}
    assert [one["id"] for one in (await stage.api("GET", "/incidents/INC-2/family"))["children"]] == ["INC-3"]


async def test_declared_under_another_from_the_start(stage: Stage):
    await stage.declares(commander="ana")
    child = await stage.declares("Refunds are late", commander="bo", parent="INC-1")
    assert child["family"]["parent"] == "INC-1"
    assert list((await stage.api("GET", "/incidents/INC-1"))["family"]["children"]) == ["INC-2"]


async def test_a_draft_of_a_child_takes_no_number(stage: Stage):
    await stage.declares(commander="ana")
    for _ in range(2):
        draft = await stage.api("GET", "/incidents/INC-1/draft?line=/child Refunds are late @bo")
        assert draft["records"][0]["headline"] == "INC-2 declared under this: Refunds are late"
    assert (await stage.declares("another"))["id"] == "INC-2"


async def test_who_commands_both_is_told_so(stage: Stage):
    await stage.declares(commander="ana")
    answer = await stage.says("INC-1", "/child Refunds are late")
    assert [advice["kind"] for advice in answer["advice"]] == ["two_commands"]


async def test_two_that_take_each_other_as_parent_at_once_do_not_wait_for_each_other_and_one_is_refused(stage: Stage):
    await stage.declares("one", commander="ana")
    await stage.declares("two", commander="bo")
    for _ in range(5):
        answers = await asyncio.gather(
            *(
                stage.http.post(
                    f"/api/v1/incidents/{key}/lines",
                    json={"line": f"/parent {other}"},
                    headers={"Authorization": f"Bearer {stage._token}"},
                )
                for key, other in (("INC-1", "INC-2"), ("INC-2", "INC-1"))
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        under = "INC-1" if answers[0].status_code == 200 else "INC-2"
        await stage.says(under, "/parent none")


async def test_needs_that_go_up_while_answers_come_down_do_not_wait_for_each_other(stage: Stage):
    await under_one(stage)
    await stage.says("INC-1", "/child Mails are late @gus")
    for number in range(1, 7):
        await stage.says("INC-2", f"/need thing {number}", f"/raise N{number}")

    async def says(key: str, line: str) -> int:
        answer = await stage.http.post(
            f"/api/v1/incidents/{key}/lines",
            json={"line": line},
            headers={"Authorization": f"Bearer {stage._token}"},
        )
        return answer.status_code

    codes = await asyncio.gather(
        *(says("INC-1", f"/done N{number}") for number in range(1, 4)),
        *(says("INC-2", f"/done N{number}") for number in range(4, 7)),
        *(says("INC-3", f"/need more {number}") for number in range(3)),
    )
    assert set(codes) == {200}
    for key in ("INC-1", "INC-2"):
        state = await stage.api("GET", f"/incidents/{key}")
        assert {need["state"] for need in state["needs"]} == {"met"}


async def test_a_restricted_incident_stands_alone_and_is_as_unknown_to_a_family_as_to_everybody(stage: Stage):
    await under_one(stage)
    await stage.declares("Credentials were stolen", restricted=True, commander="ana")
    for key, other in (("INC-1", "INC-2"), ("INC-2", "INC-1")):
        refused = await stage.says(key, "/restrict because an account was taken over", expect=409)
        assert f"The record of {other} names it" in refused["detail"]
    for line in ("/parent INC-1", "/child Find every key"):
        refused = await stage.says("INC-3", line, expect=409)
        assert refused["detail"].startswith("A restricted incident stands alone")
    await stage.says("INC-2", "/parent none")
    hidden, unknown = [
        (await stage.says("INC-2", f"/parent {key}", expect=404))["detail"] for key in ("INC-3", "INC-9")
    ]
    assert hidden.replace("INC-3", "INC-9") == unknown
    together = {"title": "More keys", "restricted": True, "parent": "INC-1"}
    refused = await stage.api("POST", "/incidents", together, expect=409)
    assert "stands alone" in refused["detail"]
