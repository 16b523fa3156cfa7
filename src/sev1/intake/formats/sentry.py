"""Sentry's integration webhooks: an issue alert, a metric alert, an issue that was resolved.

From Sentry's documentation of integration platform webhooks: the header `Sentry-Hook-Resource` says what it is.
`event_alert` (action triggered) names an issue and never says that it is over; `metric_alert` has the action critical,
warning or resolved; `issue` says when an issue was resolved, which ends the alert of an issue. `Sentry-Hook-Signature` is
the HMAC-SHA256, in hex, of the body with the integration's client secret: a key that holds that secret takes nothing else.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, NamedTuple

import msgspec
from msgspec import Raw, Struct

from sev1.engine.errors import SignInNeeded
from sev1.intake.formats import instants, links
from sev1.intake.formats.details import text_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.limits import LABEL_NAME_MAX, LABELS_MAX, cut, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.keys import Key
from sev1.intake.model import InboundEvent
from sev1.intake.outside import Outside
from sev1.intake.request import Request, pack, unpack

_RESOURCE = "sentry-hook-resource"
_SIGNATURE = "sentry-hook-signature"
_STORED = Answer(status=200, body=b"{}")
_OTHER = frozenset({"installation", "uninstallation", "comment", "error", "seer"})
"""What Sentry may send beside alerts; there is nothing in it to wake anybody for."""
_KEY_MAX = 255


class SentryEvent(Struct, gc=False):
    event_id: str | None = None
    issue_id: Raw = Raw(b"null")
    title: str | None = None
    level: str | None = None
    culprit: str | None = None
    platform: str | None = None
    environment: str | None = None
    message: Raw = Raw(b"null")
    web_url: str | None = None
    issue_url: str | None = None
    datetime: str | None = None
    project: Raw = Raw(b"null")
    tags: Raw = Raw(b"null")


class MetricAlert(Struct, gc=False):
    id: Raw = Raw(b"null")
    date_started: str | None = None
    projects: Raw = Raw(b"null")


class Issue(Struct, gc=False):
    id: Raw = Raw(b"null")
    title: str | None = None


class Data(Struct, gc=False):
    event: SentryEvent | None = None
    triggered_rule: str | None = None
    metric_alert: MetricAlert | None = None
    description_title: str | None = None
    description_text: str | None = None
    web_url: str | None = None
    issue: Issue | None = None


class Hook(Struct, gc=False):
    data: Data
    action: str = ""


class Said(NamedTuple):
    resource: str
    hook: Hook
    key: str
    """What the problem is known by; empty for what is no alert."""


_decode = msgspec.json.Decoder(Hook).decode
_decode_tags = msgspec.json.Decoder(list[list[Raw]]).decode


class Sentry(Format[Said]):
    name: ClassVar[str] = "sentry"
    title: ClassVar[str] = "Sentry integration webhook"
    paths: ClassVar[tuple[str, ...]] = ("sentry",)
    sees_request: ClassVar[bool] = True
    signs: ClassVar[bool] = True
    setup: ClassVar[str] = (
        "In Sentry: Settings, Developer settings, new internal integration, with this as webhook URL, `Alert rule\n"
        "action` on, and `issue` among its webhooks. Its client secret, given by `sev1 key create sentry\n"
        "--secret-stdin`, makes sev1 refuse what is not signed with it."
    )

    async def check(self, request: Request, key: Key, outside: Outside) -> Request:  # noqa: ARG002
        """Raises SignInNeeded unless the body is signed with the key's secret, if it has one."""
        if key.signing_secret is not None:
            right = hmac.new(key.signing_secret.encode(), request.body, hashlib.sha256).hexdigest()
            given = request.headers.get(_SIGNATURE, "").strip().lower()
            if not hmac.compare_digest(right.encode(), given.encode()):
                raise SignInNeeded("Sentry-Hook-Signature is missing, or not that of this body with this key's secret.")
        return request

    def stored(self, request: Request) -> bytes:
        return pack(request, (_RESOURCE,))

    def decode(self, raw: bytes) -> Said:
        try:
            request = unpack(raw)
            hook = read(_decode, request.body)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        resource = request.headers.get(_RESOURCE, "") or _guess(hook)
        key = ""
        match resource:
            case "event_alert" if hook.data.event:
                event = hook.data.event
                key = text_of(event.issue_id) or (event.event_id or "") or (event.title or "")
            case "metric_alert" if hook.data.metric_alert:
                key = text_of(hook.data.metric_alert.id)
                if hook.action not in {"critical", "warning", "resolved"}:
                    raise self.misunderstood("`action` of a metric alert must be critical, warning or resolved.")
            case "issue" if hook.data.issue:
                key = text_of(hook.data.issue.id)
            case _ if resource in _OTHER:
                return Said(resource, hook, "")
            case _:
                raise self.misunderstood(
                    f"Sentry-Hook-Resource {resource[:50]!r} is not understood: event_alert, metric_alert and issue are."
                )
        if not key or len(key) > _KEY_MAX:
            raise self.misunderstood(
                f"The {resource} does not say which one it is (`id`, at most {_KEY_MAX} characters)."
            )
        return Said(resource, hook, f"metric:{key}" if resource == "metric_alert" else f"issue:{key}")

    def accepted(self, decoded: Said, raw: bytes) -> Accepted:
        return Accepted(raw=raw, events=sum(1 for _ in _relevant(decoded)), answer=_STORED)

    def events(self, decoded: Said, received_at: datetime) -> Iterator[InboundEvent]:
        for said in _relevant(decoded):
            match said.resource:
                case "event_alert":
                    yield _issue_alert(said, said.hook.data.event or SentryEvent(), received_at)
                case "metric_alert":
                    yield _metric_alert(said, said.hook.data.metric_alert or MetricAlert(), received_at)
                case _:
                    issue = said.hook.data.issue or Issue()
                    yield InboundEvent(
                        action="resolved",
                        fingerprint=said.key,
                        source=Sentry.name,
                        summary=one_line(issue.title or "") or said.key,
                        labels={},
                        starts_at=received_at,
                    )


