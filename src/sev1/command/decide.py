"""The rules of incident command. Pure (missions 1.1, 1.5, 3.2, 8.1, 8.6, 9.1, 9.3, 11.1, 11.3).

Declaring, roles, severity, stages, updates and the end are here; the parts of an incident have rules of their own
(`command/parts`), and this sends each command to the part that knows it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never

from msgspec.structs import replace

from sev1.catalog.audience import INTERNAL
from sev1.command import fatigue, prompts, restricted, succession, undo
from sev1.command import model as m
from sev1.command import needs_between as between
from sev1.command.evolve import evolve
from sev1.command.merge import merge, take_in
from sev1.command.parts import PARTS, clocks, decisions, intake, part_of, runs, waits
from sev1.command.parts import family as f
from sev1.command.parts import needs as n
from sev1.command.parts import privacy as p
from sev1.command.parts.merging import MergeInto, TakeIn
from sev1.command.parts.pace import CheckPace
from sev1.command.parts.prompts import LaterPrompt
from sev1.command.parts.recovery import ReviewPlanned
from sev1.command.parts.runs import StartRun
from sev1.command.parts.tasks import GiveTask
from sev1.command.terms import Command, Scene
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid, NotFound, Refused

FUTURE_TOLERANCE = timedelta(minutes=5)
"""Clocks differ; a start this little ahead of ours is taken as now."""


class IncidentAggregate:
    kind = "incident"
    event_type: Any = m.IncidentEvent

    def initial(self, key: str) -> m.Incident:
        return m.Incident(key=key)

    def decide(self, state: m.Incident, command: m.Informed, now: datetime, by: Actor) -> list[m.IncidentEvent]:
        """What follows from `command`.

        Raises NotFound for an incident that was never declared, Refused where a rule forbids it, Invalid for values
        that cannot be meant. Asking for what is already so decides nothing.
        """
        if isinstance(command.command, m.Declare):
            return _declare(state, command.command, command.known, now, by)
        if state.status == "none":
            raise NotFound(f"There is no incident {state.key}.")
        return _respond(state, command.command, command.known, now, by)

    def evolve(self, state: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
        return evolve(state, fact)

    def timers(self, state: m.Incident) -> Mapping[str, datetime]:
        """What the parts wait for: while it is open, and what outlives it always."""
        return {
            kind: due
            for part in PARTS
            for kind, due in waits(part, getattr(state, part.name), is_open=state.is_open).items()
        }

    def timer_command(self, kind: str, due: datetime) -> Command:  # noqa: ARG002 - what is due says the state
        for part in PARTS:
            if kind in part.timer_commands:
                return part.timer_commands[kind]()
        raise ValueError(f"an incident has no timer {kind!r}")


def _declare(state: m.Incident, command: m.Declare, known: m.Known, now: datetime, by: Actor) -> list[m.IncidentEvent]:
    if state.status != "none":
        raise Refused(f"{state.key} is declared already.")
    detected = min(known.detected_at or now, now)
    started = command.started_at or known.started_at or detected
    if started > now + FUTURE_TOLERANCE:
        raise Invalid("The start lies in the future. Give the time when the impact began, or leave it out.")
    events: list[m.IncidentEvent] = [
        m.IncidentDeclared(
            title=command.title.strip(),
            severity=command.severity or known.worst_severity,
            severity_assumed=command.severity is None,
            commander=known.commander or by.id,
            services=tuple(dict.fromkeys((*command.services, *known.services))),
            started_at=min(started, detected),
            detected_at=detected,
            acknowledged_at=max(known.page_acknowledged_at or now, detected),
            next_update_at=_next(now, known.update_every_min),
            answered=known.page_acknowledged_at is not None or known.commander in {None, by.id},
        )
    ]
    if command.page:
        events.append(m.PageLinked(page=command.page))
    if command.alerts:
        events.append(m.AlertsLinked(alerts=command.alerts))
    restricted.check_declared(command)
    if command.restricted:
        events.append(p.IncidentRestricted(admitted=tuple(dict.fromkeys((known.commander or by.id, by.id)))))
    if command.parent:
        events.append(f.joins(command.parent, known.kin))
    events += intake.newly_found({}, known.found)
    return [*events, *(clocks.first_promises(known.promises, now) if not command.restricted else ())]


def _respond(
    state: m.Incident,
    command: m.ResponderCommand | m.TimerCommand | m.InnerCommand,
    known: m.Known,
    now: datetime,
    by: Actor,
) -> list[m.IncidentEvent]:
    restricted.check(state, command, by)
    if state.privacy.restricted:
        known = replace(known, promises=())  # nobody outside is promised anything
    if isinstance(command, f.AcceptNeed):
        return between.accept(state, command)
    if isinstance(command, f.SettleNeed):
        return between.settle(state, command)
    if part := part_of(command):
        may_be_over = part.outlives or (part.commands_after and isinstance(command, part.commands_after))
        if not may_be_over and not isinstance(command, m.InnerCommand | f.LeaveParent):
            _must_be_open(state)
        if isinstance(command, f.EscalateNeed):
            return between.escalate(state, command)
        if isinstance(command, MergeInto):
            return merge(state, command, known)
        if isinstance(command, TakeIn):
            return take_in(state, command, now)
        if isinstance(command, CheckPace):
            return fatigue.check(state, known, now)
        if isinstance(command, LaterPrompt):
            return prompts.put_off(state, command, known.update_every_min, now, by)
        if isinstance(command, succession.Change):
            return succession.decide(state, command, known, now, by)
        if isinstance(command, StartRun):
            return [*runs.start(state.runs, command, known.checklist)]
        if isinstance(command, GiveTask) and command.workstream and command.workstream not in state.workstreams:
            raise NotFound(f"There is no workstream W{command.workstream} in {state.key}.")
        scene = Scene(
            now=now,
            by=by,
            commander=state.commander,
            rhythm_min=known.update_every_min,
            kin=known.kin,
            severity=state.severity,
        )
        assert part.decide is not None, f"nobody decides {command!r}"
        of_part = getattr(state, part.name)
        if part.lives_on and not state.is_open and isinstance(command, m.TimerCommand):
            of_part = part.lives_on(of_part)
        return [*_times_said(state, command, now), *part.decide(of_part, command, scene)]
    match command:
        case m.SayUnsure():
            return []
        case m.Undo():
            return undo.decide(state, command, known, now, by)
        case m.AddNote():
            return [m.NoteAdded(text=command.text)]
        case m.CorrectTimes():
            return _correct_times(state, command, now)
        case m.Reopen():
            return [*_reopen(state, command, known, now), *clocks.first_promises(known.promises, now)]
        case m.GiveAllClear():
            return _all_clear(state, command, known, now)
        case m.LinkPage():
            if command.page in state.pages:
                return []
            return [m.PageLinked(page=command.page), *intake.newly_found(state.intake, known.found)]
        case m.LinkAlerts():
            new = tuple(dict.fromkeys(a for a in command.alerts if a not in state.alerts))
            services = tuple(s for s in known.services if s not in state.services)
            linked = m.AlertsLinked(alerts=new, services=services)
            return [linked, *intake.newly_found(state.intake, known.found)] if new else []
        case m.AssignRole():
            return _assign(state, command)
        case m.ReleaseRole():
            return _release(state, command)
        case _:
            _must_be_open(state)
            return _while_open(state, command, known, now)


def _while_open(state: m.Incident, command: Command, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    match command:
        case m.SetSeverity():
            return _severity(state, command, known, now)
        case m.SetStage():
            return _stage(state, command)
        case m.PostUpdate():
            return _post(state, command, known, now)
        case m.RecordDecision():
            return [
                m.DecisionRecorded(
                    decision=command.decision,
                    reason=command.reason,
                    alternatives=command.alternatives,
                    number=decisions.next_number(state.decisions),
                    on_bridge=command.on_bridge,
                )
            ]
        case m.PageResponder():
            return [*restricted.let_in(state, command.person), m.ResponderPaged(person=command.person, ask=command.ask)]
        case m.MarkMitigated():
            return [] if state.mitigated_at else [m.ImpactMitigated()]
        case m.ConfirmCriterion() | m.OverrideCriterion() | m.WithdrawCriterion():
            return _gate(state, command, known)
        case m.ResolveIncident():
            return _resolve(state, command, known)
        case m.CloseFalseAlarm():
            if known.kin.open_children:
                raise Refused(f"{_open_under(known)}. End it first, or take it out from under this one: /parent none.")
            return [m.ClosedAsFalseAlarm(note=command.note)]
        case _:
            raise TypeError(f"not an incident command: {command!r}")


def _post(state: m.Incident, command: m.PostUpdate, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    inside = command.audience == INTERNAL
    if inside:
        due = _next(now, command.next_update_in_min or known.update_every_min)
    else:
        due = clocks.next_of(command.audience, known.promises, now, command.next_update_in_min)
    posted = m.UpdatePosted(
        condition=command.condition,
        actions=command.actions,
        needs=command.needs,
        next_update_at=due,
        audience=command.audience,
    )
    # What an audience outside is told that it should do is not a need of the response.
    return [posted, *(n.raise_needs(state.needs, n.lines_of(command.needs)) if inside else ())]


def _must_be_open(state: m.Incident) -> None:
    if state.merging.into:
        raise Refused(
            f"{state.key} was merged into {state.merging.into}: go on there, or reopen this one with the reason."
        )
    if not state.is_open:
        raise Refused(f"{state.key} is {state.status.replace('_', ' ')}. Reopen it first, with the reason.")


def _assign(state: m.Incident, command: m.AssignRole) -> list[m.IncidentEvent]:
    holders = state.roles.get(command.role, ())
    takes_on_purpose = command.role == "ic" and state.commander_is_temporary
    if command.person in holders and not takes_on_purpose:
        return []
    previous = holders[0] if holders and command.role not in m.MANY else None
    assigned = m.RoleAssigned(
        role=command.role,
        person=command.person,
        previous=previous,
        was_temporary=takes_on_purpose,
    )
    return [*restricted.let_in(state, command.person), assigned]


def _release(state: m.Incident, command: m.ReleaseRole) -> list[m.IncidentEvent]:
    if command.role == "ic":
        raise Refused("Command is never without a holder: hand it over to somebody instead of laying it down.")
    if command.person not in state.roles.get(command.role, ()):
        return []
    return [m.RoleReleased(role=command.role, person=command.person)]


def _severity(state: m.Incident, command: m.SetSeverity, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    if command.severity == state.severity and not state.severity_assumed:
        return []
    lowering = rank(command.severity) > rank(state.severity)
    if lowering and not command.reason.strip():
        raise Invalid("Lowering the severity needs a reason: what makes us certain?", field="reason")
    due = _next(now, known.update_every_min)
    if due and state.next_update_at:
        due = min(due, state.next_update_at)
    changed = m.SeverityChanged(
        old=state.severity,
        new=command.severity,
        reason=command.reason,
        next_update_at=due,
        was_assumed=state.severity_assumed,
        was_due=state.next_update_at,
    )
    return [changed, *clocks.sooner(state.clocks, known.promises, now)]


def _stage(state: m.Incident, command: m.SetStage) -> list[m.IncidentEvent]:
    if command.stage == state.stage:
        return []
    if command.stage in {"recovery", "analysis"}:
        raise Refused("Recovery begins when the incident is resolved: confirm the four criteria and resolve it.")
    events: list[m.IncidentEvent] = [m.StageChanged(old=state.stage, new=command.stage)]
    if command.stage == "resolution" and not state.mitigated_at:
        # Working on the full fix means that the impact no longer drives us: the latest moment it was mitigated.
        events.append(m.ImpactMitigated())
    return events


def _times_said(state: m.Incident, command: Command, now: datetime) -> list[m.IncidentEvent]:
    """When it began is a question of the intake; the incident's own start follows the answer."""
    if not isinstance(command, intake.AnswerIntake) or command.started_at in (None, state.started_at):
        return []
    return _correct_times(state, m.CorrectTimes(started_at=command.started_at, reason="Said when asked."), now)


