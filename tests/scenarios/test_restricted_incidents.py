"""Restricted incidents: who is not in one finds nothing of it, wherever they look (mission 3.3)."""

import re
from typing import Any

import httpx
import pytest

from sev1.access import accounts, links, tokens
from sev1.access.csrf import csrf_token, masked
from sev1.access.declare import declared_routes
from sev1.access.model import OPERATOR, Role
from sev1.access.secret import digest
from sev1.access.web import COOKIE, is_api
from tests.live.shared_app import app_of
from tests.scenarios.stage import Stage

CANARY = re.compile(r"kestrel|INC-1\b", re.IGNORECASE)
ADDRESSES = (
    "/explain?about=P-1",
    "/explain?about=P-2",
    "/explain?about=A-1",
    "/explain?person=gus",
    "/api/v1/explanations?about=P-1",
    "/api/v1/explanations?about=P-2",
    "/api/v1/explanations?about=A-1",
    "/api/v1/explanations?person=gus",
    "/api/v1/pages?status=any",
    "/alerts?status=firing",
    "/alerts?service=checkout",
    "/incidents/new?page=P-1",
    "/incidents/new?page=P-2",
    "/incidents/new?alert=1",
    "/api/v1/alerts?service=checkout",
)


async def browser(stage: Stage, name: str, role: Role = Role.RESPONDER) -> dict[str, str]:
    """The headers of somebody's session."""
    email = f"{name}@nordlicht.example"
    now = stage.clock.now()
    await accounts.create_user(stage.node.db, email=email, full_name=name.capitalize(), role=role, by=OPERATOR, now=now)
    return await session_of(stage, email)


async def session_of(stage: Stage, email: str) -> dict[str, str]:
    """A new session of an account that exists."""
    node, now = stage.node, stage.clock.now()
    session = await links.use_sign_in_link(
        node.db, await links.sign_in_link(node.db, email, by=OPERATOR, now=now), now=now
    )
    return {
        "Cookie": f"{COOKIE}={session}",
        "Origin": "http://sev1.test",
        "X-CSRF-Token": masked(csrf_token(node.secret, digest(session))),
    }


async def token(stage: Stage, name: str, role: Role = Role.ADMIN) -> dict[str, str]:
    made = await tokens.create(stage.node.db, name=name, role=role, by=OPERATOR, now=stage.clock.now())
    return {"Authorization": f"Bearer {made.token}"}


def addresses(stage: Stage) -> list[str]:
    """Every GET route, filled with what exists."""
    found = list(ADDRESSES)
    for path, methods, access in declared_routes(app_of(stage.node)):
        if "GET" not in methods or access is None or access.integration_key:
            continue
        for sample in ("1", "2"):
            keys = {"incidents": "INC-1", "pages": f"P-{sample}", "services": "checkout", "evidence": "E-1"}
            noun = next((word for word in reversed(path.split("/{")[0].split("/")) if word), "")
            key = keys.get(noun, sample)
            found.append(re.sub(r"\{\w+\}|\{\w+:(?!int)\w+\}", key, re.sub(r"\{\w+:int\}", sample, path)))
    return sorted(set(found) - {"/sign-out"})


async def a_restricted_incident(stage: Stage) -> None:
    """Declared from a page by the token `test` for Ana, with everything in it that can hold words."""
    await stage.fires()
    await stage.declares(
        "Kestrel credentials were stolen", restricted=True, page="P-1", commander="ana", services=["checkout"]
    )
    await stage.says(
        "INC-1",
        "/role security @dana",
        "/can Kestrel is contained | rotating kestrel keys | a kestrel expert",
        "/decide shut kestrel down because of the kestrel leak",
        "/know kestrel was in a public bucket",
        "/task @dana rotate kestrel in 20 min",
        "/mitigation kestrel is firewalled @ana until tomorrow",
        "/workstream Kestrel: find every kestrel key @dana",
        "/page @gus which kestrel keys are yours?",
        "/bridge https://kestrel.example with @dana",
        "/blast every kestrel key",
    )


