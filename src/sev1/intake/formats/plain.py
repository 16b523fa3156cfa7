"""Our own JSON, for scripts and curl: one event or a list of them. Documented for users in docs/intake.md.

Without a `key` the same words about the same thing are the same problem: the key is made of service, labels and
summary, so sending a line of curl twice does not open two alerts, and the same line with `"status": "resolved"` ends it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import is_scalar, text_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import ALERTS_MAX, LABELS_MAX, TEXT_MAX, LabelName, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.model import Action, Inbound, InboundChange, InboundEvent, InboundLink

KEY_MAX = 255
COUNT_MAX = 1_000_000
"""Occurrences that one event may stand for."""
Name = Annotated[str, Meta(max_length=200)]


class PlainLink(Struct, gc=False):
    url: str
    title: str = ""


class PlainEvent(Struct, gc=False):
    kind: Literal["alert", "change"] = "alert"
    """A change (a deploy, a flag) wakes nobody; it is shown beside its service's alerts."""
    source: Name | None = None
    """Who or what made the change."""
    details: dict[str, Raw] | None = None
    """More about the change."""
    summary: Annotated[str, Meta(max_length=TEXT_MAX)] = ""
    key: Annotated[str, Meta(max_length=KEY_MAX)] = ""
    status: Literal["firing", "acknowledged", "resolved"] = "firing"
    severity: Name | None = None
    service: Name | None = None
    labels: Annotated[dict[LabelName, Raw], Meta(max_length=LABELS_MAX)] | None = None
    annotations: dict[str, Raw] | None = None
    links: list[PlainLink | str] | None = None
    starts_at: str | float | None = None
    count: Annotated[int, Meta(ge=1, le=COUNT_MAX)] = 1


class Read(NamedTuple):
    """A checked event: its labels as text, its key, its start."""

    event: PlainEvent
    labels: dict[str, str]
    key: str
    starts_at: datetime | None


_decode = msgspec.json.Decoder(Annotated[list[PlainEvent], Meta(max_length=ALERTS_MAX)] | PlainEvent).decode


class Plain(Format[list[Read]]):
    name: ClassVar[str] = "json"
    title: ClassVar[str] = "JSON"
    paths: ClassVar[tuple[str, ...]] = ("events",)
    setup: ClassVar[str] = 'Post JSON such as {"summary": "Disk full on db-1", "severity": "critical"}.'

    def decode(self, raw: bytes) -> list[Read]:
        try:
            decoded = read(_decode, raw)
            if isinstance(decoded, PlainEvent):
                return [checked(decoded, "")]
            return [checked(event, f" (event {number})") for number, event in enumerate(decoded, 1)]
        except ValueError as error:
            raise self.misunderstood(str(error)) from error

    def accepted(self, decoded: list[Read], raw: bytes) -> Accepted:
        body = msgspec.json.encode({"accepted": len(decoded), "keys": [item.key for item in decoded]})
        return Accepted(raw=raw, events=len(decoded), answer=Answer(status=202, body=body))

    def events(self, decoded: list[Read], received_at: datetime) -> Iterator[Inbound]:
        for item in decoded:
            yield _change(item, received_at) if item.event.kind == "change" else event_of(item, received_at, self.name)


def checked(event: PlainEvent, which: str) -> Read:
    """Raises ValueError with a sentence."""
    key = event.key.strip()
    if event.kind == "change" and event.status != "firing":
        raise ValueError(f"A change has no `status`{which}: it happened.")
    if not event.summary.strip() and (event.status == "firing" or not key):
        raise ValueError(f"`summary` is missing{which}: one line that says what is wrong.")
    labels: dict[str, str] = {}
    for name, value in (event.labels or {}).items():
        if not is_scalar(value):
            raise ValueError(f"The label `{name[:50]}`{which} must be text or a number, not a list or an object.")
        labels[name] = text_of(value)
        if len(labels[name]) > TEXT_MAX:
            raise ValueError(
                f"The label `{name[:50]}`{which} is longer than {TEXT_MAX} characters. Put long text into an annotation."
            )
    if event.service:
        labels["service"] = event.service
    key = key or fingerprint({**labels, "\0summary": event.summary.strip()})
    if event.severity:
        labels["severity"] = event.severity
    return Read(event, {name: value for name, value in labels.items() if value}, key, _start(event.starts_at, which))


def _start(given: str | float | None, which: str) -> datetime | None:
    if given is None or given == "":
        return None
    if isinstance(given, str):
        if instant := instants.read_instant(given):
            return instant
        raise ValueError(f"`starts_at`{which} is not a time. Write it like 2026-03-02T03:14:00Z, or as Unix seconds.")
    try:
        return datetime.fromtimestamp(given, UTC)
    except (OverflowError, ValueError, OSError):
        raise ValueError(f"`starts_at`{which} is not a time in Unix seconds.") from None


def event_of(item: Read, received_at: datetime, source: str) -> InboundEvent:
    event = item.event
    annotations = fitting({name: text_of(value) for name, value in (event.annotations or {}).items()})
    starts_at, annotations = instants.started(item.starts_at, received_at, annotations)
    action: Action = event.status
    return InboundEvent(
        action=action,
        fingerprint=item.key,
        source=source,
        summary=one_line(event.summary) or item.key,
        labels=item.labels,
        annotations=annotations,
        links=_links(event, annotations),
        starts_at=starts_at or received_at,
        count=event.count,
    )


def _change(item: Read, received_at: datetime) -> InboundChange:
    event = item.event
    said = {
        **item.labels,
        **{name: text_of(value) for name, value in {**(event.annotations or {}), **(event.details or {})}.items()},
    }
    said.pop("service", None)
    at, details = instants.started(item.starts_at, received_at, fitting(said))
    return InboundChange(
        at=at or received_at,
        summary=one_line(event.summary) or item.key,
        source=event.source or Plain.name,
        service=item.labels.get("service"),
        links=_links(event, details),
        details=details,
    )


def _links(event: PlainEvent, annotations: dict[str, str]) -> tuple[InboundLink, ...]:
    return links.links(
        *(("Link", link) if isinstance(link, str) else (link.title or "Link", link.url) for link in event.links or ()),
        *links.from_annotations(annotations, None),
    )