def _correct_times(state: m.Incident, command: m.CorrectTimes, now: datetime) -> list[m.IncidentEvent]:
    started, detected = command.started_at or state.started_at, command.detected_at or state.detected_at
    assert started is not None
    assert detected is not None
    if started > detected:
        raise Invalid("It cannot have been detected before it began. Correct both times together.")
    if detected > now + FUTURE_TOLERANCE:
        raise Invalid("The time of detection lies in the future.")
    return [m.TimesCorrected(started_at=started, detected_at=detected, reason=command.reason)]


def _gate(
    state: m.Incident, command: m.ConfirmCriterion | m.OverrideCriterion | m.WithdrawCriterion, known: m.Known
) -> list[m.IncidentEvent]:
    held = state.gate.get(command.criterion)
    match command:
        case m.ConfirmCriterion():
            if held and not held.override:
                return []
            if command.criterion == "stable" and known.firing:
                raise Refused(
                    f"{_alerts(known.firing)} of this incident still fire. Wait until they are quiet, or override "
                    "with the reason why they do not matter.",
                    firing=list(known.firing),
                )
            return [m.CriterionConfirmed(criterion=command.criterion, despite=known.findings, replaced=held)]
        case m.OverrideCriterion():
            return [m.CriterionOverridden(criterion=command.criterion, reason=command.reason, replaced=held)]
        case m.WithdrawCriterion():
            return [m.CriterionWithdrawn(criterion=command.criterion, reason=command.reason)] if held else []
        case _:
            assert_never(command)


