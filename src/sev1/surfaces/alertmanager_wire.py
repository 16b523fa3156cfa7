"""What the Alertmanager API v2 says on the wire: its shapes, and how ours become them and back.

Field names, codes and words are those of Alertmanager's OpenAPI and of version 0.25 as it answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field

from sev1.catalog.matchers import Matcher, Op
from sev1.catalog.model import Catalog
from sev1.engine.errors import Invalid
from sev1.triage.model import AlertRow, Silence

RESOLVE_TIMEOUT = timedelta(minutes=5)
"""`endsAt` of an alert that never says when it ends, counted from now: Alertmanager's default."""
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class Receiver(Struct, frozen=True):
    name: str


class AlertStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    state: str
    silenced_by: list[str]
    inhibited_by: list[str]


class GettableAlert(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    annotations: dict[str, str]
    ends_at: str
    fingerprint: str
    receivers: list[Receiver]
    starts_at: str
    status: AlertStatus
    updated_at: str
    labels: dict[str, str]
    generator_url: str = field(name="generatorURL", default="")


class AlertGroup(Struct, frozen=True, kw_only=True):
    alerts: list[GettableAlert]
    labels: dict[str, str]
    receiver: Receiver


class WireMatcher(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    value: str
    is_regex: bool
    is_equal: bool = True


class GettableSilence(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    status: dict[str, str]
    updated_at: str
    comment: str
    created_by: str
    ends_at: str
    matchers: list[WireMatcher]
    starts_at: str


class PostableSilence(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything is optional to the decoder: what is missing is named as Alertmanager names it."""

    id: str | None = None
    comment: str | None = None
    created_by: str | None = None
    ends_at: Annotated[datetime, Meta(tz=True)] | None = None
    matchers: list[WireMatcher] | None = None
    starts_at: Annotated[datetime, Meta(tz=True)] | None = None


class Malformed(Exception):
    """What Alertmanager's framework refuses before its handlers: an object with a code, not a string."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def alert_view(row: AlertRow, in_force: Sequence[Silence], prints: Mapping[str, str], now: datetime) -> GettableAlert:
    # Silences are matched here and not taken from the row: amtool looks right after it made one.
    silenced_by = [str(silence.id) for silence in in_force if silence.covers(row.key_id, row.labels)]
    inhibited_by = [prints.get(row.held_by or "", row.held_by or "")] if row.held == "inhibited" else []
    return GettableAlert(
        annotations=row.annotations,
        ends_at=instant(row.expires_at or now + RESOLVE_TIMEOUT),
        fingerprint=row.fingerprint,
        receivers=[Receiver(receiver_of(row))],
        starts_at=instant(row.starts_at),
        status=AlertStatus(
            state="suppressed" if silenced_by or inhibited_by else "active",
            silenced_by=silenced_by,
            inhibited_by=inhibited_by,
        ),
        updated_at=instant(row.updated_at),
        labels=row.labels,
        generator_url=next((link.url for link in row.links if link.title == "Source"), ""),
    )


def receiver_of(row: AlertRow) -> str:
    """Whom it goes to: the escalation policy, or the tier that pages nobody."""
    if row.tier == "page":
        return row.verdict.policy or "nobody"
    return row.tier or "nobody"


def receivers(catalog: Catalog) -> list[str]:
    return [*sorted(catalog.policies), "ticket", "fyi", "nobody"]


def config(catalog: Catalog) -> str:
    """A configuration that Alertmanager's tools can read. What really decides is the catalog."""
    names = "".join(f"- name: {msgspec.json.encode(name).decode()}\n" for name in receivers(catalog))
    default = catalog.organisation.fallback_policy or "nobody"
    return (
        f"# sev1 routes by its catalog; this names its receivers.\nroute:\n  receiver: {default}\nreceivers:\n{names}"
    )


def silence_view(silence: Silence, now: datetime) -> GettableSilence:
    return GettableSilence(
        id=str(silence.id),
        status={"state": silence.state(now)},
        updated_at=instant(silence.updated_at),
        comment=silence.comment,
        created_by=silence.created_by,
        ends_at=instant(silence.ends_at),
        starts_at=instant(silence.starts_at),
        matchers=[
            WireMatcher(name=m.name, value=m.value, is_regex="~" in m.op, is_equal=not m.op.startswith("!"))
            for m in silence.matchers
        ],
    )


def postable(body: bytes) -> PostableSilence:
    """Raises Malformed with Alertmanager's codes and words."""
    if not body.strip():
        raise Malformed(422, 602, "silence in body is required")
    try:
        wanted = msgspec.json.decode(body, type=PostableSilence)
    except (ValueError, RecursionError) as error:
        raise Malformed(400, 400, f'parsing silence body from "" failed, because {error}') from error
    for name in ("comment", "created_by", "ends_at", "matchers", "starts_at"):
        if getattr(wanted, name) is None:
            wire = next(f.encode_name for f in msgspec.structs.fields(PostableSilence) if f.name == name)
            raise Malformed(422, 602, f"{wire} in body is required")
    if not wanted.matchers:
        raise Malformed(422, 612, "matchers in body should have at least 1 items")
    return wanted


_OPS: dict[tuple[bool, bool], Op] = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
"""(is a regular expression, is equal) -> operator."""


def readable(matchers: Iterable[WireMatcher]) -> list[Matcher]:
    return [Matcher(m.name, _OPS[m.is_regex, m.is_equal], m.value) for m in matchers]


def storable(instant: datetime | None) -> datetime:
    assert instant is not None
    try:
        utc = instant.astimezone(UTC)
    except OverflowError:
        utc = LATEST
    if utc >= LATEST:
        raise Invalid("A silence must end before the year 9000.")
    return utc


def uuid_of(text: str, what: str = "silenceID in path") -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed(422, 601, f'{what} must be of type uuid: "{text}"') from None


def instant(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
