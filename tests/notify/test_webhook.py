"""The webhook channel against a real HTTP server."""

import json
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from httpx import Headers

from sev1.catalog.contact import WebhookMethod
from sev1.engine.clock import FakeClock
from sev1.engine.fetch import Fetch
from sev1.engine.settings import Settings
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import Notice
from sev1.notify.webhook import WebhookChannel

from .real_receivers import Receiver

DOCS = Path(__file__).parents[2] / "docs" / "notifications.md"
ID = UUID("0190d8a2-5b7c-7c3e-8f00-000000000001")


class Sender:
    def __init__(self, fetch: Fetch, clock: FakeClock, receiver: Receiver, notice: Notice) -> None:
        self.settings = Settings(webhook_secret="house secret")
        self.environ = {"ANAS_SECRET": "her own secret"}
        self.fetch, self.clock, self.receiver, self.notice = fetch, clock, receiver, notice

    async def send(self, *, secret_env: str | None = None, repeat: bool = False) -> str:
        channel = WebhookChannel(self.settings, self.clock, self.fetch, environ=self.environ)
        method = WebhookMethod(url=self.receiver.url + "/hook", secret_env=secret_env)
        return await channel.send(
            Outgoing(method=method, notice=self.notice, person="ana", delivery_id=ID, repeat=repeat)
        )

    @property
    def headers(self) -> dict[str, str]:
        return self.receiver.requests[-1][0]

    @property
    def body(self) -> bytes:
        return self.receiver.requests[-1][1]


@pytest.fixture
def sender(fetch: Fetch, clock: FakeClock, receiver: Receiver, page: Notice) -> Sender:
    return Sender(fetch, clock, receiver, page)


def verifies(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """The receiver's check, as docs/notifications.md prints it."""
    source = DOCS.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    names: dict = {}
    exec(source, names)  # noqa: S102 - our own documentation
    names["time"] = SimpleNamespace(time=lambda: now)
    return names["verify"](secret.encode(), Headers(headers), body)


async def test_the_body_is_the_notice_as_json_with_the_delivery_id(sender: Sender):
    receipt = await sender.send()
    assert receipt.endswith("answered 200")
    assert json.loads(sender.body) == {
        "id": str(ID),
        "repeat": False,
        "kind": "page",
        "about": "P-1",
        "title": "Card payments fail: 42 % errors",
        "url": "http://sev1.example/pages/P-1",
        "severity": "sev-1",
        "service": "checkout",
        "impact": "customers cannot pay",
        "verify": [{"title": "Checkout dashboard", "url": "https://grafana.example/d/checkout"}],
        "first": "Deploy at 03:05? Roll back.",
        "steps": [],
        "known": [],
        "diagnostics": [],
        "stuck": ["Payments on-call", "DBA on-call"],
        "owner": "",
        "escalates": [],
        "since": "2026-03-02T03:12:00Z",
        "why": "you are on call for Payments until Monday 09:00",
        "body": "",
        "drill": False,
        "others": [],
    }
    assert sender.headers["content-type"] == "application/json"
    assert sender.headers["x-sev1-delivery"] == str(ID)


async def test_the_signature_covers_timestamp_and_body(sender: Sender, clock: FakeClock):
    await sender.send()
    now = clock.now().timestamp()
    assert sender.headers["x-sev1-timestamp"] == str(int(now))
    assert verifies("house secret", sender.headers, sender.body, now)
    assert not verifies("other secret", sender.headers, sender.body, now)
    assert not verifies("house secret", sender.headers, sender.body + b" ", now)
    later = {**sender.headers, "x-sev1-timestamp": str(int(now) + 1)}
    assert not verifies("house secret", later, sender.body, now)
    assert not verifies("house secret", sender.headers, sender.body, now + 301)


async def test_a_contact_method_that_names_a_secret_is_signed_with_that(sender: Sender, clock: FakeClock):
    await sender.send(secret_env="ANAS_SECRET")
    assert verifies("her own secret", sender.headers, sender.body, clock.now().timestamp())


async def test_a_named_secret_that_is_not_set_sends_nothing(sender: Sender, receiver: Receiver):
    with pytest.raises(Permanent, match="BOS_SECRET"):
        await sender.send(secret_env="BOS_SECRET")
    assert not receiver.requests


async def test_without_any_secret_it_goes_out_unsigned(sender: Sender):
    sender.settings = Settings()
    await sender.send()
    assert "x-sev1-signature" not in sender.headers


async def test_a_repeat_has_the_same_id_and_says_that_it_is_one(sender: Sender):
    await sender.send(repeat=True)
    assert json.loads(sender.body)["repeat"] is True
    assert (sender.headers["x-sev1-delivery"], sender.headers["x-sev1-repeat"]) == (str(ID), "yes")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 301, 302, 307])
async def test_a_refusal_or_a_redirect_is_permanent(sender: Sender, receiver: Receiver, status: int):
    receiver.status, receiver.headers = status, {"location": receiver.url}
    with pytest.raises(Permanent, match=str(status)):
        await sender.send()
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_overloaded_or_broken_receiver_is_temporary(sender: Sender, receiver: Receiver, status: int):
    receiver.status = status
    with pytest.raises(Temporary, match=str(status)):
        await sender.send()


async def test_retry_after_is_understood_as_seconds_and_as_date_and_bounded(
    sender: Sender, receiver: Receiver, clock: FakeClock
):
    async def asked(value: str) -> float | None:
        receiver.status, receiver.headers = 429, {"retry-after": value}
        with pytest.raises(Temporary) as caught:
            await sender.send()
        return caught.value.retry_after_s

    assert await asked("17") == 17
    assert await asked(format_datetime(clock.now() + timedelta(seconds=40))) == 40
    assert await asked(format_datetime(clock.now() - timedelta(seconds=40))) == 0
    assert await asked("999999999") == 3600
    assert await asked("soon") is None


async def test_a_webhook_to_loopback_is_refused_unless_allowed(clock: FakeClock, receiver: Receiver, page: Notice):
    method = WebhookMethod(url=receiver.url)
    async with Fetch(allow_private=False) as guarded:
        with pytest.raises(Permanent, match="SEV1_ALLOW_PRIVATE_TARGETS"):
            await WebhookChannel(Settings(), clock, guarded).send(
                Outgoing(method=method, notice=page, person="ana", delivery_id=uuid4(), repeat=False)
            )
    assert not receiver.requests
    async with Fetch(allow_private=True) as free:
        await WebhookChannel(Settings(), clock, free).send(
            Outgoing(method=method, notice=page, person="ana", delivery_id=uuid4(), repeat=False)
        )
    assert len(receiver.requests) == 1


async def test_deliveries_to_one_host_share_a_connection(sender: Sender, receiver: Receiver):
    for _ in range(3):
        await sender.send()
    assert len(receiver.connections) == 1
