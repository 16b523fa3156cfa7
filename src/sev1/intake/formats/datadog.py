"""Datadog's webhook, whose payload its users template: `TEMPLATE` is what we ask them to paste.

From Datadog's documentation of the webhooks integration: `$ALERT_CYCLE_KEY` is the same from the trigger of an alert to
its recovery, `$AGGREG_KEY` belongs to the monitor's group, `$ALERT_TRANSITION` is Triggered, Re-Triggered, Warn, Re-Warn,
No Data, Re-No Data, Renotify or Recovered. A variable without a value arrives empty, as `null`, or as its own name. The
payload is JSON, or the same names as a form ("Encode as form").
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Raw, Struct

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import text_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import LABEL_NAME_MAX, LABELS_MAX, cut, fitting, one_line
from sev1.intake.formats.reading import clean, read
from sev1.intake.model import InboundEvent, InboundLink

TEMPLATE = """\
{
  "cycle_key": "$ALERT_CYCLE_KEY",
  "aggreg_key": "$AGGREG_KEY",
  "transition": "$ALERT_TRANSITION",
  "title": "$EVENT_TITLE",
  "message": "$TEXT_ONLY_MSG",
  "type": "$ALERT_TYPE",
  "priority": "$ALERT_PRIORITY",
  "host": "$HOSTNAME",
  "scope": "$ALERT_SCOPE",
  "metric": "$ALERT_METRIC",
  "tags": "$TAGS",
  "org": "$ORG_NAME",
  "date": "$DATE",
  "link": "$LINK",
  "snapshot": "$SNAPSHOT"
}"""
FIELDS_MAX = 100
_STORED = Answer(status=202, body=b'{"accepted":1}')
_UNSET = re.compile(r"\$[A-Z_]+")
_LABELS = ("host", "scope", "metric", "org")
_KNOWN_TAGS = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]*")

_decode = msgspec.json.Decoder(Annotated[dict[str, Raw], Meta(max_length=FIELDS_MAX)]).decode


class Notification(Struct, frozen=True):
    """The template's fields that have a value, as text, and what it is known by."""

    fields: dict[str, str]
    key: str


class Datadog(Format[Notification]):
    name: ClassVar[str] = "datadog"
    title: ClassVar[str] = "Datadog webhook"
    paths: ClassVar[tuple[str, ...]] = ("datadog",)
    setup: ClassVar[str] = (
        "In Datadog: Integrations, Webhooks, New, with this URL and this payload (JSON, or `Encode as form`):\n"
        f"{TEMPLATE}\nThen name the webhook in your monitors' messages: @webhook-<its name>."
    )

    def decode(self, raw: bytes) -> Notification:
        try:
            fields = _fields(raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        if not fields.get("title") and not fields.get("message"):
            raise self.misunderstood(
                "`title` is missing. Paste the template of `sev1 key create datadog` as the webhook's payload."
            )
        key = fields.get("cycle_key") or fields.get("aggreg_key")
        if not key:
            words = {name: fields.get(name, "") for name in ("title", "host", "scope")}
            # Datadog puts the state in front of the title, which must not make two problems of one.
            words["title"] = re.sub(r"^(\[[^\]]*\]\s*)+", "", words["title"])
            key = fingerprint(words)
        if len(key) > 255:
            key = fingerprint({"key": key})
        return Notification(fields, key)

    def accepted(self, decoded: Notification, raw: bytes) -> Accepted:  # noqa: ARG002 - one payload is one event
        return Accepted(raw=raw, events=1, answer=_STORED)

    def events(self, decoded: Notification, received_at: datetime) -> Iterator[InboundEvent]:
        fields = decoded.fields
        labels = {name: fields[name] for name in _LABELS if name in fields}
        labels.update(_tags(fields.get("tags", "")))
        severity = fields.get("priority") or fields.get("type", "")
        if severity:
            labels["severity"] = severity
        annotations = {"description": fields["message"]} if "message" in fields else {}
        if "transition" in fields:
            annotations["transition"] = fields["transition"]
        starts_at, annotations = instants.started(_date(fields.get("date", "")), received_at, fitting(annotations))
        yield InboundEvent(
            action="resolved" if "recovered" in fields.get("transition", "").lower() else "firing",
            fingerprint=decoded.key,
            source=self.name,
            summary=one_line(fields.get("title", "")) or one_line(fields.get("message", "")) or decoded.key,
            labels={name: cut(value) for name, value in labels.items()},
            annotations=annotations,
            links=_links(fields, annotations),
            starts_at=starts_at or received_at,
        )


def _fields(raw: bytes) -> dict[str, str]:
    """The fields with a value. Raises ValueError with a sentence."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        found = {name: text_of(value) for name, value in read(_decode, raw).items()}
    else:
        try:
            pairs = parse_qsl(
                raw.decode("utf-8", "replace"), keep_blank_values=True, strict_parsing=True, max_num_fields=FIELDS_MAX
            )
        except ValueError as error:
            raise ValueError("The body is neither a JSON object nor a form.") from error
        found = {clean(name): clean(value) for name, value in pairs}
    values = ((name, value.strip()) for name, value in found.items())
    return {name: value for name, value in values if value and value != "null" and not _UNSET.fullmatch(value)}


def _tags(text: str) -> dict[str, str]:
    """Datadog's `name:value` tags as labels; the first of a name counts. Bare words are no labels."""
    labels: dict[str, str] = {}
    for tag in text.split(","):
        name, colon, value = (part.strip() for part in tag.partition(":"))
        if colon and value and len(name) <= LABEL_NAME_MAX and _KNOWN_TAGS.fullmatch(name):
            labels.setdefault(name, value)
        if len(labels) >= LABELS_MAX - len(_LABELS) - 1:
            break
    return labels


def _links(fields: dict[str, str], annotations: dict[str, str]) -> tuple[InboundLink, ...]:
    return links.links(
        ("Datadog", fields.get("link")),
        ("Snapshot", fields.get("snapshot")),
        *links.from_annotations(annotations, None),
    )


def _date(text: str) -> datetime | None:
    """`$DATE` is in milliseconds since 1970."""
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
