"""pagerduty, PagerDuty's present client for Python, with nothing changed but its address. It speaks https only."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pagerduty
import pytest
from tests.live.mailbox import Mailbox
from tests.live.server import LiveServer
from tests.live.tls import tls_front
from tests.live.waiting import until


@pytest.fixture
def client(sev1: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pagerduty.EventsApiV2Client]:
    secret = urlsplit(sev1.key("pagerduty", "--service", "checkout")).path.split("/")[2]
    with tls_front(sev1.port, tmp_path) as (url, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pagerduty.EventsApiV2Client(secret, base_url=url) as events:
            yield events


def test_pagerdutys_client_triggers_acknowledges_and_resolves_over_tls(
    client: pagerduty.EventsApiV2Client, api: httpx.Client, mailbox: Mailbox
) -> None:
    summary = "Vouchers are refused"

    def status() -> str | None:
        pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
        return next((page["status"] for page in pages if page["title"] == summary), None)

    dedup_key = client.trigger(summary, "vouchers-1", severity="critical", custom_details={"campaign": "spring"})
    mailbox.wait_for("mara@shop.test", summary)
    assert status() == "triggered"
    assert client.acknowledge(dedup_key) == dedup_key
    until(lambda: status() == "acknowledged", "the acknowledgement")
    client.resolve(dedup_key)
    until(lambda: status() == "resolved", "the end")


def test_pagerdutys_client_submits_a_change_that_wakes_nobody(
    client: pagerduty.EventsApiV2Client, api: httpx.Client
) -> None:
    # Its `submit` of 7.2 fails over its own clock before it sends anything; this is what it would call.
    client.send_change_event({"summary": "Checkout 2026.3.2 deployed", "source": "ci", "custom_details": {"pr": 17}})

    def shown() -> dict[str, object] | None:
        changes = api.get("/api/v1/changes", params={"service": "checkout"}).raise_for_status().json()
        return next((one for one in changes if one["summary"] == "Checkout 2026.3.2 deployed"), None)

    until(shown, "the change to be shown beside its service")
    pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
    assert not [page for page in pages if "2026.3.2" in page["title"]]


def test_pagerdutys_client_is_told_what_is_wrong_with_an_event(client: pagerduty.EventsApiV2Client) -> None:
    with pytest.raises(pagerduty.HttpError) as refused:
        client.trigger("", "vouchers-1", severity="terrible")
    answer = refused.value.response.json()
    assert answer["status"] == "invalid event"
    assert any("severity" in error for error in answer["errors"])
