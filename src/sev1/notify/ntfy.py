"""Push to a phone through ntfy (ntfy.sh, or a server of one's own): one JSON message to a topic (docs.ntfy.sh/publish)."""

import os
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from sev1.catalog.contact import NtfyMethod
from sev1.engine.clock import Clock
from sev1.engine.fetch import Answer, Fetch
from sev1.notify.channels import Outgoing, Permanent
from sev1.notify.http_answer import judge, post
from sev1.notify.model import MethodKind, Notice, host_of, one_line
from sev1.notify.wording import headline, in_short

MESSAGE_MAX = 1200
"""Characters: ntfy turns a message of more than 4,096 bytes into an attachment."""
URGENT, HIGH, NORMAL = 5, 4, 3
"""Priorities of ntfy: 5 rings through "do not disturb" where the phone allows it."""
TAGS = {
    "page": "rotating_light",
    "page-resolved": "white_check_mark",
    "all-clear": "white_check_mark",
    "ask": "question",
    "fix-failed": "warning",
}


class _Taken(Struct):
    id: str = ""


class _Refused(Struct):
    error: str = ""


class NtfyChannel:
    kind: MethodKind = "ntfy"

    def __init__(self, clock: Clock, fetch: Fetch, *, environ: Mapping[str, str] | None = None) -> None:
        """`environ` holds the tokens that contact methods name; the process's own when None."""
        self._clock = clock
        self._fetch = fetch
        self._environ = os.environ if environ is None else environ

    async def send(self, out: Outgoing) -> str:
        """Receipt: the server's answer with the id of the message. Raises Temporary or Permanent."""
        method = out.method
        if not isinstance(method, NtfyMethod):
            raise Permanent("this contact method is no ntfy topic")
        server, _, topic = method.url.rstrip("/").rpartition("/")
        if not topic or server.endswith((":", ":/")):
            raise Permanent("the URL names no topic: write it as https://ntfy.example.com/topic")
        headers = {"Content-Type": "application/json", "User-Agent": "sev1"}
        if method.token_env is not None:
            token = self._environ.get(method.token_env, "")
            if not token:
                raise Permanent(f"the environment variable {method.token_env} that holds the access token is not set")
            headers["Authorization"] = f"Bearer {token}"
        answer = await post(self._fetch, server + "/", headers, message(topic, out.notice, repeat=out.repeat))
        receipt = judge(answer, host_of(method.url), self._clock.now(), detail=_detail(answer))
        return f"{receipt}, message {taken}" if (taken := one_line(_taken(answer), 40)) else receipt


def message(topic: str, notice: Notice, *, repeat: bool) -> bytes:
    """The body. A tap opens the page with its buttons; nothing in the notification acts by itself."""
    urgent = notice.urgency == "high" and notice.kind != "test"
    opens = {
        "click": notice.url,
        "actions": [{"action": "view", "label": "Open", "url": notice.url, "clear": True}],
    }
    return msgspec.json.encode(
        {
            "topic": topic,
            "title": headline(notice, repeat=repeat),
            "message": in_short(notice, MESSAGE_MAX) or notice.title,
            "priority": (URGENT if notice.priority <= 1 else HIGH) if urgent else NORMAL,
            "tags": [TAGS[notice.kind]] if notice.kind in TAGS else [],
            **(opens if notice.url else {}),
        }
    )


def _taken(answer: Answer) -> str:
    try:
        return msgspec.json.decode(answer.body, type=_Taken).id
    except msgspec.DecodeError:
        return ""


def _detail(answer: Answer) -> str:
    try:
        return one_line(msgspec.json.decode(answer.body, type=_Refused).error, 200)
    except msgspec.DecodeError:
        return ""
