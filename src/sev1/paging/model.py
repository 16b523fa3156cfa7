"""A page: one run of an escalation policy over time, for one problem, until somebody has it and it is over."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from sev1.catalog.model import EscalationPolicy, Link
from sev1.paging.diagnostics import (
    DiagnosticAnswered,
    DiagnosticAsked,
    ReportDiagnostic,
    Run,
    RunDiagnostic,
    StartDiagnostic,
)
from sev1.paging.fix import (
    Fix,
    FixDidNotHelp,
    FixDue,
    FixHelped,
    FixReported,
    ReportFix,
    WatchFix,
)
from sev1.paging.suggestion import IncidentSuggested, SuggestIncident, Suggestion
from sev1.paging.terms import Command, Event

Status = Literal["none", "triggered", "acknowledged", "snoozed", "resolved"]

MAX_SNOOZE_S = 24 * 3600


class Paged(Struct, frozen=True, kw_only=True):
    """A person and the reason why it is them."""

    person: str
    because: str


Who = tuple[tuple[Paged, ...], ...]
"""The people of every step of the policy as resolved now; empty where a step has nobody."""


class Eligible(Struct, frozen=True, kw_only=True):
    """Whom a step would ask at an instant."""

    people: tuple[Paged, ...] = ()
    """Who is asked when it starts; of a round-robin the candidates, the first of whom is asked."""
    later: tuple[Paged, ...] = ()
    """Who is asked as well when none of `people` answers in the first half of the wait."""
    passed_over: tuple[Paged, ...] = ()
    """Who would have been asked, and why not."""
    nobody: str = "Nobody is on call for this step."
    """Why the step asks nobody, when it does."""


class Pending(Struct, frozen=True, kw_only=True):
    """The step that starts when the page's waiting is over."""

    step: int
    round: int
    reason: str


class Brief(Struct, frozen=True, kw_only=True):
    """What the first alert says about the problem, for whoever is woken: as much as the sender told (mission 5.7)."""

    since: datetime | None = None
    impact: str = ""
    first: str = ""
    """What to try first."""
    verify: tuple[Link, ...] = ()
    """Where to look: dashboards, the source of the alert."""
    runbook_url: str = ""
    plan: str = ""
    """Name of the response plan that was for the first alert."""


# --- commands ---------------------------------------------------------------------------------------------------------


class Open(Command, frozen=True, kw_only=True, tag="open"):
    title: str
    group_key: str
    policy: EscalationPolicy
    why: str
    service: str | None = None
    severity: str | None = None
    alert_count: int = 1
    brief: Brief = Brief()
    who: tuple[Eligible, ...] = ()


class JoinAlerts(Command, frozen=True, kw_only=True, tag="join_alerts"):
    count: int
    summary: str
    severity: str | None = None
    """The worst that they suggest; worse than the page's, it pages again."""
    who: tuple[Eligible, ...] = ()


class EscalationDue(Command, frozen=True, kw_only=True, tag="escalation_due"):
    due: datetime
    who: tuple[Eligible, ...] = ()


class UnattendedDue(Command, frozen=True, kw_only=True, tag="unattended_due"):
    due: datetime
    who: tuple[Eligible, ...] = ()


class SnoozeDue(Command, frozen=True, kw_only=True, tag="snooze_due"):
    due: datetime
    who: tuple[Eligible, ...] = ()


class ReportSent(Command, frozen=True, kw_only=True, tag="report_sent"):
    """A channel accepted the notice for `person`."""

    person: str
    method: str
    receipt: str
    repeat: bool = False


class ReportUnreachable(Command, frozen=True, kw_only=True, tag="report_unreachable"):
    """Every contact method of `person` failed."""

    person: str
    error: str
    who: tuple[Eligible, ...] = ()


class EscalateTo(Command, frozen=True, kw_only=True, tag="escalate_to"):
    """`Escalate`, with the people looked up."""

    who: tuple[Eligible, ...] = ()


class LinkIncident(Command, frozen=True, kw_only=True, tag="link_incident"):
    incident: str


class Acknowledge(Command, frozen=True, kw_only=True, tag="acknowledge"):
    """I have it: the escalation stops."""


class Escalate(Command, frozen=True, kw_only=True, tag="escalate"):
    """Page the next step now."""


class Reassign(Command, frozen=True, kw_only=True, tag="reassign"):
    """Page `person` instead; the policy goes on behind them."""

    person: str


class Snooze(Command, frozen=True, kw_only=True, tag="snooze"):
    """Quiet until an instant, at most 24 hours away; then it is paged again."""

    until: datetime


class Resolve(Command, frozen=True, kw_only=True, tag="resolve"):
    reason: str = ""


PersonCommand = Acknowledge | Escalate | Reassign | Snooze | RunDiagnostic | ReportFix | Resolve
"""What a responder may ask for, on every surface."""

PageCommand = (
    PersonCommand
    | Open
    | JoinAlerts
    | EscalationDue
    | UnattendedDue
    | SnoozeDue
    | ReportSent
    | ReportUnreachable
    | EscalateTo
    | LinkIncident
    | StartDiagnostic
    | ReportDiagnostic
    | WatchFix
    | FixDue
    | SuggestIncident
)


