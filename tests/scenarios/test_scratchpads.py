"""The scratchpad of a workstream: several write at once, nobody's line is lost, and only those read it who may (mission 8.3)."""

import asyncio
import re

from sev1.access.model import Role
from sev1.command import scratchpads
from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser, token

PAD = "/incidents/INC-1/workstreams/1/scratchpad"
PAGE = "/incidents/INC-1/workstreams/1"


async def opened(stage: Stage, **fields: object) -> None:
    await stage.declares(commander="ana", **fields)
    await stage.says("INC-1", "/workstream Queue: drain it @ana")


async def saves(stage: Stage, text: str, base: int, expect: int = 200):
    return await stage.api("PUT", PAD, {"text": text, "base": base}, expect=expect)


async def test_changes_of_different_lines_are_joined_and_the_answer_says_so(stage: Stage):
    await opened(stage)
    assert await stage.api("GET", PAD) == {"version": 0, "text": "", "by": None, "at": None, "merged": False}
    first = await saves(stage, "lag 40 min\r\nconsumers 3\n\n", 0)
    assert (first["version"], first["text"], first["merged"]) == (1, "lag 40 min\nconsumers 3", False)
    await saves(stage, "lag 20 min\nconsumers 3", 1)
    joined = await saves(stage, "lag 40 min\nconsumers 3\nshard 7 is stuck", 1)
    assert (joined["version"], joined["merged"]) == (3, True)
    assert (await stage.api("GET", PAD))["text"] == "lag 20 min\nconsumers 3\nshard 7 is stuck"
    assert (await saves(stage, joined["text"], 3))["version"] == 3  # nothing new is no version


async def test_lines_saved_at_the_same_moment_are_all_there(stage: Stage):
    await opened(stage)
    await saves(stage, "begun", 0)
    texts = [f"begun\nline {n}" for n in range(4)]
    answers = await asyncio.gather(*(stage.ask("PUT", PAD, {"text": text, "base": 1}) for text in texts))
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5]
    kept = (await stage.api("GET", PAD))["text"].split("\n")
    assert (kept[0], sorted(kept[1:])) == ("begun", [f"line {n}" for n in range(4)])


async def test_the_same_line_changed_twice_is_refused_with_both_texts_and_their_base(stage: Stage):
    await opened(stage)
    await saves(stage, "lag 40 min", 0)
    await saves(stage, "lag 20 min", 1)
    refused = await saves(stage, "lag 90 min", 1, expect=409)
    data = refused["data"]
    assert (refused["code"], data["base"], data["theirs"], data["yours"], data["version"]) == (
        "conflict", "lag 40 min", "lag 20 min", "lag 90 min", 2,
    )  # fmt: skip
    assert (await stage.api("GET", PAD))["text"] == "lag 20 min"
    assert (await saves(stage, "lag 90 min, shard 7", 2))["version"] == 3


async def test_too_long_a_text_an_unknown_workstream_or_version_and_an_incident_that_is_over_are_refused(stage: Stage):
    await opened(stage)
    assert "20,000 fit" in (await saves(stage, "ä" * 10_001, 0, expect=400))["detail"]
    assert "1,000 fit" in (await saves(stage, "a\n" * 1_000 + "a", 0, expect=400))["detail"]
    assert "There is no version 7" in (await saves(stage, "a", 7, expect=400))["detail"]
    none = await stage.api("PUT", PAD.replace("/1/", "/2/"), {"text": "a", "base": 0}, expect=404)
    assert none["detail"] == "There is no workstream W2 in INC-1."
    await stage.says("INC-1", "/false-alarm")
    assert "Reopen it first" in (await saves(stage, "a", 0, expect=409))["detail"]
    ana = await browser(stage, "ana")
    assert "<textarea" not in (await stage.http.get(PAGE, headers=ana)).text
    form = {"text": "typed while it ended", "base": "0", "form": "scratchpad", "csrf": ana["X-CSRF-Token"]}
    late = await stage.http.post(PAGE, headers=ana, data=form)
    assert late.status_code == 409
    assert "Reopen it first" in late.text
    assert "typed while it ended</textarea>" in late.text


async def test_old_versions_are_forgotten_and_who_began_before_them_keeps_both_texts(stage: Stage, monkeypatch):
    monkeypatch.setattr(scratchpads, "KEPT_VERSIONS", 2)
    await opened(stage)
    for base in range(4):
        await saves(stage, f"line {base}", base)
    refused = await saves(stage, "mine", 1, expect=409)
    assert (refused["data"]["base"], refused["data"]["yours"], refused["data"]["theirs"]) == (None, "mine", "line 3")
    async with stage.node.db.connection() as conn:
        assert await conn.fetchval("SELECT array_agg(version ORDER BY version) FROM scratchpads") == [3, 4]


