"""What each event means for the state of an incident. Pure.

The parts know their own events (`command/parts`); what an event means across parts is said by those who know several:
who commands (`succession`), who works (`fatigue`), the clocks, the bridge, what may be taken back (`undo`).
"""

from msgspec.structs import replace

from sev1.catalog.audience import INTERNAL
from sev1.command import fatigue, on_the_bridge, succession, undo
from sev1.command import model as m
from sev1.command.parts import clocks, decisions, part_of
from sev1.command.parts import privacy as p
from sev1.command.parts.clocks import UpdatePromised
from sev1.command.parts.merging import MergedInto
from sev1.command.parts.recovery import Recovery, began
from sev1.engine.decider import Fact


def evolve(state: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    after = succession.follow(state, _evolve(state, fact), fact)
    after = fatigue.follow(state, _answered(_with_clocks(state, after, fact), fact), fact)
    after = on_the_bridge.follow(after, fact)
    return replace(after, entries=undo.follow(state.entries, fact))


def _answered(after: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    """What somebody with a role does first is the answer, when whoever declared it does not command it (mission 1.3)."""
    if after.acknowledged_at or not any(fact.by.id in holders for holders in after.roles.values()):
        return after
    return after if isinstance(fact.event, m.IncidentDeclared) else replace(after, acknowledged_at=fact.at)


def _with_clocks(before: m.Incident, after: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    """The clocks follow what the incident says of its next update, and the other way round when one is promised."""
    event = fact.event
    if isinstance(event, UpdatePromised):
        return replace(after, next_update_at=event.due_at) if event.audience == INTERNAL else after
    if isinstance(event, m.UpdatePosted):
        told = clocks.posted(after.clocks, event.audience, event.condition, event.next_update_at, fact.by.id, fact.at)
        return replace(after, clocks=told)
    if isinstance(event, p.IncidentRestricted):  # nobody outside is told anything any more
        return replace(after, clocks={name: clock for name, clock in after.clocks.items() if name == INTERNAL})
    if before.is_open and not after.is_open:
        return replace(after, clocks=clocks.stopped(after.clocks, fact.at))
    if after.next_update_at != before.next_update_at:
        return replace(after, clocks=clocks.moved(after.clocks, after.next_update_at, fact.at))
    return after


def _evolve(state: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    event = fact.event
    match event:
        case m.IncidentDeclared():
            return replace(
                state,
                status="open",
                title=event.title,
                severity=event.severity,
                severity_assumed=event.severity_assumed,
                services=event.services,
                roles={"ic": (event.commander,)},
                started_at=event.started_at,
                detected_at=event.detected_at,
                acknowledged_at=event.acknowledged_at if event.answered else None,
                next_update_at=event.next_update_at,
                declared_at=fact.at,
                declared_by=fact.by.id,
            )
        case m.RoleAssigned():
            holders = state.roles.get(event.role, ()) if event.role in m.MANY else ()
            state = replace(state, roles={**state.roles, event.role: (*holders, event.person)})
            return replace(state, commander_is_temporary=event.temporary) if event.role == "ic" else state
        case m.RoleReleased():
            left = tuple(p for p in state.roles.get(event.role, ()) if p != event.person)
            roles = {role: holders for role, holders in state.roles.items() if role != event.role}
            return replace(state, roles={**roles, event.role: left} if left else roles)
        case m.SeverityChanged():
            due = event.next_update_at
            return replace(state, severity=event.new, severity_assumed=event.assumed, next_update_at=due)
        case m.StageChanged():
            return replace(state, stage=event.new)
        case m.UpdatePosted() if event.audience != INTERNAL:
            return state
        case m.UpdatePosted():
            update = m.Update(
                condition=event.condition, actions=event.actions, needs=event.needs, by=fact.by.id, at=fact.at
            )
            return replace(state, update=update, next_update_at=event.next_update_at)
        case m.DecisionRecorded():
            return replace(state, decisions=decisions.recorded(state.decisions, event, fact))
        case m.NoteAdded() | m.ResponderPaged() | m.NoteStruck():
            return state
        case m.PageLinked():
            return replace(state, pages=(*state.pages, event.page))
        case m.AlertsLinked():
            return replace(state, alerts=(*state.alerts, *event.alerts), services=(*state.services, *event.services))
        case m.ImpactMitigated():
            return replace(state, mitigated_at=fact.at)
        case m.MitigationDenied():
            return replace(state, mitigated_at=None)
        case m.TimesCorrected():
            return replace(state, started_at=event.started_at, detected_at=event.detected_at)
        case m.CriterionConfirmed():
            return _mark(state, event.criterion, m.Mark(by=fact.by.id, at=fact.at))
        case m.CriterionOverridden():
            return _mark(state, event.criterion, m.Mark(by=fact.by.id, at=fact.at, override=event.reason))
        case m.CriterionWithdrawn(holds_again=m.Mark() as before):
            return _mark(state, event.criterion, before)
        case m.CriterionWithdrawn():
            return replace(state, gate={c: mark for c, mark in state.gate.items() if c != event.criterion})
        case m.IncidentResolved():
            return replace(
                state,
                status="resolved",
                stage="recovery",
                resolved_at=fact.at,
                next_update_at=None,
                recovery=began(state.recovery, fact.at),
            )
        case m.AllClearGiven():
            return replace(state, status="closed", stage="analysis", all_clear_at=fact.at)
        case m.ClosedAsFalseAlarm():
            return replace(state, status="false_alarm", stage="analysis", resolved_at=fact.at, next_update_at=None)
        case m.IncidentReopened():
            return replace(
                state,
                status="open",
                stage="triage",
                gate={},
                mitigated_at=None,
                resolved_at=None,
                all_clear_at=None,
                next_update_at=event.next_update_at,
                recovery=Recovery(review=state.recovery.review),
                merging=replace(state.merging, into=None),
                earlier_ends=(*state.earlier_ends, _ended(state, fact, event.reason)),
            )
        case _:
            part = part_of(event)
            assert part is not None, f"no part knows {event!r}"
            if isinstance(event, MergedInto):
                state = replace(state, status="merged", stage="analysis", resolved_at=fact.at, next_update_at=None)
            return replace(state, **{part.name: part.evolve(getattr(state, part.name), fact)})


def _ended(state: m.Incident, fact: Fact[m.IncidentEvent], reason: str) -> m.Ending:
    """How it had ended, kept when that did not hold."""
    return m.Ending(
        gate=state.gate,
        ticks={str(step): tick for step, tick in state.recovery.ticks.items()},
        resolved_at=state.resolved_at,
        all_clear_at=state.all_clear_at,
        reopened_at=fact.at,
        reopened_by=fact.by.id,
        reason=reason,
    )


def _mark(state: m.Incident, criterion: m.Criterion, mark: m.Mark) -> m.Incident:
    return replace(state, gate={**state.gate, criterion: mark})
