import json
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.intake.amazon import CERTIFICATE, Network, certificate, signed
from tests.intake.conftest import NOW, path
from tests.intake.contract import FIXTURES

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.fetch import Answer
from sev1.intake import misunderstood
from sev1.intake.formats import FORMATS
from sev1.intake.inbox import Inbox
from sev1.intake.model import InboundEvent
from sev1.intake.request import Request

ADDRESS = path("sns", "sns")


def message(name: str, **changes: str) -> bytes:
    return signed((FIXTURES / "sns" / f"{name}.json").read_bytes(), **changes)


def events(name: str, **changes: str) -> list[InboundEvent]:
    format_ = FORMATS["sns"]
    raw = format_.stored(Request(method="POST", path="sns", body=message(name, **changes)))
    return list(format_.events(format_.decode(raw), NOW))


async def send(client: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await client.post(ADDRESS, content=body, headers={"x-amz-sns-message-type": json.loads(body)["Type"]})


@pytest.mark.parametrize("version", ["1", "2"])
async def test_either_version_of_the_signature_is_verified(
    client: httpx.AsyncClient, inbox: Inbox, network: Network, version: str
):
    answer = await send(client, message("alarm", SignatureVersion=version))
    assert answer.status_code == 200
    assert inbox.stored == 1
    assert network.asked == [CERTIFICATE]


async def test_a_message_without_a_subject_is_signed_without_one(client: httpx.AsyncClient):
    body = json.loads((FIXTURES / "sns" / "alarm.json").read_bytes())
    del body["Subject"]
    assert (await send(client, signed(json.dumps(body).encode()))).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": "{}"},
        {"Subject": "another"},
        {"Timestamp": "2026-03-02T03:10:00.000Z"},
        {"TopicArn": "arn:aws:sns:eu-west-1:1:other"},
        {"MessageId": "other"},
        {"Signature": "AAAA"},
        {"Signature": "not base64!"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": ""},
    ],
)
async def test_a_message_that_was_changed_on_its_way_is_refused_and_kept(
    client: httpx.AsyncClient, inbox: Inbox, db: Database, changes: dict[str, str]
):
    body = json.dumps({**json.loads(message("alarm")), **changes}).encode()
    answer = await send(client, body)
    assert answer.status_code == 403
    assert inbox.stored == 0
    async with db.connection() as conn:
        (kept,) = await misunderstood.list_open(conn)
        assert (await misunderstood.get(conn, kept.id)).raw.endswith(body)


async def test_a_message_signed_by_somebody_else_is_refused(client: httpx.AsyncClient, network: Network):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    network.holds[CERTIFICATE] = Answer(status=200, headers={}, body=certificate(stranger))
    assert (await send(client, message("alarm"))).status_code == 403


HOSTS = [
    "http://sns.eu-west-1.amazonaws.com/x.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
    "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
    "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
    "https://s3.eu-west-1.amazonaws.com/bucket/x.pem",
    "https://snsxeu-west-1.amazonaws.com/x.pem",
    "https://sns.eu-west-1.amazonaws.com\n.evil.example/x.pem",
    "https://169.254.169.254/x.pem",
    "file:///etc/ssl/x.pem",
    "",
]


@pytest.mark.parametrize("url", HOSTS)
async def test_a_certificate_is_fetched_from_amazon_or_not_at_all(
    client: httpx.AsyncClient, network: Network, url: str
):
    answer = await send(client, message("alarm", SigningCertURL=url))
    assert answer.status_code == 403
    assert "nothing was fetched" in answer.json()["detail"]
    assert network.asked == []


async def test_china_has_a_domain_of_its_own(client: httpx.AsyncClient, network: Network):
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    network.holds[url] = Answer(status=200, headers={}, body=certificate())
    assert (await send(client, message("alarm", SigningCertURL=url))).status_code == 200


