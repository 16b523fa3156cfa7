"""pdpyras, PagerDuty's own client for Python, with nothing changed but its address."""

import warnings
from urllib.parse import urlsplit

import httpx
import pytest
from tests.live.mailbox import Mailbox
from tests.live.server import LiveServer
from tests.live.waiting import until

with warnings.catch_warnings():
    # It says that it has a successor. That one speaks https only, and many installations still use this one.
    warnings.simplefilter("ignore", UserWarning)
    import pdpyras


@pytest.fixture
def session(sev1: LiveServer):
    secret = urlsplit(sev1.key("pagerduty", "--service", "checkout")).path.split("/")[2]
    assert len(secret) == 32, "clients refuse routing keys of another length"
    with pdpyras.EventsAPISession(secret) as events:
        events.url = sev1.url
        yield events


def test_pdpyras_triggers_acknowledges_and_resolves(
    session: pdpyras.EventsAPISession, api: httpx.Client, mailbox: Mailbox
) -> None:
    summary = "Invoices are not booked"

    def status() -> str | None:
        pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
        return next((page["status"] for page in pages if page["title"] == summary), None)

    dedup_key = session.trigger(summary, "billing-1", severity="critical", custom_details={"customer": "all"})
    mailbox.wait_for("mara@shop.test", summary)
    assert status() == "triggered"
    again = session.trigger(summary, "billing-1", severity="critical", dedup_key=dedup_key)
    assert again == dedup_key
    session.acknowledge(dedup_key)
    until(lambda: status() == "acknowledged", "the acknowledgement")
    session.resolve(dedup_key)
    until(lambda: status() == "resolved", "the end")
    assert len([mail for mail in mailbox.to("mara@shop.test") if summary in mail.subject and "?]" in mail.subject]) == 1


def test_pdpyras_is_told_what_is_wrong_with_an_event(session: pdpyras.EventsAPISession) -> None:
    with pytest.raises(pdpyras.PDHTTPError) as refused:
        session.trigger("", "billing-1", severity="terrible")
    assert refused.value.response.status_code == 400
    answer = refused.value.response.json()
    assert answer["status"] == "invalid event"
    assert any("severity" in error for error in answer["errors"])
