"""From an alert to the person who has it. Payments is on call by turns; the policy waits 3, then 5 minutes a step."""

from datetime import timedelta

from tests.scenarios.stage import Stage, rfc3339


async def test_an_alert_wakes_the_person_on_call_with_answers_to_the_five_questions(stage: Stage):
    await stage.fires()
    page = await stage.page()
    assert page["status"] == "triggered"
    assert len(stage.post.mails) == 1
    mail = stage.post.mails[0]
    text = mail.get_body(("plain",)).get_content()
    assert mail["To"] == f"{page['people'][0]['person']}@nordlicht.example"
    assert "Card payments fail: 42 % errors" in mail["Subject"]
    assert "Customers cannot pay" in text
    assert "https://graphs.nordlicht.example/d/checkout" in text
    assert "Try first: Deployed in the last hour" in text
    assert "in #payments" in text
    assert "http://sev1.test/pages/P-1" in text
    assert "on call for Payments until" in text


async def test_with_no_answer_the_next_step_is_paged(stage: Stage):
    await stage.fires()
    first = (await stage.page())["people"][0]["person"]
    await stage.later(minutes=3)
    people = [p["person"] for p in (await stage.page())["people"]]
    assert (await stage.page())["step"] == 1
    assert first in people
    assert len(people) == 2
    assert len(stage.mailed("Card payments")) == 3


async def test_one_acknowledgement_stops_the_escalation(stage: Stage):
    await stage.fires()
    page = await stage.answers("P-1", "acknowledge")
    assert page["status"] == "acknowledged"
    await stage.later(minutes=20)
    assert len(stage.mailed("Card payments")) == 1


async def test_an_acknowledged_problem_that_stays_unattended_is_paged_again(stage: Stage):
    await stage.fires()
    await stage.answers("P-1", "acknowledge")
    await stage.later(minutes=30)
    assert (await stage.page())["status"] == "triggered"
    assert len(stage.mailed("Card payments")) == 2


async def test_an_incident_is_attendance_enough(stage: Stage):
    await stage.fires()
    await stage.answers("P-1", "acknowledge")
    await stage.declares(page="P-1")
    await stage.later(minutes=40)
    assert (await stage.page())["status"] == "acknowledged"


async def test_the_same_problem_again_is_counted_and_wakes_nobody_twice(stage: Stage):
    await stage.fires()
    for _ in range(3):
        await stage.later(seconds=30)
        await stage.fires(began=stage.clock.now() - timedelta(minutes=5))
    alerts = (await stage.api("GET", "/alerts"))["alerts"]
    assert [(a["times"], a["page"]) for a in alerts] == [(4, "P-1")]
    assert len(stage.post.mails) == 1


async def test_alerts_of_one_problem_join_one_page(stage: Stage):
    await stage.prometheus_sends(*(stage.alert(labels={"instance": f"checkout-{n}"}) for n in range(40)))
    await stage.fires(labels={"instance": "checkout-99"})
    page = await stage.page()
    assert page["alert_count"] == 41
    assert len(stage.post.mails) == 1


async def test_when_the_alert_ends_the_page_ends_and_whoever_was_woken_is_told(stage: Stage):
    alert = await stage.fires()
    await stage.later(minutes=1)
    await stage.ends(alert)
    assert (await stage.page())["status"] == "resolved"
    assert len(stage.post.mails) == 2
    assert stage.post.mails[1]["To"] == stage.post.mails[0]["To"]
    await stage.later(minutes=10)
    assert len(stage.post.mails) == 2


async def test_an_alert_that_is_not_sent_again_ends_by_itself(stage: Stage):
    await stage.fires(ends=stage.clock.now() + timedelta(minutes=4))
    await stage.answers("P-1", "acknowledge")
    await stage.later(minutes=6)
    assert (await stage.page())["status"] == "resolved"


async def test_a_silenced_alert_wakes_nobody_until_the_silence_ends(stage: Stage):
    silence = await stage.api(
        "POST",
        "/silences",
        {
            "matchers": ['alertname="CheckoutErrors"'],
            "comment": "planned migration",
            "ends_at": rfc3339(stage.clock.now() + timedelta(minutes=10)),
        },
    )
    await stage.fires()
    alert = (await stage.api("GET", "/alerts"))["alerts"][0]
    assert alert["held"] == "silenced"
    assert "planned migration" in str(alert["verdict"])
    assert stage.post.mails == []
    await stage.later(minutes=11)
    assert (await stage.page())["status"] == "triggered"
    assert len(stage.post.mails) == 1
    assert silence["state"] == "active"