# --- events -----------------------------------------------------------------------------------------------------------


class PageOpened(Event, frozen=True, kw_only=True, tag="page_opened"):
    title: str
    group_key: str
    policy: EscalationPolicy
    """As it was: a later change of the catalog does not change a running page."""
    why: str
    service: str | None = None
    severity: str | None = None
    alert_count: int = 1
    brief: Brief = Brief()


class AlertsJoined(Event, frozen=True, kw_only=True, tag="alerts_joined"):
    count: int
    summary: str
    severity: str | None = None
    """The page's severity from now on; None: as before."""


class StepStarted(Event, frozen=True, kw_only=True, tag="step_started"):
    step: int
    """Index into the policy's steps."""
    round: int
    people: tuple[Paged, ...]
    reason: str
    next_at: datetime | None
    """When the next step is due, or `later`; None after the last of the last round."""
    later: tuple[Paged, ...] = ()
    """Who is asked as well when nobody answers until then."""
    passed_over: tuple[Paged, ...] = ()
    """Who would have been asked, and why not."""
    widens: bool = False
    """`people` are asked beside those who are asked already: the second half of the same step."""


class StepSkipped(Event, frozen=True, kw_only=True, tag="step_skipped"):
    step: int
    round: int
    reason: str
    passed_over: tuple[Paged, ...] = ()


class PageHeld(Event, frozen=True, kw_only=True, tag="page_held"):
    """Nobody is asked until then: it may wait for office hours, or the policy pauses between two rounds."""

    until: datetime
    step: int
    """What starts then."""
    round: int
    reason: str


class PolicyExhausted(Event, frozen=True, kw_only=True, tag="policy_exhausted"):
    """Every step of every round was paged and nobody answered, or there was nobody to page."""


class PageAcknowledged(Event, frozen=True, kw_only=True, tag="page_acknowledged"):
    attend_by: datetime | None
    """Paged again then, unless there is an incident, a snooze or a new sign of life."""


class PageUnattended(Event, frozen=True, kw_only=True, tag="page_unattended"):
    after_s: int


class PageSnoozed(Event, frozen=True, kw_only=True, tag="page_snoozed"):
    until: datetime


class SnoozeEnded(Event, frozen=True, kw_only=True, tag="snooze_ended"):
    pass


class PageReassigned(Event, frozen=True, kw_only=True, tag="page_reassigned"):
    person: str
    next_at: datetime | None


class NoticeSent(Event, frozen=True, kw_only=True, tag="notice_sent"):
    person: str
    method: str
    receipt: str
    repeat: bool = False


class PersonUnreachable(Event, frozen=True, kw_only=True, tag="person_unreachable"):
    person: str
    error: str


class IncidentLinked(Event, frozen=True, kw_only=True, tag="incident_linked"):
    incident: str


class PageResolved(Event, frozen=True, kw_only=True, tag="page_resolved"):
    reason: str


PageEvent = (
    PageOpened
    | AlertsJoined
    | StepStarted
    | StepSkipped
    | PageHeld
    | PolicyExhausted
    | PageAcknowledged
    | PageUnattended
    | PageSnoozed
    | SnoozeEnded
    | PageReassigned
    | NoticeSent
    | PersonUnreachable
    | IncidentLinked
    | DiagnosticAsked
    | DiagnosticAnswered
    | FixReported
    | FixHelped
    | FixDidNotHelp
    | IncidentSuggested
    | PageResolved
)


# --- state ------------------------------------------------------------------------------------------------------------


class Page(Struct, frozen=True, kw_only=True):
    key: str
    status: Status = "none"
    title: str = ""
    service: str | None = None
    severity: str | None = None
    group_key: str = ""
    why: str = ""
    brief: Brief = Brief()
    policy: EscalationPolicy | None = None
    step: int = -1
    round: int = 0
    people: tuple[Paged, ...] = ()
    """Who is being asked now."""
    paged: tuple[str, ...] = ()
    """Everybody who was asked at some time, in order."""
    unreachable: tuple[str, ...] = ()
    """Of the current step."""
    next_at: datetime | None = None
    later: tuple[Paged, ...] = ()
    """Who is asked as well at `next_at`."""
    pending: Pending | None = None
    """What starts at `next_at` when that is not simply the following step."""
    exhausted: bool = False
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    """The first time."""
    acknowledged_by: str | None = None
    """The latest."""
    last_sign_of_life: datetime | None = None
    attend_by: datetime | None = None
    snoozed_until: datetime | None = None
    incident: str | None = None
    diagnostics: tuple[Run, ...] = ()
    """The latest run of each."""
    fix: Fix | None = None
    """The latest."""
    suggestion: Suggestion | None = None
    """What a declaration policy found."""
    alert_count: int = 0
    resolved_at: datetime | None = None
    resolution: str = ""

    @property
    def is_open(self) -> bool:
        return self.status not in {"none", "resolved"}