async def test_a_certificate_is_fetched_once_until_it_expires(
    client: httpx.AsyncClient, network: Network, clock: FakeClock
):
    network.holds[CERTIFICATE] = Answer(
        status=200, headers={}, body=certificate(until=datetime(2026, 3, 2, 4, tzinfo=UTC))
    )
    await send(client, message("alarm"))
    await send(client, message("ok"))
    assert network.asked == [CERTIFICATE]
    clock.jump_to(datetime(2026, 3, 2, 5, tzinfo=UTC))
    answer = await send(client, message("alarm"))
    assert answer.status_code == 403
    assert "not valid now" in answer.json()["detail"]
    assert network.asked == [CERTIFICATE] * 2


async def test_an_amazon_out_of_reach_is_asked_to_send_again(client: httpx.AsyncClient, network: Network):
    network.holds.clear()
    answer = await send(client, message("alarm"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("body", [b"", b"<html>", b" " * 16 * 1024 + certificate()])
async def test_what_is_no_certificate_or_too_large_for_one_is_refused(
    client: httpx.AsyncClient, network: Network, body: bytes
):
    network.holds[CERTIFICATE] = Answer(status=200, headers={}, body=body)
    answer = await send(client, message("alarm"))
    assert answer.status_code == 403
    assert "is not a certificate" in answer.json()["detail"]


async def test_a_subscription_is_confirmed_by_visiting_amazon(client: httpx.AsyncClient, network: Network):
    url = json.loads(message("subscription"))["SubscribeURL"]
    network.holds[url] = Answer(status=200, headers={}, body=b"<ConfirmSubscriptionResponse/>")
    assert (await send(client, message("subscription"))).status_code == 200
    assert network.asked == [CERTIFICATE, url]


@pytest.mark.parametrize("url", [*HOSTS, "https://sns.eu-west-1.amazonaws.com/?Action=x#@evil.example"])
async def test_a_subscription_is_confirmed_nowhere_else(client: httpx.AsyncClient, network: Network, url: str):
    answer = await send(client, message("subscription", SubscribeURL=url))
    assert answer.status_code == 403
    assert network.asked == [CERTIFICATE]


async def test_a_confirmation_that_fails_is_asked_for_again(client: httpx.AsyncClient, network: Network):
    url = json.loads(message("subscription"))["SubscribeURL"]
    network.holds[url] = Answer(status=500, headers={}, body=b"")
    assert (await send(client, message("subscription"))).status_code == 503


async def test_an_unsigned_subscription_is_not_confirmed(client: httpx.AsyncClient, network: Network):
    body = json.loads(message("subscription"))
    assert (await send(client, json.dumps({**body, "Token": "other"}).encode())).status_code == 403
    assert network.asked == [CERTIFICATE]


def test_an_alarm_fires_and_ok_resolves_it():
    (fired,), (ended,) = events("alarm"), events("ok")
    assert (fired.action, ended.action) == ("firing", "resolved")
    assert fired.fingerprint == ended.fingerprint == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx"


def test_insufficient_data_neither_fires_nor_resolves_but_is_noted():
    (event,) = events("insufficient_data")
    assert event.action == "noted"
    assert event.note.startswith("CloudWatch has not enough data to know: Threshold Crossed")


def test_any_other_message_is_an_event_of_its_own_as_plain_text():
    (event,) = events("text")
    assert (event.action, event.summary) == ("firing", "Export is short")
    assert event.annotations["message"] == "The nightly export has 3 rows too few.\nLook at it."
    (again,) = events("text", MessageId="another")
    assert event.fingerprint != again.fingerprint


def test_an_ended_subscription_is_a_problem_until_it_is_made_again():
    (made,), (ended,) = events("subscription"), events("subscription", Type="UnsubscribeConfirmation")
    assert (ended.action, made.action) == ("firing", "resolved")
    assert ended.fingerprint == made.fingerprint
    assert "no longer sends to sev1" in ended.summary
