"""Grafana alerting's webhook (version "1"): the shape of Alertmanager's, and for each alert its values and pictures.

From Grafana's documentation of the webhook notifier: `status` firing | resolved, `endsAt` is `0001-01-01T00:00:00Z`
while it fires, `values` are the numbers that the rule compared, and `dashboardURL`, `panelURL`, `imageURL` and
`silenceURL` lead to where one looks. A custom payload is not this format: send that to our own JSON.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Raw, Struct, field

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint, present, summary
from sev1.intake.formats.limits import ALERTS_MAX, Labels, fitting
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundEvent

_FINGERPRINT_MAX = 64
_STORED = Answer(status=200, body=b"{}")


class GrafanaAlert(Struct, gc=False):
    labels: Labels = {}
    annotations: dict[str, str] | None = None
    status: str = "firing"
    starts_at: datetime | None = field(name="startsAt", default=None)
    ends_at: datetime | None = field(name="endsAt", default=None)
    generator_url: str | None = field(name="generatorURL", default=None)
    fingerprint: str = ""
    values: Raw = Raw(b"null")
    dashboard_url: str | None = field(name="dashboardURL", default=None)
    panel_url: str | None = field(name="panelURL", default=None)
    image_url: str | None = field(name="imageURL", default=None)
    silence_url: str | None = field(name="silenceURL", default=None)


class GrafanaGroup(Struct, gc=False):
    alerts: Annotated[list[GrafanaAlert], Meta(max_length=ALERTS_MAX)]
    common_labels: Labels = field(name="commonLabels", default_factory=dict)
    external_url: str | None = field(name="externalURL", default=None)


_decode = msgspec.json.Decoder(GrafanaGroup).decode


class Grafana(Format[GrafanaGroup]):
    name: ClassVar[str] = "grafana"
    title: ClassVar[str] = "Grafana alerting webhook"
    paths: ClassVar[tuple[str, ...]] = ("grafana",)
    setup: ClassVar[str] = (
        "In Grafana: Alerting, Contact points, new contact point of type Webhook, with this URL and method POST.\n"
        "Leave `Disable resolved message` off, or nothing will end."
    )

    def decode(self, raw: bytes) -> GrafanaGroup:
        try:
            group = read(_decode, raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        common = present(group.common_labels)
        for number, alert in enumerate(group.alerts, 1):
            if not (present(alert.labels) or common):
                raise self.misunderstood(f"Alert {number} has no labels, so it could not be told from another one.")
        return group

    def accepted(self, decoded: GrafanaGroup, raw: bytes) -> Accepted:
        return Accepted(raw=raw, events=len(decoded.alerts), answer=_STORED)

    def events(self, decoded: GrafanaGroup, received_at: datetime) -> Iterator[InboundEvent]:
        for alert in decoded.alerts:
            yield _event(alert, decoded, received_at)


def _event(alert: GrafanaAlert, group: GrafanaGroup, received_at: datetime) -> InboundEvent:
    labels = present(alert.labels) or present(group.common_labels)
    measured = {f"value {name}": value for name, value in annotations_of(alert.values).items()}
    annotations = fitting({**(alert.annotations or {}), **measured})
    starts_at, annotations = instants.started(instants.given(alert.starts_at), received_at, annotations)
    ends_at = instants.given(alert.ends_at)
    over = alert.status == "resolved" or (ends_at is not None and ends_at <= received_at)
    known = alert.fingerprint.strip()
    return InboundEvent(
        action="resolved" if over else "firing",
        fingerprint=known if known and len(known) <= _FINGERPRINT_MAX else fingerprint(labels),
        source=Grafana.name,
        summary=summary(labels, annotations),
        labels=labels,
        annotations=annotations,
        links=links.links(
            ("Dashboard", alert.dashboard_url),
            ("Panel", alert.panel_url),
            ("Image", alert.image_url),
            ("Rule", alert.generator_url),
            *links.from_annotations(annotations, alert.generator_url),
            ("Silence at the sender", alert.silence_url),
            ("Sender", group.external_url),
        ),
        starts_at=starts_at or received_at,
    )
