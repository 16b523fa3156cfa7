"""Azure Monitor's common alert schema, as an action group's webhook sends it.

From Microsoft's documentation: `schemaId` is `azureMonitorCommonAlertSchema`, `data.essentials` says what it is about,
`monitorCondition` is Fired or Resolved, `alertId` is the same for both. What is in `alertContext` depends on the kind of
alert, so it is kept as it came and not interpreted. `severity` is Sev0 (critical) to Sev4 (verbose).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Meta, Raw, Struct, field

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import cut, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundEvent

SCHEMA = "azureMonitorCommonAlertSchema"
TARGETS_MAX = 100
_STORED = Answer(status=202, body=b'{"accepted":1}')
_PORTAL = "https://portal.azure.com/#view/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"

Items = Annotated[list[str], Meta(max_length=TARGETS_MAX)]


class Essentials(Struct, gc=False):
    alert_id: str | None = field(name="alertId", default=None)
    alert_rule: str | None = field(name="alertRule", default=None)
    severity: str | None = None
    signal_type: str | None = field(name="signalType", default=None)
    monitor_condition: str | None = field(name="monitorCondition", default=None)
    monitoring_service: str | None = field(name="monitoringService", default=None)
    alert_target_ids: Items | None = field(name="alertTargetIDs", default=None)
    configuration_items: Items | None = field(name="configurationItems", default=None)
    origin_alert_id: str | None = field(name="originAlertId", default=None)
    fired_at: str | None = field(name="firedDateTime", default=None)
    description: str | None = None
    investigation_link: str | None = field(name="investigationLink", default=None)


class AlertData(Struct, gc=False):
    essentials: Essentials
    alert_context: Raw = field(name="alertContext", default_factory=lambda: Raw(b"null"))
    custom_properties: Raw = field(name="customProperties", default_factory=lambda: Raw(b"null"))


class CommonAlert(Struct, gc=False):
    data: AlertData
    schema_id: str | None = field(name="schemaId", default=None)


_decode = msgspec.json.Decoder(CommonAlert).decode


class AzureMonitor(Format[CommonAlert]):
    name: ClassVar[str] = "azure"
    title: ClassVar[str] = "Azure Monitor common alert schema"
    paths: ClassVar[tuple[str, ...]] = ("azure",)
    setup: ClassVar[str] = (
        "In Azure Monitor: Alerts, Action groups, action of type Webhook with this URL and\n"
        "`Enable the common alert schema` set to Yes."
    )

    def decode(self, raw: bytes) -> CommonAlert:
        try:
            alert = read(_decode, raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        if alert.schema_id != SCHEMA:
            raise self.misunderstood(
                f"`schemaId` must be `{SCHEMA}`: enable the common alert schema in the action group."
            )
        essentials = alert.data.essentials
        if (essentials.monitor_condition or "").lower() not in {"fired", "resolved"}:
            raise self.misunderstood("`data.essentials.monitorCondition` must be `Fired` or `Resolved`.")
        if not (essentials.alert_id or essentials.origin_alert_id or essentials.alert_rule):
            raise self.misunderstood("`data.essentials.alertId` is missing, so its end could not be told.")
        return alert

    def accepted(self, decoded: CommonAlert, raw: bytes) -> Accepted:  # noqa: ARG002 - one payload is one event
        return Accepted(raw=raw, events=1, answer=_STORED)

    def events(self, decoded: CommonAlert, received_at: datetime) -> Iterator[InboundEvent]:
        said = decoded.data.essentials
        items = [item for item in said.configuration_items or () if item]
        labels = {
            "alertname": said.alert_rule,
            "severity": said.severity,
            "resource": items[0] if items else None,
            "monitoring_service": said.monitoring_service,
            "signal_type": said.signal_type,
        }
        annotations = {
            "description": said.description or "",
            "resources": ", ".join(items),
            "targets": ", ".join(said.alert_target_ids or ()),
            **annotations_of(decoded.data.custom_properties),
            **{f"context {name}": text for name, text in annotations_of(decoded.data.alert_context).items()},
        }
        began = instants.read_instant(said.fired_at) if said.fired_at else None
        kept = fitting({name: text for name, text in annotations.items() if text})
        starts_at, kept = instants.started(began, received_at, kept)
        rule = one_line(said.alert_rule or "")
        where = f" on {', '.join(items[:3])}" if rule and items else ""
        yield InboundEvent(
            action="resolved" if (said.monitor_condition or "").lower() == "resolved" else "firing",
            fingerprint=_key(said),
            source=self.name,
            summary=one_line(f"{rule}{where}") or one_line(said.description or "") or "An alert without a name",
            labels={name: cut(value) for name, value in labels.items() if value},
            annotations=kept,
            links=links.links(
                ("Investigate", said.investigation_link),
                ("Azure portal", _PORTAL + quote(said.alert_id, safe="") if said.alert_id else None),
                *links.from_annotations(kept, None),
            ),
            starts_at=starts_at or received_at,
        )


def _key(said: Essentials) -> str:
    """The alert's id; for one without, the rule and what it looks at."""
    if key := said.alert_id or said.origin_alert_id:
        return key if len(key) <= 255 else fingerprint({"alertId": key})
    return fingerprint({"rule": said.alert_rule or "", "targets": "\n".join(said.alert_target_ids or ())})
