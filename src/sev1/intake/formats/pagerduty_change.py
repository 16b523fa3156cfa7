"""PagerDuty change events: `POST /v2/change/enqueue`. A change wakes nobody; it is shown beside its service's alerts.

Rules from PagerDuty's documentation: `routing_key` and `payload.summary` always; `payload.source`, `.timestamp` and
`.custom_details` and `links` as they come. Keys are those of PagerDuty's events: there is one routing key for both.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import msgspec
from msgspec import Raw, Struct

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of
from sev1.intake.formats.format import Accepted, Answer, Format, Misunderstood
from sev1.intake.formats.limits import TITLE_MAX, cut, fitting, one_line
from sev1.intake.formats.pagerduty import Link, PagerDuty, invalid, unrecognized
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundChange

SERVICE_MAX = 63


class ChangePayload(Struct, gc=False):
    summary: str | None = None
    source: str | None = None
    timestamp: str | None = None
    custom_details: Raw = Raw(b"null")


class EnqueuedChange(Struct, gc=False):
    routing_key: str | None = None
    payload: ChangePayload | None = None
    links: list[Link] | None = None


_decode = msgspec.json.Decoder(EnqueuedChange).decode
_answer = Answer(status=202, body=b'{"status":"success","message":"Change event processed"}')


class PagerDutyChange(Format[EnqueuedChange]):
    name: ClassVar[str] = "pagerduty-change"
    title: ClassVar[str] = "PagerDuty change events"
    paths: ClassVar[tuple[str, ...]] = ("v2/change/enqueue", "v2/change/enqueue/")
    direct: ClassVar[tuple[str, ...]] = paths
    also_keys: ClassVar[tuple[str, ...]] = (PagerDuty.name,)
    unknown_key: ClassVar[str] = PagerDuty.unknown_key

    def decode(self, raw: bytes) -> EnqueuedChange:
        try:
            event = read(_decode, raw)
        except ValueError as error:
            sentence = str(error)
            if sentence.startswith("The body is not valid JSON"):
                raise Misunderstood(sentence, unrecognized(sentence)) from error
            raise self.misunderstood(sentence) from error
        if event.payload is None or not (event.payload.summary or "").strip():
            raise self.misunderstood("'payload.summary' is missing or blank")
        return event

    def accepted(self, decoded: EnqueuedChange, raw: bytes) -> Accepted:
        return Accepted(raw=raw, events=1, answer=_answer, secret=decoded.routing_key or "")

    def events(self, decoded: EnqueuedChange, received_at: datetime) -> Iterator[InboundChange]:
        payload = decoded.payload or ChangePayload()
        details = fitting(annotations_of(payload.custom_details))
        at = instants.read_instant(payload.timestamp) if payload.timestamp else None
        at, details = instants.started(at, received_at, details)
        service = details.get("service", "").strip()
        yield InboundChange(
            at=at or received_at,
            summary=one_line(payload.summary or "") or "A change without words",
            source=cut((payload.source or "").strip(), TITLE_MAX) or self.name,
            service=service if 0 < len(service) <= SERVICE_MAX else None,
            links=links.links(*((link.text or "Link", link.href) for link in decoded.links or ())),
            details=details,
        )

    def refusal(self, status: int, sentence: str) -> Answer:
        return _pagerduty.refusal(status, sentence)

    def misunderstood(self, sentence: str) -> Misunderstood:
        return Misunderstood(sentence, invalid([sentence]))


_pagerduty = PagerDuty()