async def test_on_the_page_it_is_said_when_a_save_was_joined_with_what_others_wrote(stage: Stage):
    ana = await browser(stage, "ana")
    await opened(stage)

    async def after(text: str, base: str) -> str:
        form = {"text": text, "base": base, "form": "scratchpad", "csrf": ana["X-CSRF-Token"]}
        saved = await stage.http.post(PAGE, headers=ana, data=form)
        return (await stage.http.get(saved.headers["Location"], headers=ana)).text

    assert "Saved." in await after("lag 40 min\nconsumers 3", "0")
    await saves(stage, "lag 20 min\nconsumers 3", 1)
    assert "joined with what others wrote meanwhile" in await after("lag 40 min\nconsumers 3\nshard 7 is stuck", "1")
    assert "Saved" not in (await stage.http.get(f"{PAGE}?saved=<b>", headers=ana)).text


async def test_on_the_page_without_scripts_it_is_rendered_saved_and_a_conflict_keeps_both_texts(stage: Stage):
    ana, bo = await browser(stage, "ana"), await browser(stage, "bo")
    await opened(stage)
    assert f'href="{PAGE}"' in (await stage.http.get("/incidents/INC-1", headers=ana)).text

    async def posts(who: dict[str, str], text: str, base: str):
        form = {"text": text, "base": base, "form": "scratchpad", "csrf": who["X-CSRF-Token"]}
        return await stage.http.post(PAGE, headers=who, data=form)

    assert (await posts(ana, "\n# Lag\r\n\r\n**40 min** <script>", "0")).status_code == 303
    shown = (await stage.http.get(PAGE, headers=bo)).text
    assert "<strong>40 min</strong>" in shown
    assert "<script>" not in shown
    assert 'name="base" value="1"' in shown
    assert "\n\n# Lag\n" in shown  # a browser drops the first line feed of a text area
    assert (await posts(ana, "lag 20 min", "1")).status_code == 303
    refused = await posts(bo, "lag 90 min", "1")
    assert refused.status_code == 409
    areas = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", refused.text, re.DOTALL)
    assert areas[:2] == ["lag 90 min", "lag 20 min"]
    assert areas[2].startswith("\n# Lag")
    assert 'name="base" value="2"' in refused.text
    assert (await posts(bo, "lag 20 min, then 90", "2")).status_code == 303
    pad = await stage.api("GET", PAD)
    assert (pad["version"], pad["by"], pad["text"]) == (3, "bo", "lag 20 min, then 90")
    assert (await posts(bo, "kept", "x")).status_code == 400
    assert await stage.api("GET", PAD) == pad


async def test_whoever_may_only_look_reads_it_and_has_no_form(stage: Stage):
    await opened(stage)
    await saves(stage, "lag 40 min", 0)
    viewer = await browser(stage, "hana", Role.VIEWER)
    shown = (await stage.http.get(PAGE, headers=viewer)).text
    assert "lag 40 min" in shown
    assert "<textarea" not in shown
    form = {"text": "mine", "base": "1", "csrf": viewer["X-CSRF-Token"]}
    assert (await stage.http.post(PAGE, headers=viewer, data=form)).status_code == 403


async def test_of_a_restricted_incident_nobody_else_reads_or_writes_it(stage: Stage):
    ana, gus = await browser(stage, "ana"), await browser(stage, "gus", Role.ADMIN)
    who = {"data": {"text": "kestrel", "base": "0", "csrf": ana["X-CSRF-Token"]}}
    await opened(stage)
    assert (await stage.http.post(PAGE, headers=ana, **who)).status_code == 303
    await stage.says("INC-1", "/restrict because a person is named")
    assert "kestrel" in (await stage.http.get(PAGE, headers=ana)).text
    form = {"data": {"text": "falcon", "base": "1", "csrf": gus["X-CSRF-Token"]}}
    answers = [
        await stage.http.get(PAGE, headers=gus),
        await stage.http.post(PAGE, headers=gus, **form),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    other = await token(stage, "other")
    for method, body in (("GET", None), ("PUT", {"text": "falcon", "base": 1})):
        answer = await stage.http.request(method, f"/api/v1{PAD}", json=body, headers=other)
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no incident INC-1.")
    assert all("kestrel" not in answer.text for answer in answers)
    async with stage.node.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM scratchpads WHERE text = 'falcon'") == 0
        assert await conn.fetchval("SELECT count(*) FROM events WHERE event::text LIKE '%kestrel%'") == 0
