"""Why something woke whom, from the alert to the answer; and why somebody was not paged. From stored facts, everywhere the same."""

import re
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from sev1.access import accounts
from sev1.access.model import OPERATOR, Role
from sev1.access.sessions import open_session
from sev1.access.web import COOKIE
from sev1.catalog import store
from sev1.catalog.load import load
from sev1.cli.demo import SAMPLE
from sev1.cli.main import app as cli
from sev1.explain.model import Because, lines
from tests.scenarios.stage import Stage

Tree = dict[str, Any]


def kinds(tree: Tree) -> list[str]:
    """Depth first."""
    return [tree["kind"], *(kind for child in tree["then"] for kind in kinds(child))]


def all_of(tree: Tree, kind: str) -> list[Tree]:
    return [t for t in [tree] if t["kind"] == kind] + [found for child in tree["then"] for found in all_of(child, kind)]


def words(tree: Tree) -> str:
    return "\n".join(lines(msgspec.convert(tree, Because)))


async def test_an_alert_is_explained_from_the_key_it_came_over_to_why_the_escalation_stopped(stage: Stage):
    stage.post.refused.add("bo@nordlicht.example")
    await stage.fires()
    await stage.later(minutes=3)
    await stage.answers("P-1", "acknowledge")
    tree = await stage.api("GET", "/alerts/1/explanation")
    [received] = all_of(tree, "received")
    assert "integration key 1 (prometheus)" in received["sentence"]
    assert [s["data"]["stage"] for s in all_of(tree, "stage")] == [
        "dedup", "silence", "inhibit", "tier", "route", "group",
    ]  # fmt: skip
    first, second = all_of(tree, "step")[:2]
    assert "Step 1 asked Bo Lindqvist." in first["sentence"]
    assert "because they are on call for" in first["then"][0]["sentence"]
    [attempt] = all_of(first, "attempt")
    assert (attempt["data"]["channel"], attempt["data"]["outcome"]) == ("email", "permanent")
    assert "550" in attempt["sentence"]
    assert [d["data"]["state"] for d in all_of(first, "delivery")] == ["failed"]
    sent = [d for d in all_of(second, "delivery") if d["data"]["state"] == "sent"]
    assert sent
    assert sent[0]["data"]["receipt"]
    assert sent[0]["data"]["receipt"] in sent[0]["sentence"]
    [answer] = all_of(tree, "answer")
    assert answer["sentence"] == "test acknowledged it (api)."
    [stopped] = all_of(tree, "stopped")
    assert "The escalation stopped because test acknowledged it at" in stopped["sentence"]
    assert "Step 3 was not reached." in stopped["sentence"]


async def test_a_silenced_alert_says_so_and_what_would_have_happened(stage: Stage):
    body = {
        "matchers": ['service="checkout"', 'alertname="CheckoutErrors"'],
        "ends_at": (stage.clock.now() + timedelta(hours=1)).isoformat(),
        "comment": "planned migration",
        "confirm": True,
    }
    await stage.api("POST", "/silences", body)
    await stage.fires()
    text = words(await stage.api("GET", "/alerts/1/explanation"))
    assert "Silence: Silenced by S-" in text
    assert "planned migration" in text
    assert "No page: Silenced by" in text
    assert "Route: Goes to Payments" in text


async def test_a_page_and_a_fingerprint_lead_to_the_same_facts(stage: Stage):
    await stage.fires()
    alert = await stage.api("GET", "/alerts/1/explanation")
    [fingerprint] = {r["data"]["fingerprint"] for r in all_of(alert, "received")}
    assert await stage.api("GET", f"/explanations?about={fingerprint}") == alert
    assert await stage.api("GET", "/explanations?about=a-1") == alert
    page = await stage.api("GET", "/explanations?about=P-1")
    assert page == all_of(alert, "page")[0]
    await stage.api("GET", "/explanations?about=nothing", expect=404)
    await stage.api("GET", "/alerts/99/explanation", expect=404)
    await stage.api("GET", "/explanations?about=P-9", expect=404)
    await stage.api("GET", "/explanations", expect=400)


async def test_a_fingerprint_means_its_latest_alert_whatever_the_key_and_reports_name_people_as_their_key(stage: Stage):
    await stage.ends(await stage.fires())
    await stage.fires()
    reported = await stage.api("POST", "/reports", {"summary": "The shop is slow", "service": "storefront"})
    tree = await stage.api("GET", f"/explanations?about={reported['fingerprint']}")
    assert tree["data"]["alert"] == "A-3"
    assert "integration key 0 (People)" in all_of(tree, "received")[0]["sentence"]
    [received] = all_of(await stage.api("GET", "/alerts/1/explanation"), "received")
    latest = await stage.api("GET", f"/explanations?about={received['data']['fingerprint']}")
    assert latest["data"]["alert"] == "A-2"


async def test_an_escalation_that_ran_out_and_one_that_runs_say_so(stage: Stage):
    await stage.fires()
    assert "It still runs: the next step is due at" in words(await stage.api("GET", "/explanations?about=P-1"))
    await stage.later(hours=2)
    tree = await stage.api("GET", "/explanations?about=P-1")
    assert "no step is left; somebody has to take it" in all_of(tree, "stopped")[0]["sentence"]
    assert "an announcement address" in all_of(tree, "told")[0]["sentence"]


async def person(stage: Stage, name: str, minutes: int = 1440) -> Tree:
    return await stage.api("GET", f"/explanations?person={name}&since_min={minutes}")


