"""Recovery: eight steps that begin with the resolution and are tracked to the end, and the review (missions 11.2, 11.3).

They outlive the all-clear: the impact is over before the last of them is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Event, NameOf, OptionalProse, PersonName, Prose, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, Refused

Step = Literal["services", "data", "mitigations", "monitoring", "alerts", "logs", "told", "review"]
STEPS: dict[Step, str] = {
    "services": "Every affected service does all that it should",
    "data": "Data is consistent, and what was lost is known",
    "mitigations": "Nothing temporary is left in place",
    "monitoring": "Monitoring and alerting are as they were",
    "alerts": "No alert of it is left open",
    "logs": "Logs and traces are kept for the review",
    "told": "Teams and stakeholders know that it is fully over",
    "review": "The review has a date and somebody who leads it",
}
"""In the order in which they are numbered from 1."""
REMINDED_AFTER = timedelta(days=3)
REMINDED_EVERY = timedelta(days=7)
REMINDERS = 5
BEFORE_REVIEW = timedelta(days=1)


class Tick(Struct, frozen=True, kw_only=True):
    by: str
    at: datetime
    note: str = ""
    applies: bool = True
    """False: there is nothing to do, and the note says why."""


class Review(Struct, frozen=True, kw_only=True):
    owner: str
    at: datetime
    proposed: bool = False
    """By the all-clear: nobody has said yet that it suits them."""
    reminded: bool = False


class Recovery(Struct, frozen=True, kw_only=True):
    began_at: datetime | None = None
    ticks: dict[Step, Tick] = {}
    owners: dict[Step, str] = {}
    remind_at: datetime | None = None
    reminders: int = 0
    review: Review | None = None

    @property
    def missing(self) -> list[Step]:
        return [step for step in STEPS if step not in self.ticks]


class TickRecovery(Command, frozen=True, kw_only=True, tag="tick_recovery"):
    """A step is done, or does not apply for the reason in `note`."""

    step: Step
    note: OptionalProse = ""
    applies: bool = True


class UntickRecovery(Command, frozen=True, kw_only=True, tag="untick_recovery"):
    step: Step
    reason: Prose


class AssignRecovery(Command, frozen=True, kw_only=True, tag="assign_recovery"):
    """Who sees to a step."""

    step: Step
    owner: PersonName


class PlanReview(Command, frozen=True, kw_only=True, tag="plan_review"):
    """When what happened is looked at together, and who leads that."""

    owner: PersonName
    at: datetime


class RemindOfRecovery(Command, frozen=True, kw_only=True, tag="remind_of_recovery"):
    """The timer's: what is left, and the review that is near."""


class RecoveryTicked(Event, frozen=True, kw_only=True, tag="recovery_ticked"):
    step: Step
    note: str = ""
    applies: bool = True


class RecoveryUnticked(Event, frozen=True, kw_only=True, tag="recovery_unticked"):
    step: Step
    reason: str


class RecoveryAssigned(Event, frozen=True, kw_only=True, tag="recovery_assigned"):
    step: Step
    owner: str


class ReviewPlanned(Event, frozen=True, kw_only=True, tag="review_planned"):
    owner: str
    at: datetime
    proposed: bool = False


class RecoveryReminded(Event, frozen=True, kw_only=True, tag="recovery_reminded"):
    missing: tuple[str, ...]


class ReviewReminded(Event, frozen=True, kw_only=True, tag="review_reminded"):
    owner: str
    at: datetime


RecoveryCommand = TickRecovery | UntickRecovery | AssignRecovery | PlanReview
RecoveryEvent = RecoveryTicked | RecoveryUnticked | RecoveryAssigned | ReviewPlanned | RecoveryReminded | ReviewReminded


