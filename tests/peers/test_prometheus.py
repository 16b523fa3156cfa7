"""Debian's Prometheus finds something wrong; people are woken by a real mail, take command and end it."""

from pathlib import Path
from typing import Any

import httpx
from tests.live.mailbox import Mailbox
from tests.live.prometheus import Prometheus
from tests.live.server import LiveServer
from tests.live.waiting import until

API = "/api/v2/alerts"


def do(api: httpx.Client, incident: str, **command: Any) -> dict[str, Any]:
    answer = api.post(f"/api/v1/incidents/{incident}/commands", json=command)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def page_called(api: httpx.Client, title: str) -> dict[str, Any] | None:
    pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
    return next((page for page in pages if page["title"] == title), None)


def test_a_firing_rule_wakes_a_person_becomes_an_incident_and_leaves_its_record(
    sev1: LiveServer, api: httpx.Client, mailbox: Mailbox, tmp_path: Path
) -> None:
    key = sev1.key("prometheus", "--service", "checkout")
    labels = {"severity": "critical"}
    annotations = {"summary": "Card payments fail: 42 % errors"}
    with Prometheus(tmp_path / "prometheus", key.removesuffix(API)) as prometheus:
        prometheus.fire("CheckoutErrors", labels, annotations)

        # The mail answers the five questions of somebody who was asleep a moment ago.
        mail = mailbox.wait_for("mara@shop.test", "Card payments fail: 42 % errors", within_s=15)
        page = page_called(api, "Card payments fail: 42 % errors")
        assert page is not None
        assert mail.subject.startswith("[SEV-1?] Checkout: ")
        for wanted in (
            "Impact: Customers cannot pay",
            "Checkout dashboard: http://dashboards.shop.test/checkout",
            "Try first: Deployed in the last hour? Roll it back",
            "When stuck, call: Noel Ivanov <noel@shop.test>, then Payments in #payments",
            f"{sev1.url}/pages/{page['id']}",
        ):
            assert wanted in mail.text
        assert not mail.is_repeat

        incident = declare_from(api, sev1, page["id"])
        command(api, incident)

        refused = api.post(f"/api/v1/incidents/{incident}/commands", json={"type": "resolve"})
        assert refused.status_code == 409
        firing = api.post(
            f"/api/v1/incidents/{incident}/commands", json={"type": "confirm_criterion", "criterion": "stable"}
        )
        assert firing.status_code == 409, "an incident whose alert fires is not stable"

        prometheus.end("CheckoutErrors", labels, annotations)
        until(lambda: confirmed(api, incident, "stable"), "the alert to be over", within_s=15)
        resolve(api, incident)

    for recipient in ("everybody", "mara", "noel"):
        clear = mailbox.wait_for(f"{recipient}@shop.test", f"All clear: {incident}")
        assert "Payments work again" in clear.text
    assert not [mail for mail in mailbox.to("noel@shop.test") if "[SEV-1?] Checkout" in mail.subject], (
        "nobody else was woken"
    )
    record(api, incident)


def declare_from(api: httpx.Client, sev1: LiveServer, page: str) -> str:
    """Follows the link as a mail scanner does, acknowledges, declares; returns the incident."""
    with sev1.browser("mara@shop.test") as browser:
        for _ in range(2):
            assert "Acknowledge" in browser.get(f"/pages/{page}").raise_for_status().text
    assert api.get(f"/api/v1/pages/{page}").json()["status"] == "triggered", "reading a page acknowledges nothing"

    answer = api.post(f"/api/v1/pages/{page}/commands", json={"type": "acknowledge"}).raise_for_status().json()
    assert answer["status"] == "acknowledged"
    assert answer["next_escalation_at"] is None

    title = "Card payments fail in EU"
    declared = api.post(
        "/api/v1/incidents", json={"type": "declare", "title": title, "page": page, "commander": "mara"}
    )
    assert declared.status_code == 201, declared.text
    incident: dict[str, Any] = declared.json()
    assert incident["commander"] == "mara"
    assert incident["services"] == ["checkout"]
    assert incident["pages"] == [page]
    return str(incident["id"])


def command(api: httpx.Client, incident: str) -> None:
    do(api, incident, type="assign_role", role="ops", person="noel")
    update = {
        "condition": "42 % of card payments fail",
        "actions": "Rolling back 2026.3.1",
        "needs": "A word from the bank",
    }
    do(api, incident, type="post_update", **update)
    do(api, incident, type="record_decision", decision="Roll back", reason="The errors began with the deploy")
    do(api, incident, type="set_stage", stage="mitigation")
    do(api, incident, type="mark_mitigated")


def confirmed(api: httpx.Client, incident: str, criterion: str) -> bool:
    command = {"type": "confirm_criterion", "criterion": criterion}
    return api.post(f"/api/v1/incidents/{incident}/commands", json=command).status_code == 200


def resolve(api: httpx.Client, incident: str) -> None:
    for criterion in ("restored", "impact_ended", "no_residual"):
        assert confirmed(api, incident, criterion)
    after = do(api, incident, type="resolve")["incident"]
    assert after["resolved_at"]
    do(api, incident, type="give_all_clear", message="Payments work again. Thank you all.")


def record(api: httpx.Client, incident: str) -> None:
    """The draft of the postmortem tells what happened, and how long it took, without anybody having written it down."""
    draft = api.get(f"/api/v1/incidents/{incident}/postmortem").raise_for_status().text
    for wanted in ("Card payments fail in EU", "Rolling back 2026.3.1", "Roll back", "Noel Ivanov"):
        assert wanted in draft
    times = api.get(f"/api/v1/incidents/{incident}").raise_for_status().json()["times"]
    order = [times[f"to_{what}_s"] for what in ("detect", "acknowledge", "mitigate", "resolve")]
    assert all(seconds is not None and 0 <= seconds < 120 for seconds in order)
    assert times["to_mitigate_s"] <= times["to_resolve_s"]
    measures = api.get("/api/v1/measures").raise_for_status().json()
    assert measures["incidents"] >= 1
    assert measures["mttr"]["count"] >= 1


def test_the_next_person_is_woken_when_nobody_acknowledges(
    sev1: LiveServer, api: httpx.Client, mailbox: Mailbox, tmp_path: Path
) -> None:
    key = sev1.key("prometheus", "--service", "search")
    with Prometheus(tmp_path / "prometheus", key.removesuffix(API)) as prometheus:
        prometheus.fire("SearchDown", {"severity": "critical"}, {"summary": "Search answers nothing"})
        mailbox.wait_for("mara@shop.test", "Search answers nothing", within_s=15)
        second = mailbox.wait_for("noel@shop.test", "Search answers nothing", within_s=15)
    assert "Nobody answered" in second.text or "step" in second.text
    page = page_called(api, "Search answers nothing")
    assert page is not None
    assert page["step"] == 1
    assert [who["person"] for who in page["people"]] == ["noel"]
    assert len([mail for mail in mailbox.to("mara@shop.test") if "Search answers nothing" in mail.subject]) == 1
