"""Evidence and its chain of custody (mission 3.4), through API, page and terminal."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from sev1.access.model import Role
from sev1.cli.main import app as cli
from sev1.engine.clock import FakeClock
from tests.scenarios.conftest import open_stage
from tests.scenarios.stage import Post, Stage
from tests.scenarios.test_restricted_incidents import browser, token

LOG = b"03:05:01 ERROR pool exhausted\n" * 20_000


async def keeps(stage: Stage, content: Any = LOG, *, key: str = "INC-1", headers: Any = None, **query: str) -> Any:
    headers = headers or await token(stage, f"keeper {stage.clock.now().timestamp()} {len(query)} {id(content)}")
    return await stage.http.post(
        f"/api/v1/incidents/{key}/evidence", params={"name": "app.log", **query}, content=content, headers=headers
    )


async def counts(stage: Stage) -> tuple[int, int, int]:
    async with stage.node.db.connection() as conn:
        row = await conn.fetchrow(
            "SELECT (SELECT count(*) FROM evidence), (SELECT count(*) FROM evidence_chunks), (SELECT count(*) FROM custody)"
        )
    return row[0], row[1], row[2]


async def verified(stage: Stage, incident: str = "") -> Any:
    return await stage.api("GET", f"/evidence/verification?incident={incident}")


async def test_what_was_kept_comes_back_byte_for_byte_and_every_hand_is_on_record(stage: Stage):
    await stage.declares()
    made = await keeps(stage, origin="db-2", note="around the first error", sha256=hashlib.sha256(LOG).hexdigest())
    assert made.status_code == 201, made.text
    assert (made.json()["size"], made.json()["sha256"]) == (len(LOG), hashlib.sha256(LOG).hexdigest())
    program = await token(stage, "forensics", Role.RESPONDER)
    got = await stage.http.get("/api/v1/evidence/E-1/content?to=the%20police", headers=program)
    assert got.content == LOG
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith('attachment; filename="app.log"')
    assert got.headers["x-content-type-options"] == "nosniff"
    await stage.api("POST", "/evidence/E-1/transfer", {"to": "legal", "reason": "the case"})
    await stage.api("POST", "/evidence/E-1/hold", {"reason": "case 7"})
    custody = await stage.api("GET", "/evidence/E-1/custody")
    assert [one["action"] for one in custody] == ["collected", "exported", "transferred", "hold_set"]
    assert custody[1]["actor"] == "token:forensics"
    assert [one["previous"] for one in custody[1:]] == [one["hash"] for one in custody[:-1]]
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    assert timeline[-1]["headline"].startswith("Evidence E-1: app.log (586 kB), SHA-256 ")
    assert await verified(stage, "INC-1") == {
        "intact": True,
        "pieces": [
            {
                "piece": "E-1", "incident": "INC-1", "name": "app.log", "intact": True, "problems": [],
                "content": "matches", "entries": 4,
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "query", "status", "says"),
    [
        (b"", {}, 400, "nothing in it"),
        (b"x", {"sha256": "0" * 64}, 400, "not the promised one"),
        (b"x", {"sha256": "abc"}, 400, "64 hexadecimal"),
        (b"x", {"name": ""}, 400, "name"),
        (b"x", {"collected_at": "2030-01-01T00:00:00Z"}, 400, "in the future"),
        (b"x", {"note": "n" * 5001}, 400, "note"),
        (b"x" * 70_000, {}, 413, "at most 64 kB"),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_the_reason_and_leaves_nothing(
    fresh_database_url: str, clock: FakeClock, post: Post, content: bytes, query: dict[str, str], status: int, says: str
):
    async with open_stage(fresh_database_url, clock, post, evidence_max_bytes=64 * 1024) as stage:
        await stage.declares()
        answer = await keeps(stage, content, **query)
        assert (answer.status_code, says in answer.text) == (status, True), answer.text
        assert await counts(stage) == (0, 0, 0)


async def test_an_upload_that_is_cut_off_leaves_nothing(stage: Stage):
    await stage.declares()

    async def cut() -> AsyncIterator[bytes]:
        yield LOG
        raise ConnectionError("gone")

    assert (await keeps(stage, cut())).status_code == 500
    assert await counts(stage) == (0, 0, 0)
    assert len(await stage.api("GET", "/incidents/INC-1/timeline")) == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\logs\\app.log", "app.log"),
        ('a"\r\nSet-Cookie: x=1.html', "a___Set-Cookie: x=1.html".replace("___", '"__')),
        ("\u202egnp.exe", "_gnp.exe"),
        ("..", "unnamed"),
        ("ä" * 500, "ä" * 200),
    ],
)
async def test_a_hostile_name_harms_nobody(stage: Stage, name: str, kept: str):
    await stage.declares()
    made = await keeps(stage, b"<script>alert(1)</script>", name=name)
    assert made.json()["name"] == kept
    got = await stage.http.get("/api/v1/evidence/E-1/content", headers=await token(stage, "reader"))
    disposition = got.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.count('"') == 2
    assert "\n" not in disposition
    assert "set-cookie" not in got.headers
    page = await stage.http.get("/incidents/INC-1/evidence", headers=await browser(stage, "bo"))
    assert page.status_code == 200


TAMPERED = {
    "content": (
        "UPDATE evidence_chunks SET content = 'x' || substr(content, 2)",
        "its content is not what was collected",
    ),
    "a lost chunk": ("DELETE FROM evidence_chunks WHERE position = 2", "its content is not what was collected"),
    "its record": ("UPDATE evidence SET name = 'other.log'", "its record is not as it was when it was collected"),
    "its hash": ("UPDATE evidence SET sha256 = sha256('x')", "its record is not as it was when it was collected"),
    "its hold": ("UPDATE evidence SET hold = ''", "its legal hold is not what the custody says"),
    "its retention": ("UPDATE evidence SET retain_until = retain_until - interval '1 day'", "its retention is not"),
    "who": ("UPDATE custody SET actor = 'bo' WHERE position = 2", "entry 2 of the custody was changed"),
    "when": ("UPDATE custody SET at = at - interval '1 s' WHERE position = 1", "entry 1 of the custody was changed"),
    "a lost entry": ("DELETE FROM custody WHERE position = 2", "entry 2 of the custody is missing"),
    "a lost end": ("DELETE FROM custody WHERE position = 3", "not the one that the audit log has"),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_whatever_is_changed_by_sql_is_found_and_named(stage: Stage, how: str):
    await stage.declares()
    await keeps(stage)
    await stage.api("GET", "/evidence/E-1/content")
    await stage.api("POST", "/evidence/E-1/hold", {"reason": "case 7"})
    assert (await verified(stage))["intact"]
    statement, problem = TAMPERED[how]
    async with stage.node.db.connection() as conn:
        if "custody" in statement:
            with pytest.raises(Exception, match="written once"):
                await conn.execute(statement)
            await conn.execute("ALTER TABLE custody DISABLE TRIGGER custody_is_written_once")
        await conn.execute(statement)
    found = await verified(stage)
    assert not found["intact"]
    assert any(problem in said for said in found["pieces"][0]["problems"]), found


async def test_content_is_destroyed_after_its_retention_and_a_hold_beats_it(stage: Stage):
    await stage.declares()
    await keeps(stage, b"held", name="held.log")
    await keeps(stage, b"free", name="free.log")
    until = (stage.clock.now()).isoformat()[:10]
    await stage.api("POST", "/evidence/E-1/hold", {"reason": "case 7"})
    for piece in ("E-1", "E-2"):
        await stage.api("POST", f"/evidence/{piece}/retention", {"until": f"{until}T23:00:00Z", "reason": "policy"})
    await stage.node._housekeeping()
    assert (await counts(stage))[1] == 2
    stage.clock.advance(hours=24)
    await stage.node._housekeeping()
    first, second = await stage.api("GET", "/incidents/INC-1/evidence")
    assert (first["destroyed_at"], second["destroyed_at"] is not None) == (None, True)
    assert (await counts(stage))[1] == 1
    assert "destroyed" in (await stage.api("GET", "/evidence/E-2/content", expect=409))["detail"]
    assert (await stage.api("GET", "/evidence/E-2/custody"))[-1]["action"] == "destroyed"
    assert (await verified(stage))["intact"]
    await stage.api("POST", "/evidence/E-1/release", {"reason": "case closed"})
    await stage.node._housekeeping()
    assert (await counts(stage))[1] == 0
    assert (await verified(stage))["intact"]


async def test_hands_at_the_same_moment_make_one_chain(stage: Stage):
    await stage.declares()
    await keeps(stage, b"wanted")
    program = await token(stage, "forensics")
    answers = await asyncio.gather(*(stage.http.get("/api/v1/evidence/E-1/content", headers=program) for _ in range(8)))
    assert {answer.content for answer in answers} == {b"wanted"}
    assert len(await stage.api("GET", "/evidence/E-1/custody")) == 9
    assert (await verified(stage))["intact"]


async def test_only_responders_who_see_the_incident_see_its_evidence(stage: Stage):
    await stage.declares("Keys were stolen", restricted=True)
    program = {"Authorization": f"Bearer {stage._token}"}
    assert (await keeps(stage, headers=program)).status_code == 201
    for headers in (await token(stage, "other"), await token(stage, "viewer", Role.VIEWER)):
        for path in ("evidence/E-1", "evidence/E-1/content", "evidence/E-1/custody", "incidents/INC-1/evidence"):
            assert (await stage.http.get(f"/api/v1/{path}", headers=headers)).status_code in {403, 404}
        assert (await keeps(stage, b"x", headers=headers)).status_code in {403, 404}
    other = await token(stage, "third")
    seen = await stage.http.get("/api/v1/evidence/verification", headers=other)
    assert seen.json() == {"intact": True, "pieces": []}
    unknown = await stage.http.get("/api/v1/evidence/E-9", headers=other)
    hidden = await stage.http.get("/api/v1/evidence/E-1", headers=other)
    assert hidden.text.replace("E-1", "E-9") == unknown.text
    assert len(await stage.api("GET", "/evidence/E-1/custody")) == 1


async def test_the_page_keeps_a_file_without_scripts_and_lifts_a_hold_for_admins_only(stage: Stage):
    await stage.declares()
    bo, eli = await browser(stage, "bo"), await browser(stage, "eli", Role.ADMIN)
    sent = await stage.http.post(
        "/incidents/INC-1/evidence",
        headers=bo,
        data={"origin": "db-2", "note": "the first error"},
        files={"file": ("app.html", b"\0<script>alert(1)</script>", "text/html")},
    )
    assert (sent.status_code, sent.headers["location"]) == (303, "/incidents/INC-1/evidence#E-1")
    got = await stage.http.get("/evidence/E-1/content", headers=bo)
    assert got.content == b"\0<script>alert(1)</script>"
    assert got.headers["content-type"] == "application/octet-stream"
    pasted = await stage.http.post("/incidents/INC-1/evidence", headers=bo, data={"excerpt": "03:05 ERROR"})
    assert pasted.status_code == 303
    refused = await stage.http.post("/incidents/INC-1/evidence", headers=bo, data={"note": "typed already"})
    assert refused.status_code == 400
    assert "nothing in it" in refused.text
    assert "typed already" in refused.text
    held = {"type": "hold", "reason": "case 7"}
    assert (await stage.http.post("/evidence/E-1/commands", headers=bo, data=held)).status_code == 303
    lift = {"type": "release", "reason": "case closed"}
    assert (await stage.http.post("/evidence/E-1/commands", headers=bo, data=lift)).status_code == 403
    assert (await stage.http.post("/evidence/E-1/commands", headers=eli, data=lift)).status_code == 303
    page = (await stage.http.get("/incidents/INC-1/evidence?check=yes", headers=eli)).text
    assert "All 2 are as they were collected" in page
    assert "Legal hold lifted" in page


async def test_on_a_terminal_a_file_is_kept_taken_along_and_verified(stage: Stage, monkeypatch: Any, tmp_path: Any):
    await stage.declares()
    monkeypatch.setenv("SEV1_URL", "http://sev1.test")
    monkeypatch.setenv("SEV1_TOKEN", stage._token)
    loop = asyncio.get_running_loop()

    def request(method: str, url: str, **more: Any) -> httpx.Response:
        more.pop("timeout")
        return asyncio.run_coroutine_threadsafe(stage.http.request(method, url, **more), loop).result(10)

    monkeypatch.setattr(httpx, "request", request)

    async def terminal(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["evidence", *arguments])

    source, copy = tmp_path / "app.log", tmp_path / "copy.log"
    source.write_bytes(LOG)
    assert (await terminal("add", "INC-1", str(source), "--from", "db-2")).output.startswith("E-1  app.log")
    assert (await terminal("get", "E-1", str(copy))).exit_code == 0
    assert copy.read_bytes() == LOG
    assert "exists" in (await terminal("get", "E-1", str(copy))).output
    assert "held: case 7" in (await terminal("hold", "E-1", "--reason", "case 7")).output
    assert "held" in (await terminal("list", "INC-1")).output
    assert (await terminal("verify")).exit_code == 0
    async with stage.node.db.connection() as conn:
        await conn.execute("UPDATE evidence_chunks SET content = 'gone' WHERE position = 0")
    found = await terminal("verify", "INC-1")
    assert found.exit_code == 1
    assert "its content is not what was collected" in found.output
