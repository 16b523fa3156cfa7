"""Signed outgoing webhooks: the notice as JSON, an id to tell repeats, a signature over time and body."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from uuid import UUID

import msgspec

from sev1.catalog.contact import ContactMethod, WebhookMethod
from sev1.engine.clock import Clock
from sev1.engine.fetch import Answer, Fetch, FetchFailed, TargetRefused
from sev1.engine.settings import Settings
from sev1.notify.channels import Permanent, Temporary
from sev1.notify.model import MethodKind, Notice, host_of

TRY_AGAIN = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""The refusals (4xx) that pass by themselves."""
RETRY_AFTER_MAX_S = 3600.0


class WebhookChannel:
    kind: MethodKind = "webhook"

    def __init__(
        self, settings: Settings, clock: Clock, fetch: Fetch, *, environ: Mapping[str, str] | None = None
    ) -> None:
        """`environ` holds the secrets that contact methods name; the process's own when None."""
        self._secret = settings.webhook_secret
        self._clock = clock
        self._fetch = fetch
        self._environ = os.environ if environ is None else environ

    async def send(
        self, method: ContactMethod, notice: Notice, *, person: str | None, delivery_id: UUID, repeat: bool
    ) -> str:
        """Receipt: the status that the receiver answered. Raises Temporary or Permanent."""
        if not isinstance(method, WebhookMethod):
            raise Permanent("this contact method is not a webhook")
        secret = self._secret_of(method)
        now = self._clock.now()
        body = payload(notice, delivery_id=delivery_id, repeat=repeat)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "sev1",
            "X-Sev1-Delivery": str(delivery_id),
            "X-Sev1-Timestamp": str(int(now.timestamp())),
        }
        if repeat:
            headers["X-Sev1-Repeat"] = "yes"
        if secret:
            headers["X-Sev1-Signature"] = signature(secret, headers["X-Sev1-Timestamp"], body)
        try:
            answer = await self._fetch.request("POST", method.url, headers=headers, content=body)
        except TargetRefused as error:
            raise Permanent(error.message) from error
        except FetchFailed as error:
            raise Temporary(error.message, may_have_arrived=error.may_have_arrived) from error
        return _judge(answer, host_of(method.url), now)

    def _secret_of(self, method: WebhookMethod) -> str:
        if method.secret_env is None:
            return self._secret
        secret = self._environ.get(method.secret_env, "")
        if not secret:
            raise Permanent(f"the environment variable {method.secret_env} that holds the signing secret is not set")
        return secret


def payload(notice: Notice, *, delivery_id: UUID, repeat: bool) -> bytes:
    """The body: the notice's own fields, the id that all attempts share, and whether this one is a repeat."""
    fields = {"id": str(delivery_id), "repeat": repeat} | msgspec.to_builtins(notice)
    return msgspec.json.encode(fields)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of `timestamp.body`: a recorded request cannot be replayed with a new time."""
    signed = timestamp.encode("ascii") + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _judge(answer: Answer, host: str, now: datetime) -> str:
    said = f"{host} answered {answer.status}"
    if 200 <= answer.status < 300:
        return said
    if 300 <= answer.status < 400:
        raise Permanent(f"{said}, a redirect, which is not followed: enter the address that it leads to")
    if 400 <= answer.status < 500 and answer.status not in TRY_AGAIN:
        raise Permanent(said)
    raise Temporary(said, retry_after_s=_retry_after_s(answer.headers.get("retry-after", ""), now))


def _retry_after_s(value: str, now: datetime) -> float | None:
    """`Retry-After` as seconds from `now`: a number or a date (RFC 9110, 10.2.3); None when it is neither."""
    try:
        wait_s = float(int(value)) if value.strip().isdigit() else (parsedate_to_datetime(value) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), RETRY_AFTER_MAX_S)