async def test_while_the_database_is_down_what_depends_on_it_stays_quiet(stage: Stage):
    await stage.fires("DatabaseDown", labels={"service": "main-db"}, annotations={"summary": "Database is down"})
    await stage.fires()
    alerts = {a["labels"]["alertname"]: a for a in (await stage.api("GET", "/alerts"))["alerts"]}
    assert alerts["CheckoutErrors"]["held"] == "inhibited"
    assert alerts["CheckoutErrors"]["held_by"] == alerts["DatabaseDown"]["key"]
    assert len(stage.post.mails) == 1


async def test_an_unknown_service_is_not_lost_but_goes_to_the_fallback(stage: Stage):
    await stage.fires(labels={"service": "nobody-knows-it"})
    page = await stage.page()
    assert page["policy"] == "platform"
    assert len(stage.post.mails) == 1


async def test_a_warning_becomes_a_ticket_and_wakes_nobody(stage: Stage):
    await stage.fires("DiskFilling", labels={"severity": "warning", "service": "main-db"})
    alert = (await stage.api("GET", "/alerts"))["alerts"][0]
    assert (alert["tier"], alert["page"]) == ("ticket", None)
    assert stage.post.mails == []


async def test_a_refused_address_fails_over_to_the_next_contact_method(stage: Stage):
    stage.post.refused = {"ana@nordlicht.example"}
    await stage.declares()
    await stage.does("INC-1", "page_responder", person="ana", ask="Look at the card processor")
    assert stage.mailed("Look at the card processor") == ["ana.private@mail.example"]


async def test_when_nobody_of_a_step_can_be_reached_the_next_is_paged_at_once(stage: Stage):
    stage.post.refused = {f"{name}@nordlicht.example" for name in ("bo", "cem")} | {
        "ana@nordlicht.example",
        "ana.private@mail.example",
    }
    await stage.fires()
    page = await stage.page()
    assert page["step"] == 1
    assert len(stage.mailed("Card payments")) == 1


async def test_when_nobody_answers_at_all_everybody_can_see_it(stage: Stage):
    await stage.fires()
    await stage.later(minutes=60)
    page = await stage.page()
    assert page["exhausted"]
    assert stage.mailed("Nobody answers P-1") == ["incidents@nordlicht.example"]


async def test_a_person_reports_a_problem_and_it_takes_the_way_of_every_alert(stage: Stage):
    await stage.api("POST", "/reports", {"summary": "Customers say that they cannot pay", "service": "checkout"})
    page = await stage.page()
    assert page["title"] == "Customers say that they cannot pay"
    assert len(stage.post.mails) == 1


async def test_a_pagerduty_client_triggers_acknowledges_and_resolves(stage: Stage):
    event = {
        "routing_key": stage.pagerduty_key,
        "event_action": "trigger",
        "dedup_key": "db-1",
        "payload": {"summary": "Disk full on db-1", "source": "db-1", "severity": "critical"},
    }
    answer = await stage.http.post("/v2/enqueue", json=event)
    assert (answer.status_code, answer.json()["dedup_key"]) == (202, "db-1")
    await stage.settle()
    assert (await stage.page())["status"] == "triggered"
    await stage.http.post("/v2/enqueue", json={**event, "event_action": "acknowledge"})
    await stage.settle()
    assert (await stage.page())["status"] == "acknowledged"
    await stage.http.post("/v2/enqueue", json={**event, "event_action": "resolve"})
    await stage.settle()
    assert (await stage.page())["status"] == "resolved"


async def test_a_payload_that_nobody_understands_is_answered_kept_and_shown(stage: Stage):
    answer = await stage.http.post(f"/integrations/{stage.key}/api/v2/alerts", content=b'[{"labels": "none"}]')
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)
    kept = await stage.api("GET", "/not-understood")
    assert [one["begins"] for one in kept] == ['[{"labels": "none"}]']
    await stage.api("DELETE", f"/not-understood/{kept[0]['id']}")
    assert await stage.api("GET", "/not-understood") == []


async def test_reassigning_wakes_that_person_and_takes_back_what_had_not_gone_out(stage: Stage):
    await stage.fires()
    await stage.answers("P-1", "reassign", person="gus")
    assert stage.mailed("Card payments")[-1] == "gus@nordlicht.example"
    events = await stage.api("GET", "/pages/P-1/events")
    assert any(e["event"]["type"] == "notice_sent" and e["event"]["person"] == "gus" for e in events)


async def test_an_override_decides_who_is_woken(stage: Stage):
    now = stage.clock.now()
    await stage.api(
        "POST",
        "/schedules/payments-primary/overrides",
        {"person": "hana", "start": rfc3339(now), "end": rfc3339(now + timedelta(hours=8)), "reason": "swap"},
    )
    await stage.fires()
    assert [p["person"] for p in (await stage.page())["people"]] == ["hana"]
