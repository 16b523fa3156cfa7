"""The question of the moment, through page, API and terminal grammar: to one person, and not again when put off (mission 8.8)."""

from sev1.surfaces.web.incident_watch import IncidentWatch
from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser


def of_band(html: str) -> str:
    return html.partition('id="band"')[2].partition("</section>")[0]


async def test_the_commander_is_asked_one_thing_and_may_answer_or_put_it_off(stage: Stage):
    ana, bo = await browser(stage, "ana"), await browser(stage, "bo")
    await stage.declares(severity="sev-3", commander="ana", services=["checkout"])
    here = {"line": "/role ops @bo", "form": "line", "csrf": ana["X-CSRF-Token"]}
    assert (await stage.http.post("/incidents/INC-1/lines", headers=ana, data=here)).status_code == 303
    assert "Not now" not in (await stage.http.get("/incidents/INC-1", headers=ana)).text
    await stage.later(minutes=6)
    hers = of_band((await stage.http.get("/incidents/INC-1", headers=ana)).text)
    assert "<strong>Observe:</strong> What do we know for certain" in hers
    assert 'data-say="/know "' in hers
    assert hers.count("Not now") == 1
    assert "Not now" not in (await stage.http.get("/incidents/INC-1", headers=bo)).text
    answer = await stage.http.post(
        "/incidents/INC-1/commands", headers=ana, data={"type": "later_prompt", "kind": "impact", "form": "not-now"}
    )
    assert answer.status_code == 303
    await stage.later(minutes=6)
    assert "Not now" not in (await stage.http.get("/incidents/INC-1", headers=ana)).text
    timeline = str(await stage.api("GET", "/incidents/INC-1/timeline"))
    assert "Not now" not in timeline + await stage.api("GET", "/incidents/INC-1/postmortem")
    await stage.later(hours=2)
    await stage.says("INC-1", "/can 42 % fail")  # the promised update is more urgent than any question
    await stage.later(minutes=3)
    assert "Not now" in of_band((await stage.http.get("/incidents/INC-1", headers=ana)).text)


async def test_by_api_and_by_line_a_question_is_put_off_only_by_whom_it_is_for(stage: Stage):
    await stage.declares(severity="sev-3", commander="ana")
    refused = await stage.says("INC-1", "/not-now", expect=409)
    assert refused["detail"] == "Nothing is asked of you right now."
    for kind, status, says in (
        ("impact", 409, "for the Incident Commander"),
        ("say_it", 409, "for the Communications lead"),
        ("weather", 400, "weather"),
    ):
        body = {"type": "later_prompt", "kind": kind}
        answer = await stage.ask("POST", "/incidents/INC-1/commands", body)
        assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert (await stage.api("GET", "/incidents/INC-1"))["prompts"] == {}
    await stage.later(minutes=6)
    assert (await stage.api("GET", "/incidents/INC-1"))["prompts"] == {
        "ana": {
            "kind": "impact",
            "phase": "observe",
            "text": "What do we know for certain, and what do customers feel?",
            "line": "/know ",
        }
    }
    answer = await stage.says("INC-1", "/not-now @ana")
    assert (answer["recorded"], answer["incident"]["prompts"]) == ([], {})


async def test_what_is_more_urgent_comes_first(stage: Stage):
    ana = await browser(stage, "ana")
    await stage.declares(severity="sev-3", commander="ana")
    await stage.later(hours=3)
    page = of_band((await stage.http.get("/incidents/INC-1", headers=ana)).text)
    assert "is late. Post it." in page
    assert "Not now" not in page


async def test_a_question_that_comes_with_the_time_arrives_on_a_page_that_is_open(stage: Stage):
    await stage.declares(severity="sev-3", commander="ana")
    watch = IncidentWatch(stage.node.db, stage.node.catalogs, stage.clock, "INC-1")
    first = await watch.look()
    assert await watch.look() is first
    await stage.later(minutes=4)
    assert (await watch.look()).mark == first.mark
    await stage.later(minutes=2)
    then = await watch.look()
    assert then.mark == f"{first.mark}~impact"
    assert then.page is first.page, "nothing was read again for it"
