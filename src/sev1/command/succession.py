"""Who commands next: what a change of command needs of the whole incident. Pure (missions 8.1, 10.2).

There are four ways, and each is one event that gives command to one person and takes it from one: a hand-over that is read
back, a take-over when the commander does not answer, a role given (`/role ic`), and declaring.
"""

from datetime import datetime

from msgspec.structs import replace

from sev1.command import model as m
from sev1.command import restricted
from sev1.command.briefing import briefing
from sev1.command.parts import handover as h
from sev1.command.parts import reach as r
from sev1.command.terms import spoken
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid, Refused

LINE: tuple[m.Role, ...] = ("ops", "comms", "scribe", "support", "security", "sme")
"""Whose turn it is to take command, by role; leads of workstreams come after those of operations and communications."""
Change = h.OfferCommand | h.AcceptCommand | r.CallCommander | r.TakeCommand | r.CheckReach
"""What is decided here instead of in its part."""


def decide(state: m.Incident, command: Change, known: m.Known, now: datetime, by: Actor) -> list[m.IncidentEvent]:
    match command:
        case h.OfferCommand():
            return _offer(state, command, now)
        case h.AcceptCommand():
            return _accept(state, command, now, by)
        case r.CallCommander():
            return _call(state, command, known, now, by)
        case r.TakeCommand():
            return _take(state, command, known, now)
        case r.CheckReach():
            return _check(state, known, now)


def _offer(state: m.Incident, command: h.OfferCommand, now: datetime) -> list[m.IncidentEvent]:
    if command.person == state.commander:
        raise Refused(f"@{command.person} commands already.")
    standing = state.handover.offer
    if standing and standing.person == command.person:
        return []
    earlier = [h.OfferWithdrawn(person=standing.person)] if standing else []
    offered = h.CommandOffered(person=command.person, until=now + h.STANDS, note=command.note)
    return [*earlier, *restricted.let_in(state, command.person), offered]


def _accept(state: m.Incident, command: h.AcceptCommand, now: datetime, by: Actor) -> list[m.IncidentEvent]:
    offer = h.must_stand(state.handover, by.id)
    if missing := [point for point in h.POINTS if point not in command.points]:
        sentences = "; ".join(h.POINTS[point].lower() for point in missing)
        raise Refused(f"Command has not changed. Still to confirm: {sentences}.", missing=list(missing))
    if len(command.read_back.strip()) < h.READ_BACK_LEAST:
        raise Invalid("Say back in a sentence how it stands and what comes next.", field="read_back")
    return [
        h.CommandHandedOver(
            previous=state.commander,
            person=offer.person,
            points=tuple(h.POINTS),
            read_back=command.read_back.strip(),
            briefing=briefing(state, now),
        )
    ]


def _call(
    state: m.Incident, command: r.CallCommander, known: m.Known, now: datetime, by: Actor
) -> list[m.IncidentEvent]:
    if by.id == state.commander:
        raise Refused("You command. To wake somebody else: /page @…")
    if state.reach.call:
        return []
    until = now + r.answer_time(known.answer_within_s)
    return [r.CommanderCalled(person=state.commander, ask=command.ask, answer_by=until)]


def _take(state: m.Incident, command: r.TakeCommand, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    if command.person == state.commander:
        return []
    if state.commander_is_temporary and state.reach.unreachable_since is None:
        raise Refused(f"@{state.commander} commands only for now. Take command by: /role ic @{command.person}")
    ask = f"They hand it over by: /handover @{command.person}"
    call = state.reach.call
    if call is None:
        raise Refused(f"@{state.commander} commands and was not called. {ask}. If they do not answer: /call-ic")
    if known.call_answered:
        raise Refused(f"@{state.commander} has answered the call. {ask}")
    if state.reach.unreachable_since is None:
        raise Refused(f"@{state.commander} was called and has until {spoken(call.answer_by)} to answer. {ask}")
    taken = r.CommandTaken(
        previous=state.commander, person=command.person, reason=command.reason, briefing=briefing(state, now)
    )
    return [*restricted.let_in(state, command.person), taken]


def _check(state: m.Incident, known: m.Known, now: datetime) -> list[m.IncidentEvent]:
    reach = state.reach
    due = r.timers(reach).get("reach")
    if reach.call is None or due is None or due > now:
        return []
    if known.call_answered:
        return [r.CommanderAnswered(person=reach.call.person)]
    events: list[m.IncidentEvent] = []
    line = reach.line
    if reach.unreachable_since is None:
        line = in_line(state, known.on_call, known.programs)
        events.append(r.CommanderUnreachable(person=state.commander, line=line))
    waiting = [name for name in line if name not in reach.offered]
    if waiting:
        until = now + r.answer_time(known.answer_within_s) if len(waiting) > 1 else None
        events.append(r.TakeoverOffered(person=waiting[0], until=until))
    return events


def in_line(state: m.Incident, on_call: tuple[str, ...], programs: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Who may take command when the commander cannot be reached, the next first: those who are in the incident by role,
    then the leads of its workstreams, then who is on call for its services. In a restricted one only who is in it.
    """
    leads = [stream.lead for stream in state.workstreams.values() if stream.is_open]
    held = {role: list(state.roles.get(role, ())) for role in LINE}
    first = held.pop("ops") + held.pop("comms") + leads
    people = [*first, *(name for names in held.values() for name in names), *on_call]
    if state.privacy.restricted:
        people = [name for name in (*people, *state.privacy.admitted) if name in state.insiders]
    return tuple(name for name in dict.fromkeys(people) if name not in {state.commander, *programs})


def follow(before: m.Incident, after: m.Incident, fact: Fact[m.IncidentEvent]) -> m.Incident:
    """What an event means for the change of command: who commands after it, and which offers and calls it ends."""
    event = fact.event
    if isinstance(event, h.CommandHandedOver | r.CommandTaken):
        roles = {**after.roles, "ic": (event.person,)}
        after = replace(after, roles=roles, commander_is_temporary=False)
    if before.status == "none" or (after.handover == _NO_OFFER and after.reach == _NO_CALL):
        return after
    if after.commander != before.commander or not after.is_open:
        return replace(after, handover=_NO_OFFER, reach=_NO_CALL)
    if after.reach.call and fact.by.id == after.commander and not isinstance(event, r.CommanderCalled):
        return replace(after, reach=_NO_CALL)  # whoever writes is there
    return after


_NO_OFFER, _NO_CALL = h.Handover(), r.Reach()
