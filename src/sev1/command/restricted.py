"""What a restricted incident refuses, whichever part would decide it. Pure (mission 3.3)."""

from sev1.catalog.audience import INTERNAL
from sev1.command import model as m
from sev1.command.parts import clocks, handover, reach
from sev1.command.parts import family as f
from sev1.command.parts import privacy as p
from sev1.command.parts.merging import MergeInto
from sev1.command.terms import Command
from sev1.engine.decider import Actor
from sev1.engine.errors import Refused

STANDS_ALONE = "A restricted incident stands alone: the record of a parent or a child would name it."
LETS_IN = (
    p.Admit,
    p.Remove,
    m.AssignRole,
    m.ReleaseRole,
    m.PageResponder,
    handover.OfferCommand,
    reach.TakeCommand,
)
"""Commands that may name somebody who does not see it yet: they let them in, or are about just that."""
TELLS_NOBODY = "A restricted incident tells nobody outside of it. Lift the restriction first: /unrestrict because …"


def check_declared(command: m.Declare) -> None:
    if command.restricted and command.parent:
        raise Refused(STANDS_ALONE)


def check(state: m.Incident, command: Command, by: Actor) -> None:
    """Raises Refused for what may not be done by `by` in a restricted incident, or to what makes it restricted."""
    if state.privacy.restricted:
        _among_insiders(state, command, by)
        _keeps_to_itself(command)
    match command:
        case p.Restrict() if state.family.parent:
            raise Refused(f"The record of {state.family.parent} names it. Take it out first: /parent none")
        case p.Restrict() if state.family.children:
            under = ", ".join(state.family.children)
            raise Refused(f"The record of {under} names it. Take that out first, by /parent none there.")
        case p.Unrestrict() if state.privacy.restricted:
            if by.id not in (state.commander, *state.roles.get("security", ())):
                raise Refused("Only the Incident Commander or the Security lead lifts the restriction. Ask them.")
        case p.Remove(person=person):
            _lays_roles_down_first(state, person)
        case _:
            return


def check_acts(state: m.Incident, by: Actor) -> None:
    """Raises Refused for somebody who may only look."""
    if state.privacy.restricted and by.id not in (*state.insiders, "sev1"):
        raise Refused(f"You may look at {state.key} and not act in it. Be admitted first: /admit @me")


def let_in(state: m.Incident, person: str) -> list[m.IncidentEvent]:
    """Who gets a role or is asked for by name has to see what for."""
    if not state.privacy.restricted or person in state.privacy.admitted:
        return []
    return [p.PersonAdmitted(person=person)]


def _among_insiders(state: m.Incident, command: Command, by: Actor) -> None:
    """In it act those who are in it, and work is given to them only.

    Admitting is open to whoever may look: an administrator who broke the glass, when nobody who is in can be reached.
    """
    if not isinstance(command, p.Admit):
        check_acts(state, by)
    if isinstance(command, LETS_IN):
        return
    named = (getattr(command, field, None) for field in ("person", "owner", "lead"))
    for name in (*named, *getattr(command, "people", ())):
        if name is not None and name not in state.insiders:
            raise Refused(f"{state.key} is restricted and {name} may not see it. Admit them first: /admit @{name}")


def _keeps_to_itself(command: Command) -> None:
    """The record of a parent and of its children names the others, and an audience outside is nobody who is in it."""
    match command:
        case f.SetParent() | f.DeclareChild() | f.EscalateNeed() | MergeInto():
            raise Refused(STANDS_ALONE)
        case m.PostUpdate(audience=audience) | clocks.PromiseUpdate(audience=audience) if audience != INTERNAL:
            raise Refused(TELLS_NOBODY)
        case _:
            return


def _lays_roles_down_first(state: m.Incident, person: str) -> None:
    held = [role for role, holders in state.roles.items() if person in holders]
    if "ic" in held:
        raise Refused(f"{person} commands. Hand command over first: /role ic @…")
    if held:
        raise Refused(f"{person} is {m.ROLE_TITLES[held[0]]}. First: /release {held[0]} @{person}")
