"""Somebody says that they are unsure: in confidence, in one click, and in no report (mission 2.3)."""

from datetime import timedelta

from sev1.access.model import Role
from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import addresses, browser

SECRET = "I froze and cannot do the failover"


async def says_unsure(stage: Stage, who: dict[str, str], line: str) -> str:
    form = {"line": line, "form": "line", "csrf": who["X-CSRF-Token"]}
    answer = await stage.http.post("/incidents/INC-1/lines", headers=who, data=form)
    assert answer.status_code == 200, answer.text
    await stage.settle()
    return answer.text


async def test_the_commander_and_the_author_read_it_and_no_page_export_feed_or_report_has_it(stage: Stage):
    ana, bo = await browser(stage, "ana"), await browser(stage, "bo")
    others = [await browser(stage, "hana"), await browser(stage, "gus", Role.ADMIN)]
    await stage.declares(severity="sev-1", commander="ana", services=["checkout"])
    answer = await says_unsure(stage, bo, f"/unsure {SECRET}")
    assert "It is in no record and no report." in answer
    assert SECRET in (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert SECRET in (await stage.http.get("/incidents/INC-1", headers=bo)).text
    assert stage.mailed("somebody needs a word with you") == ["ana@nordlicht.example"]
    assert all(SECRET not in str(mail) and "Bo" not in str(mail["Subject"]) for mail in stage.post.mails)
    stage.node.stopping.set()  # so that streams end at once
    for path in addresses(stage):
        for who in others:
            assert SECRET not in (await stage.http.get(path, headers=who)).text, path
        if path.startswith("/api/"):
            assert SECRET not in (await stage.ask("GET", path.removeprefix("/api/v1"))).text, path
    async with stage.node.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM events WHERE event::text LIKE $1", f"%{SECRET}%") == 0
        assert await conn.fetchval("SELECT count(*) FROM deliveries WHERE notice::text LIKE $1", f"%{SECRET}%") == 0
        assert await conn.fetchval("SELECT count(*) FROM audit_log WHERE audit_log::text LIKE $1", f"%{SECRET}%") == 0


async def test_one_click_is_enough_and_who_commands_says_that_they_have_read_it(stage: Stage):
    ana, bo = await browser(stage, "ana"), await browser(stage, "bo")
    await stage.declares(commander="ana")
    form = {"type": "say_unsure", "form": "unsure", "csrf": bo["X-CSRF-Token"]}
    assert (await stage.http.post("/incidents/INC-1/commands", headers=bo, data=form)).status_code == 200
    token = {"csrf": ana["X-CSRF-Token"]}
    hers = (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert "I am unsure. Something feels wrong." in hers
    refused = await stage.http.post("/incidents/INC-1/concerns/1/heard", headers=bo, data={"csrf": bo["X-CSRF-Token"]})
    assert refused.status_code == 403
    assert (await stage.http.post("/incidents/INC-1/concerns/1/heard", headers=ana, data=token)).status_code == 303
    assert "has read it" in (await stage.http.get("/incidents/INC-1", headers=bo)).text


async def test_said_openly_all_who_see_the_incident_read_it_and_it_is_still_in_no_record(stage: Stage):
    hana = await browser(stage, "hana")
    await stage.declares(commander="ana")
    answer = await stage.says("INC-1", f"/unsure openly: {SECRET}")
    assert answer["recorded"] == []
    assert answer["advice"][0]["message"] == "Everybody here reads this. It is in no record and no report."
    assert SECRET in (await stage.http.get("/incidents/INC-1", headers=hana)).text
    assert [one["text"] for one in await stage.api("GET", "/incidents/INC-1/concerns")] == [SECRET]
    assert SECRET not in str(await stage.api("GET", "/incidents/INC-1/timeline"))
    assert SECRET not in await stage.api("GET", "/incidents/INC-1/postmortem")


async def test_it_is_forgotten_thirty_days_after_the_end_and_cannot_be_said_after_it(stage: Stage):
    await stage.declares(commander="ana")
    await stage.says("INC-1", f"/unsure {SECRET}", "/false-alarm")
    refused = await stage.says("INC-1", "/unsure again", expect=409)
    assert "is over. Talk to Ana" in refused["detail"]
    for days, left in ((29, 1), (2, 0)):
        stage.clock.jump_to(stage.clock.now() + timedelta(days=days))
        await stage.node._housekeeping()
        async with stage.node.db.connection() as conn:
            assert await conn.fetchval("SELECT count(*) FROM concerns") == left
