"""What Alertmanager sends to a webhook receiver (version 4), and Grafana, whose webhook has the same shape and more.

The sender says itself when an alert is over, so nothing expires here. It groups its alerts by its own routes; what it
says about each alert counts, the group's common parts only fill gaps. Grafana's additions: links per alert.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct, field

from sev1.intake.formats import instants, links
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint, present, summary
from sev1.intake.formats.limits import ALERTS_MAX, Labels, fitting
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundEvent

_FINGERPRINT_MAX = 64
_STORED = Answer(status=200, body=b"{}")


class GroupedAlert(Struct, gc=False):
    labels: Labels = {}
    annotations: dict[str, str] | None = None
    status: str = "firing"
    starts_at: datetime | None = field(name="startsAt", default=None)
    generator_url: str | None = field(name="generatorURL", default=None)
    fingerprint: str = ""
    dashboard_url: str | None = field(name="dashboardURL", default=None)
    panel_url: str | None = field(name="panelURL", default=None)
    image_url: str | None = field(name="imageURL", default=None)
    silence_url: str | None = field(name="silenceURL", default=None)


class Group(Struct, gc=False):
    alerts: Annotated[list[GroupedAlert], Meta(max_length=ALERTS_MAX)]
    common_labels: Labels = field(name="commonLabels", default_factory=dict)
    external_url: str | None = field(name="externalURL", default=None)


_decode = msgspec.json.Decoder(Group).decode


class AlertmanagerWebhook(Format[Group]):
    name: ClassVar[str] = "alertmanager"
    title: ClassVar[str] = "Alertmanager or Grafana webhook"
    paths: ClassVar[tuple[str, ...]] = ("alertmanager",)
    setup: ClassVar[str] = "In alertmanager.yml, as the url of a receiver's webhook_configs."

    def decode(self, raw: bytes) -> Group:
        try:
            group = read(_decode, raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        common = present(group.common_labels)
        for number, alert in enumerate(group.alerts, 1):
            if not (present(alert.labels) or common):
                raise self.misunderstood(f"Alert {number} has no labels, so it could not be told from another one.")
        return group

    def accepted(self, decoded: Group, raw: bytes) -> Accepted:
        return Accepted(raw=raw, events=len(decoded.alerts), answer=_STORED)

    def events(self, decoded: Group, received_at: datetime) -> Iterator[InboundEvent]:
        for alert in decoded.alerts:
            yield _event(alert, decoded, received_at)


def _event(alert: GroupedAlert, group: Group, received_at: datetime) -> InboundEvent:
    labels = present(alert.labels) or present(group.common_labels)
    annotations = fitting(alert.annotations)
    starts_at, annotations = instants.started(instants.given(alert.starts_at), received_at, annotations)
    known = alert.fingerprint.strip()
    return InboundEvent(
        action="resolved" if alert.status == "resolved" else "firing",
        fingerprint=known if known and len(known) <= _FINGERPRINT_MAX else fingerprint(labels),
        source=AlertmanagerWebhook.name,
        summary=summary(labels, annotations),
        labels=labels,
        annotations=annotations,
        links=links.links(
            ("Source", alert.generator_url),
            ("Dashboard", alert.dashboard_url),
            ("Panel", alert.panel_url),
            ("Image", alert.image_url),
            *links.from_annotations(annotations, alert.generator_url),
            ("Silence at the sender", alert.silence_url),
            ("Sender", group.external_url),
        ),
        starts_at=starts_at or received_at,
    )
