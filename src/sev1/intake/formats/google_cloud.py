"""Google Cloud Monitoring's incident, as its webhook notification channel sends it (versions 1.0 to 1.2).

From Google's documentation: `incident.incident_id` is the same from open to closed, `state` is `open` or `closed` (its
case varies), `started_at` and `ended_at` are Unix seconds. The channel sends no headers of one's own: the key is in the
address, in `?auth_token=`, or the password of basic authentication (then the address has `-` for the key).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Raw, Struct

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of, text_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import LABEL_NAME_MAX, LABELS_MAX, cut, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.model import InboundEvent

_STORED = Answer(status=202, body=b'{"accepted":1}')
_NO_SEVERITY = "no severity"


class Resource(Struct, gc=False):
    type: str | None = None
    labels: Raw = Raw(b"null")


class Metric(Struct, gc=False):
    type: str | None = None
    display_name: str | None = msgspec.field(name="displayName", default=None)
    labels: Raw = Raw(b"null")


class Incident(Struct, gc=False):
    incident_id: Annotated[str, Meta(min_length=1, max_length=255)]
    state: str
    started_at: float | None = None
    url: str | None = None
    summary: str | None = None
    severity: str | None = None
    policy_name: str | None = None
    condition_name: str | None = None
    scoping_project_id: str | None = None
    resource: Resource | None = None
    resource_name: str | None = None
    resource_display_name: str | None = None
    metric: Metric | None = None
    observed_value: Raw = Raw(b"null")
    threshold_value: Raw = Raw(b"null")
    documentation: Raw = Raw(b"null")
    policy_user_labels: Raw = Raw(b"null")


class Notification(Struct, gc=False):
    incident: Incident


_decode = msgspec.json.Decoder(Notification).decode


class GoogleCloud(Format[Incident]):
    name: ClassVar[str] = "google"
    title: ClassVar[str] = "Google Cloud Monitoring incident"
    paths: ClassVar[tuple[str, ...]] = ("google",)
    sees_request: ClassVar[bool] = True
    setup: ClassVar[str] = (
        "In Google Cloud: Monitoring, Alerting, Edit notification channels, Webhooks, with this URL.\n"
        "Or keep the key out of it: endpoint {url}/integrations/-/google, basic authentication, any user name, "
        "password {key}"
    )

    def decode(self, raw: bytes) -> Incident:
        try:
            incident = read(_decode, raw).incident
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        if incident.state.strip().lower() not in {"open", "closed"}:
            raise self.misunderstood("`incident.state` must be `open` or `closed`.")
        return incident

    def accepted(self, decoded: Incident, raw: bytes) -> Accepted:  # noqa: ARG002 - one payload is one event
        return Accepted(raw=raw, events=1, answer=_STORED)

    def events(self, decoded: Incident, received_at: datetime) -> Iterator[InboundEvent]:
        written = annotations_of(decoded.documentation)
        said = {
            "description": written.get("content") or written.get("details", ""),
            "observed_value": text_of(decoded.observed_value),
            "threshold_value": text_of(decoded.threshold_value),
            "resource_name": decoded.resource_display_name or decoded.resource_name or "",
        }
        annotations = fitting({name: text for name, text in said.items() if text})
        starts_at, annotations = instants.started(_instant(decoded.started_at), received_at, annotations)
        names = (decoded.summary, written.get("subject"), decoded.policy_name, decoded.condition_name)
        yield InboundEvent(
            action="resolved" if decoded.state.strip().lower() == "closed" else "firing",
            fingerprint=decoded.incident_id,
            source=self.name,
            summary=next((line for name in names if (line := one_line(name or ""))), decoded.incident_id),
            labels=_labels(decoded),
            annotations=annotations,
            links=links.links(("Incident at Google", decoded.url), *links.from_annotations(annotations, None)),
            starts_at=starts_at or received_at,
        )


def _labels(incident: Incident) -> dict[str, str]:
    """The policy's user labels count most: that is where `service` and `team` are put."""
    severity = incident.severity or ""
    own = {
        "alertname": incident.policy_name or incident.condition_name,
        "severity": "" if severity.strip().lower() == _NO_SEVERITY else severity,
        "project": incident.scoping_project_id,
        "resource_type": incident.resource.type if incident.resource else None,
        "metric": incident.metric.type if incident.metric else None,
    }
    labels = {name: cut(value) for name, value in own.items() if value}
    resource = incident.resource.labels if incident.resource else Raw(b"null")
    for more in (incident.policy_user_labels, resource):
        for name, value in annotations_of(more).items():
            if name and len(name) <= LABEL_NAME_MAX and len(labels) < LABELS_MAX:
                labels.setdefault(name, cut(value))
    return labels or {"incident": fingerprint({"id": incident.incident_id})}


def _instant(seconds: float | None) -> datetime | None:
    try:
        return None if not seconds else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