async def walk(stage: Stage, headers: dict[str, str], *, outside: bool = True) -> list[str]:
    """The addresses that tell of the incident, with what they tell."""
    told = []
    for address in addresses(stage):
        if is_api(address) != ("Authorization" in headers):
            continue
        answer = await stage.http.get(address, headers=headers)
        text = f"{answer.text}{answer.headers}"
        for asked in re.findall(r"INC-1", address):
            text = text.replace(asked, "")
        if CANARY.search(text):
            told.append(f"{address}: {CANARY.findall(text)[:3]}")
        assert answer.status_code != 500, f"{address} -> {answer.text}"
        if outside and re.search(r"/incidents/INC-1\b", address):
            # 403 is said before anybody looks: their role may not write into any incident.
            assert answer.status_code in {403, 404}, f"{address} -> {answer.status_code}"
    return told


async def test_who_is_not_in_it_finds_nothing_of_it_anywhere(stage: Stage):
    await a_restricted_incident(stage)
    kept = await stage.http.post(
        "/api/v1/incidents/INC-1/evidence?name=kestrel.log",
        content=b"kestrel keys",
        headers={"Authorization": f"Bearer {stage._token}"},
    )
    assert kept.status_code == 201
    outsiders = [
        await browser(stage, "bo"),
        await browser(stage, "hana", Role.VIEWER),
        await browser(stage, "eli", Role.ADMIN),
        await token(stage, "a program"),
        await token(stage, "ana"),
    ]
    stage.node.stopping.set()  # so that streams end at once
    assert len(addresses(stage)) > 60
    for headers in outsiders:
        assert await walk(stage, headers) == []
    assert len(await walk(stage, await browser(stage, "ana"), outside=False)) > 10, "the walk finds what is there"


async def test_who_is_in_it_sees_it_with_the_word_and_who_else_does(stage: Stage):
    await a_restricted_incident(stage)
    for name in ("ana", "dana", "gus"):
        headers = await browser(stage, name)
        page = await stage.http.get("/incidents/INC-1", headers=headers)
        assert page.status_code == 200
        assert "Restricted" in page.text
        assert "Who sees it" in page.text
        assert "Kestrel" in (await stage.http.get("/incidents", headers=headers)).text
        assert "INC-1" in (await stage.http.get("/pages/P-1", headers=headers)).text
        assert "INC-1" in (await stage.http.get("/alerts/1", headers=headers)).text
    state = await stage.api("GET", "/incidents/INC-1")
    assert state["restricted"]
    assert set(state["admitted"]) == {"ana", "test", "dana", "gus"}


async def test_a_command_to_an_incident_of_others_is_answered_as_one_to_an_unknown_incident(stage: Stage):
    await a_restricted_incident(stage)
    bo, program = await browser(stage, "bo", Role.ADMIN), await token(stage, "a program")
    for headers, path, body in (
        (program, "/api/v1/incidents/{}/commands", {"json": {"type": "add_note", "text": "hello"}}),
        (program, "/api/v1/incidents/{}/commands", {"json": {"type": "unrestrict", "reason": "hello"}}),
        (program, "/api/v1/incidents/{}/lines", {"json": {"line": "/confirm H1"}}),
        (program, "/api/v1/incidents/{}/lines", {"json": {"line": "/nonsense"}}),
        (bo, "/incidents/{}/commands", {"data": {"type": "admit", "person": "bo"}}),
        (bo, "/incidents/{}/lines", {"data": {"line": "/task @nobody"}}),
    ):
        answers: list[httpx.Response] = []
        for key in ("INC-1", "INC-999"):
            sent: dict[str, Any] = body
            answers.append(await stage.http.post(path.format(key), headers=headers, **sent))
        theirs, unknown = (answer.text.replace("INC-999", "INC-1") for answer in answers)
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert _without_request(theirs) == _without_request(unknown)
    assert "hello" not in str(await stage.api("GET", "/incidents/INC-1/timeline"))


