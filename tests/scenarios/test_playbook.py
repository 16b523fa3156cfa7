"""The alert as a mini-playbook: on its page, in the mail, in the webhook's payload and by API, from the catalog and from history."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from sev1.access import accounts
from sev1.access.model import OPERATOR, Role
from sev1.access.sessions import open_session
from sev1.access.web import COOKIE
from sev1.catalog import store
from sev1.catalog.load import load
from sev1.cli.demo import SAMPLE
from sev1.lint.decide import judge_rule
from sev1.lint.rule_file import read
from sev1.notify.model import Notice
from sev1.notify.webhook import payload
from tests.scenarios.stage import Stage


@pytest.fixture
async def see(stage: Stage) -> Any:
    node, now = stage.node, stage.clock.now()
    user = await accounts.create_user(
        node.db, email="ana@nordlicht.example", full_name="Ana", role=Role.RESPONDER, by=OPERATOR, now=now
    )
    async with node.db.transaction() as conn:
        cookie = await open_session(conn, user.id, agent="test", now=now)

    async def get(path: str) -> str:
        stage.http.cookies.set(COOKIE, cookie)
        answer = await stage.http.get(path)
        stage.http.cookies.delete(COOKIE)
        assert answer.status_code == 200, answer.text
        return answer.text

    return get


PICTURE = {"image": "https://graphs.nordlicht.example/render/checkout.png"}


def mail_text(stage: Stage, number: int = 0) -> str:
    return str(stage.post.mails[number].get_body(("plain",)).get_content()).replace("\r\n", "\n")  # type: ignore[union-attr]


async def test_the_mail_has_steps_questions_what_is_known_and_who_is_next_and_stays_short(stage: Stage):
    await stage.fires(annotations=PICTURE)
    text = mail_text(stage)
    assert "Impact: Customers cannot pay" in text
    assert "- Checkout errors by region: https://graphs.nordlicht.example/d/checkout-regions" in text
    assert "- Image: https://graphs.nordlicht.example/render/checkout.png" in text
    assert "Try first: Deployed in the last hour?" in text
    assert "- Look at payments and at the errors by region" in text
    assert "    Payments is red too? -> runbook payments-declined" in text
    assert "    One region only? -> `traffic drain checkout REGION`" in text
    assert "Known: The first minute after a deployment may show up to 2 % errors" in text
    assert "Payments in #payments" in text
    assert "Nobody answers? Paged after 3 min Bo Lindqvist, Gus Marinakis; after 8 min" in text
    assert len(text.splitlines()) <= 40
    html = str(stage.post.mails[0].get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert "<strong>One region only?</strong> &rarr;" in html
    assert "<img" not in html


async def test_a_runbook_of_many_steps_does_not_make_the_mail_longer(stage: Stage):
    sample = load(SAMPLE)
    long = replace(sample.runbooks["checkout-errors"], body="# T\n\n" + "".join(f"- step {n}\n" for n in range(40)))
    async with stage.node.db.transaction() as conn:
        changed = replace(sample, runbooks={**sample.runbooks, "checkout-errors": long})
        await store.write(conn, changed, actor="test", now=stage.clock.now())
    await stage.fires()
    text = mail_text(stage)
    assert "- step 3" in text
    assert "step 4" not in text
    assert len(text.splitlines()) <= 40


async def test_the_webhook_payload_has_the_same_as_data(stage: Stage):
    await stage.fires(annotations=PICTURE)
    async with stage.node.db.connection() as conn:
        stored = await conn.fetchval("SELECT notice FROM deliveries LIMIT 1")
    notice = msgspec.convert(stored, Notice)
    body = json.loads(payload(notice, delivery_id=UUID(int=1), repeat=False))
    assert body["steps"][1]["branches"][0] == {"asks": "Payments is red too?", "then": "runbook payments-declined"}
    assert {"title": "Image", "url": PICTURE["image"]} in body["verify"]
    assert body["owner"] == "Payments in #payments"
    assert body["escalates"][0].startswith("after 3 min ")
    assert len(body["known"]) == 2


async def test_the_alerts_page_shows_playbook_plan_questions_and_a_picture_as_a_link_only(stage: Stage, see: Any):
    await stage.fires(annotations=PICTURE)
    html = await see("/alerts/1")
    assert f'href="{PICTURE["image"]}"' in html
    assert "<img" not in html
    assert "Payments in #payments" in html
    assert "at once: Payments on-call" in html
    assert "everybody in Payments" in html
    assert '<li class="branch"><strong>One region only?</strong> → <code>traffic drain' in html
    assert "Response plan: Checkout answers with errors" in html
    assert "Is the card processor" in html
    assert "Errors below 1 %, 40 to 90 orders a minute" in html
    assert "The load test on the first Tuesday" in html
    assert "Ana Ribeiro, Bo Lindqvist" in html
    assert "of the first five questions are answered" not in html


async def test_the_api_has_the_playbook_with_plan_path_score_and_history(stage: Stage):
    await stage.fires()
    book = await stage.api("GET", "/alerts/1/playbook")
    assert book["broke"] == "Card payments fail: 42 % errors"
    assert book["book"]["plan"]["name"] == "checkout-errors"
    assert book["book"]["steps"][1]["branches"][1]["asks"] == "One region only?"
    assert book["book"]["channel"] == "#payments"
    assert book["score"]["points"] == 5
    assert book["past"]["fired"] == 1
    await stage.api("GET", "/alerts/99/playbook", expect=404)


async def test_history_says_how_often_it_was_acted_on_false_or_over_by_itself(stage: Stage, see: Any):
    for kind in ("by itself", "acted on", "false alarm", "incident"):
        alert = await stage.fires()
        page = f"P-{('by itself', 'acted on', 'false alarm', 'incident').index(kind) + 1}"
        await stage.later(minutes=2)
        if kind != "by itself":
            await stage.answers(page, "acknowledge")
        if kind == "false alarm":
            await stage.answers(page, "resolve", reason="False alarm")
        if kind == "incident":
            await stage.declares("Cards are declined", page=page)
            await stage.does("INC-1", "post_update", condition="One region, drained", actions="", needs="")
        await stage.ends(alert)
        await stage.later(hours=1)
    past = (await stage.api("GET", "/alerts/1/playbook"))["past"]
    assert past["fired"] == 4
    assert (past["acted_on"], past["false_alarms"], past["by_itself"]) == (2, 1, 1)
    assert past["median_ack_s"] == 120.0
    assert past["handled_by"] == ["test"]
    [incident] = past["incidents"]
    assert (incident["key"], incident["title"], incident["summary"]) == (
        "INC-1", "Cards are declined", "One region, drained",
    )  # fmt: skip
    html = await see("/alerts/1")
    assert "INC-1" in html
    assert "2 min" in html
    assert "Handled by test" in html


async def test_history_is_of_one_rule_one_service_and_ninety_days(stage: Stage):
    await stage.ends(await stage.fires())
    await stage.fires("Other")
    await stage.fires(labels={"service": "cart"})
    assert (await stage.api("GET", "/alerts/1/playbook"))["past"]["fired"] == 1
    stage.clock.jump_to(stage.clock.now() + timedelta(days=91))
    assert (await stage.api("GET", "/alerts/1/playbook"))["past"]["fired"] == 0


async def test_a_page_can_be_ended_as_a_false_alarm_by_one_button(stage: Stage, see: Any):
    await stage.fires()
    html = await see("/pages/P-1")
    assert 'name="reason" value="False alarm"' in html


async def test_the_page_that_wakes_somebody_shows_what_is_known_and_the_runbooks_questions(stage: Stage, see: Any):
    await stage.fires()
    html = await see("/pages/P-1")
    assert "<dt>Known</dt>" in html
    assert "The first minute after a deployment may show up to 2 % errors" in html
    assert '<li class="branch"><strong>Payments is red too?</strong> → runbook payments-declined' in html


async def test_rules_are_listed_worst_first_with_what_to_add_where(stage: Stage, see: Any):
    await stage.fires()
    bare = stage.alert("Lonely", labels={"service": "", "severity": "critical"})
    bare["annotations"], bare["generatorURL"] = {}, ""
    await stage.prometheus_sends(bare)
    rules = await stage.api("GET", "/alert-rules")
    assert [(r["seen"]["rule"], r["score"]["points"]) for r in rules] == [("Lonely", 1), ("CheckoutErrors", 5)]
    html = await see("/alerts/rules")
    assert html.index("Lonely") < html.index("CheckoutErrors")
    assert "Add the annotation `impact` to the rule" in html
    page = await see("/alerts/2")
    assert "1 of the first five questions are answered" in page
    assert "Add the annotation `dashboard_url` to the rule" in page


async def test_the_linter_and_the_alert_say_the_same(stage: Stage):
    rule = "groups: [{rules: [{alert: Half, expr: x, labels: {service: cart, severity: critical}}]}]"
    [parsed] = read(rule)
    linted = judge_rule(parsed, load(SAMPLE)).score
    alert = stage.alert("Half", labels={"service": "cart"})
    alert["annotations"], alert["generatorURL"] = {}, ""
    alert["labels"].pop("env")
    await stage.prometheus_sends(alert)
    live = (await stage.api("GET", "/alerts/1/playbook"))["score"]
    assert live == json.loads(msgspec.json.encode(linted))
    assert [q["name"] for q in live["questions"] if not q["answer"]] == ["broke", "first"]
