"""Breaking the glass (mission 7.6): a right for a limited time, asked for or taken, on the record, looked at afterwards."""

import asyncio
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from sev1.access.model import Role
from sev1.cli.main import app as cli
from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import a_restricted_incident, browser, session_of, token

Headers = dict[str, str]


async def asks(stage: Stage, headers: Headers, **fields: Any) -> httpx.Response:
    wanted = {"reason": "the only one awake", "minutes": 30, **fields}
    answer = await stage.http.post("/api/v1/break-glass", json=wanted, headers=headers)
    await stage.settle()
    return answer


async def then(stage: Stage, headers: Headers, number: int, what: str, **body: Any) -> httpx.Response:
    return await stage.http.post(f"/api/v1/break-glass/{number}/{what}", json=body or None, headers=headers)


async def may_declare_over(stage: Stage, headers: Headers) -> int:
    """What a command that takes the rights of a responder is answered."""
    note = {"type": "add_note", "text": "looking"}
    return (await stage.http.post("/api/v1/incidents/INC-1/commands", json=note, headers=headers)).status_code


async def test_what_another_person_approves_holds_until_its_end_and_not_one_second_longer(stage: Stage):
    await stage.declares()
    viewer, admin = await token(stage, "vic", Role.VIEWER), await token(stage, "ada")
    assert await may_declare_over(stage, viewer) == 403
    made = await asks(stage, viewer, role="responder")
    assert made.json()["state"] == "asked"
    assert await may_declare_over(stage, viewer) == 403
    approved = await then(stage, admin, 1, "approve")
    assert (approved.json()["state"], approved.json()["decided_by"]) == ("in force", "token:ada")
    assert await may_declare_over(stage, viewer) == 200
    stage.clock.advance(minutes=29, seconds=59)
    assert await may_declare_over(stage, viewer) == 200
    stage.clock.advance(seconds=1)
    assert await may_declare_over(stage, viewer) == 403
    seen = (await stage.http.get("/api/v1/break-glass/1", headers=admin)).json()
    assert seen["state"] == "over"
    assert [(use["method"], use["path"]) for use in seen["used"]] == [
        ("POST", "/api/v1/incidents/INC-1/commands"), ("POST", "/api/v1/incidents/INC-1/commands"),
    ]  # fmt: skip


async def test_what_is_taken_at_once_is_announced_reminded_of_justified_and_closed_by_another(stage: Stage):
    await stage.declares()
    bo, eli = await browser(stage, "bo"), await browser(stage, "eli", Role.ADMIN)
    form = {"what": "admin", "minutes": "30", "reason": "the catalog is wrong", "at_once": "yes"}
    assert (await stage.http.get("/audit", headers=bo)).status_code == 403
    assert (await stage.http.post("/break-glass", data=form, headers=bo)).status_code == 303
    await stage.settle()
    assert stage.mailed("Break-glass: Bo takes the rights of admin for 30 min") == ["eli@nordlicht.example"]
    assert (await stage.http.get("/audit", headers=bo)).status_code == 200
    early = await stage.http.post("/break-glass/1", data={"type": "review", "verdict": "right"}, headers=eli)
    assert "in force" in early.text
    stage.clock.advance(minutes=30)
    assert (await stage.http.get("/audit", headers=bo)).status_code == 403
    for _ in range(2):
        await stage.node._housekeeping()
        await stage.settle()
    assert stage.mailed("write down what you needed") == ["bo@nordlicht.example"]
    owed = await stage.http.post("/break-glass/1", data={"type": "review", "verdict": "right"}, headers=eli)
    assert "has not written yet" in owed.text
    stage.clock.advance(hours=24)
    eli, bo = [await session_of(stage, f"{name}@nordlicht.example") for name in ("eli", "bo")]
    await stage.node._housekeeping()
    await stage.settle()
    assert len(stage.mailed("write down what you needed")) == 2
    await stage.http.post("/break-glass/1", data={"type": "justify", "text": "route 7 was wrong"}, headers=bo)
    mine = await stage.http.post("/break-glass/1", data={"type": "review", "verdict": "right"}, headers=bo)
    assert mine.status_code == 403
    page = (await stage.http.get("/break-glass", headers=eli)).text
    assert "route 7 was wrong" in page
    assert "GET /audit" in page
    closed = {"type": "review", "verdict": "follow-up", "note": "give Bo the role"}
    assert (await stage.http.post("/break-glass/1", data=closed, headers=eli)).status_code == 303
    assert "give Bo the role" in (await stage.http.get("/break-glass", headers=bo)).text
    await stage.node._housekeeping()
    await stage.settle()
    assert len(stage.mailed("write down what you needed")) == 2


async def test_an_administrator_looks_into_a_restricted_incident_and_may_be_admitted(stage: Stage):
    await a_restricted_incident(stage)
    admin, viewer = await token(stage, "ada"), await token(stage, "vic", Role.VIEWER)
    path = "/api/v1/incidents/INC-1"
    assert (await stage.http.get(path, headers=admin)).status_code == 404
    assert "Only an administrator" in (await asks(stage, viewer, incident="INC-1", at_once=True)).text
    assert (await asks(stage, admin, incident="INC-1", at_once=True)).status_code == 201
    assert "Kestrel" in (await stage.http.get(path, headers=admin)).text
    assert "INC-1" in (await stage.http.get("/api/v1/pages/P-1", headers=admin)).text
    refused = await stage.http.post(f"{path}/commands", json={"type": "add_note", "text": "hm"}, headers=admin)
    assert (refused.status_code, "Be admitted first" in refused.text) == (409, True)
    stage.clock.advance(minutes=15)
    assert (await then(stage, admin, 1, "end")).json()["state"] == "over"
    assert (await stage.http.get(path, headers=admin)).status_code == 404
    used = (await stage.http.get("/api/v1/break-glass/1", headers=admin)).json()["used"]
    assert [use["path"] for use in used] == [
        path, "/api/v1/pages/P-1", f"{path}/commands", "/api/v1/break-glass/1/end",
    ]  # fmt: skip
    await asks(stage, admin, incident="INC-1", at_once=True)
    admitted = await stage.http.post(f"{path}/commands", json={"type": "admit", "person": "ada"}, headers=admin)
    assert "ada" in admitted.json()["incident"]["admitted"]