async def test_whoever_was_paged_sees_why_them_what_went_out_and_what_they_did(stage: Stage):
    await stage.fires()
    tree = await person(stage, "bo")
    assert tree["sentence"].startswith("Bo Lindqvist was paged for 1 of 1 pages since")
    [paged] = all_of(tree, "paged")
    assert "because they were on call for" in paged["sentence"]
    assert all_of(paged, "delivery")[0]["data"]["state"] == "sent"


async def test_who_was_not_paged_because_somebody_acknowledged_first_is_told_when_and_who(stage: Stage):
    await stage.fires()
    await stage.answers("P-1", "acknowledge")
    [missed] = all_of(await person(stage, "ana"), "not-paged")
    assert missed["data"] == {"page": "P-1", "reason": "step-not-reached", "step": 3}
    assert "Step 3 would have asked them (in team payments)" in missed["sentence"]
    assert "test acknowledged it at 03:14 UTC." in missed["sentence"]


async def test_who_was_overridden_is_told_who_covers(stage: Stage):
    now = stage.clock.now()
    await stage.api(
        "POST",
        "/schedules/payments-primary/overrides",
        {
            "person": "ana",
            "start": (now - timedelta(minutes=1)).isoformat(),
            "end": (now + timedelta(hours=2)).isoformat(),
            "reason": "dentist",
        },
    )
    sample = load(SAMPLE)
    team = replace(sample.teams["payments"], members=("ana", "cem"))  # else a later step would ask Bo all the same
    async with stage.node.db.transaction() as conn:
        catalog = replace(sample, teams={**sample.teams, "payments": team})
        await store.write(conn, catalog, actor="test", now=now)
    await stage.fires()
    [missed] = all_of(await person(stage, "bo"), "not-paged")
    assert missed["data"]["reason"] == "overridden"
    assert "Ana Ribeiro (covering" in missed["sentence"]
    assert "dentist" in missed["sentence"]


async def test_who_is_in_no_step_is_told_whom_it_asked(stage: Stage):
    await stage.fires()
    [missed] = all_of(await person(stage, "dana"), "not-paged")
    assert missed["data"]["reason"] == "not-on-call"
    assert "Step 1 asked Bo Lindqvist (on call for" in missed["sentence"]


async def test_what_was_held_is_part_of_why_nobody_called(stage: Stage):
    body = {
        "matchers": ['service="checkout"', 'alertname="CheckoutErrors"'],
        "ends_at": (stage.clock.now() + timedelta(hours=1)).isoformat(),
        "comment": "planned migration",
        "confirm": True,
    }
    await stage.api("POST", "/silences", body)
    await stage.fires()
    [held] = all_of(await person(stage, "bo"), "held")
    assert "paged nobody" in held["sentence"]
    assert "planned migration" in held["sentence"]
    assert all_of(await person(stage, "dana"), "held") == []


async def test_only_the_window_that_was_asked_for_counts(stage: Stage):
    await stage.fires()
    await stage.answers("P-1", "resolve", reason="over")
    await stage.later(minutes=10)
    assert all_of(await person(stage, "bo", minutes=5), "paged") == []
    assert len(all_of(await person(stage, "bo", minutes=60), "paged")) == 1
    await stage.api("GET", "/explanations?person=nobody", expect=404)


async def test_page_api_and_terminal_say_the_same(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    await stage.fires()
    tree = await stage.api("GET", "/alerts/1/explanation")
    node = stage.node
    user = await accounts.create_user(
        node.db, email="ana@nordlicht.example", full_name="Ana", role=Role.VIEWER, by=OPERATOR, now=stage.clock.now()
    )
    async with node.db.transaction() as conn:
        cookie = await open_session(conn, user.id, agent="test", now=stage.clock.now())
    stage.http.cookies.set(COOKIE, cookie)
    html = (await stage.http.get("/alerts/1/explanation")).text
    shown = " ".join(re.sub(r"<[^>]+>", "", html).replace("&#39;", "'").replace("&#34;", '"').split())
    for sentence in (t["sentence"] for kind in dict.fromkeys(kinds(tree)) for t in all_of(tree, kind)):
        assert " ".join(sentence.split()) in shown
    about = (await stage.http.get("/explain")).text
    assert "Ana Ribeiro was paged for 0 of 1 pages" in about
    assert (await stage.http.get("/pages/P-1/explanation")).status_code == 200
    assert "Step 1 asked" in (await stage.http.get("/explain?about=P-1")).text

    monkeypatch.setenv("SEV1_TOKEN", "given")
    asked = []

    def request(method: str, url: str, **_: Any) -> httpx.Response:
        asked.append(url)
        return httpx.Response(200, json=tree)

    monkeypatch.setattr(httpx, "request", request)
    printed = CliRunner().invoke(cli, ["explain", "A-1"]).stdout
    assert printed == words(tree) + "\n"
    assert CliRunner().invoke(cli, ["explain", "--person", "ana", "--since", "7d"]).exit_code == 0
    assert asked[-1].endswith("/api/v1/explanations?person=ana&since_min=10080")
    wrong = CliRunner().invoke(cli, ["explain", "--person", "ana", "--since", "soon"])
    assert wrong.exit_code == 1
    assert "Write it like 90m, 24h or 7d." in wrong.stderr
    assert CliRunner().invoke(cli, ["explain"]).exit_code == 1
