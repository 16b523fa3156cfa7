"""The rules of paging. Pure: time, people and everything else come in with the command (missions 7.3, 5.6)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never

from msgspec.structs import replace

from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.paging import diagnostics, fix, suggestion
from sev1.paging import model as m
from sev1.paging.eligible import held_until
from sev1.paging.steps import again, ahead, go_on, left_of, proceed, start

Asked = m.PersonCommand | m.EscalateTo | fix.WatchFix | diagnostics.StartDiagnostic
"""What a responder asks for, as such or with what was looked up for it."""
DOUBLE_CLICK_S = 5
"""The same person acknowledging again so soon is one acknowledgement."""


class PageAggregate:
    kind = "page"
    event_type: Any = m.PageEvent

    def initial(self, key: str) -> m.Page:
        return m.Page(key=key)

    def decide(self, state: m.Page, command: m.PageCommand, now: datetime, by: Actor) -> list[m.PageEvent]:
        """What follows from `command`.

        Raises NotFound for a page that was never opened, Refused for one that is over, Invalid for a bad snooze.
        Timers that come late, and reports on a page that is over, decide nothing.
        """
        if isinstance(command, m.Open):
            return _open(state, command, now)
        if state.status == "none":
            raise NotFound(f"There is no page {state.key}.")
        if isinstance(command, diagnostics.ReportDiagnostic):
            return [*diagnostics.answered(state.diagnostics, command)]  # also when the page is over meanwhile
        if isinstance(command, Asked):
            return _asked(state, command, now, by)
        return _happened(state, command, now)

    def evolve(self, state: m.Page, fact: Fact[m.PageEvent]) -> m.Page:
        return evolve(state, fact)

    def timers(self, state: m.Page) -> Mapping[str, datetime]:
        due: dict[str, datetime] = {}
        if state.status == "triggered" and state.next_at:
            due["escalate"] = state.next_at
        if state.status == "acknowledged" and state.attend_by and not state.incident:
            due["unattended"] = state.attend_by
        if state.status == "snoozed" and state.snoozed_until:
            due["snooze"] = state.snoozed_until
        if state.is_open and state.fix and state.fix.outcome == "watched":
            due["fix"] = state.fix.until
        return due

    def timer_command(self, kind: str, due: datetime) -> m.PageCommand:
        match kind:
            case "escalate":
                return m.EscalationDue(due=due)
            case "unattended":
                return m.UnattendedDue(due=due)
            case "snooze":
                return m.SnoozeDue(due=due)
            case "fix":
                return fix.FixDue(due=due)
        raise ValueError(f"a page has no timer {kind!r}")


def _open(state: m.Page, command: m.Open, now: datetime) -> list[m.PageEvent]:
    if state.status != "none":
        raise Refused(f"{state.key} is open already.")
    opened = m.PageOpened(
        title=command.title,
        group_key=command.group_key,
        policy=command.policy,
        why=command.why,
        service=command.service,
        severity=command.severity,
        alert_count=command.alert_count,
        brief=command.brief,
    )
    return [opened, *proceed(command.policy, command.severity, (0, 0), command.who, "First step.", now)]


def _asked(state: m.Page, command: Asked, now: datetime, by: Actor) -> list[m.PageEvent]:
    """A responder asks for something."""
    if state.status == "resolved":
        if isinstance(command, m.Resolve):
            return []
        raise Refused(f"{state.key} is over: {state.resolution or 'resolved'}. Nothing to answer any more.")
    assert state.policy is not None
    match command:
        case m.Acknowledge():
            if (
                state.status == "acknowledged"
                and state.acknowledged_by == by.id
                and _just(state.last_sign_of_life, now)
            ):
                return []
            return [m.PageAcknowledged(attend_by=_attend_by(state, now))]
        case m.Escalate() | fix.ReportFix() | diagnostics.RunDiagnostic():
            raise TypeError("whom and what it is about is looked up before: see PreparePage")
        case diagnostics.StartDiagnostic():
            return [*diagnostics.started(state.diagnostics, command, now)]
        case fix.WatchFix():
            return _fixed(state, command, now, by)
        case m.EscalateTo():
            place = ahead(state)
            if place is None:
                raise Refused("The policy has no further step. Reassign the page to somebody by name.")
            # Somebody asks for it: that waits neither for office hours nor for a pause.
            reason = f"Escalated by {by.name}."
            return start(state.policy, state.severity, place, command.who, reason, now)
        case m.Reassign():
            wait_s = state.policy.steps[max(state.step, 0)].wait_for(state.severity)
            return [m.PageReassigned(person=command.person, next_at=now + timedelta(seconds=wait_s))]
        case m.Snooze():
            if not now < command.until <= now + timedelta(seconds=m.MAX_SNOOZE_S):
                raise Invalid("A snooze must end in the next 24 hours. For longer, silence the alert with a reason.")
            return [m.PageSnoozed(until=command.until)]
        case m.Resolve():
            return [m.PageResolved(reason=command.reason or f"resolved by {by.name}")]
        case _:
            assert_never(command)


def _just(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < timedelta(seconds=DOUBLE_CLICK_S)


def _fixed(state: m.Page, command: fix.WatchFix, now: datetime, by: Actor) -> list[m.PageEvent]:
    """Whoever says that the fix is in has the page, and need not say so again before it is known whether it helped."""
    assert state.policy is not None
    last = state.fix
    if last and last.by == by.id and last.note == command.note and _just(last.at, now):
        return []
    watched = fix.reported(command, state.policy.watch_fix_s, now)
    return [m.PageAcknowledged(attend_by=_attend_by(state, watched.until)), watched]


def _happened(state: m.Page, command: m.PageCommand, now: datetime) -> list[m.PageEvent]:
    """A timer came due, a delivery ended, more alerts came: facts that cannot be refused, only be too late."""
    if not state.is_open or state.policy is None:
        return []
    match command:
        case m.EscalationDue():
            if state.status != "triggered" or state.next_at != command.due:
                return []
            return go_on(state, command.who, "Nobody answered the step before.", now)
        case m.UnattendedDue():
            if state.status != "acknowledged" or state.attend_by != command.due or state.incident:
                return []
            lost = m.PageUnattended(after_s=state.policy.unattended_after_s)
            return [lost, *again(state, command.who, "Acknowledged, then unattended.", now)]
        case m.SnoozeDue():
            if state.status != "snoozed" or state.snoozed_until != command.due:
                return []
            return [m.SnoozeEnded(), *again(state, command.who, "The snooze is over.", now)]
        case fix.FixDue():
            return [*fix.judged(state.fix, command)]
        case m.ReportSent():
            return [
                m.NoticeSent(
                    person=command.person, method=command.method, receipt=command.receipt, repeat=command.repeat
                )
            ]
        case m.ReportUnreachable():
            return _unreachable(state, command, now)
        case m.JoinAlerts():
            return _joined(state, command, now)
        case suggestion.SuggestIncident():
            known = state.suggestion
            same = known is not None and (known.policy, known.severity) == (command.policy, command.severity)
            if same or state.incident:
                return []
            return [
                suggestion.IncidentSuggested(
                    policy=command.policy,
                    title=command.title,
                    severity=command.severity,
                    restricted=command.restricted,
                )
            ]
        case m.LinkIncident():
            return [] if state.incident == command.incident else [m.IncidentLinked(incident=command.incident)]
        case _:
            raise TypeError(f"not a page command: {command!r}")


def _joined(state: m.Page, command: m.JoinAlerts, now: datetime) -> list[m.PageEvent]:
    """More alerts wake nobody again, except when they are worse: that must not hide in a page that is in hand."""
    assert state.policy is not None
    worse = command.severity if command.severity and command.severity < (state.severity or "~") else None
    joined = m.AlertsJoined(count=command.count, summary=command.summary, severity=worse)
    if worse is None or not command.who:
        return [joined]
    if held_until(state.policy, worse, now):
        return [joined]  # worse, and still something that may wait
    before = state.severity.upper() if state.severity else "no severity"
    reason = f"It is worse now: {worse.upper()}, was {before}."
    return [joined, *start(state.policy, worse, (max(state.step, 0), state.round), command.who, reason, now)]


def _unreachable(state: m.Page, command: m.ReportUnreachable, now: datetime) -> list[m.PageEvent]:
    """When nobody of the current step can be reached, waiting for their answer is pointless.

    Then those of the step who were held back are asked, or whose turn is next; or else the next step starts.
    """
    assert state.policy is not None
    events: list[m.PageEvent] = [m.PersonUnreachable(person=command.person, error=command.error)]
    asked = {paged.person for paged in state.people}
    silent = {*state.unreachable, command.person}
    waits = state.status == "triggered" and not state.exhausted and state.pending is None
    if not waits or command.person not in asked or asked - silent:
        return events
    step = state.policy.steps[max(state.step, 0)]
    reason = "Nobody of the step before can be reached."
    if step.round_robin and left_of(command.who, state.step, silent):
        here, reason = (state.step, state.round), "Whose turn it was cannot be reached."
        return [*events, *start(state.policy, state.severity, here, command.who, reason, now, silent)]
    return [*events, *go_on(state, command.who, reason, now)]


def _attend_by(state: m.Page, now: datetime) -> datetime | None:
    assert state.policy is not None
    after_s = state.policy.unattended_after_s
    return now + timedelta(seconds=after_s) if after_s else None


def evolve(state: m.Page, fact: Fact[m.PageEvent]) -> m.Page:
    event = fact.event
    match event:
        case m.PageOpened():
            return replace(
                state,
                status="triggered",
                title=event.title,
                service=event.service,
                severity=event.severity,
                group_key=event.group_key,
                why=event.why,
                policy=event.policy,
                alert_count=event.alert_count,
                brief=event.brief,
                opened_at=fact.at,
            )
        case m.AlertsJoined():
            severity = event.severity or state.severity
            return replace(state, alert_count=state.alert_count + event.count, severity=severity)
        case m.StepStarted():
            return _started(state, event)
        case m.StepSkipped():
            return replace(state, step=event.step, round=event.round, later=())
        case m.PageHeld():
            pending = m.Pending(step=event.step, round=event.round, reason=event.reason)
            # Also when somebody had it and escalated: it waits for others now.
            return replace(_triggered(state, state.people, event.until), pending=pending)
        case m.PolicyExhausted():
            return replace(state, exhausted=True, next_at=None, later=(), pending=None)
        case m.PageAcknowledged():
            return replace(
                state,
                status="acknowledged",
                acknowledged_at=state.acknowledged_at or fact.at,
                acknowledged_by=fact.by.id,
                last_sign_of_life=fact.at,
                attend_by=event.attend_by,
                next_at=None,
                later=(),
                pending=None,
                snoozed_until=None,
            )
        case m.PageUnattended() | m.SnoozeEnded():
            return replace(state, status="triggered", attend_by=None, snoozed_until=None, exhausted=False)
        case m.PageSnoozed():
            return replace(
                state,
                status="snoozed",
                snoozed_until=event.until,
                acknowledged_at=state.acknowledged_at or fact.at,
                acknowledged_by=fact.by.id,
                last_sign_of_life=fact.at,
                next_at=None,
                later=(),
                pending=None,
                attend_by=None,
            )
        case m.PageReassigned():
            people = (m.Paged(person=event.person, because=f"asked for by {fact.by.name}"),)
            return _triggered(state, people, event.next_at)
        case m.NoticeSent():
            return state
        case m.PersonUnreachable():
            return replace(state, unreachable=(*state.unreachable, event.person))
        case m.IncidentLinked():
            return replace(state, incident=event.incident)
        case suggestion.IncidentSuggested():
            found = suggestion.Suggestion(
                policy=event.policy,
                title=event.title,
                severity=event.severity,
                restricted=event.restricted,
                at=fact.at,
            )
            return replace(state, suggestion=found)
        case diagnostics.DiagnosticAsked() | diagnostics.DiagnosticAnswered():
            return replace(state, diagnostics=diagnostics.after(state.diagnostics, event, fact.at, fact.by.id))
        case fix.FixReported() | fix.FixHelped() | fix.FixDidNotHelp():
            return replace(state, fix=fix.after(state.fix, event, fact.at, fact.by.id))
        case m.PageResolved():
            return replace(
                state,
                status="resolved",
                resolved_at=fact.at,
                resolution=event.reason,
                next_at=None,
                later=(),
                pending=None,
                attend_by=None,
                snoozed_until=None,
            )
        case _:
            assert_never(event)


def _started(state: m.Page, event: m.StepStarted) -> m.Page:
    if event.widens:
        return replace(
            state,
            people=state.people + event.people,
            paged=state.paged + tuple(p.person for p in event.people if p.person not in state.paged),
            later=(),
            next_at=event.next_at,
        )
    # Of a round-robin those stay unreachable who were passed over because of it: the next report must not ask them.
    passed = {one.person for one in event.passed_over}
    return replace(
        _triggered(state, event.people, event.next_at),
        step=event.step,
        round=event.round,
        later=event.later,
        pending=None,
        unreachable=tuple(person for person in state.unreachable if person in passed),
    )


def _triggered(state: m.Page, people: tuple[m.Paged, ...], next_at: datetime | None) -> m.Page:
    new = tuple(p.person for p in people if p.person not in state.paged)
    return replace(
        state,
        status="triggered",
        people=people,
        paged=state.paged + new,
        unreachable=(),
        next_at=next_at,
        later=(),
        exhausted=False,
        attend_by=None,
        snoozed_until=None,
    )
