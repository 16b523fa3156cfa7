"""PagerDuty Events API v2: `POST /v2/enqueue`, for every client that already speaks it.

Rules from PagerDuty's documentation: `routing_key` and `event_action` always, `payload.summary`, `.source` and
`.severity` on a trigger, `dedup_key` on the others. A trigger without one gets a new key, which is told in the answer.
That key is written into the payload before it is stored: the stored bytes are what the sender would have sent had it
chosen the key itself, so reading them again finds the same key.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple

import msgspec
from msgspec import Struct, field

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of
from sev1.intake.formats.format import Accepted, Answer, Format, Misunderstood
from sev1.intake.formats.limits import cut, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.model import Action, InboundEvent

DEDUP_KEY_MAX = 255
SEVERITIES = ("critical", "error", "warning", "info")
_ACTIONS: dict[str, Action] = {"trigger": "firing", "acknowledge": "acknowledged", "resolve": "resolved"}
_ROUTING_KEY = re.compile(rb'"routing_key"\s*:\s*"([^"\\]{1,100})"')


class Image(Struct, gc=False):
    src: str | None = None
    href: str | None = None
    alt: str | None = None


class Link(Struct, gc=False):
    href: str | None = None
    text: str | None = None


class Payload(Struct, gc=False):
    summary: str | None = None
    source: str | None = None
    severity: str | None = None
    timestamp: str | None = None
    component: str | None = None
    group: str | None = None
    class_: str | None = field(name="class", default=None)
    custom_details: msgspec.Raw = msgspec.Raw(b"null")


class EnqueuedEvent(Struct, gc=False):
    event_action: str | None = None
    routing_key: str | None = None
    dedup_key: str | None = None
    payload: Payload | None = None
    client: str | None = None
    client_url: str | None = None
    links: list[Link] | None = None
    images: list[Image] | None = None


class Enqueued(NamedTuple):
    """A valid event with its key, the sender's or (`chosen`) a new one."""

    event: EnqueuedEvent
    key: str
    chosen: bool


_decode = msgspec.json.Decoder(EnqueuedEvent).decode


class PagerDuty(Format[Enqueued]):
    name: ClassVar[str] = "pagerduty"
    title: ClassVar[str] = "PagerDuty Events API v2"
    paths: ClassVar[tuple[str, ...]] = ("v2/enqueue", "v2/enqueue/")
    direct: ClassVar[tuple[str, ...]] = paths
    unknown_key: ClassVar[str] = "Invalid routing key"
    setup: ClassVar[str] = "Or keep your client and set its base URL to {url}; the routing key is {key}"

    def decode(self, raw: bytes) -> Enqueued:
        try:
            event = read(_decode, raw)
        except ValueError as error:
            sentence = str(error)
            if sentence.startswith("The body is not valid JSON"):
                raise Misunderstood(sentence, unrecognized(sentence)) from error
            raise self.misunderstood(sentence) from error
        if wrong := list(_errors(event)):
            raise Misunderstood("; ".join(wrong), invalid(wrong))
        if event.dedup_key:
            return Enqueued(event, event.dedup_key, chosen=False)
        return Enqueued(event, str(uuid.uuid4()), chosen=True)

    def accepted(self, decoded: Enqueued, raw: bytes) -> Accepted:
        if decoded.chosen:
            raw = with_dedup_key(raw, decoded.key)
        answer = {"status": "success", "message": "Event processed", "dedup_key": decoded.key}
        return Accepted(
            raw=raw,
            events=1,
            answer=Answer(status=202, body=msgspec.json.encode(answer)),
            secret=decoded.event.routing_key or "",
        )

    def events(self, decoded: Enqueued, received_at: datetime) -> Iterator[InboundEvent]:
        yield _event(decoded.event, decoded.key, received_at)

    def refusal(self, status: int, sentence: str) -> Answer:
        if status in {401, 403}:
            status = 400  # PagerDuty knows no other answer to a wrong key
        if status == 400:
            return invalid([sentence])
        return Answer(status=status, body=_body(_STATUSES.get(status, "error"), sentence, [sentence]))


_STATUSES = {413: "invalid event", 429: "throttle exceeded", 503: "unavailable"}


def invalid(errors: list[str]) -> Answer:
    return Answer(status=400, body=_body("invalid event", "Event object is invalid", errors))


def unrecognized(error: str) -> Answer:
    body = _body("Unrecognized object", "Event object format is unrecognized", ["JSON parse error", error])
    return Answer(status=400, body=body)


def _body(status: str, message: str, errors: list[str]) -> bytes:
    return msgspec.json.encode({"status": status, "message": message, "errors": errors})


def _errors(event: EnqueuedEvent) -> Iterator[str]:
    """What PagerDuty would not take, in the order of its documentation."""
    if not event.event_action:
        yield "'event_action' is missing or blank"
    elif event.event_action not in _ACTIONS:
        yield "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
    elif event.event_action == "trigger":
        yield from _payload_errors(event.payload or Payload())
    elif not event.dedup_key:
        yield "'dedup_key' is missing or blank"
    if event.dedup_key and len(event.dedup_key) > DEDUP_KEY_MAX:
        yield f"Length of 'dedup_key' is incorrect (should be at most {DEDUP_KEY_MAX} characters)"


def _payload_errors(payload: Payload) -> Iterator[str]:
    names: tuple[Literal["summary", "source"], ...] = ("summary", "source")
    for name in names:
        if not (getattr(payload, name) or "").strip():
            yield f"'payload.{name}' is missing or blank"
    if not payload.severity:
        yield "'payload.severity' is missing or blank"
    elif payload.severity.lower() not in SEVERITIES:
        yield "'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning' or 'info')"


def with_dedup_key(raw: bytes, key: str) -> bytes:
    """The payload with `dedup_key` as its last member: of two members with one name, readers take the last."""
    end = raw.rindex(b"}")
    return b'%b,"dedup_key":"%b"}' % (raw[:end], key.encode())


def find_routing_key(raw: bytes) -> str | None:
    """The routing key of a payload that could not be read, to know whose it is."""
    found = _ROUTING_KEY.search(raw)
    return found[1].decode("utf-8", "replace") if found else None


def _event(event: EnqueuedEvent, key: str, received_at: datetime) -> InboundEvent:
    payload = event.payload or Payload()
    labels = {
        "severity": (payload.severity or "").lower(),
        "source": payload.source,
        "component": payload.component,
        "group": payload.group,
        "class": payload.class_,
    }
    annotations = annotations_of(payload.custom_details)
    if event.client:
        annotations.setdefault("client", event.client)
    began = instants.read_instant(payload.timestamp) if payload.timestamp else None
    starts_at, annotations = instants.started(began, received_at, fitting(annotations))
    return InboundEvent(
        action=_ACTIONS[event.event_action or "trigger"],
        fingerprint=key,
        source=PagerDuty.name,
        summary=one_line(payload.summary or "") or key,
        labels={name: cut(value) for name, value in labels.items() if value},
        annotations=annotations,
        links=links.links(
            *((link.text or "Link", link.href) for link in event.links or ()),
            *((image.alt or "Image", url) for image in event.images or () for url in (image.href, image.src)),
            (event.client or "Sender", event.client_url),
            *links.from_annotations(annotations, event.client_url),
        ),
        starts_at=starts_at or received_at,
    )
