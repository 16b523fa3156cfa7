"""Hints and glossary as people and programs meet them: page with and without scripts, API, terminal."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

URL = "http://sev1.test"
BLAMING = "Bob should have checked the dashboard."


async def test_a_text_is_judged_by_the_words_and_people_of_the_organisation(api: httpx.AsyncClient):
    body = {"text": "🔥 Ana broke the trolley.", "audience": "business"}
    found = (await api.post("/api/v1/language/hints", json=body)).json()["hints"]
    assert [(hint["kind"], hint["start"], hint["end"], hint["instead"]) for hint in found] == [
        ("blame", 2, 11, "a change affected"),
        ("alias", 16, 23, "cart"),
    ]
    task = (await api.post("/api/v1/language/hints", json={"text": "look into it", "task": True})).json()["hints"]
    assert [hint["kind"] for hint in task] == ["vague"]
    too_long = await api.post("/api/v1/language/hints", json={"text": "x" * 20_001})
    assert too_long.status_code == 400


async def test_a_command_goes_through_and_its_answer_points_out_what_blames(api: httpx.AsyncClient):
    declared = (await api.post("/api/v1/incidents", json={"type": "declare", "title": "Bob broke the trolley"})).json()
    assert declared["id"] == "INC-1"
    assert [(hint["field"], hint["kind"]) for hint in declared["warnings"]] == [("title", "blame"), ("title", "alias")]
    path = "/api/v1/incidents/INC-1/commands"
    for body, field in (
        ({"type": "post_update", "condition": "Cart is slow.", "actions": BLAMING}, "actions"),
        ({"type": "record_decision", "decision": "Roll back", "reason": BLAMING}, "reason"),
        ({"type": "add_note", "text": BLAMING}, "text"),
    ):
        answer = (await api.post(path, json=body)).json()
        assert len(answer["recorded"]) == 1
        assert [(hint["field"], hint["kind"]) for hint in answer["warnings"]] == [(field, "blame")]
    clean = (await api.post(path, json={"type": "add_note", "text": "Ana rolled back the deploy"})).json()
    assert clean["warnings"] == []


async def test_the_all_clear_is_read_by_the_business_so_jargon_is_pointed_out(api: httpx.AsyncClient):
    await api.post("/api/v1/incidents", json={"type": "declare", "title": "Cart is slow"})
    path = "/api/v1/incidents/INC-1/commands"
    for criterion in ("restored", "impact_ended", "stable", "no_residual"):
        await api.post(path, json={"type": "confirm_criterion", "criterion": criterion})
    await api.post(path, json={"type": "resolve"})
    answer = (await api.post(path, json={"type": "give_all_clear", "message": "Latency is normal."})).json()
    assert [(hint["kind"], hint["instead"]) for hint in answer["warnings"]] == [("jargon", "Waiting time")]


async def test_the_glossary_over_the_api(api: httpx.AsyncClient):
    terms = {term["name"]: term for term in (await api.get("/api/v1/glossary")).json()}
    assert terms["cart"]["own"] is True
    assert terms["postmortem"]["own"] is False
    assert (await api.get("/api/v1/glossary/Shopping-Bag")).json()["name"] == "cart"
    assert [term["name"] for term in (await api.get("/api/v1/glossary", params={"q": "not yet paid"})).json()] == [
        "cart"
    ]
    missing = await api.get("/api/v1/glossary/postmortm")
    assert missing.status_code == 404
    assert 'Did you mean "postmortem"?' in missing.json()["detail"]


async def test_the_terminal_prints_a_word_and_hints_after_the_command(terminal: Callable[..., Awaitable[Any]]):
    word = await terminal("glossary", "cart")
    assert word.output.startswith("cart: What a customer has chosen")
    assert "do not say: trolley" in word.output
    assert (await terminal("glossary", "no such word")).exit_code == 1
    assert (await terminal("declare", "Cart is slow")).exit_code == 0
    noted = await terminal("incident", "INC-1", "note", BLAMING)
    assert noted.exit_code == 0
    assert BLAMING in noted.stdout
    assert "There was no step in which anybody would have checked" in noted.stderr


async def test_the_glossary_page_lists_terms_by_anchor_and_searches(enter: Callable[..., Any]):
    ana = await enter()
    page = await ana.see("/glossary")
    assert re.search(r'<dt id="cart"><a href="#cart">cart</a></dt>', page)
    assert "Do not say: trolley, shopping bag." in page
    assert "To the business: attacker." in page
    found = await ana.see("/glossary?q=bluebird")
    assert re.findall(r'<dt id="([\w-]+)"', found) == ["platform-team"]
    assert "No term has it" in await ana.see("/glossary?q=%3Cscript%3E")
    assert 'href="/glossary"' in await ana.see("/catalog")


async def test_without_scripts_the_page_after_posting_says_what_may_be_said_otherwise(
    enter: Callable[..., Any], declared: Callable[..., Awaitable[str]]
):
    ana, key = await enter(), await declared()
    sent = await ana.send(f"/incidents/{key}/commands", form="note", type="add_note", text=f"<b> {BLAMING}")
    assert sent.status_code == 303
    address = sent.headers["location"]
    assert address.startswith(f"/incidents/{key}?said=")
    page = await ana.see(address.partition("#")[0])
    assert "Recorded as you wrote it" in page
    assert "“Bob should have checked”" in page
    assert "Recorded as you wrote it" not in await ana.see(f"/incidents/{key}")


async def test_with_htmx_the_answer_carries_them_to_their_place_and_clears_them_again(
    enter: Callable[..., Any], declared: Callable[..., Awaitable[str]]
):
    ana, key = await enter(), await declared()
    path = f"/incidents/{key}/commands"
    blaming = await ana.send(path, form="note", type="add_note", text=BLAMING, htmx=True)
    assert re.search(r'<div id="worth"[^>]*hx-swap-oob="true">\s*<p class="said quiet">', blaming.text)
    clean = await ana.send(path, form="note", type="add_note", text="Ana rolled back.", htmx=True)
    assert re.search(r'<div id="worth"[^>]*hx-swap-oob="true">\s*</div>', clean.text)


async def test_a_declaration_leads_to_the_incident_with_its_hints(enter: Callable[..., Any]):
    ana = await enter()
    sent = await ana.send("/incidents/new", title="Bob broke the checkout")
    assert "Rather: “A change affected”" in await ana.see(sent.headers["location"])


async def test_the_script_of_a_page_asks_with_the_sessions_token(enter: Callable[..., Any]):
    ana = await enter()
    answer = await ana.send("/language/hints", text=BLAMING, audience="nobody")
    assert [hint["kind"] for hint in answer.json()["hints"]] == ["blame"]
    assert (await ana.http.post("/language/hints", data={"text": BLAMING})).status_code == 403
