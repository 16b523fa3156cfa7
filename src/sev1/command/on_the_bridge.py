"""What happens in an incident, seen from its bridge: what answers the question, and what ends it. Pure (mission 9.7)."""

from msgspec.structs import replace

from sev1.command import model as m
from sev1.command.parts import bridge
from sev1.command.parts.board import ItemPut, ItemSettled, ItemSharpened
from sev1.command.parts.decisions import OutcomeRecorded
from sev1.command.parts.tasks import TaskGiven
from sev1.engine.decider import Fact

WRITTEN = (
    m.UpdatePosted,
    m.DecisionRecorded,
    m.NoteAdded,
    OutcomeRecorded,
    ItemPut,
    ItemSettled,
    ItemSharpened,
    TaskGiven,
)
"""What answers the question what was decided on the bridge."""


def follow(after: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    """What is written answers the question; the severity says how long it may be quiet; the end ends the bridge."""
    if not after.bridge.is_open:
        return after
    if not after.is_open:
        return replace(after, bridge=bridge.Bridge())
    if isinstance(fact.event, WRITTEN):
        return replace(after, bridge=bridge.written(after.bridge, fact.at))
    if isinstance(fact.event, m.SeverityChanged):
        return replace(after, bridge=bridge.paced(after.bridge, fact.event.new))
    return after


def asked_to_write(incident: m.Incident) -> str:
    """Who is asked what was decided: the Scribe, else whoever commands."""
    return next(iter(incident.roles.get("scribe", ())), incident.commander)
