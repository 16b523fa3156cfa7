"""What comes in, whatever the sender's format: an inbound event."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Action = Literal["firing", "acknowledged", "resolved", "noted"]
"""`noted` says something about an alert that fires, for its history, and changes nothing else."""


class InboundLink(Struct, frozen=True, kw_only=True):
    title: str
    url: str


class InboundEvent(Struct, frozen=True, kw_only=True):
    """One signal of one sender. `fingerprint` is what makes two signals of one key the same problem."""

    action: Action
    fingerprint: str
    source: str
    """The name of the format: `prometheus`, `pagerduty`, `json`, `report`, …"""
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    links: tuple[InboundLink, ...] = ()
    starts_at: datetime | None = None
    """When the sender says it began; None: when it was received."""
    expires_at: datetime | None = None
    """For senders that re-send while it lasts: without news until then it is over."""
    count: int = 1
    """How many occurrences it stands for: lines of a log, for example."""
    note: str = ""
    """What the sender adds to the alert's history."""


class InboundChange(Struct, frozen=True, kw_only=True):
    """Something was changed: a deploy, a flag, a migration. Not an alert: it wakes nobody, it explains."""

    at: datetime
    summary: str
    source: str
    """Who or what changed it, in the sender's words; the name of the format when it does not say."""
    service: str | None = None
    links: tuple[InboundLink, ...] = ()
    details: dict[str, str] = {}


Inbound = InboundEvent | InboundChange


class Parsed(Struct, frozen=True, kw_only=True):
    """A payload understood: its events, and the exact answer that its sender expects once they are stored."""

    events: tuple[InboundEvent, ...]
    status: int
    body: bytes
    content_type: bytes = b"application/json"
    changes: tuple[InboundChange, ...] = ()