async def test_every_address_of_it_answers_in_all_methods_as_that_of_one_that_does_not_exist(stage: Stage):
    await a_restricted_incident(stage)
    kept = await stage.http.post(
        "/api/v1/incidents/INC-1/evidence?name=a.log",
        content=b"kestrel keys",
        headers={"Authorization": f"Bearer {stage._token}"},
    )
    assert kept.status_code == 201
    page, program = await browser(stage, "eli", Role.ADMIN), await token(stage, "a program")
    stage.node.stopping.set()
    compared = 0
    for path, methods, _ in declared_routes(app_of(stage.node)):
        key = re.search(r"/(incidents|evidence)/\{\w+:str\}", path)
        if key is None:
            continue
        real, other = ("INC-1", "INC-999") if key[1] == "incidents" else ("E-1", "E-999")
        for method in methods - {"OPTIONS", "HEAD"}:
            answers = []
            for one in (real, other):
                address = re.sub(r"\{\w+:str\}", one, path)
                body = (
                    {"json": {"reason": "x", "text": "x", "line": "/note x"}}
                    if is_api(path)
                    else {"data": {"line": "/note x"}}
                )
                sent = {} if method == "GET" else body
                headers = program if is_api(path) else page
                answer = await stage.http.request(method, address, headers=headers, **sent)  # type: ignore[arg-type]
                answers.append((answer.status_code, _without_request(answer.text.replace(other, real))))
            assert answers[0] == answers[1], f"{method} {path}"
            compared += 1
    assert compared > 15


def _without_request(text: str) -> str:
    return re.sub(r'name="csrf" value="[^"]+"|"request_id":"[^"]+"', "", text)


async def test_nobody_but_those_in_it_gets_mail_that_tells_of_it(stage: Stage):
    await a_restricted_incident(stage)
    await stage.later(minutes=21)  # the task is late, and the page out of it is repeated
    await stage.says("INC-1", "/sev 0", "/confirm restored", "/confirm impact_ended", "/confirm no_residual")
    await stage.says("INC-1", "/override stable because it was no fault", "/resolve", "/all-clear kestrel is safe")
    await stage.later(minutes=5)
    assert stage.mailed("lets you see it") == ["dana@nordlicht.example", "gus@nordlicht.example"]
    telling = [mail for mail in stage.post.mails if CANARY.search(words_of(mail))]
    assert telling, "those in it are told"
    assert {str(mail["To"]) for mail in telling} == {
        "ana@nordlicht.example", "dana@nordlicht.example", "gus@nordlicht.example",
    }  # fmt: skip
    asked = [mail for mail in stage.post.mails if "Somebody is asked for by name" in str(mail["Subject"])]
    # That nobody answers is announced as for every page, and tells as little as the page does.
    assert {str(mail["To"]) for mail in asked} == {"gus@nordlicht.example", "incidents@nordlicht.example"}
    assert not any("kestrel" in words_of(mail).lower() for mail in asked)


def words_of(mail: Any) -> str:
    body = "".join(part.get_content() for part in mail.walk() if part.get_content_maintype() == "text")
    return f"{mail['Subject']}{body}{mail['X-Sev1-About'] or ''}{mail['References'] or ''}{mail['Message-ID'] or ''}"


async def test_restricting_later_hides_what_was_open_and_stops_what_is_still_to_go_out(stage: Stage):
    await stage.fires()
    await stage.declares("Kestrel misbehaves", page="P-1", commander="ana", services=["checkout"])
    await stage.says("INC-1", "/page @gus look at kestrel")
    before = len(stage.mailed("Kestrel"))
    await stage.says("INC-1", "/task @bo look at kestrel in 10 min")
    answer = await stage.says("INC-1", "/restrict because it is a kestrel breach")
    assert ("shut_out", "/admit @bo") in [(one["kind"], one["line"]) for one in answer["advice"]]
    await stage.says("INC-1", "/can kestrel is being looked at")
    await stage.later(minutes=12)
    assert stage.mailed("how does it stand") == ["ana@nordlicht.example"], "who does not see it is not told of the task"
    assert "incidents@nordlicht.example" not in stage.mailed("Kestrel")[before:]
    stage.node.stopping.set()
    for headers in (await browser(stage, "bo"), await browser(stage, "eli", Role.ADMIN), await token(stage, "program")):
        assert await walk(stage, headers) == []
    stage.node.stopping.clear()
    await stage.says("INC-1", "/role ic @ana")
    refused = await stage.says("INC-1", "/unrestrict because customers know", expect=409)
    assert "lifts the restriction" in refused["detail"]