def decide(recovery: Recovery, command: RecoveryCommand | RemindOfRecovery, scene: Scene) -> list[RecoveryEvent]:
    match command:
        case RemindOfRecovery():
            return _remind(recovery, scene.now)
        case PlanReview():
            return _plan(recovery, command, scene.now)
    if recovery.began_at is None:
        raise Refused("Recovery begins when the incident is resolved: confirm the four criteria and resolve it.")
    match command:
        case TickRecovery():
            note = command.note.strip()
            if not command.applies and not note:
                raise Invalid("Say why this step does not apply.", field="note")
            old = recovery.ticks.get(command.step)
            if old and (old.note, old.applies) == (note, command.applies):
                return []
            return [RecoveryTicked(step=command.step, note=note, applies=command.applies)]
        case UntickRecovery():
            held = command.step in recovery.ticks
            return [RecoveryUnticked(step=command.step, reason=command.reason)] if held else []
        case AssignRecovery():
            same = recovery.owners.get(command.step) == command.owner
            return [] if same else [RecoveryAssigned(step=command.step, owner=command.owner)]
        case _:
            assert_never(command)


def _plan(recovery: Recovery, command: PlanReview, now: datetime) -> list[RecoveryEvent]:
    if command.at <= now:
        raise Invalid("That time has passed. Plan the review for one that lies ahead.", field="at")
    old = recovery.review
    same = old is not None and (old.owner, old.at, old.proposed) == (command.owner, command.at, False)
    events: list[RecoveryEvent] = [] if same else [ReviewPlanned(owner=command.owner, at=command.at)]
    if recovery.began_at and "review" not in recovery.ticks:
        events.append(RecoveryTicked(step="review"))
    return events


def _remind(recovery: Recovery, now: datetime) -> list[RecoveryEvent]:
    events: list[RecoveryEvent] = []
    if recovery.remind_at and recovery.remind_at <= now and recovery.missing:
        events.append(RecoveryReminded(missing=tuple(recovery.missing)))
    review = recovery.review
    if review and not review.reminded and review.at - BEFORE_REVIEW <= now:
        events.append(ReviewReminded(owner=review.owner, at=review.at))
    return events


def began(recovery: Recovery, at: datetime) -> Recovery:
    """After the incident was resolved."""
    return Recovery(began_at=at, remind_at=at + REMINDED_AFTER, review=recovery.review)


def timers(recovery: Recovery) -> Mapping[str, datetime]:
    due = [recovery.remind_at] if recovery.remind_at and recovery.missing else []
    review = recovery.review
    if review and not review.reminded:
        due.append(review.at - BEFORE_REVIEW)
    return {"recovery": min(due)} if due else {}


def evolve(recovery: Recovery, fact: Fact[RecoveryEvent]) -> Recovery:
    event = fact.event
    match event:
        case RecoveryTicked():
            tick = Tick(by=fact.by.id, at=fact.at, note=event.note, applies=event.applies)
            return replace(recovery, ticks={**recovery.ticks, event.step: tick})
        case RecoveryUnticked():
            return replace(recovery, ticks={step: t for step, t in recovery.ticks.items() if step != event.step})
        case RecoveryAssigned():
            return replace(recovery, owners={**recovery.owners, event.step: event.owner})
        case ReviewPlanned():
            return replace(recovery, review=Review(owner=event.owner, at=event.at, proposed=event.proposed))
        case RecoveryReminded():
            count = recovery.reminders + 1
            following = fact.at + REMINDED_EVERY if count < REMINDERS else None
            return replace(recovery, reminders=count, remind_at=following)
        case ReviewReminded():
            return replace(recovery, review=replace(recovery.review, reminded=True)) if recovery.review else recovery
        case _:
            assert_never(event)


def number_of(step: Step) -> int:
    return list(STEPS).index(step) + 1


def words(event: RecoveryEvent, name_of: NameOf) -> Words:
    match event:
        case RecoveryTicked(applies=False):
            return "gate", "", f"Does not apply: {STEPS[event.step]}", (("Because", event.note),)
        case RecoveryTicked():
            return "gate", "✅", f"Recovery: {STEPS[event.step]}", (("Note", event.note),)
        case RecoveryUnticked():
            return "gate", "⚠️", f"No longer holds: {STEPS[event.step]}", (("Reason", event.reason),)
        case RecoveryAssigned():
            return "work", "", f"{name_of(event.owner)} sees to it: {STEPS[event.step]}", ()
        case ReviewPlanned():
            verb = "proposed" if event.proposed else "planned"
            return "work", "", f"Review {verb} for {spoken(event.at)}, led by {name_of(event.owner)}", ()
        case RecoveryReminded() | ReviewReminded():
            return "hidden", "", "A reminder went out", ()
        case _:
            assert_never(event)
