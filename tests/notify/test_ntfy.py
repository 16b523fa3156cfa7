"""The ntfy channel against a real HTTP server that answers as ntfy does."""

import json
from uuid import uuid4

import pytest
from msgspec.structs import replace

from sev1.catalog.contact import NtfyMethod
from sev1.engine.clock import FakeClock
from sev1.engine.fetch import Fetch
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import Notice
from sev1.notify.ntfy import NtfyChannel

from .real_receivers import Receiver


class Sender:
    def __init__(self, fetch: Fetch, clock: FakeClock, receiver: Receiver, notice: Notice) -> None:
        self.channel = NtfyChannel(clock, fetch, environ={"ANAS_TOKEN": "tk_secret"})
        self.receiver, self.notice = receiver, notice
        receiver.body = b'{"id":"hwQ2YpKdmg","time":1772421240,"event":"message","topic":"ana"}'

    async def send(self, path: str = "/ana-pages", *, token_env: str | None = None, **changes: object) -> str:
        repeat = bool(changes.pop("repeat", False))
        method = NtfyMethod(url=self.receiver.url + path, token_env=token_env)
        notice = replace(self.notice, **changes)
        return await self.channel.send(
            Outgoing(method=method, notice=notice, person="ana", delivery_id=uuid4(), repeat=repeat)
        )

    @property
    def said(self) -> dict:
        return json.loads(self.receiver.requests[-1][1])


@pytest.fixture
def ntfy(fetch: Fetch, clock: FakeClock, receiver: Receiver, page: Notice) -> Sender:
    return Sender(fetch, clock, receiver, page)


async def test_a_page_is_one_json_message_to_the_topic_and_its_id_is_the_receipt(ntfy: Sender):
    assert (await ntfy.send()).endswith("answered 200, message hwQ2YpKdmg")
    assert ntfy.said == {
        "topic": "ana-pages",
        "title": "[SEV-1?] checkout: Card payments fail: 42 % errors",
        "message": "Impact: customers cannot pay\nTry first: Deploy at 03:05? Roll back.\n"
        "you are on call for Payments until Monday 09:00",
        "priority": 5,
        "tags": ["rotating_light"],
        "click": "http://sev1.example/pages/P-1",
        "actions": [{"action": "view", "label": "Open", "url": "http://sev1.example/pages/P-1", "clear": True}],
    }


@pytest.mark.parametrize(
    ("changes", "priority"),
    [
        ({"severity": "sev-0"}, 5),
        ({"severity": "sev-2"}, 4),
        ({"severity": None}, 4),
        ({"severity": "sev-3"}, 3),
        ({"kind": "all-clear"}, 3),
        ({"kind": "test"}, 3),
    ],
)
async def test_only_what_is_bad_rings_through(ntfy: Sender, changes: dict, priority: int):
    await ntfy.send(**changes)
    assert ntfy.said["priority"] == priority


async def test_a_repeat_and_a_drill_say_so(ntfy: Sender):
    await ntfy.send(repeat=True, drill=True)
    assert ntfy.said["title"].startswith("Drill: Repeat: [SEV-1?]")


async def test_the_token_comes_from_the_environment_and_a_missing_one_is_said(ntfy: Sender):
    await ntfy.send(token_env="ANAS_TOKEN")
    assert ntfy.receiver.requests[-1][0]["authorization"] == "Bearer tk_secret"
    with pytest.raises(Permanent, match="BOS_TOKEN that holds the access token is not set"):
        await ntfy.send(token_env="BOS_TOKEN")


async def test_a_refusal_is_permanent_with_ntfys_own_words(ntfy: Sender):
    ntfy.receiver.status, ntfy.receiver.body = 403, b'{"code":40301,"http":403,"error":"forbidden"}'
    with pytest.raises(Permanent, match="answered 403: forbidden"):
        await ntfy.send()


async def test_too_many_messages_is_temporary(ntfy: Sender):
    ntfy.receiver.status, ntfy.receiver.body = 429, b'{"code":42901,"error":"limit reached: too many requests"}'
    with pytest.raises(Temporary, match="too many requests"):
        await ntfy.send()


async def test_a_url_without_a_topic_is_permanent_and_asks_nobody(ntfy: Sender):
    with pytest.raises(Permanent, match="names no topic"):
        await ntfy.send("")
    assert not ntfy.receiver.requests


async def test_a_long_text_stays_below_what_ntfy_makes_an_attachment_of(ntfy: Sender):
    await ntfy.send(impact="ü" * 5000)
    assert len(ntfy.said["message"].encode()) < 4096
