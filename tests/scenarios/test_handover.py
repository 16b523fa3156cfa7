"""Command changes hands, through the whole product: page, API, mail, and a real page to whoever does not answer."""

from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser

ALL_FIVE = ["impact", "state", "people", "decisions", "next"]
READ_BACK = "Card payments fail, Bo rolls back, I post the next update"


async def test_a_successor_reads_the_briefing_and_takes_command_by_reading_it_back(stage: Stage):
    bo = await browser(stage, "bo")
    await stage.declares(severity="sev-1", commander="ana", services=["checkout"])
    await stage.says("INC-1", "/can 42 % fail | rolling back", "/task @gus roll back in 20 min", "/know began at 03:05")
    await stage.says("INC-1", "/handover @bo my shift ends at 06:00")
    assert stage.mailed("offers you command") == ["bo@nordlicht.example"]
    page = (await stage.http.get("/incidents/INC-1", headers=bo)).text
    assert "offers you command. Read the briefing and answer by" in page
    told = await stage.api("GET", "/incidents/INC-1/briefing")
    assert [one["point"] for one in told] == ALL_FIVE
    assert "Latest update: 42 % fail" in told[0]["text"]
    assert "Gus Fischer: roll back" in told[2]["text"] or "roll back" in told[2]["text"]
    page = (await stage.http.get("/incidents/INC-1/handover", headers=bo)).text
    assert "my shift ends at 06:00" in page
    assert page.count('type="checkbox"') == 5
    form = {"type": "accept_command", "form": "accept", "read_back": READ_BACK, "csrf": bo["X-CSRF-Token"]}
    refused = await stage.http.post(
        "/incidents/INC-1/handover", headers=bo, data={**form, "point-impact": "on", "point-state": "on"}
    )
    assert refused.status_code == 409
    assert "Still to confirm: who does what" in refused.text
    assert READ_BACK in refused.text
    assert refused.text.count("checked") == 2
    accepted = await stage.http.post(
        "/incidents/INC-1/handover", headers=bo, data={**form, **{f"point-{point}": "on" for point in ALL_FIVE}}
    )
    assert accepted.status_code == 303
    await stage.settle()
    state = await stage.api("GET", "/incidents/INC-1")
    assert (state["commander"], state["commander_is_temporary"]) == ("bo", False)
    entry = (await stage.api("GET", "/incidents/INC-1/timeline"))[-1]
    assert entry["headline"].startswith("Command handed over: Ana")
    assert entry["details"][0] == ["Read back", READ_BACK]
    assert [label for label, _ in entry["details"]][1] == "What is broken, and whom it hurts"
    assert stage.mailed("commands now") == ["ana@nordlicht.example"]


async def test_an_offer_can_be_declined_or_run_out_and_the_commander_is_told(stage: Stage):
    bo = await browser(stage, "bo")
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/handover @bo")
    line = {"line": "/decline because I have been up for 20 hours", "form": "line", "csrf": bo["X-CSRF-Token"]}
    assert (await stage.http.post("/incidents/INC-1/lines", headers=bo, data=line)).status_code == 303
    await stage.settle()
    assert stage.mailed("cannot take command: I have been up") == ["ana@nordlicht.example"]
    await stage.says("INC-1", "/handover @bo")
    await stage.later(minutes=16)
    assert stage.mailed("did not answer. You still command") == ["ana@nordlicht.example"]
    state = await stage.api("GET", "/incidents/INC-1")
    assert (state["commander"], state["handover"]["offer"]) == ("ana", None)
    refused = await stage.says("INC-1", f"/accept all: {READ_BACK}", expect=409)
    assert "Nobody has offered you command" in refused["detail"]


async def test_a_commander_who_does_not_answer_is_paged_and_command_is_offered_down_the_line(stage: Stage):
    await stage.declares(severity="sev-1", commander="ana", services=["checkout"])
    await stage.says("INC-1", "/role ic @gus", "/role ic @ana", "/role ops @bo")
    await stage.says("INC-1", "/call-ic we must decide on the failover")
    page = await stage.page("P-1")
    assert (page["status"], page["people"][0]["person"]) == ("triggered", "ana")
    assert page["title"] == "INC-1: we must decide on the failover"
    refused = await stage.says("INC-1", "/takeover @bo because she does not answer", expect=409)
    assert "was called and has until" in refused["detail"]
    await stage.later(minutes=4)
    state = await stage.api("GET", "/incidents/INC-1")
    assert state["reach"]["line"][0] == "bo"
    assert state["reach"]["offered"] == ["bo"]
    page = await stage.page("P-2")
    assert (page["title"], page["people"][0]["person"]) == ("INC-1: Take command: ana does not answer.", "bo")
    state = (await stage.says("INC-1", "/takeover @bo because she does not answer"))["incident"]
    assert (state["commander"], state["reach"]["call"]) == ("bo", None)
    assert [(await stage.page(key))["status"] for key in ("P-1", "P-2")] == ["resolved", "resolved"]
    assert stage.mailed("took command") == ["ana@nordlicht.example"]


async def test_a_commander_who_answers_the_page_keeps_command(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.declares(severity="sev-1", commander="ana")
    await stage.says("INC-1", "/role ic @gus", "/role ic @ana", "/call-ic")
    form = {"type": "acknowledge", "csrf": ana["X-CSRF-Token"]}
    assert (await stage.http.post("/pages/P-1/commands", headers=ana, data=form)).status_code == 303
    await stage.later(minutes=4)
    state = await stage.api("GET", "/incidents/INC-1")
    assert (state["commander"], state["reach"]["call"], state["reach"]["unreachable_since"]) == ("ana", None, None)
    assert (await stage.api("GET", "/incidents/INC-1/timeline"))[-1]["headline"].endswith("answered the call")
    refused = await stage.says("INC-1", "/takeover @bo because I want to", expect=409)
    assert "was not called" in refused["detail"]


async def test_nobody_outside_of_a_restricted_incident_is_asked_to_take_it(stage: Stage):
    await stage.declares(
        "Kestrel keys were stolen", severity="sev-1", commander="ana", restricted=True, services=["checkout"]
    )
    await stage.says("INC-1", "/admit @dana", "/role ic @dana", "/role ic @ana", "/call-ic kestrel")
    await stage.later(minutes=4)
    state = await stage.api("GET", "/incidents/INC-1")
    assert state["reach"]["line"] == ["dana"]
    assert "estrel" not in str(await stage.page("P-1")) + str(await stage.page("P-2"))
    assert all("estrel" not in str(mail) for mail in stage.post.mails if "ana@" not in str(mail["To"]))


async def test_the_holder_of_a_role_reads_what_it_is_there_for_and_several_hats_are_shown(stage: Stage):
    bo = await browser(stage, "bo")
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/role ops @bo", "/role scribe @bo")
    page = (await stage.http.get("/incidents/INC-1", headers=bo)).text
    assert "What you do as Operations lead" in page
    assert "What you do as Incident Commander" not in page
    assert "2 hats: Operations lead, Scribe" in page
    roles = {one["role"]: one for one in await stage.api("GET", "/roles")}
    assert set(roles) == {"ic", "ops", "comms", "scribe", "sme", "support", "sponsor", "security"}
    assert all(one["duties"] for one in roles.values())
    assert [role for role, one in roles.items() if one["several"]] == ["sme"]
