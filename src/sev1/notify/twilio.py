"""Text messages and calls through Twilio, or a service that speaks its API (twilio.com/docs: Messages, Calls, TwiML).

A text message is answered with `ACK 4`, a call with the key 4; `surfaces/twilio.py` takes the answers. Twilio signs what
it sends us with the account's token (twilio.com/docs/usage/security).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

import msgspec
from msgspec import Struct

from sev1.catalog.contact import SmsMethod, VoiceMethod
from sev1.engine.clock import Clock
from sev1.engine.fetch import Answer, Fetch
from sev1.engine.settings import Settings
from sev1.notify.channels import Outgoing, Permanent
from sev1.notify.http_answer import judge, post
from sev1.notify.model import MethodKind, Notice, host_of, one_line
from sev1.notify.wording import headline, spoken

ABOUT_A_PAGE = frozenset({"page", "page-resolved", "fix-failed", "fix-helped"})
TEXT_MAX = 320
"""Characters: two parts of a message in the plain alphabet. More is dear, and read by nobody at night."""
KEY_ACKNOWLEDGE, KEY_ESCALATE = "4", "8"
LISTEN_S = 10


class _Message(Struct):
    sid: str = ""
    status: str = ""


class _Refusal(Struct):
    code: int = 0
    message: str = ""


class _Twilio:
    """What messages and calls have in common: one request to the account."""

    def __init__(self, settings: Settings, clock: Clock, fetch: Fetch) -> None:
        self._settings = settings
        self._clock = clock
        self._fetch = fetch

    async def _ask(self, what: str, fields: Iterable[tuple[str, str]]) -> str:
        settings = self._settings
        if not (settings.twilio_account and settings.twilio_token and settings.twilio_from):
            raise Permanent(
                "text messages and calls are not set up: set SEV1_TWILIO_ACCOUNT, SEV1_TWILIO_TOKEN and SEV1_TWILIO_FROM"
            )
        url = f"{settings.twilio_url.rstrip('/')}/2010-04-01/Accounts/{settings.twilio_account}/{what}.json"
        pair = f"{settings.twilio_account}:{settings.twilio_token}".encode()
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "sev1",
        }
        body = urlencode([("From", settings.twilio_from), *fields]).encode()
        answer = await post(self._fetch, url, headers, body)
        receipt = judge(answer, host_of(url), self._clock.now(), detail=_detail(answer))
        return f"{receipt}, {taken}" if (taken := _taken(answer)) else receipt

    def _back(self, path: str, delivery: UUID) -> str:
        return f"{self._settings.url}/channels/twilio/{path}/{delivery}"


class SmsChannel(_Twilio):
    kind: MethodKind = "sms"

    async def send(self, out: Outgoing) -> str:
        """Receipt: the id of the message. Whether it arrived is reported later. Raises Temporary or Permanent."""
        if not isinstance(out.method, SmsMethod):
            raise Permanent("this contact method is no number for text messages")
        return await self._ask(
            "Messages",
            [
                ("To", out.method.number),
                ("Body", text_message(out.notice, repeat=out.repeat)),
                ("StatusCallback", self._back("status", out.delivery_id)),
            ],
        )


class VoiceChannel(_Twilio):
    kind: MethodKind = "voice"

    async def send(self, out: Outgoing) -> str:
        """Receipt: the id of the call. Whether somebody took it is reported later. Raises Temporary or Permanent."""
        if not isinstance(out.method, VoiceMethod):
            raise Permanent("this contact method is no number for calls")
        return await self._ask(
            "Calls",
            [
                ("To", out.method.number),
                ("Twiml", call_script(out.notice, self._back("keys", out.delivery_id), repeat=out.repeat)),
                ("StatusCallback", self._back("status", out.delivery_id)),
                ("Timeout", "30"),
            ],
        )


def text_message(notice: Notice, *, repeat: bool) -> str:
    """What fits two message parts: what it is, how to answer, where to look."""
    answer = ""
    if notice.kind == "page":
        answer = "Reply ACK ALL to take them." if notice.others else f"Reply ACK {_number(notice.about)} to take it."
    elif notice.kind == "test":
        answer = "Reply ACK to say that it arrived."
    rest = " ".join(filter(None, (answer, notice.url)))
    about = f"{notice.about} " if notice.kind in ABOUT_A_PAGE and not notice.others else ""
    return f"{one_line(about + headline(notice, repeat=repeat), max(40, TEXT_MAX - len(rest) - 1))} {rest}"


def call_script(notice: Notice, answer_url: str, *, repeat: bool) -> str:
    """TwiML of a call: it is said twice, since who is called at night misses the first time."""
    said = ("This is a repeat. " if repeat else "") + "sev1. " + spoken(notice)
    if notice.kind not in {"page", "test"}:
        return f"<Response><Say>{escape(said)}</Say></Response>"
    keys = f"Press {KEY_ACKNOWLEDGE} to take it" + (
        f", {KEY_ESCALATE} to pass it on." if notice.kind == "page" else "."
    )
    ask = (
        f'<Gather numDigits="1" timeout="{LISTEN_S}" method="POST" action={quoteattr(answer_url)}>'
        f"<Say>{escape(f'{said} {keys}')}</Say></Gather>"
    )
    return f"<Response>{ask}{ask}<Say>No key was pressed. Somebody else will be called.</Say></Response>"


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Of a request from Twilio: HMAC-SHA1 over the URL and the sorted form, in base64."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _number(about: str) -> str:
    return about.rpartition("-")[2]


def _taken(answer: Answer) -> str:
    try:
        said = msgspec.json.decode(answer.body, type=_Message)
    except msgspec.DecodeError:
        return ""
    return one_line(" ".join(filter(None, (said.status, said.sid))), 60)


def _detail(answer: Answer) -> str:
    try:
        said = msgspec.json.decode(answer.body, type=_Refusal)
    except msgspec.DecodeError:
        return ""
    return one_line(f"{said.code} {said.message}", 200) if said.message else ""
