"""Needs that go from a child to its parent, and the answers that come back. Pure (missions 1.5, 9.1)."""

from sev1.command import model as m
from sev1.command.parts import family as f
from sev1.command.parts import needs as n
from sev1.engine.errors import Refused


def escalate(state: m.Incident, command: f.EscalateNeed) -> list[m.IncidentEvent]:
    need = n.open_need(state.needs, command.need)
    if state.family.parent is None:
        raise Refused(f"{state.key} has no parent that could see to {need.ref}. Put it under one first: /parent INC-1.")
    if need.number in state.family.raised:
        return []
    return [f.NeedEscalated(number=need.number, text=need.text, parent=state.family.parent)]


def accept(state: m.Incident, command: f.AcceptNeed) -> list[m.IncidentEvent]:
    """A need of a child becomes one of ours; two children that ask for the same ask for one thing."""
    if f.ref_of(command.child, command.need) in state.family.asked:
        return []
    raised = n.raise_needs(state.needs, (command.text,))
    same = command.text.strip().casefold()
    number = (
        raised[0].number
        if raised
        else next(need.number for need in state.needs.values() if need.is_open and need.text.casefold() == same)
    )
    accepted = f.NeedAccepted(number=number, child=command.child, need=command.need, text=command.text)
    return [*raised, accepted]


def settle(state: m.Incident, command: f.SettleNeed) -> list[m.IncidentEvent]:
    """The other side has an answer. Nothing follows where the need is over already, or where others still ask for it."""
    number = state.family.asked.get(f.ref_of(command.other, command.need)) if command.theirs else command.need
    need = state.needs.get(number) if number else None
    if need is None or not need.is_open or not state.is_open:
        return []
    others = [ref for ref, own in state.family.asked.items() if own == need.number and _child_of(ref) != command.other]
    if command.theirs and others:
        return []
    outcome = f"{command.other}: {command.outcome}" if command.outcome else command.other
    if command.met:
        return [n.NeedMet(number=need.number, text=need.text, outcome=outcome)]
    return [n.NeedDropped(number=need.number, text=need.text, reason=outcome)]


def _child_of(ref: str) -> str:
    return ref.partition("/")[0]
