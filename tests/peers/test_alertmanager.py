"""Debian's Alertmanager as a sender: by its webhook and by its PagerDuty receiver."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.live.mailbox import Mailbox
from tests.live.prometheus import Alertmanager, amtool
from tests.live.server import LiveServer
from tests.live.waiting import until


def receiver(kind: str, sev1: LiveServer) -> dict[str, object]:
    if kind == "webhook":
        return {"name": "sev1", "webhook_configs": [{"url": sev1.key("alertmanager", "--service", "checkout")}]}
    secret = urlsplit(sev1.key("pagerduty", "--service", "checkout")).path.split("/")[2]
    config = {"routing_key": secret, "url": f"{sev1.url}/v2/enqueue", "severity": "critical"}
    return {"name": "sev1", "pagerduty_configs": [config | {"description": "{{ .CommonAnnotations.summary }}"}]}


@pytest.mark.parametrize("kind", ["webhook", "pagerduty"])
def test_alertmanager_pages_and_resolves_through_its(
    kind: str, sev1: LiveServer, api: httpx.Client, mailbox: Mailbox, tmp_path: Path
) -> None:
    summary = f"Disk full, said by {kind}"
    with Alertmanager(tmp_path / "alertmanager", receiver(kind, sev1)) as alertmanager:
        alert = ("alert", "add", f"DiskFull{kind}", "severity=critical", f"--annotation=summary={summary}")
        amtool(alertmanager.url, *alert)
        mailbox.wait_for("mara@shop.test", summary, within_s=15)
        ended = "--end=2026-01-01T00:00:00Z"
        amtool(alertmanager.url, *alert, ended, "--start=2025-12-31T00:00:00Z")

        def resolved() -> bool:
            pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
            return any(summary in page["title"] and page["status"] == "resolved" for page in pages)

        until(resolved, "the page to be over", within_s=15)
