"""An incident: declared on suspicion, commanded by exactly one person, over when four criteria hold (book ch. 3, 8, 11)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sev1.catalog.audience import INTERNAL
from sev1.command.parts.board import Board, BoardCommand, BoardEvent
from sev1.command.parts.bridge import AskOfBridge, Bridge, BridgeCommand, BridgeEvent
from sev1.command.parts.clocks import ClockCommand, ClockEvent, Clocks, Promise, TellClocks
from sev1.command.parts.decisions import DecisionCommand, DecisionEvent, Decisions
from sev1.command.parts.family import Family, FamilyCommand, FamilyEvent, InnerFamilyCommand
from sev1.command.parts.handover import ExpireOffer, Handover, HandoverCommand, HandoverEvent
from sev1.command.parts.intake import Intake, IntakeCommand, IntakeEvent, Question
from sev1.command.parts.merging import InnerMergeCommand, MergeCommand, MergeEvent, Merging
from sev1.command.parts.mitigations import MitigationCommand, MitigationEvent, Mitigations, RemindOfMitigations
from sev1.command.parts.needs import NeedCommand, NeedEvent, Needs
from sev1.command.parts.pace import BreaksOver, CheckPace, Condition, Fresh, Pace, PaceCommand, PaceEvent
from sev1.command.parts.priority import Priority, PriorityCommand, PriorityEvent, level_of
from sev1.command.parts.privacy import Privacy, PrivacyCommand, PrivacyEvent
from sev1.command.parts.prompts import PromptCommand, PromptEvent, Prompts
from sev1.command.parts.reach import CheckReach, Reach, ReachCommand, ReachEvent
from sev1.command.parts.recovery import Recovery, RecoveryCommand, RecoveryEvent, RemindOfRecovery, Tick
from sev1.command.parts.runs import Checklist, RunCommand, RunEvent, Runs
from sev1.command.parts.tasks import AskAfterTasks, TaskCommand, TaskEvent, Tasks
from sev1.command.parts.workstreams import StreamCommand, StreamEvent, Workstreams
from sev1.command.terms import (
    AlertNumber,
    Command,
    Event,
    IncidentKey,
    Kin,
    Line,
    Name,
    OptionalProse,
    PageKey,
    PersonName,
    Prose,
    SeverityName,
)
from sev1.engine.decider import Fact

Role = Literal["ic", "ops", "comms", "scribe", "sme", "support", "sponsor", "security"]
ROLE_TITLES: dict[Role, str] = {
    "ic": "Incident Commander",
    "ops": "Operations lead",
    "comms": "Communications lead",
    "scribe": "Scribe",
    "sme": "Subject matter expert",
    "support": "Support lead",
    "sponsor": "Executive sponsor",
    "security": "Security lead",
}
MANY: frozenset[Role] = frozenset({"sme"})
"""Roles that several people hold at once; every other has one holder."""

Stage = Literal["detection", "triage", "investigation", "mitigation", "resolution", "recovery", "analysis"]
STAGES: tuple[Stage, ...] = (
    "detection",
    "triage",
    "investigation",
    "mitigation",
    "resolution",
    "recovery",
    "analysis",
)
STAGE_TITLES: dict[Stage, str] = {
    "detection": "Detection & declaration",
    "triage": "Triage & assessment",
    "investigation": "Investigation",
    "mitigation": "Mitigation",
    "resolution": "Resolution",
    "recovery": "Recovery",
    "analysis": "Post-incident analysis",
}

Criterion = Literal["restored", "impact_ended", "stable", "no_residual"]
CRITERIA: dict[Criterion, str] = {
    "restored": "Every affected service works again, and so do those that depend on it",
    "impact_ended": "Customers feel nothing of it any more",
    "stable": "Metrics are normal and no alert of it fires",
    "no_residual": "Nothing needs doing now to keep it that way",
}
"""The resolution gate (mission 11.1)."""

Status = Literal["none", "open", "resolved", "closed", "false_alarm", "merged"]
OVER: frozenset[Status] = frozenset({"closed", "false_alarm", "merged"})
"""Nothing is waited for any more, unless it is reopened."""

# --- commands ---------------------------------------------------------------------------------------------------------


class Declare(Command, frozen=True, kw_only=True, tag="declare"):
    """One line suffices; everything else can come later or from the alerts it is declared from."""

    title: Line
    severity: SeverityName | None = None
    """None: unknown impact, so the worst plausible one."""
    services: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()
    commander: PersonName | None = None
    """None: whoever declares."""
    alerts: Annotated[tuple[AlertNumber, ...], Meta(max_length=200)] = ()
    page: PageKey | None = None
    started_at: datetime | None = None
    """When the impact began, if known; None: when it was detected."""
    restricted: bool = False
    """True: from the first second only those with a role see it, and who is admitted; nothing is announced."""
    parent: IncidentKey | None = None
    """The incident that it belongs under."""


class AssignRole(Command, frozen=True, kw_only=True, tag="assign_role"):
    """Gives `role` to `person`; of all roles but SME, the previous holder lays it down in the same moment."""

    role: Role
    person: PersonName


class ReleaseRole(Command, frozen=True, kw_only=True, tag="release_role"):
    role: Role
    person: PersonName


class SetSeverity(Command, frozen=True, kw_only=True, tag="set_severity"):
    """Raising is one click. Lowering asks what makes us certain."""

    severity: SeverityName
    reason: OptionalProse = ""


class SetStage(Command, frozen=True, kw_only=True, tag="set_stage"):
    stage: Stage


class PostUpdate(Command, frozen=True, kw_only=True, tag="post_update"):
    """A CAN update: condition, actions, needs."""

    condition: Prose
    actions: OptionalProse = ""
    needs: OptionalProse = ""
    audience: Name = INTERNAL
    """Whom it is for: one of `organisation.audiences`, or those who work on it."""
    next_update_in_min: Annotated[int, Meta(ge=1, le=1440)] | None = None
    """None: by the rhythm of the severity and the audience."""


class RecordDecision(Command, frozen=True, kw_only=True, tag="record_decision"):
    decision: Prose
    reason: OptionalProse = ""
    alternatives: OptionalProse = ""
    on_bridge: bool = False
    """It was taken on the bridge, and is written down by whoever was there."""


class AddNote(Command, frozen=True, kw_only=True, tag="add_note"):
    text: Prose


class LinkPage(Command, frozen=True, kw_only=True, tag="link_page"):
    page: PageKey


class LinkAlerts(Command, frozen=True, kw_only=True, tag="link_alerts"):
    alerts: Annotated[tuple[AlertNumber, ...], Meta(min_length=1, max_length=200)]


class PageResponder(Command, frozen=True, kw_only=True, tag="page_responder"):
    """Wakes one more person for this incident."""

    person: PersonName
    ask: Line


class MarkMitigated(Command, frozen=True, kw_only=True, tag="mark_mitigated"):
    """The impact has stopped or is clearly smaller; the cause may still be there."""


class CorrectTimes(Command, frozen=True, kw_only=True, tag="correct_times"):
    """Sets when the impact began or was detected, once that is known better."""

    reason: Prose
    started_at: datetime | None = None
    detected_at: datetime | None = None


class ConfirmCriterion(Command, frozen=True, kw_only=True, tag="confirm_criterion"):
    criterion: Criterion


class OverrideCriterion(Command, frozen=True, kw_only=True, tag="override_criterion"):
    criterion: Criterion
    reason: Prose


class WithdrawCriterion(Command, frozen=True, kw_only=True, tag="withdraw_criterion"):
    criterion: Criterion
    reason: Prose


class ResolveIncident(Command, frozen=True, kw_only=True, tag="resolve"):
    """Refused until all four criteria are confirmed or overridden; while an incident under it is open, without a reason."""

    reason: OptionalProse = ""


class GiveAllClear(Command, frozen=True, kw_only=True, tag="give_all_clear"):
    """One message to everybody: it is over. Stands the responders down."""

    message: OptionalProse = ""


class CloseFalseAlarm(Command, frozen=True, kw_only=True, tag="close_false_alarm"):
    """It was nothing, and declaring was right anyway."""

    note: OptionalProse = ""


class Reopen(Command, frozen=True, kw_only=True, tag="reopen"):
    reason: Prose


class SayUnsure(Command, frozen=True, kw_only=True, tag="say_unsure"):
    """I am unsure, I am overwhelmed, something feels wrong: said to whoever commands, in confidence.

    It decides nothing and is never recorded; `command/concerns.py` keeps it for as long as it matters.
    """

    text: Annotated[str, Meta(max_length=2000)] = ""
    openly: bool = False
    """Whether all who see the incident may read it."""


class Undo(Command, frozen=True, kw_only=True, tag="undo"):
    """Takes back what an entry of the timeline did, by a new entry that corrects it."""

    entry: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """None: the latest of their own that can be undone."""


ResponderCommand = (
    AssignRole
    | ReleaseRole
    | SetSeverity
    | SetStage
    | PostUpdate
    | RecordDecision
    | AddNote
    | LinkPage
    | LinkAlerts
    | PageResponder
    | MarkMitigated
    | CorrectTimes
    | ConfirmCriterion
    | OverrideCriterion
    | WithdrawCriterion
    | ResolveIncident
    | GiveAllClear
    | CloseFalseAlarm
    | Reopen
    | SayUnsure
    | Undo
    | BoardCommand
    | TaskCommand
    | NeedCommand
    | StreamCommand
    | MitigationCommand
    | PrivacyCommand
    | FamilyCommand
    | ClockCommand
    | DecisionCommand
    | HandoverCommand
    | ReachCommand
    | PaceCommand
    | RecoveryCommand
    | PromptCommand
    | PriorityCommand
    | MergeCommand
    | BridgeCommand
    | IntakeCommand
    | RunCommand
)
"""What a responder may do in an incident, on every surface."""


TimerCommand = (
    AskAfterTasks
    | RemindOfMitigations
    | TellClocks
    | ExpireOffer
    | CheckReach
    | BreaksOver
    | CheckPace
    | RemindOfRecovery
    | AskOfBridge
)
"""What comes due by itself."""
InnerCommand = InnerFamilyCommand | InnerMergeCommand
"""What follows here from what happened in another incident."""
IncidentCommand = Declare | ResponderCommand | TimerCommand | InnerCommand


class Known(Struct, frozen=True, kw_only=True):
    """What the rules need to know of the world outside the incident, looked up before the decision."""

    update_every_min: int | None = 30
    """The rhythm of the severity that will hold after the command."""
    worst_severity: str = "sev-1"
    page_acknowledged_at: datetime | None = None
    detected_at: datetime | None = None
    started_at: datetime | None = None
    services: tuple[str, ...] = ()
    commander: str | None = None
    firing: tuple[int, ...] = ()
    """Linked alerts that still fire."""
    found: dict[Question, str] = {}
    """What the record says about the intake questions."""
    kin: Kin = Kin()
    findings: tuple[str, ...] = ()
    """What speaks against the criterion that is confirmed, in words."""
    review_at: datetime | None = None
    """When the review is proposed for: five working days ahead, in the morning of whoever commands."""
    promises: tuple[Promise, ...] = ()
    """The rhythms of the audiences outside the response."""
    answer_within_s: int | None = 300
    """The response target of the severity, seconds; None: it is only watched."""
    call_answered: bool = False
    """Whether the commander answered the page that calls them."""
    on_call: tuple[str, ...] = ()
    """Who is on call for the affected services, those who are awake first."""
    command_h: int = 4
    """Hours after which the severity wants command to change hands."""
    break_every_h: int = 2
    conditions: tuple[Condition, ...] = ()
    """Of those who work in it and are in the catalog."""
    fresh: tuple[Fresh, ...] = ()
    """Who might take command."""
    programs: tuple[str, ...] = ()
    """Of those who are in the incident, who cannot be woken: API tokens, accounts of nobody in the catalog."""
    checklist: Checklist | None = None
    """The runbook that is to be run, as the catalog has it."""
    record: tuple[Fact[Any], ...] = ()
    """The entries among which the one to undo is, oldest first."""


class Informed(Struct, frozen=True, kw_only=True):
    """A command with what is known."""

    command: IncidentCommand
    known: Known


# --- events -----------------------------------------------------------------------------------------------------------


class IncidentDeclared(Event, frozen=True, kw_only=True, tag="incident_declared"):
    title: str
    severity: str
    severity_assumed: bool
    """True when nobody gave one and the worst plausible was taken."""
    commander: str
    services: tuple[str, ...]
    started_at: datetime
    detected_at: datetime
    acknowledged_at: datetime
    next_update_at: datetime | None
    answered: bool = True
    """False: somebody else declared it, and `acknowledged_at` is when whoever commands first does something."""


class Mark(Struct, frozen=True, kw_only=True):
    """A criterion of the gate that holds: who said so, when, and why if it was overridden."""

    by: str
    at: datetime
    override: str = ""


class RoleAssigned(Event, frozen=True, kw_only=True, tag="role_assigned"):
    role: Role
    person: str
    previous: str | None = None
    was_temporary: bool = False
    """Whether `previous` commanded for the time being."""
    temporary: bool = False
    """Whether `person` does: where a correction gives command back."""
    corrects: int = 0
    """The version of the entry that this takes back; 0: none. So in every event that has it."""


class RoleReleased(Event, frozen=True, kw_only=True, tag="role_released"):
    role: Role
    person: str
    corrects: int = 0


class SeverityChanged(Event, frozen=True, kw_only=True, tag="severity_changed"):
    old: str
    new: str
    reason: str
    next_update_at: datetime | None
    was_assumed: bool = False
    """Whether `old` was taken because nobody had given one."""
    was_due: datetime | None = None
    """When the next update had been due before."""
    assumed: bool = False
    """Whether `new` is taken so again: where a correction gives it back."""
    corrects: int = 0


class StageChanged(Event, frozen=True, kw_only=True, tag="stage_changed"):
    old: Stage
    new: Stage
    corrects: int = 0


class UpdatePosted(Event, frozen=True, kw_only=True, tag="update_posted"):
    condition: str
    actions: str
    needs: str
    next_update_at: datetime | None
    """When this audience hears again."""
    audience: str = INTERNAL


class DecisionRecorded(Event, frozen=True, kw_only=True, tag="decision_recorded"):
    decision: str
    reason: str
    alternatives: str
    number: int = 0
    """0 in what was stored before decisions had numbers: then it is the next in order."""
    on_bridge: bool = False


class NoteAdded(Event, frozen=True, kw_only=True, tag="note_added"):
    text: str


class PageLinked(Event, frozen=True, kw_only=True, tag="page_linked"):
    page: str


class AlertsLinked(Event, frozen=True, kw_only=True, tag="alerts_linked"):
    alerts: tuple[int, ...]
    services: tuple[str, ...] = ()


class ResponderPaged(Event, frozen=True, kw_only=True, tag="responder_paged"):
    person: str
    ask: str


class ImpactMitigated(Event, frozen=True, kw_only=True, tag="impact_mitigated"):
    pass


class MitigationDenied(Event, frozen=True, kw_only=True, tag="mitigation_denied"):
    """That the impact was mitigated is taken back."""

    corrects: int


class NoteStruck(Event, frozen=True, kw_only=True, tag="note_struck"):
    corrects: int


class TimesCorrected(Event, frozen=True, kw_only=True, tag="times_corrected"):
    started_at: datetime
    detected_at: datetime
    reason: str


class CriterionConfirmed(Event, frozen=True, kw_only=True, tag="criterion_confirmed"):
    criterion: Criterion
    despite: tuple[str, ...] = ()
    """What was known to speak against it, and left to whoever confirmed it."""
    replaced: Mark | None = None
    """Why it held before."""


class CriterionOverridden(Event, frozen=True, kw_only=True, tag="criterion_overridden"):
    criterion: Criterion
    reason: str
    replaced: Mark | None = None


class CriterionWithdrawn(Event, frozen=True, kw_only=True, tag="criterion_withdrawn"):
    criterion: Criterion
    reason: str
    holds_again: Mark | None = None
    """Why it holds all the same: where a correction gives back what stood before."""
    corrects: int = 0


class IncidentResolved(Event, frozen=True, kw_only=True, tag="incident_resolved"):
    despite: tuple[str, ...] = ()
    """Incidents under it that were still open."""
    reason: str = ""


class AllClearGiven(Event, frozen=True, kw_only=True, tag="all_clear_given"):
    message: str
    thanks: tuple[str, ...] = ()
    """Everybody who had a hand in it: they are thanked by name and stood down."""


class ClosedAsFalseAlarm(Event, frozen=True, kw_only=True, tag="closed_as_false_alarm"):
    note: str


class IncidentReopened(Event, frozen=True, kw_only=True, tag="incident_reopened"):
    reason: str
    next_update_at: datetime | None


IncidentEvent = (
    IncidentDeclared
    | RoleAssigned
    | RoleReleased
    | SeverityChanged
    | StageChanged
    | UpdatePosted
    | DecisionRecorded
    | NoteAdded
    | PageLinked
    | AlertsLinked
    | ResponderPaged
    | ImpactMitigated
    | TimesCorrected
    | CriterionConfirmed
    | CriterionOverridden
    | CriterionWithdrawn
    | IncidentResolved
    | AllClearGiven
    | ClosedAsFalseAlarm
    | IncidentReopened
    | MitigationDenied
    | NoteStruck
    | BoardEvent
    | TaskEvent
    | NeedEvent
    | StreamEvent
    | MitigationEvent
    | PrivacyEvent
    | FamilyEvent
    | ClockEvent
    | DecisionEvent
    | HandoverEvent
    | ReachEvent
    | PaceEvent
    | RecoveryEvent
    | PromptEvent
    | PriorityEvent
    | MergeEvent
    | BridgeEvent
    | IntakeEvent
    | RunEvent
)


# --- state ------------------------------------------------------------------------------------------------------------


class Ending(Struct, frozen=True, kw_only=True):
    """An end that did not hold, as it stood when the incident was reopened."""

    gate: dict[Criterion, Mark]
    ticks: dict[str, Tick] = {}
    resolved_at: datetime | None = None
    all_clear_at: datetime | None = None
    reopened_at: datetime
    reopened_by: str
    reason: str


class Update(Struct, frozen=True, kw_only=True):
    """The latest CAN update."""

    condition: str
    actions: str
    needs: str
    by: str
    at: datetime


class Entries(Struct, frozen=True, kw_only=True):
    """Which entries of the record stand, and which were taken back (`command/undo.py`)."""

    latest: dict[str, tuple[int, ...]] = {}
    """By what they set (`stage`, `role/ops`, `T3`): the versions of the latest few, the newest last."""
    corrected: dict[int, int] = {}
    """Entry -> the entry that took it back."""


class Incident(Struct, frozen=True, kw_only=True):
    key: str
    status: Status = "none"
    title: str = ""
    severity: str = ""
    severity_assumed: bool = False
    stage: Stage = "detection"
    services: tuple[str, ...] = ()
    roles: dict[Role, tuple[str, ...]] = {}
    commander_is_temporary: bool = True
    """Until somebody takes command on purpose."""
    pages: tuple[str, ...] = ()
    alerts: tuple[int, ...] = ()
    update: Update | None = None
    next_update_at: datetime | None = None
    gate: dict[Criterion, Mark] = {}
    started_at: datetime | None = None
    detected_at: datetime | None = None
    declared_at: datetime | None = None
    declared_by: str = ""
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    all_clear_at: datetime | None = None
    board: Board = {}
    tasks: Tasks = {}
    needs: Needs = {}
    workstreams: Workstreams = {}
    mitigations: Mitigations = {}
    privacy: Privacy = Privacy()

    @property
    def insiders(self) -> tuple[str, ...]:
        """Who sees it while it is restricted: who was admitted and who holds a role, each once."""
        holders = (name for held in self.roles.values() for name in held)
        return tuple(dict.fromkeys((*self.privacy.admitted, *holders)))

    family: Family = Family()
    clocks: Clocks = {}
    decisions: Decisions = {}
    handover: Handover = Handover()
    reach: Reach = Reach()
    pace: Pace = Pace()
    recovery: Recovery = Recovery()
    merging: Merging = Merging()
    earlier_ends: tuple[Ending, ...] = ()
    """Each time that it was reopened: how it had ended."""
    prompts: Prompts = {}
    priority: Priority = Priority()
    runs: Runs = {}
    entries: Entries = Entries()
    bridge: Bridge = Bridge()
    intake: Intake = {}

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def commander(self) -> str:
        """The one Incident Commander (mission 8.1: never none)."""
        return self.roles["ic"][0]

    @property
    def priority_level(self) -> int:
        """1 to 5: what was said, else what follows from the severity."""
        return level_of(self.priority, self.severity)

    @property
    def missing(self) -> list[Criterion]:
        """Criteria of the gate that nobody has confirmed yet."""
        return [criterion for criterion in CRITERIA if criterion not in self.gate]
