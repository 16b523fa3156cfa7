"""What sev1 watches by itself, where each stands, and what it says to intake about it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Kind = Literal["heartbeat", "check", "composite", "status-feed"]
Status = Literal["waiting", "ok", "trouble", "unreachable"]
"""`waiting`: nothing known yet; `unreachable`: a status page that cannot be read, which is no alert."""


class Sample(Struct, frozen=True):
    """How often each alert had been signalled at an instant: what a count within a window is the difference of."""

    at: datetime
    times: dict[str, int]


class State(Struct, frozen=True, kw_only=True):
    """Where one watch stands. Stored as it is; everything has a default, so that a later release can add fields."""

    status: Status = "waiting"
    firing: bool = False
    """Whether its alert fires: what was said to intake last."""
    why: str = "Not looked at yet."
    known_since: datetime | None = None
    """When sev1 first heard of it."""
    since: datetime | None = None
    """When `status` last changed."""
    checked_at: datetime | None = None
    failures: int = 0
    """In a row."""
    successes: int = 0
    """In a row."""
    open: dict[str, str] = {}
    """A vendor's open incidents: id -> title."""
    etag: str = ""
    modified: str = ""
    samples: tuple[Sample, ...] = ()


class Signal(Struct, frozen=True, kw_only=True):
    """One event of ours, in the words of the plain JSON format."""

    key: str
    status: Literal["firing", "resolved"]
    summary: str
    severity: str = ""
    service: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    links: tuple[str, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """What one probe found."""

    ok: bool
    why: str
    took_ms: int = 0


class FiringAlert(Struct, frozen=True, kw_only=True):
    """What a composite needs to know of an alert."""

    id: int
    labels: dict[str, str]
    received_at: datetime
    times: int


class VendorIncident(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    impact: Literal["critical", "major", "minor", "none", "maintenance"]
    open: bool
    status: str = ""
    url: str = ""


class Judged(Struct, frozen=True, kw_only=True):
    state: State
    due_at: datetime
    signals: tuple[Signal, ...] = ()


class Row(Struct, frozen=True, kw_only=True):
    """One row of `watches`."""

    kind: Kind
    name: str
    due_at: datetime
    seen_at: datetime | None
    state: State
