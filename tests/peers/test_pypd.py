"""pypd, PagerDuty's earlier client for Python, with nothing changed but its address."""

from urllib.parse import urlsplit

import httpx
import pypd
import pytest
from tests.live.mailbox import Mailbox
from tests.live.server import LiveServer
from tests.live.waiting import until


@pytest.fixture
def routing_key(sev1: LiveServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(pypd.EventV2, "base_url", f"{sev1.url}/v2/enqueue")
    return urlsplit(sev1.key("pagerduty", "--service", "checkout")).path.split("/")[2]


def event(routing_key: str, action: str, summary: str) -> dict[str, object]:
    payload = {"summary": summary, "source": "billing-2", "severity": "critical"}
    return {"routing_key": routing_key, "event_action": action, "dedup_key": "billing/credit", "payload": payload}


def test_pypd_triggers_acknowledges_and_resolves(routing_key: str, api: httpx.Client, mailbox: Mailbox) -> None:
    summary = "Credit notes are not sent"

    def status() -> str | None:
        pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
        return next((page["status"] for page in pages if page["title"] == summary), None)

    answer = pypd.EventV2.create(data=event(routing_key, "trigger", summary))
    assert answer == {"status": "success", "message": "Event processed", "dedup_key": "billing/credit"}
    mailbox.wait_for("mara@shop.test", summary)
    assert status() == "triggered"
    pypd.EventV2.create(data=event(routing_key, "acknowledge", summary))
    until(lambda: status() == "acknowledged", "the acknowledgement")
    pypd.EventV2.create(data=event(routing_key, "resolve", summary))
    until(lambda: status() == "resolved", "the end")


def test_pypd_is_told_that_its_routing_key_is_wrong(routing_key: str) -> None:
    with pytest.raises(pypd.errors.BadRequest, match="Invalid routing key"):
        pypd.EventV2.create(data=event("0" * 32, "trigger", "Nobody's"))
