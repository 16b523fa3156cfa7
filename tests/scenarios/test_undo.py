"""Taking back what an entry did, through the API: said as a line, shown struck with its correction."""

from tests.scenarios.stage import Stage


async def test_a_wrong_word_is_taken_back_and_the_timeline_keeps_both(stage: Stage):
    await stage.declares(severity="sev-2")
    await stage.says("INC-1", "/task @bo measure the lag in 20 min", "/stage investigation")
    after = await stage.says("INC-1", "/done T1 it is 1 s")
    entry = after["recorded"][0]
    assert entry["undoable"]
    undone = await stage.says("INC-1", "/undo")
    assert undone["incident"]["tasks"][0]["state"] == "open"
    (correction,) = undone["recorded"]
    assert (correction["headline"], correction["corrects"]) == (
        "Undone: T1 is open again: measure the lag",
        entry["version"],
    )
    timeline = {one["version"]: one for one in await stage.api("GET", "/incidents/INC-1/timeline")}
    assert timeline[entry["version"]]["corrected_by"] == correction["version"]
    assert "~~T1 done: measure the lag~~ undone" in await stage.api("GET", "/incidents/INC-1/postmortem")
    again = await stage.says("INC-1", f"/undo {entry['version']}", expect=409)
    assert f"undone already, by entry {correction['version']}" in again["detail"]


async def test_what_it_would_record_is_seen_before_it_is_said(stage: Stage):
    await stage.declares(severity="sev-2")
    await stage.says("INC-1", "/sev 1")
    draft = await stage.api("GET", "/incidents/INC-1/draft?line=/undo")
    assert [one["headline"] for one in draft["records"]] == ["Undone: severity is SEV-2 again"]
    assert (await stage.api("GET", "/incidents/INC-1"))["severity"] == "sev-1"


async def test_a_severity_taken_back_is_announced_as_it_was_when_it_was_set(stage: Stage):
    await stage.declares(severity="sev-2")
    await stage.says("INC-1", "/sev 1", "/undo")
    assert len(stage.mailed("INC-1 SEV-1 (was SEV-2)")) == len(stage.mailed("INC-1 SEV-2 (was SEV-1)")) == 1


async def test_a_task_that_is_open_again_is_asked_after_again(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/task @bo measure the lag in 20 min", "/done T1", "/undo")
    await stage.later(minutes=30)
    assert stage.mailed("how does it stand") == ["bo@nordlicht.example"]


async def test_what_went_out_is_not_undone_but_answered_with_what_to_say(stage: Stage):
    await stage.declares()
    posted = await stage.says("INC-1", "/can 42 % fail")
    refused = await stage.says("INC-1", f"/undo {posted['recorded'][0]['version']}", expect=409)
    assert refused["detail"] == "The update went out to people. Correct it by posting another: /can …"
    nowhere = await stage.does("INC-1", "undo", entry=4711, expect=404)
    assert "no entry 4711" in nowhere["detail"]