async def test_nobody_approves_their_own_not_even_through_a_token_they_made(stage: Stage):
    admin = await token(stage, "ada")
    made = await stage.http.post(
        "/api/v1/tokens", json={"name": "adas", "role": "viewer", "scopes": ["read"]}, headers=admin
    )
    theirs = {"Authorization": f"Bearer {made.json()['token']}"}
    await asks(stage, theirs, role="responder")
    assert (await then(stage, admin, 1, "approve")).status_code == 403
    assert (await then(stage, theirs, 1, "approve")).status_code == 403
    await asks(stage, admin, incident="INC-7")
    assert "Another person" in (await then(stage, admin, 2, "approve")).text
    assert (await then(stage, await token(stage, "bea"), 1, "approve")).status_code == 200


async def test_of_two_decisions_at_once_the_first_counts(stage: Stage):
    viewer = await token(stage, "vic", Role.VIEWER)
    admins = [await token(stage, name) for name in ("ada", "bea")]
    await asks(stage, viewer, role="responder")
    answers = await asyncio.gather(then(stage, admins[0], 1, "approve"), then(stage, admins[1], 1, "refuse"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    twice = await asyncio.gather(*(asks(stage, viewer, role="admin") for _ in range(2)))
    assert sorted(answer.status_code for answer in twice) == [201, 409]


async def test_a_lent_right_cannot_be_made_permanent(stage: Stage):
    responder = await token(stage, "ray", Role.RESPONDER)
    await asks(stage, responder, role="admin", at_once=True)
    assert (await stage.http.get("/api/v1/audit", headers=responder)).status_code == 200
    new = {"name": "for ever", "role": "admin"}
    assert (await stage.http.post("/api/v1/tokens", json=new, headers=responder)).status_code == 403
    me = (await stage.http.get("/api/v1/me", headers=responder)).json()
    assert (me["role"], "catalog:write" in me["scopes"], "access:write" in me["scopes"]) == ("responder", True, False)


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"role": "responder", "reason": " "}, 400, "reason is missing"),
        ({"role": "responder", "minutes": 0}, 400, "1 to 480 minutes"),
        ({"role": "responder", "minutes": 481}, 400, "1 to 480 minutes"),
        ({}, 400, "one at a time"),
        ({"role": "responder", "incident": "INC-1"}, 400, "one at a time"),
        ({"incident": "the breach"}, 400, "INC-7"),
        ({"role": "viewer"}, 409, "already"),
        ({"role": "admin", "at_once": True}, 409, "one step up"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_with_the_reason(
    stage: Stage, fields: dict[str, Any], status: int, says: str
):
    answer = await asks(stage, await token(stage, "vic", Role.VIEWER), **fields)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text


async def test_one_sees_ones_own_requests_and_asking_does_not_tell_what_exists(stage: Stage):
    await a_restricted_incident(stage)
    viewer, other = await token(stage, "vic", Role.VIEWER), await token(stage, "olli", Role.RESPONDER)
    known, unknown = await asks(stage, viewer, incident="INC-1"), await asks(stage, viewer, incident="INC-2")
    assert (
        (known.status_code, known.json()["state"]) == (unknown.status_code, unknown.json()["state"]) == (201, "asked")
    )
    assert (await stage.http.get("/api/v1/break-glass", headers=other)).json() == []
    assert (await stage.http.get("/api/v1/break-glass/1", headers=other)).status_code == 404
    assert (await then(stage, other, 1, "end")).status_code == 404
    assert (await then(stage, other, 1, "justification", text="x")).status_code == 404


async def test_on_a_terminal_it_is_asked_approved_used_and_reviewed(stage: Stage, monkeypatch: Any):
    viewer, admin = await token(stage, "vic", Role.VIEWER), await token(stage, "ada")
    monkeypatch.setenv("SEV1_URL", "http://sev1.test")
    loop = asyncio.get_running_loop()

    def request(method: str, url: str, **more: Any) -> httpx.Response:
        more.pop("timeout")
        return asyncio.run_coroutine_threadsafe(stage.http.request(method, url, **more), loop).result(10)

    monkeypatch.setattr(httpx, "request", request)

    async def terminal(who: Headers, *arguments: str) -> str:
        monkeypatch.setenv("SEV1_TOKEN", who["Authorization"].removeprefix("Bearer "))
        return (await asyncio.to_thread(CliRunner().invoke, cli, ["break-glass", *arguments])).output

    assert "asked" in await terminal(viewer, "ask", "--role", "responder", "--minutes", "5", "--reason", "night")
    assert "in force" in await terminal(admin, "approve", "1")
    await terminal(viewer, "list")
    assert "over" in await terminal(viewer, "end", "1")
    assert "GET /api/v1/break-glass" in await terminal(admin, "show", "1")
    assert "closed" in await terminal(admin, "review", "1", "right")