def _open_under(known: m.Known) -> str:
    keys = known.kin.open_children
    return f"{', '.join(keys)} under this one {'is' if len(keys) == 1 else 'are'} still open"


def _resolve(state: m.Incident, command: m.ResolveIncident, known: m.Known) -> list[m.IncidentEvent]:
    if missing := state.missing:
        sentences = "; ".join(m.CRITERIA[criterion].lower() for criterion in missing)
        raise Refused(
            f"Not resolved yet. Still to confirm or override with a reason: {sentences}.", missing=list(missing)
        )
    still_open = known.kin.open_children
    if still_open and not command.reason.strip():
        raise Refused(
            f"Not resolved yet. {_open_under(known)}. Wait for the end there, or say why it need not hold this one up: "
            "/resolve because …",
            open_children=list(still_open),
        )
    events: list[m.IncidentEvent] = []
    if not state.mitigated_at:
        events.append(m.ImpactMitigated())
    return [*events, m.IncidentResolved(despite=still_open, reason=command.reason)]


def _all_clear(state: m.Incident, command: m.GiveAllClear, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    if state.status == "closed":
        return []
    if state.status != "resolved":
        raise Refused("The all-clear follows the resolution: confirm the four criteria and resolve the incident first.")
    events: list[m.IncidentEvent] = [m.AllClearGiven(message=command.message, thanks=contributors(state))]
    if state.recovery.review is None:
        at = known.review_at or now + timedelta(days=7)
        events.append(ReviewPlanned(owner=state.commander, at=at, proposed=True))
    return events


def contributors(state: m.Incident) -> tuple[str, ...]:
    """Everybody who had a hand in it: who commanded, held a role, had work, or did anything that is in the record."""
    works = (state.tasks, state.needs, state.mitigations)
    people = [
        state.commander,
        *(name for holders in state.roles.values() for name in holders),
        *state.pace.stints,
        *(stream.lead for stream in state.workstreams.values()),
        *(one.owner for work in works for one in work.values() if one.owner),
    ]
    return tuple(dict.fromkeys(people))


def _reopen(state: m.Incident, command: m.Reopen, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    if state.is_open:
        raise Refused(f"{state.key} is open.")
    return [m.IncidentReopened(reason=command.reason, next_update_at=_next(now, known.update_every_min))]


def _next(now: datetime, minutes: int | None) -> datetime | None:
    return now + timedelta(minutes=minutes) if minutes else None


def _alerts(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(f"A-{n}" for n in numbers[:5])
    return shown if len(numbers) <= 5 else f"{shown} and {len(numbers) - 5} more"


def rank(severity: str) -> int:
    """0 is the worst: the digit of `sev-0` … `sev-5`."""
    return int(severity[-1])
