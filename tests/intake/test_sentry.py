import hashlib
import hmac
import json

import httpx
import pytest
from tests.intake.conftest import NOW, KeysInMemory, path
from tests.intake.contract import FIXTURES

from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.inbox import Inbox
from sev1.intake.keys import IntegrationKey
from sev1.intake.model import InboundEvent
from sev1.intake.request import Request

ADDRESS = path("sentry", "sentry")


def payload(name: str) -> bytes:
    return (FIXTURES / "sentry" / f"{name}.json").read_bytes()


def events(body: bytes, resource: str) -> list[InboundEvent]:
    format_ = FORMATS["sentry"]
    request = Request(method="POST", path="sentry", headers={"sentry-hook-resource": resource}, body=body)
    return list(format_.events(format_.decode(format_.stored(request)), NOW))


def test_an_issue_alert_names_its_issue_its_rule_and_its_tags():
    (event,) = events(payload("event_alert"), "event_alert")
    assert (event.action, event.fingerprint) == ("firing", "issue:1117540176")
    assert event.summary == "ReferenceError: heck is not defined"
    assert event.labels["rule"] == "Very Important Alert Rule!"
    assert (event.labels["severity"], event.labels["service"], event.labels["project"]) == ("error", "checkout", "1")
    assert [link.title for link in event.links] == ["Issue at Sentry", "Sentry API"]


def test_the_end_of_an_issue_ends_its_alert():
    (event,) = events(payload("issue_resolved"), "issue")
    assert (event.action, event.fingerprint) == ("resolved", "issue:1117540176")


@pytest.mark.parametrize("action", ["created", "assigned", "archived", "unresolved"])
def test_of_an_issue_nothing_but_its_end_matters(action: str):
    assert events(json.dumps({**json.loads(payload("issue_resolved")), "action": action}).encode(), "issue") == []


async def test_the_news_of_an_installation_are_taken_and_mean_nothing(client: httpx.AsyncClient, inbox: Inbox):
    answer = await client.post(
        ADDRESS, json={"action": "created", "data": {}}, headers={"Sentry-Hook-Resource": "installation"}
    )
    assert answer.status_code == 200
    assert inbox.stored == 0


def test_a_resource_nobody_knows_is_not_understood():
    with pytest.raises(Misunderstood, match="'preprod' is not understood"):
        events(b'{"action": "created", "data": {}}', "preprod")


@pytest.fixture
def signing_key(keys: KeysInMemory) -> IntegrationKey:
    key = IntegrationKey(id=77, name="signed", kind="sentry", signing_secret="client secret")
    keys.by_secret["signed"] = key
    return key


async def test_a_key_with_a_secret_takes_what_is_signed_with_it_and_nothing_else(
    client: httpx.AsyncClient, inbox: Inbox, signing_key: IntegrationKey
):
    body = payload("metric_critical")
    right = hmac.new(b"client secret", body, hashlib.sha256).hexdigest()
    wrong = hmac.new(b"another secret", body, hashlib.sha256).hexdigest()
    headers = {"Sentry-Hook-Resource": "metric_alert"}
    address = "/integrations/signed/sentry"
    for signature in (wrong, "", right[:-1], "é"):
        answer = await client.post(
            address, content=body, headers={**headers, "Sentry-Hook-Signature": signature.encode()}
        )
        assert answer.status_code == 401
    assert (await client.post(address, content=body, headers=headers)).status_code == 401
    changed = body + b" "
    answer = await client.post(address, content=changed, headers={**headers, "Sentry-Hook-Signature": right})
    assert answer.status_code == 401
    assert inbox.stored == 0
    answer = await client.post(address, content=body, headers={**headers, "Sentry-Hook-Signature": right})
    assert answer.status_code == 200
    assert inbox.stored == 1