def _relevant(said: Said) -> Iterator[Said]:
    """Itself, unless there is nothing in it about an alert: of an issue only its end matters here."""
    if said.key and not (said.resource == "issue" and said.hook.action != "resolved"):
        yield said


def _guess(hook: Hook) -> str:
    """What a payload without the header is; Sentry always sends it, a proxy may have lost it."""
    data = hook.data
    found = (("event_alert", data.event), ("metric_alert", data.metric_alert), ("issue", data.issue))
    return next((name for name, value in found if value is not None), "")


def _issue_alert(said: Said, event: SentryEvent, received_at: datetime) -> InboundEvent:
    labels = {
        "severity": event.level,
        "rule": said.hook.data.triggered_rule,
        "project": text_of(event.project),
        "environment": event.environment,
        "platform": event.platform,
    }
    kept = {name: cut(value) for name, value in labels.items() if value}
    for name, value in _tags(event.tags):
        if len(kept) < LABELS_MAX:
            kept.setdefault(name, value)
    annotations = fitting({
        name: text for name, text in (("culprit", event.culprit or ""), ("message", text_of(event.message))) if text
    })  # fmt: skip
    began = instants.read_instant(event.datetime) if event.datetime else None
    starts_at, annotations = instants.started(began, received_at, annotations)
    return InboundEvent(
        action="firing",
        fingerprint=said.key,
        source=Sentry.name,
        summary=one_line(event.title or "") or one_line(annotations.get("message", "")) or said.key,
        labels=kept,
        annotations=annotations,
        links=links.links(("Issue at Sentry", event.web_url), ("Sentry API", event.issue_url)),
        starts_at=starts_at or received_at,
    )


def _metric_alert(said: Said, alert: MetricAlert, received_at: datetime) -> InboundEvent:
    data, action = said.hook.data, said.hook.action
    annotations = fitting({"description": data.description_text} if data.description_text else None)
    began = instants.read_instant(alert.date_started) if alert.date_started else None
    starts_at, annotations = instants.started(began, received_at, annotations)
    labels = {} if action == "resolved" else {"severity": action}
    return InboundEvent(
        action="resolved" if action == "resolved" else "firing",
        fingerprint=said.key,
        source=Sentry.name,
        summary=one_line(data.description_title or "") or said.key,
        labels=labels,
        annotations=annotations,
        links=links.links(("Alert at Sentry", data.web_url)),
        starts_at=starts_at or received_at,
    )


def _tags(tags: Raw) -> Iterator[tuple[str, str]]:
    """Sentry's tags are pairs in a list. Anything else is no tag."""
    try:
        pairs = _decode_tags(tags)
    except (ValueError, RecursionError):
        return
    for pair in pairs:
        if (
            len(pair) == 2
            and (name := text_of(pair[0]))
            and len(name) <= LABEL_NAME_MAX
            and (value := text_of(pair[1]))
        ):
            yield name, cut(value)
