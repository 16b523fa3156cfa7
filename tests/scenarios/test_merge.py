"""Declared twice: the running one is shown, and the two are merged, through API, page and terminal's API (mission 3.2)."""

from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser


async def test_a_suspected_duplicate_is_shown_before_and_with_the_declaration(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.fires()
    await stage.declares("Card payments fail in Europe", page="P-1", services=["checkout"])
    found = await stage.api("GET", "/incidents/similar?title=Europe: card payments&service=checkout")
    assert [(one["id"], one["because"]) for one in found] == [
        ("INC-1", ["both affect Checkout", "the titles say nearly the same"])
    ]
    form = {"form": "declare", "title": "Nobody can pay", "services": "checkout", "csrf": ana["X-CSRF-Token"]}
    shown = await stage.http.post("/incidents/new", headers=ana, data=form)
    assert shown.status_code == 200
    assert "Is it this one?" in shown.text
    assert "Nobody can pay" in shown.text
    assert (await stage.ask("GET", "/incidents/INC-2")).status_code == 404
    made = await stage.http.post("/incidents/new", headers=ana, data={**form, "anyway": "yes"})
    assert made.status_code == 303
    assert "Is it this one?" in (await stage.http.get("/incidents/new?page=P-1", headers=ana)).text
    declared = await stage.declares("Paying fails", services=["checkout"])
    assert [one["id"] for one in declared["similar"]] == ["INC-1", "INC-2"]


async def test_a_restricted_incident_is_never_named_as_similar_to_who_does_not_see_it(stage: Stage):
    hana = await browser(stage, "hana")
    await stage.declares("Kestrel credentials were stolen", restricted=True, commander="ana", services=["checkout"])
    form = {
        "form": "declare",
        "title": "Kestrel credentials were stolen",
        "services": "checkout",
        "csrf": hana["X-CSRF-Token"],
    }
    answer = await stage.http.post("/incidents/new", headers=hana, data=form)
    assert answer.status_code == 303
    refused = await stage.says("INC-2", "/merge INC-1 because same", expect=404)
    assert refused["detail"] == "There is no incident INC-1."


async def test_merged_the_alerts_pages_and_open_work_go_on_in_one_incident(stage: Stage):
    hana = await browser(stage, "hana")
    await stage.fires()
    await stage.declares("Card payments fail", commander="ana")
    await stage.declares("Checkout errors", commander="bo", page="P-1")
    await stage.says("INC-2", "/task @gus measure the lag", "/need a DBA", "/role comms @hana")
    answer = await stage.says("INC-2", "/merge INC-1 because both are the failed deploy")
    assert answer["incident"]["status"] == "merged"
    assert answer["incident"]["merging"]["into"] == "INC-1"
    survivor = await stage.api("GET", "/incidents/INC-1")
    assert [task["text"] for task in survivor["tasks"]] == ["measure the lag (INC-2 T1)"]
    assert [need["text"] for need in survivor["needs"]] == ["a DBA (INC-2 N1)"]
    assert survivor["pages"] == ["P-1"]
    assert (await stage.page("P-1"))["incident"] == "INC-1"
    async with stage.node.db.connection() as conn:
        assert await conn.fetchval("SELECT incident FROM alerts WHERE id = 1") == "INC-1"
    assert "hana@nordlicht.example" in stage.mailed("This is INC-1 now")
    assert stage.mailed("INC-2 is the same and was merged into this") == ["ana@nordlicht.example"]
    page = (await stage.http.get("/incidents/INC-2", headers=hana)).text
    assert "goes on there" in page
    assert 'href="/incidents/INC-2"' in (await stage.http.get("/incidents/INC-1", headers=hana)).text
    refused = await stage.says("INC-2", "/sev 1", expect=409)
    assert "INC-2 was merged into INC-1" in refused["detail"]
    assert len(await stage.api("GET", "/incidents/INC-2/timeline")) > 4
    measures = await stage.api("GET", "/measures")
    assert measures["incidents"] == 1


async def test_two_that_are_merged_into_each_other_at_once_leave_one(stage: Stage):
    await stage.declares("One", commander="ana")
    await stage.declares("Two", commander="bo")
    await stage.says("INC-1", "/merge INC-2 because same")
    refused = await stage.says("INC-2", "/merge INC-1 because same", expect=409)
    assert "INC-1 is merged. Merge into one that is open." in refused["detail"]
