"""How fast it is wanted, how soon somebody answers, and the stage in other words: through page and API (1.3, 1.4, 1.6)."""

from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser


def part(html: str, name: str) -> str:
    return html.partition(f'id="{name}"')[2].partition("</section>")[0]


async def test_the_priority_follows_the_severity_until_the_business_says_otherwise(stage: Stage):
    ana = await browser(stage, "ana")
    made = await stage.declares(severity="sev-3", commander="ana")
    assert (made["priority"], made["priority_set"]) == ("P3", None)
    assert (await stage.says("INC-1", "/sev 2"))["incident"]["priority"] == "P2"
    assert ">P2<" not in part((await stage.http.get("/incidents/INC-1", headers=ana)).text, "band"), (
        "it says nothing new"
    )
    refused = await stage.does("INC-1", "set_priority", priority=1, reason="", expect=400)
    assert "reason" in refused["detail"]
    sent = {"type": "set_priority", "form": "priority", "csrf": ana["X-CSRF-Token"], "priority": "1"}
    refused = await stage.http.post("/incidents/INC-1/commands", headers=ana, data=sent)
    assert "the reason is missing" in refused.text
    done = await stage.http.post(
        "/incidents/INC-1/commands", headers=ana, data={**sent, "reason": "a <b>penalty</b> from 06:00"}
    )
    assert done.status_code == 303
    await stage.settle()
    state = (await stage.says("INC-1", "/sev 3 because it was measured"))["incident"]
    assert (state["priority"], state["severity"]) == ("P1", "sev-3")
    assert (state["priority_set"]["by"], state["priority_set"]["reason"]) == ("ana", "a <b>penalty</b> from 06:00")
    page = (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert ">P1<" in part(page, "band")
    assert "a &lt;b&gt;penalty&lt;/b&gt; from 06:00" in part(page, "picture-priority")
    assert "the severity alone would be P3" in part(page, "picture-priority")
    assert "INC-1 · P1 ·" in (await stage.http.get("/incidents", headers=ana)).text
    headlines = [one["headline"] for one in await stage.api("GET", "/incidents/INC-1/timeline")]
    assert "Priority set: P2 → P1" in headlines
    assert (await stage.says("INC-1", "/priority follow"))["incident"]["priority"] == "P3"


async def test_the_response_target_runs_until_whoever_commands_does_something(stage: Stage):
    ana = await browser(stage, "ana")
    made = await stage.declares(severity="sev-1", commander="ana")
    target = made["response_target"]
    assert (target["within_s"], target["remaining_s"], target["met"]) == (180, 180.0, None)
    assert (made["acknowledged_at"], made["times"]["response_target_met"]) == (None, None)
    await stage.later(minutes=2)
    target = (await stage.says("INC-1", "/note customers call"))["incident"]["response_target"]
    assert (target["remaining_s"], target["met"], target["answered_at"]) == (60.0, None, None)
    page = (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert "You command. Do or say something here by" in part(page, "band")
    assert "wanted in 1 min" in part(page, "picture-times")
    line = {"line": "/note I am here", "form": "line", "csrf": ana["X-CSRF-Token"]}
    assert (await stage.http.post("/incidents/INC-1/lines", headers=ana, data=line)).status_code == 303
    await stage.settle()
    state = await stage.api("GET", "/incidents/INC-1")
    assert (state["response_target"]["remaining_s"], state["response_target"]["met"]) == (None, True)
    assert (state["times"]["to_acknowledge_s"], state["times"]["response_target_met"]) == (120.0, True)
    assert "target met: within 3 min" in (await stage.http.get("/incidents/INC-1", headers=ana)).text


async def test_a_target_that_nobody_meets_is_missed_before_anybody_answers(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.declares(severity="sev-1", commander="ana")
    await stage.later(minutes=5)
    state = await stage.api("GET", "/incidents/INC-1")
    assert (state["response_target"]["remaining_s"], state["response_target"]["met"]) == (-120.0, False)
    assert state["times"]["response_target_met"] is False
    assert "late by 2 min" in part((await stage.http.get("/incidents/INC-1", headers=ana)).text, "picture-times")


async def test_the_stage_reads_in_three_vocabularies(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.declares(commander="ana")
    state = (await stage.says("INC-1", "/stage mitigation"))["incident"]
    assert state["in_other_words"] == {
        "sre": "Mitigate",
        "itil": "Resolution, by a workaround",
        "nist": "Containment, Eradication and Recovery: containment",
    }
    words = part((await stage.http.get("/incidents/INC-1", headers=ana)).text, "picture-priority")
    assert "Resolution, by a workaround" in words
    stages = await stage.api("GET", "/stages")
    assert [one["stage"] for one in stages][3] == "mitigation"
    assert stages[3]["in_other_words"] == state["in_other_words"]
