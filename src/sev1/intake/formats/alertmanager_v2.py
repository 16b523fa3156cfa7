"""What Prometheus sends: the Alertmanager API v2, `POST …/api/v2/alerts`.

Rules from Alertmanager: an alert is its label set; `endsAt` in the past resolves it, in the future it is the time at
which the alert expires unless it is sent again (Prometheus says 4 minutes ahead and re-sends), absent it is
`resolve_timeout`, 5 minutes. Labels with an empty value do not exist. Errors are a JSON string.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct, field

from sev1.intake.formats import instants, links
from sev1.intake.formats.format import Accepted, Answer, Format, Problem
from sev1.intake.formats.labels import fingerprint, present, summary
from sev1.intake.formats.limits import ALERTS_MAX, Labels, fitting
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundEvent

RESOLVE_TIMEOUT = timedelta(minutes=5)
NO_LABELS = "at least one label pair required"
_STORED = Answer(status=200)
_UNSET_TIMES = re.compile(rb'"(startsAt|endsAt)"\s*:\s*""')


class PostedAlert(Struct, gc=False):
    labels: Labels
    annotations: dict[str, str] | None = None
    starts_at: datetime | None = field(name="startsAt", default=None)
    ends_at: datetime | None = field(name="endsAt", default=None)
    generator_url: str | None = field(name="generatorURL", default=None)


PostedAlerts = list[PostedAlert]
_decode = msgspec.json.Decoder(Annotated[PostedAlerts, Meta(max_length=ALERTS_MAX)] | None).decode


class AlertmanagerV2(Format[PostedAlerts]):
    name: ClassVar[str] = "prometheus"
    title: ClassVar[str] = "Prometheus (Alertmanager API v2)"
    paths: ClassVar[tuple[str, ...]] = ("api/v2/alerts",)
    shares_paths: ClassVar[bool] = True
    setup: ClassVar[str] = (
        "In prometheus.yml:\n  alerting:\n    alertmanagers:\n"
        "      - path_prefix: /integrations/{key}\n        static_configs:\n          - targets: ['{host}']"
    )

    def decode(self, raw: bytes) -> PostedAlerts:
        try:
            alerts = read(_decode, raw) or []
        except ValueError as error:
            # Alertmanager reads an empty time as none.
            unset = _UNSET_TIMES.sub(rb'"\1":null', raw)
            if unset != raw:
                return self.decode(unset)
            raise self.misunderstood(str(error)) from error
        for alert in alerts:
            if not any(alert.labels.values()):
                raise self.misunderstood(NO_LABELS)
        return alerts

    def accepted(self, decoded: PostedAlerts, raw: bytes) -> Accepted:
        return Accepted(raw=raw, events=len(decoded), answer=_STORED)

    def events(self, decoded: PostedAlerts, received_at: datetime) -> Iterator[InboundEvent]:
        for alert in decoded:
            yield event(alert, received_at)

    def glances(self, decoded: PostedAlerts, received_at: datetime) -> Iterator[tuple[str, Problem]]:
        for alert in decoded:
            if alert.ends_at is None or alert.ends_at > received_at:
                labels = alert.labels
                yield labels.get("severity", ""), (labels.get("alertname", ""), labels.get("service", ""))

    def refusal(self, status: int, sentence: str) -> Answer:
        return Answer(status=status, body=msgspec.json.encode(sentence))


def event(alert: PostedAlert, received_at: datetime) -> InboundEvent:
    labels = present(alert.labels)
    annotations = fitting(alert.annotations)
    ends_at = instants.given(alert.ends_at)
    expires_at = None
    if ends_at is None:
        expires_at = received_at + RESOLVE_TIMEOUT
    elif ends_at > received_at:
        expires_at = min(ends_at, received_at + instants.LONGEST)
    starts_at, annotations = instants.started(instants.given(alert.starts_at), received_at, annotations)
    return InboundEvent(
        action="resolved" if expires_at is None else "firing",
        fingerprint=fingerprint(labels),
        source=AlertmanagerV2.name,
        summary=summary(labels, annotations),
        labels=labels,
        annotations=annotations,
        links=links.links(("Source", alert.generator_url), *links.from_annotations(annotations, alert.generator_url)),
        starts_at=starts_at or received_at,
        expires_at=expires_at,
    )
