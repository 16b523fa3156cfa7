"""Facts and guesses, tasks, needs, workstreams and temporary mitigations, said in lines, through the API."""

from sev1.command import store
from tests.scenarios.stage import Stage


async def test_facts_and_guesses_are_put_on_the_board_and_end_with_evidence(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/know errors began at 03:05", "/guess the pool is full unless 40 are idle")
    refused = await stage.says("INC-1", "/confirm H2", expect=400)
    assert "what shows it" in refused["detail"]
    after = (await stage.says("INC-1", "/refute H2 pg_stat_activity shows 40 idle"))["incident"]
    known, guess = after["board"]
    assert (known["kind"], known["outcome"]) == ("known", None)
    assert (guess["disproof"], guess["outcome"], guess["evidence"]) == (
        "40 are idle", "refuted", "pg_stat_activity shows 40 idle",
    )  # fmt: skip
    again = await stage.says("INC-1", "/confirm H2 it is full", expect=409)
    assert "refuted already" in again["detail"]


async def test_a_guess_without_a_disproof_is_asked_for_one_and_recorded_all_the_same(stage: Stage):
    await stage.declares()
    answer = await stage.says("INC-1", "/guess it is the database")
    assert [advice["kind"] for advice in answer["advice"]] == ["no_disproof"]
    assert answer["recorded"][0]["headline"] == "Hypothesis H1: it is the database"


async def test_a_task_tells_its_owner_and_is_asked_after_once_when_it_is_late(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/task @bo measure the replication lag of db-2 in 20 min")
    assert stage.mailed("asks you to: measure the replication lag") == ["bo@nordlicht.example"]
    await stage.later(minutes=19)
    assert stage.mailed("how does it stand") == []
    await stage.later(minutes=30)
    assert stage.mailed("how does it stand") == ["bo@nordlicht.example"]
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    late = [entry["headline"] for entry in timeline if entry["headline"].startswith("T1 is late")]
    assert late == ["T1 is late (Bo Lindqvist): measure the replication lag of db-2"]
    after = (await stage.says("INC-1", "/change T1 in 10 min"))["incident"]
    assert after["tasks"][0]["asked_after_at"] is None
    await stage.says("INC-1", "/done T1 the lag is 1 s")
    await stage.later(minutes=30)
    assert len(stage.mailed("how does it stand")) == 1


async def test_without_a_time_a_task_is_due_in_the_rhythm_of_the_severity(stage: Stage):
    before = stage.clock.now()
    await stage.declares(severity="sev-1")
    state = (await stage.says("INC-1", "/task @bo measure the lag"))["incident"]
    due = state["tasks"][0]["due_at"]
    assert due[:16] == state["next_update_at"][:16] > before.isoformat()[:16]


async def test_a_commander_who_takes_a_task_is_told_privately_who_could_have_it(stage: Stage):
    await stage.declares(commander="ana")
    await stage.says("INC-1", "/role ops @bo")
    answer = await stage.says("INC-1", "/task @ana restart checkout-7 in 10 min")
    assert answer["advice"] == [
        {
            "kind": "in_the_weeds",
            "message": "T1 keeps the Incident Commander from commanding. Bo Lindqvist could take it.",
            "line": "/take T1 @bo",
        }
    ]
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    assert not any("commanding" in entry["headline"] for entry in timeline)
    after = await stage.says("INC-1", answer["advice"][0]["line"])
    assert after["incident"]["tasks"][0]["owner"] == "bo"
    assert after["advice"] == []


async def test_too_many_tasks_at_once_are_pointed_out(stage: Stage):
    await stage.declares()
    for number in range(3):
        answer = await stage.says("INC-1", f"/task @bo measure the lag of db-{number} in 20 min")
        assert answer["advice"] == []
    answer = await stage.says("INC-1", "/task @bo measure the lag of db-9 in 20 min")
    assert answer["advice"][0]["message"].startswith("Bo Lindqvist has 4 open tasks.")


async def test_the_needs_of_an_update_become_asks_once_and_end(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/can 42 % fail | rolling back | a DBA")
    await stage.says("INC-1", "/can 40 % fail | rolling back | a DBA")
    after = (await stage.says("INC-1", "/take N1 @gus"))["incident"]
    assert [(n["text"], n["owner"], n["state"]) for n in after["needs"]] == [("a DBA", "gus", "open")]
    assert stage.mailed("needs your help: a DBA") == ["gus@nordlicht.example"]
    after = (await stage.says("INC-1", "/done N1 Gus is here", "/can 1 % fail | watching | none"))["incident"]
    assert [(n["text"], n["state"]) for n in after["needs"]] == [("a DBA", "met")]


async def test_a_workstream_has_one_lead_a_goal_and_a_state(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/workstream Database: the standby is safe to promote @gus")
    twin = await stage.says("INC-1", "/workstream database: something else", expect=409)
    assert "W1 is called Database already" in twin["detail"]
    await stage.says("INC-1", "/task @bo measure the lag in 20 min in W1", "/workstream W1 @bo")
    after = (await stage.says("INC-1", "/done W1 promoted"))["incident"]
    assert after["workstreams"][0] | {"opened_at": ""} == {
        "number": 1, "title": "Database", "goal": "the standby is safe to promote", "lead": "bo", "thread": "",
        "state": "done", "note": "promoted", "opened_at": "",
    }  # fmt: skip
    assert after["tasks"][0]["workstream"] == 1
    nowhere = await stage.does("INC-1", "give_task", text="measure it", workstream=7, expect=404)
    assert "no workstream W7" in nowhere["detail"]


async def test_a_temporary_mitigation_outlives_its_incident_and_reminds_its_owner(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/mitigation card retries are off @bo in 2 days")
    for criterion in ("restored", "impact_ended", "stable", "no_residual"):
        await stage.says("INC-1", f"/confirm {criterion}")
    await stage.says("INC-1", "/resolve", "/all-clear It works again.")
    refused = await stage.says("INC-1", "/task @bo tidy up in 20 min", expect=409)
    assert "Reopen it first" in refused["detail"]
    stage.clock.advance(days=2, seconds=1)
    await stage.settle()
    assert stage.mailed("should be gone by now: card retries are off") == ["bo@nordlicht.example"]
    after = (await stage.says("INC-1", "/done M1 retries are on again"))["incident"]
    assert after["mitigations"][0]["removed_at"] is not None


async def test_a_draft_shows_what_a_line_would_record_and_writes_nothing(stage: Stage):
    await stage.declares()
    draft = await stage.api("GET", "/incidents/INC-1/draft?line=/task @bo measure the lag in 20 min")
    assert [entry["headline"] for entry in draft["records"]] == ["Task T1 for Bo Lindqvist: measure the lag"]
    unfinished = await stage.api("GET", "/incidents/INC-1/draft?line=/sev ")
    assert unfinished["records"] == []
    assert "Say which severity" in unfinished["problem"]
    assert [c["text"] for c in unfinished["candidates"]][:2] == ["0", "1"]
    refused = await stage.api("GET", "/incidents/INC-1/draft?line=/resolve")
    assert "Not resolved yet" in refused["problem"]
    assert len(await stage.api("GET", "/incidents/INC-1/timeline")) == 1


async def test_a_line_that_means_nothing_is_refused_with_an_example_and_changes_nothing(stage: Stage):
    await stage.declares()
    refused = await stage.says("INC-1", "/sev", expect=400)
    assert "For example: /sev 2" in refused["detail"]
    await stage.says("INC-9", "/resolve", expect=404)
    assert len(await stage.api("GET", "/incidents/INC-1/timeline")) == 1
    names = {verb["name"] for verb in await stage.api("GET", "/commands")}
    assert {"can", "decide", "task", "guess", "resolve"} <= names


async def test_an_incident_that_another_release_wrote_last_is_read_from_its_events(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/know errors began at 03:05")
    async with stage.node.db.transaction() as conn:
        await conn.execute("UPDATE incidents SET state = state - 'board', shaped_at = version - 1")
    read = await stage.api("GET", "/incidents/INC-1")
    assert [item["text"] for item in read["board"]] == ["errors began at 03:05"]
    after = (await stage.says("INC-1", "/know orders wait"))["incident"]
    assert [item["text"] for item in after["board"]] == ["errors began at 03:05", "orders wait"]
    async with stage.node.db.connection() as conn:
        assert "INC-1" in await store.snapshots(conn, ["INC-1"])