async def test_who_is_removed_sees_nothing_any_more_and_who_has_a_role_lays_it_down_first(stage: Stage):
    await a_restricted_incident(stage)
    gus, dana = await browser(stage, "gus"), await browser(stage, "dana")
    refused = await stage.says("INC-1", "/remove @dana", expect=409)
    assert "/release security @dana" in refused["detail"]
    assert "commands" in (await stage.says("INC-1", "/remove @ana", expect=409))["detail"]
    await stage.says("INC-1", "/release security @dana")
    assert (await stage.http.get("/incidents/INC-1", headers=dana)).status_code == 200, (
        "a role laid down shuts out nobody"
    )
    await stage.says("INC-1", "/remove @dana", "/remove @gus")
    for headers in (gus, dana):
        assert (await stage.http.get("/incidents/INC-1", headers=headers)).status_code == 404
        assert (await stage.http.get("/incidents/INC-1/events", headers=headers)).status_code == 404
    assert "restricted" in (await stage.says("INC-1", "/task @bo rotate", expect=409))["detail"]


async def test_a_program_is_admitted_by_the_name_of_its_token(stage: Stage):
    await a_restricted_incident(stage)
    program = await token(stage, "timeline-export", Role.VIEWER)
    assert (await stage.http.get("/api/v1/incidents/INC-1", headers=program)).status_code == 404
    await stage.does("INC-1", "admit", person="timeline-export")
    assert (await stage.http.get("/api/v1/incidents/INC-1", headers=program)).json()["restricted"]


@pytest.mark.parametrize("who", ["ana", "dana"])
async def test_the_commander_or_the_security_lead_lifts_it_and_then_everybody_sees_it(stage: Stage, who: str):
    await a_restricted_incident(stage)
    headers, bo = await browser(stage, who), await browser(stage, "bo")
    lifted = await stage.http.post(
        "/incidents/INC-1/commands", headers=headers, data={"type": "unrestrict", "reason": "customers were told"}
    )
    assert lifted.status_code == 303
    assert "Kestrel" in (await stage.http.get("/incidents/INC-1", headers=bo)).text
    await stage.settle()


async def test_rows_say_who_sees_them_and_the_form_declares_restricted(stage: Stage):
    await a_restricted_incident(stage)
    bo = await browser(stage, "bo")
    made = await stage.http.post(
        "/incidents/new", headers=bo, data={"title": "A laptop is gone", "restricted": "true", "form": "declare"}
    )
    assert made.headers["location"] == "/incidents/INC-2"
    async with stage.node.db.connection() as conn:
        rows = await conn.fetch("SELECT id, restricted, visible_to FROM incidents ORDER BY number")
    assert [(row["id"], row["restricted"], set(row["visible_to"])) for row in rows] == [
        ("INC-1", True, {"ana", "test", "dana", "gus"}),
        ("INC-2", True, {"bo"}),
    ]
    listed = await stage.api("GET", "/incidents")
    assert [one["id"] for one in listed] == ["INC-1"]


async def test_no_audience_outside_is_told_of_it_nor_promised_anything(stage: Stage):
    await stage.declares()
    await stage.says("INC-1", "/can for customers: some payments fail", "/promise customers in 45 min")
    after = (await stage.says("INC-1", "/restrict because an account was taken over"))["incident"]
    assert list(after["clocks"]) == ["internal"]
    for line in ("/can for customers: it was a theft", "/promise customers in 45 min"):
        refused = await stage.says("INC-1", line, expect=409)
        assert refused["detail"].startswith("A restricted incident tells nobody outside of it.")
    after = (await stage.says("INC-1", "/sev 0 because it spreads"))["incident"]
    assert list(after["clocks"]) == ["internal"]
