"""CloudEvents 1.0 over HTTP in its three modes: binary (`ce-*` headers), structured and batched (JSON bodies).

From the specification: `id`, `source`, `specversion` and `type` are required, and `source` with `id` is unique for each
event. What an event means is up to its producer; this is what is read from it, in this order:

* the type's last word says the state: `….resolved`, `.recovered`, `.closed`, `.ok` or `.cleared` end a problem;
  `.acknowledged` acknowledges it; anything else fires. An extension `status` or `state` with these words does the same;
* an event with a `subject`, or an extension `alertkey`, is about the problem of that source, type (without the state) and
  subject or key; one with neither is known by source and id alone;
* the extension `severity` becomes the label, else the type's word before the state if it is a severity.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, NamedTuple
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Raw

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of, is_scalar, text_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import ALERTS_MAX, LABELS_MAX, cut, fitting, one_line
from sev1.intake.formats.reading import clean, read
from sev1.intake.model import Action, InboundEvent
from sev1.intake.request import Request, pack, unpack

REQUIRED = ("id", "source", "specversion", "type")
ATTRIBUTES_MAX = 64
_STORED = Answer(status=202, body=b"")
_OVER = frozenset({"resolved", "recovered", "closed", "ok", "cleared"})
_ACKNOWLEDGED = frozenset({"acknowledged", "acked"})
_BEGAN = frozenset({"firing", "fired", "triggered", "opened", "open", "raised", "alarm"})
_STATES = _OVER | _ACKNOWLEDGED | _BEGAN
_OWN = frozenset({*REQUIRED, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"})
_NAME = re.compile(r"[a-z0-9]{1,40}")
"""Attribute names: lower-case letters and digits (20 characters should be enough, says the specification)."""
_SEVERITIES = frozenset({"critical", "fatal", "error", "warning", "info"})

_one = msgspec.json.Decoder(Annotated[dict[str, Raw], Meta(max_length=ATTRIBUTES_MAX)]).decode
_batch = msgspec.json.Decoder(
    Annotated[list[Annotated[dict[str, Raw], Meta(max_length=ATTRIBUTES_MAX)]], Meta(max_length=ALERTS_MAX)]
).decode


class CloudEvent(NamedTuple):
    attributes: dict[str, str]
    data: dict[str, str]


class CloudEvents(Format[list[CloudEvent]]):
    name: ClassVar[str] = "cloudevents"
    title: ClassVar[str] = "CloudEvents 1.0"
    paths: ClassVar[tuple[str, ...]] = ("cloudevents",)
    sees_request: ClassVar[bool] = True
    setup: ClassVar[str] = (
        "As the sink of your events, in binary, structured or batched mode. A type that ends in `.resolved` ends what the\n"
        "same type without it began, for the same source and subject."
    )

    def stored(self, request: Request) -> bytes:
        kept = [name for name in request.headers if name.startswith("ce-") or name == "content-type"]
        return pack(request, kept[: ATTRIBUTES_MAX + 1])

    def decode(self, raw: bytes) -> list[CloudEvent]:
        try:
            request = unpack(raw)
            if "ce-specversion" in request.headers:
                events = [_binary(request)]
            elif request.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
                events = [_structured(members) for members in read(_batch, request.body)]
            else:
                events = [_structured(read(_one, request.body))]
            for number, event in enumerate(events, 1):
                _check(event, f" (event {number})" if len(events) > 1 else "")
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        return events

    def accepted(self, decoded: list[CloudEvent], raw: bytes) -> Accepted:
        return Accepted(raw=raw, events=len(decoded), answer=_STORED)

    def events(self, decoded: list[CloudEvent], received_at: datetime) -> Iterator[InboundEvent]:
        for event in decoded:
            yield _event(event, received_at)


def _binary(request: Request) -> CloudEvent:
    """Headers are attributes, percent-encoded where they are not ASCII; the body is the data."""
    attributes = {
        name.removeprefix("ce-"): clean(unquote(value))
        for name, value in request.headers.items()
        if name.startswith("ce-")
    }
    body = request.body.strip()
    return CloudEvent(attributes, _data(Raw(body)) if body else {})


def _structured(members: dict[str, Raw]) -> CloudEvent:
    attributes = {
        name: text_of(value)
        for name, value in members.items()
        if name not in {"data", "data_base64"} and is_scalar(value)
    }
    return CloudEvent(
        {name: value for name, value in attributes.items() if value}, _data(members.get("data", Raw(b"null")))
    )


def _data(data: Raw) -> dict[str, str]:
    try:
        return annotations_of(Raw(read(_raw, bytes(data))))
    except ValueError:
        text = clean(bytes(data).decode("utf-8", "replace"))
        return {"data": cut(text)} if text.strip() else {}


def _raw(text: bytes) -> bytes:
    """The same bytes if they are JSON. Raises ValueError."""
    msgspec.json.decode(text, type=Any)
    return text


def _check(event: CloudEvent, which: str) -> None:
    """Raises ValueError with a sentence."""
    for name in REQUIRED:
        if not event.attributes.get(name, "").strip():
            raise ValueError(f"The attribute `{name}`{which} is missing or empty.")
    if not event.attributes["specversion"].startswith("1."):
        raise ValueError(f"`specversion`{which} must be 1.0.")
    for name in event.attributes:
        if not _NAME.fullmatch(name):
            raise ValueError(f"The attribute {name[:40]!r}{which} is misnamed: lower-case letters and digits only.")


def _event(event: CloudEvent, received_at: datetime) -> InboundEvent:
    attributes, data = event
    kind, word = _state(attributes)
    severity = attributes.get("severity", "")
    if not severity and (last := kind.rpartition(".")[2].lower()) in _SEVERITIES:
        severity = last
    labels = {
        "source": attributes["source"],
        "type": kind,
        "subject": attributes.get("subject", ""),
        "severity": severity,
    }
    for name, value in attributes.items():
        if name not in _OWN and len(labels) < LABELS_MAX:
            labels.setdefault(name, value)
    annotations = fitting(data)
    began = instants.read_instant(attributes["time"]) if "time" in attributes else None
    starts_at, annotations = instants.started(began, received_at, annotations)
    said = (data.get(name, "") for name in ("summary", "title", "message", "description"))
    about = attributes.get("subject", "") or attributes["source"]
    return InboundEvent(
        action=_action(word),
        fingerprint=_key(attributes, kind),
        source=CloudEvents.name,
        summary=next((line for text in said if (line := one_line(text))), one_line(f"{kind}: {about}")),
        labels={name: cut(value) for name, value in labels.items() if value},
        annotations=annotations,
        links=links.links(
            ("Source", attributes["source"]), ("Link", data.get("url")), *links.from_annotations(annotations, None)
        ),
        starts_at=starts_at or received_at,
    )


def _state(attributes: dict[str, str]) -> tuple[str, str]:
    """The type without its state, and the state's word, which may be none."""
    kind, dot, last = attributes["type"].rpartition(".")
    given = (attributes.get("status") or attributes.get("state") or "").lower()
    if dot and kind.strip() and last.lower() in _STATES:
        return kind, last.lower()
    return attributes["type"], given


def _action(word: str) -> Action:
    if word in _OVER:
        return "resolved"
    return "acknowledged" if word in _ACKNOWLEDGED else "firing"


def _key(attributes: dict[str, str], kind: str) -> str:
    about = attributes.get("alertkey") or attributes.get("subject")
    if about:
        return fingerprint({"source": attributes["source"], "type": kind, "about": about})
    return fingerprint({"source": attributes["source"], "id": attributes["id"]})
