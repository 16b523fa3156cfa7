"""netdata's notification script, `alarm-notify.sh`, by its Opsgenie method: a payload of netdata's own.

From the script (netdata 1.37): it posts one transition of one alarm to
`$OPSGENIE_API_URL/v1/json/integrations/webhooks/netdata?apiKey=$OPSGENIE_API_KEY` and takes 200 for success. `unique_id`
and `eventId` number the transition and `alarmId` is renumbered when netdata forgets its past, so an alarm is known by its
host, chart and name. Text is put into the JSON as it is: an `info` with a quote in it is not JSON, and is shown under
*Not understood*.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Raw, Struct

from sev1.intake.formats import instants
from sev1.intake.formats.details import text_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import cut, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.model import Action, InboundEvent
from sev1.intake.request import Request

KEY = "apiKey"
_PATH = "v1/json/integrations/webhooks/netdata"
_ACTIONS: dict[str, Action] = {"WARNING": "firing", "CRITICAL": "firing", "CLEAR": "resolved", "REMOVED": "resolved"}
_STORED = Answer(status=200, body=b'{"accepted":1}')

Name = Annotated[str, Meta(min_length=1, max_length=500)]


class Transition(Struct, gc=False):
    host: Name
    chart: Name
    name: Name
    status: str
    family: str = ""
    when: float | None = None
    """Unix seconds."""
    info: str = ""
    value: Raw = Raw(b"null")
    old_value: Raw = Raw(b"null")
    old_status: str = ""
    units: str = ""
    calc_expression: str = ""
    src: str = ""


_decode = msgspec.json.Decoder(Transition).decode


class Netdata(Format[Transition]):
    name: ClassVar[str] = "netdata"
    title: ClassVar[str] = "netdata's alarm-notify.sh"
    paths: ClassVar[tuple[str, ...]] = (_PATH,)
    direct: ClassVar[tuple[str, ...]] = paths
    sees_request: ClassVar[bool] = True
    setup: ClassVar[str] = (
        "In netdata's health_alarm_notify.conf:\n"
        '  SEND_OPSGENIE="YES"\n  OPSGENIE_API_URL="{url}"\n  OPSGENIE_API_KEY="{key}"'
    )

    def secret(self, request: Request) -> str | None:
        return request.query.get(KEY) or super().secret(request)

    def decode(self, raw: bytes) -> Transition:
        try:
            transition = read(_decode, raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        if transition.status not in _ACTIONS:
            raise self.misunderstood(f"`status` must be {', '.join(list(_ACTIONS)[:-1])} or REMOVED.")
        return transition

    def accepted(self, decoded: Transition, raw: bytes) -> Accepted:  # noqa: ARG002 - one payload is one event
        return Accepted(raw=raw, events=1, answer=_STORED)

    def events(self, decoded: Transition, received_at: datetime) -> Iterator[InboundEvent]:
        said = {
            "description": decoded.info,
            "value": _measured(decoded.value, decoded.units),
            "old_value": _measured(decoded.old_value, decoded.units),
            "old_status": decoded.old_status,
            "expression": decoded.calc_expression,
            "source": decoded.src,
        }
        annotations = fitting({name: text for name, text in said.items() if text})
        starts_at, annotations = instants.started(_instant(decoded.when), received_at, annotations)
        action = _ACTIONS[decoded.status]
        labels = {
            "alertname": decoded.name,
            "host": decoded.host,
            "chart": decoded.chart,
            "family": decoded.family,
            "severity": decoded.status.lower() if action == "firing" else "",
        }
        value = annotations.get("value", "")
        yield InboundEvent(
            action=action,
            fingerprint=fingerprint({name: labels[name] for name in ("alertname", "host", "chart")}),
            source=self.name,
            summary=one_line(f"{decoded.name}{' = ' if value else ''}{value} on {decoded.host}"),
            labels={name: cut(text) for name, text in labels.items() if text},
            annotations=annotations,
            starts_at=starts_at or received_at,
        )


def _measured(value: Raw, units: str) -> str:
    """A number with its unit; netdata says `null` for one that it could not measure."""
    text = text_of(value)
    return f"{text} {units}".strip() if text else ""


def _instant(seconds: float | None) -> datetime | None:
    try:
        return None if not seconds else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
