"""Signed outgoing webhooks: the notice as JSON, an id to tell repeats, a signature over time and body."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from uuid import UUID

import msgspec

from sev1.catalog.contact import WebhookMethod
from sev1.engine.clock import Clock
from sev1.engine.fetch import Fetch
from sev1.engine.settings import Settings
from sev1.notify.channels import Outgoing, Permanent
from sev1.notify.http_answer import judge, post
from sev1.notify.model import MethodKind, Notice, host_of


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

    async def send(self, out: Outgoing) -> str:
        """Receipt: the status that the receiver answered. Raises Temporary or Permanent."""
        if not isinstance(method := out.method, WebhookMethod):
            raise Permanent("this contact method is not a webhook")
        secret = self._secret_of(method)
        now = self._clock.now()
        body = payload(out.notice, delivery_id=out.delivery_id, repeat=out.repeat)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "sev1",
            "X-Sev1-Delivery": str(out.delivery_id),
            "X-Sev1-Timestamp": str(int(now.timestamp())),
        }
        if out.repeat:
            headers["X-Sev1-Repeat"] = "yes"
        if secret:
            headers["X-Sev1-Signature"] = signature(secret, headers["X-Sev1-Timestamp"], body)
        answer = await post(self._fetch, method.url, headers, body)
        return judge(answer, host_of(method.url), now)

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
