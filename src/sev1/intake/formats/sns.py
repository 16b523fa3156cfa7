"""Amazon SNS by HTTPS, and the CloudWatch alarms that come through it.

From Amazon's documentation: the header `x-amz-sns-message-type` is SubscriptionConfirmation, Notification or
UnsubscribeConfirmation; every message is signed, and one that is not Amazon's is refused. A subscription is confirmed by
visiting its `SubscribeURL`. `Message` of a CloudWatch alarm is JSON in a string: ALARM fires, OK resolves.
INSUFFICIENT_DATA does neither: every alarm begins with it, and one that fires is not over for lack of data; it is noted
in the history of an alert that fires. Who wants missing data to alert tells CloudWatch so (`TreatMissingData: breaching`).
Any other message is an event of its own, known by its MessageId, with the message as text.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct, field

from sev1.intake.formats import instants, links
from sev1.intake.formats.details import annotations_of
from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.labels import fingerprint
from sev1.intake.formats.limits import LABELS_MAX, cut, fitting, one_line
from sev1.intake.formats.reading import read
from sev1.intake.keys import Key
from sev1.intake.model import Action, InboundEvent
from sev1.intake.outside import Outside
from sev1.intake.request import Request, pack, unpack

_TYPE = "x-amz-sns-message-type"
TYPES = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")
_ACTIONS: dict[str, Action] = {"ALARM": "firing", "OK": "resolved", "INSUFFICIENT_DATA": "noted"}
_STORED = Answer(status=200, body=b"{}")
_REGION = re.compile(r"arn:aws[a-z\-]*:[a-z0-9\-]+:([a-z0-9\-]{1,30}):")


class SnsMessage(Struct, gc=False):
    type: str = field(name="Type")
    message_id: str = field(name="MessageId")
    topic_arn: str = field(name="TopicArn")
    message: str = field(name="Message")
    timestamp: str = field(name="Timestamp")
    signature_version: str = field(name="SignatureVersion", default="")
    signature: str = field(name="Signature", default="")
    signing_cert_url: str = field(name="SigningCertURL", default="")
    subject: str | None = field(name="Subject", default=None)
    subscribe_url: str | None = field(name="SubscribeURL", default=None)
    token: str | None = field(name="Token", default=None)


class Dimension(Struct, gc=False):
    name: str = ""
    value: str = ""


class Trigger(Struct, gc=False):
    metric_name: str | None = field(name="MetricName", default=None)
    namespace: str | None = field(name="Namespace", default=None)
    dimensions: list[Dimension] | None = field(name="Dimensions", default=None)


class Alarm(Struct, gc=False):
    name: str = field(name="AlarmName")
    state: str = field(name="NewStateValue")
    arn: str | None = field(name="AlarmArn", default=None)
    description: str | None = field(name="AlarmDescription", default=None)
    account: str | None = field(name="AWSAccountId", default=None)
    region: str | None = field(name="Region", default=None)
    reason: str | None = field(name="NewStateReason", default=None)
    changed_at: str | None = field(name="StateChangeTime", default=None)
    trigger: Trigger | None = field(name="Trigger", default=None)


class Said(NamedTuple):
    message: SnsMessage
    alarm: Alarm | None


_decode = msgspec.json.Decoder(SnsMessage).decode
_decode_alarm = msgspec.json.Decoder(Alarm).decode


class Sns(Format[Said]):
    name: ClassVar[str] = "sns"
    title: ClassVar[str] = "Amazon SNS (CloudWatch alarms)"
    paths: ClassVar[tuple[str, ...]] = ("sns",)
    sees_request: ClassVar[bool] = True
    setup: ClassVar[str] = (
        "In Amazon SNS: create a subscription of the alarms' topic, protocol HTTPS, with this URL as endpoint and raw\n"
        "message delivery off. It confirms itself. In CloudWatch, send both ALARM and OK to the topic."
    )

    async def check(self, request: Request, key: Key, outside: Outside) -> Request:  # noqa: ARG002
        """Verifies the signature; confirms a subscription."""
        message = self.decode(self.stored(request)).message
        # As text by the names that Amazon signs; what is absent is absent there, too.
        signed = {name: value for name, value in msgspec.to_builtins(message).items() if value is not None}
        await outside.sns.verify(signed)
        if message.type == "SubscriptionConfirmation":
            await outside.sns.confirm(message.subscribe_url or "")
        return request

    def stored(self, request: Request) -> bytes:
        return pack(request, (_TYPE,))

    def decode(self, raw: bytes) -> Said:
        try:
            request = unpack(raw)
            message = read(_decode, request.body)
        except ValueError as error:
            sentence = str(error)
            if sentence.endswith("is missing."):
                sentence += " Turn raw message delivery off: only whole messages of Amazon SNS are signed."
            raise self.misunderstood(sentence) from error
        declared = request.headers.get(_TYPE, message.type)
        if message.type not in TYPES or declared != message.type:
            raise self.misunderstood(f"`Type` must be one of {', '.join(TYPES)} and that of the header {_TYPE}.")
        return Said(message, _alarm(message) if message.type == "Notification" else None)

    def accepted(self, decoded: Said, raw: bytes) -> Accepted:  # noqa: ARG002 - one payload is one event
        return Accepted(raw=raw, events=1, answer=_STORED)

    def events(self, decoded: Said, received_at: datetime) -> Iterator[InboundEvent]:
        if decoded.alarm:
            yield _alarm_event(decoded.alarm, decoded.message, received_at)
        elif decoded.message.type == "Notification":
            yield _text(decoded.message, received_at)
        else:
            yield _subscription(decoded.message, received_at)


def _alarm(message: SnsMessage) -> Alarm | None:
    """The alarm in a message; None when it holds something else, or a state that CloudWatch does not have."""
    try:
        raw = message.message.encode()
        alarm = read(_decode_alarm, raw)
    except (ValueError, RecursionError):
        return None
    return alarm if alarm.name.strip() and alarm.state in _ACTIONS else None


def _alarm_event(alarm: Alarm, message: SnsMessage, received_at: datetime) -> InboundEvent:
    found = _REGION.match(alarm.arn or message.topic_arn)
    region = found[1] if found else ""
    trigger = alarm.trigger or Trigger()
    own = {
        "alertname": alarm.name,
        "region": region or alarm.region,
        "account": alarm.account,
        "namespace": trigger.namespace,
        "metric": trigger.metric_name,
    }
    labels = {name: cut(value) for name, value in own.items() if value}
    for dimension in (trigger.dimensions or ())[:LABELS_MAX]:
        if dimension.name and dimension.value and len(dimension.name) <= 200 and len(labels) < LABELS_MAX:
            labels.setdefault(dimension.name, cut(dimension.value))
    said = {"description": alarm.description or "", "reason": alarm.reason or "", "state": alarm.state}
    annotations = fitting({name: text for name, text in said.items() if text})
    began = instants.read_instant(alarm.changed_at) if alarm.changed_at else None
    starts_at, annotations = instants.started(began, received_at, annotations)
    console = (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(alarm.name)}"
    )
    key = alarm.arn or f"{alarm.account}/{alarm.region}/{alarm.name}"
    noted = _ACTIONS[alarm.state] == "noted"
    return InboundEvent(
        action=_ACTIONS[alarm.state],
        fingerprint=key if len(key) <= 255 else fingerprint({"alarm": key}),
        source=Sns.name,
        summary=one_line(alarm.name),
        labels=labels,
        annotations=annotations,
        links=links.links(("CloudWatch", console if region else None), *links.from_annotations(annotations, None)),
        starts_at=starts_at or received_at,
        note=cut(f"CloudWatch has not enough data to know: {alarm.reason or 'it says no more'}", 1_000)
        if noted
        else "",
    )


def _text(message: SnsMessage, received_at: datetime) -> InboundEvent:
    """A message that is no alarm: its words. If it is a JSON object, its members."""
    details = annotations_of(Raw(message.message.encode())) if message.message.lstrip().startswith("{") else {}
    annotations = fitting(details or {"message": message.message})
    began = instants.read_instant(message.timestamp)
    starts_at, annotations = instants.started(began, received_at, annotations)
    return InboundEvent(
        action="firing",
        fingerprint=message.message_id[:255] or fingerprint({"message": message.message}),
        source=Sns.name,
        summary=one_line(message.subject or "") or one_line(message.message) or "A message without words",
        labels={"topic": cut(message.topic_arn)} if message.topic_arn else {},
        annotations=annotations,
        links=links.links(*links.from_annotations(annotations, None)),
        starts_at=starts_at or received_at,
    )


def _subscription(message: SnsMessage, received_at: datetime) -> InboundEvent:
    """A sender that no longer sends is a problem; it is over when the topic is subscribed again."""
    ended = message.type == "UnsubscribeConfirmation"
    return InboundEvent(
        action="firing" if ended else "resolved",
        fingerprint=fingerprint({"subscription": message.topic_arn}),
        source=Sns.name,
        summary=one_line(f"The SNS topic {message.topic_arn} no longer sends to sev1: its subscription was ended"),
        labels={"severity": "warning", **({"topic": cut(message.topic_arn)} if message.topic_arn else {})},
        starts_at=received_at,
    )
