"""What triage knows and says: an alert, a silence, and the verdict with its reasons."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from sev1.catalog.matchers import Matcher
from sev1.catalog.model import Tier
from sev1.intake.model import InboundLink

StageName = Literal["dedup", "silence", "inhibit", "tier", "route", "group"]
Held = Literal["silenced", "inhibited"]
SilenceState = Literal["pending", "active", "expired"]
TierFrom = Literal["route", "severity", "nothing"]


class Stage(Struct, frozen=True, kw_only=True):
    """What one stage found. `outcome` is one word for programs, `reason` a sentence for people."""

    name: StageName
    outcome: str
    reason: str


_HOLDERS: dict[str, StageName] = {"flapping": "group"}
_ASKED = {("inhibit", "depends"), ("route", "fallback"), ("route", "nobody")}
"""Stages and outcomes that queries look for: see `alerts.NOBODY_ROUTES` and `recheck_store.released`."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of an alert, and why. Stored with the alert and shown on its page."""

    stages: tuple[Stage, ...] = ()
    tier: Tier | None = None
    tier_from: TierFrom = "severity"
    """`nothing`: neither a route nor the sender's severity puts it into a tier (mission 5.5)."""
    severity: str | None = None
    """The severity suggested for an incident declared from it: `sev-1`; None where nothing suggests one."""
    service: str | None = None
    """A service of the catalog; None for an alert whose service is unknown."""
    route: str | None = None
    policy: str | None = None
    """The escalation policy; None: there is nobody to page."""
    group_key: str | None = None
    group_labels: dict[str, str] = {}
    held: Held | None = None
    held_by: str | None = None
    """The id of the silence, or the inhibiting alert: `A-7`."""
    page: str | None = None
    channel: str | None = None
    """The route's channel, `#api-prod`."""
    tier_by: str = ""
    """What put it into its tier: `route NAME`, `label tier`, `slo`, `severity`, or `nothing: …` for what fits none."""
    expects: str = ""
    """What the alert asks of whoever sees it, as a sentence (mission 5.5)."""
    flapping: bool = False
    during: str | None = None
    """For an FYI, the open incident of its service during which it is held back."""

    @property
    def gist(self) -> dict[str, Any]:
        """What queries ask of verdicts: this much stands with each alert of those that share one."""
        asked: dict[str, Any] = {
            "stages": [replace(s, reason="") for s in self.stages if (s.name, s.outcome) in _ASKED]
        }
        if self.severity:
            asked["severity"] = self.severity
        if self.tier_from == "nothing":
            asked |= {"tier_from": self.tier_from, "tier_by": self.tier_by}
        return asked

    def stage(self, name: StageName) -> Stage | None:
        return next((stage for stage in self.stages if stage.name == name), None)

    @property
    def nobody(self) -> bool:
        """It should wake somebody and there is nobody to wake."""
        return self.tier == "page" and self.held is None and self.policy is None

    @property
    def conclusion(self) -> str:
        """The sentence that matters most: why it is held, why nobody is paged, or where it went."""
        decisive: StageName = "group"
        if self.held:
            decisive = _HOLDERS.get((self.held_by or "").partition(":")[0], "inhibit")
            if self.held == "silenced":
                decisive = "silence"
        elif self.nobody:
            decisive = "route"
        elif self.tier != "page":
            decisive = "tier"
        stage = self.stage(decisive)
        return stage.reason if stage else ""


class AlertRow(Struct, frozen=True, kw_only=True):
    """A row of `alerts`: one episode of one problem, from firing to resolved."""

    id: int
    key_id: int
    """The integration key that it came through."""
    fingerprint: str
    source: str
    status: Literal["firing", "resolved"]
    held: Held | None
    held_by: str | None
    tier: Tier | None
    service: str | None
    severity: str | None
    """The sender's own word."""
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    links: tuple[InboundLink, ...]
    starts_at: datetime
    expires_at: datetime | None
    resolved_at: datetime | None
    received_at: datetime
    updated_at: datetime
    times: int
    """How often it was signalled."""
    verdict: Verdict
    route: str | None
    group_key: str | None
    page: str | None
    incident: str | None
    payload_writer: int | None
    payload_id: int | None

    @property
    def key(self) -> str:
        return alert_key(self.id)

    @property
    def hold(self) -> str:
        """What holds it, as one word: `silenced`, `maintenance`, `inhibited`, `flapping`, or nothing."""
        kind = (self.held_by or "").partition(":")[0]
        return kind if kind in {"maintenance", "flapping"} else self.held or ""


def rule_of(alert: AlertRow) -> str:
    """What its rule is called: the label `alertname`, else the summary."""
    return alert.labels.get("alertname") or alert.summary


class Transition(Struct, frozen=True, kw_only=True):
    """One line of an alert's history."""

    alert_id: int
    at: datetime
    what: str
    """`fired`, `resolved`, `expired`, `acknowledged`, `silenced`, `inhibited`, `looked-at-again`, `noted`."""
    reason: str = ""


class Silence(Struct, frozen=True, kw_only=True):
    """Alerts that match stay quiet until it ends. It has an owner, a reason and an end (mission 5.4)."""

    id: UUID
    key_id: int | None
    """Only alerts which came through this integration key; None: all alerts."""
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime

    def state(self, now: datetime) -> SilenceState:
        if now < self.starts_at:
            return "pending"
        return "active" if now < self.ends_at else "expired"

    def covers(self, key_id: int, labels: dict[str, str]) -> bool:
        """Whether it is about this alert, whatever the time."""
        if self.key_id is not None and self.key_id != key_id:
            return False
        return all(matcher.matches(labels) for matcher in self.matchers)

    @property
    def label(self) -> str:
        """A short name for sentences: `S-1a2b`."""
        return f"S-{str(self.id)[:4]}"


class OpenAlert(Struct, frozen=True, kw_only=True):
    """What triage needs of an alert that fires already."""

    id: int
    key_id: int
    fingerprint: str
    labels: dict[str, str]
    starts_at: datetime
    expires_at: datetime | None
    received_at: datetime
    held: Held | None = None
    held_by: str | None = None
    tier: Tier | None = None
    page: str | None = None
    page_resolved_at: datetime | None = None
    """When its page was resolved; None while that is open."""
    payload_writer: int | None = None
    payload_id: int | None = None
    """The inbox row that opened it."""

    @property
    def page_is_open(self) -> bool:
        return self.page is not None and self.page_resolved_at is None


class Source(Struct, frozen=True, kw_only=True):
    """A firing alert that may inhibit others."""

    id: int
    labels: dict[str, str]


class OpenPage(Struct, frozen=True, kw_only=True):
    key: str
    """Empty for one that the batch is about to open."""
    incident: str | None = None
    group_key: str = ""
    service: str | None = None
    policy: str | None = None
    severity: str | None = None
    alert_count: int = 0


class InMaintenance(Struct, frozen=True, kw_only=True):
    """A maintenance window in force."""

    name: str
    title: str
    owner: str
    reason: str
    services: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    until: datetime

    @property
    def held_by(self) -> str:
        return f"maintenance:{self.name}"


class Subject(Struct, frozen=True, kw_only=True):
    """The alert under triage."""

    id: int
    key_id: int
    fingerprint: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    before: OpenAlert | None = None
    """The firing alert with the same key and fingerprint."""
    again: str = ""
    """Why an alert that is known already is looked at again: a whole sentence."""


def alert_key(alert_id: int) -> str:
    return f"A-{alert_id}"
