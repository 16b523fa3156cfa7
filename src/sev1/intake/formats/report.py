"""What a person reports, on the page or through the API. No address of its own: `sev1.intake.reports` submits it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.limits import TEXT_MAX, cut, one_line
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundEvent


class Report(Struct, frozen=True, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    """Each report is a problem of its own until somebody says otherwise."""
    summary: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
    reporter: str
    service: str | None = None
    severity: str | None = None
    details: str = ""


_decode = msgspec.json.Decoder(Report).decode


class Reports(Format[Report]):
    name: ClassVar[str] = "report"
    title: ClassVar[str] = "A person's report"
    paths: ClassVar[tuple[str, ...]] = ()

    def decode(self, raw: bytes) -> Report:
        try:
            return read(_decode, raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error

    def accepted(self, decoded: Report, raw: bytes) -> Accepted:
        answer = Answer(status=202, body=msgspec.json.encode({"accepted": 1, "keys": [decoded.id]}))
        return Accepted(raw=raw, events=1, answer=answer)

    def events(self, decoded: Report, received_at: datetime) -> Iterator[InboundEvent]:
        labels = {"service": decoded.service, "severity": decoded.severity, "reporter": decoded.reporter}
        yield InboundEvent(
            action="firing",
            fingerprint=decoded.id,
            source=self.name,
            summary=one_line(decoded.summary) or "A report without words",
            labels={name: cut(value) for name, value in labels.items() if value},
            annotations={"details": cut(decoded.details)} if decoded.details else {},
            starts_at=received_at,
        )
