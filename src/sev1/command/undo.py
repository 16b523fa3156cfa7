"""Undo where it is safe: what an entry did is taken back by another that corrects it; nothing is erased (mission 8.5). Pure.

An entry can be taken back while what it set still stands as it left it. Which entries those are is in the state
(`Entries`), so that nothing has to read the record from its beginning. What went out to people is corrected by saying
what is right instead.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from sev1.command import model as m
from sev1.command.parts.board import ItemPut, ItemReopened, ItemSettled
from sev1.command.parts.handover import CommandHandedOver
from sev1.command.parts.needs import NeedDropped, NeedMet, NeedReopened
from sev1.command.parts.reach import CommandTaken
from sev1.command.parts.tasks import TaskDropped, TaskFinished, TaskReopened
from sev1.command.parts.workstreams import WorkstreamStateSet
from sev1.command.undo_refused import instead
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import NotFound, Refused

WITHIN = timedelta(minutes=10)
"""How far back `/undo` without a number reaches."""
REMEMBERED = 8
"""Of what set the same thing, how many entries can be taken back one after the other."""
LOOKED_AT = 60
"""Entries from the end of the record among which `/undo` without a number looks."""


def subject_of(event: m.IncidentEvent) -> str:  # noqa: C901 - one case an event
    """What an event sets, so that a later one about the same builds on it; empty for what sets nothing that is undone."""
    match event:
        case m.RoleAssigned(role=role, person=person) | m.RoleReleased(role=role, person=person):
            return f"role/{role}/{person}" if role in m.MANY else f"role/{role}"
        case CommandHandedOver() | CommandTaken():
            return "role/ic"
        case m.SeverityChanged():
            return "severity"
        case m.StageChanged():
            return "stage"
        case m.ImpactMitigated() | m.MitigationDenied():
            return "mitigated"
        case (
            m.CriterionConfirmed(criterion=criterion)
            | m.CriterionOverridden(criterion=criterion)
            | m.CriterionWithdrawn(criterion=criterion)
        ):
            return f"gate/{criterion}"
        case TaskFinished(number=number) | TaskDropped(number=number) | TaskReopened(number=number):
            return f"T{number}"
        case NeedMet(number=number) | NeedDropped(number=number) | NeedReopened(number=number):
            return f"N{number}"
        case ItemPut(number=number) | ItemSettled(number=number) | ItemReopened(number=number):
            return f"board/{number}"
        case WorkstreamStateSet(number=number):
            return f"W{number}"
        case _:
            return ""


UNDOABLE: frozenset[type] = frozenset(
    {
        m.RoleAssigned,
        m.RoleReleased,
        m.SeverityChanged,
        m.StageChanged,
        m.ImpactMitigated,
        m.CriterionConfirmed,
        m.CriterionOverridden,
        m.NoteAdded,
        TaskFinished,
        TaskDropped,
        NeedMet,
        NeedDropped,
        ItemPut,
        ItemSettled,
        WorkstreamStateSet,
    }
)
AFTER_THE_END = (m.RoleAssigned, m.RoleReleased, m.NoteAdded)
"""What may be done, and so undone, when the incident is over."""
_ENDS_WITH_IT = ("stage", "mitigated", "gate/")
"""What an end or a reopening sets anew."""


def follow(entries: m.Entries, fact: Fact[m.IncidentEvent]) -> m.Entries:
    """Which entries stand after `fact`. After a correction it is what stood before the corrected one, as it did then."""
    event = fact.event
    if isinstance(event, m.IncidentResolved | m.IncidentReopened):
        kept = {what: of for what, of in entries.latest.items() if not what.startswith(_ENDS_WITH_IT)}
        return replace(entries, latest=kept)
    subject, corrects = subject_of(event), corrected_by(event)
    latest, corrected = entries.latest, entries.corrected
    if corrects:
        corrected = {**corrected, corrects: fact.version}
    if subject:
        before = latest.get(subject, ())
        if isinstance(event, TaskReopened | NeedReopened):
            before = (fact.version,)  # open, whatever it had been before it was closed
        after = before[:-1] if corrects else (*before, fact.version)[-REMEMBERED:]
        latest = {**latest, subject: after}
    return m.Entries(latest=latest, corrected=corrected) if subject or corrects else entries


def corrected_by(event: m.IncidentEvent) -> int:
    """The version of the entry that `event` takes back; 0 for every other event."""
    version: int = getattr(event, "corrects", 0)
    return version


def can_be_undone(entries: m.Entries, fact: Fact[m.IncidentEvent]) -> bool:
    """Whether an entry may be taken back and still stands as it was left."""
    event = fact.event
    if type(event) not in UNDOABLE or corrected_by(event) or fact.version in entries.corrected:
        return False
    return isinstance(event, m.NoteAdded) or entries.latest.get(subject_of(event), ())[-1:] == (fact.version,)


def decide(state: m.Incident, command: m.Undo, known: m.Known, now: datetime, by: Actor) -> list[m.IncidentEvent]:
    """The correcting entries. Raises NotFound for an entry that does not exist, Refused with what to do instead."""
    fact = _named(state, command.entry, known.record) if command.entry else _latest(state, known.record, now, by)
    together = _went_with(fact, known.record)
    back = [_inverse(state, fact, now)]
    if together and can_be_undone(state.entries, together):
        back.append(_inverse(state, together, now))
    return back


def _latest(
    state: m.Incident, record: Sequence[Fact[m.IncidentEvent]], now: datetime, by: Actor
) -> Fact[m.IncidentEvent]:
    for n in range(len(record) - 1, -1, -1):
        fact = record[n]
        mine = fact.by.id == by.id and now - fact.at <= WITHIN
        if mine and _is_possible_now(state, fact) and can_be_undone(state.entries, fact):
            first = record[n - 1] if n else None
            return first if first and _went_with(first, record) is fact else fact
    raise Refused("Nothing of yours in the last ten minutes can be undone. Name an entry of the timeline: /undo 7")


def _named(state: m.Incident, version: int, record: Sequence[Fact[m.IncidentEvent]]) -> Fact[m.IncidentEvent]:
    fact = next((one for one in record if one.version == version), None)
    if fact is None:
        raise NotFound(f"There is no entry {version} in {state.key}.")
    if version in state.entries.corrected:
        raise Refused(f"Entry {version} is undone already, by entry {state.entries.corrected[version]}.")
    if corrects := corrected_by(fact.event):
        raise Refused(f"Entry {version} undid entry {corrects}. Do again what that had done.")
    if type(fact.event) not in UNDOABLE:
        raise Refused(instead(fact))
    if not _is_possible_now(state, fact):
        raise Refused(f"{state.key} is {state.status.replace('_', ' ')}. Reopen it first, with the reason.")
    if not can_be_undone(state.entries, fact):
        later = state.entries.latest.get(subject_of(fact.event), ())[-1:]
        which = f"Entry {later[0]}" if later else "What came later"
        raise Refused(f"{which} builds on entry {version}. Undo that first, or say what is right now.")
    return fact


def _is_possible_now(state: m.Incident, fact: Fact[m.IncidentEvent]) -> bool:
    return state.is_open or isinstance(fact.event, AFTER_THE_END)


def _went_with(fact: Fact[m.IncidentEvent], record: Sequence[Fact[m.IncidentEvent]]) -> Fact[m.IncidentEvent] | None:
    """The stage of the lasting fix also says that the impact is mitigated: one deed, two entries."""
    if not isinstance(fact.event, m.StageChanged):
        return None
    following = next((one for one in record if one.version == fact.version + 1), None)
    same = following and isinstance(following.event, m.ImpactMitigated) and following.at == fact.at
    return following if same else None


def _inverse(  # noqa: C901, PLR0912 - one case an event
    state: m.Incident, fact: Fact[m.IncidentEvent], now: datetime
) -> m.IncidentEvent:
    version = fact.version
    match fact.event:
        case m.RoleAssigned() as event:
            return _role_back(state, event, version)
        case m.RoleReleased(role=role, person=person):
            _must_see(state, person)
            return m.RoleAssigned(role=role, person=person, corrects=version)
        case m.SeverityChanged() as event:
            ahead = event.was_due if event.was_due and event.was_due > now else state.next_update_at
            return m.SeverityChanged(
                old=event.new,
                new=event.old,
                reason="",
                next_update_at=ahead,
                assumed=event.was_assumed,
                corrects=version,
            )
        case m.StageChanged(old=old, new=new):
            return m.StageChanged(old=new, new=old, corrects=version)
        case m.ImpactMitigated():
            return m.MitigationDenied(corrects=version)
        case m.CriterionConfirmed() | m.CriterionOverridden() as event:
            return m.CriterionWithdrawn(
                criterion=event.criterion, reason="", holds_again=event.replaced, corrects=version
            )
        case m.NoteAdded():
            return m.NoteStruck(corrects=version)
        case TaskFinished() | TaskDropped() as event:
            return TaskReopened(number=event.number, text=event.text, corrects=version)
        case NeedMet() | NeedDropped() as event:
            _must_be_ours(state, event.number)
            return NeedReopened(number=event.number, text=event.text, corrects=version)
        case ItemPut() as event:
            return ItemSettled(
                number=event.number, kind=event.kind, text=event.text, outcome="archived", corrects=version
            )
        case ItemSettled() as event:
            return ItemReopened(number=event.number, kind=event.kind, text=event.text, corrects=version)
        case WorkstreamStateSet() as event:
            return _stream_back(event, version)
        case _:
            raise TypeError(f"cannot be undone: {fact.event!r}")


def _role_back(state: m.Incident, event: m.RoleAssigned, version: int) -> m.IncidentEvent:
    if event.previous is None:
        return m.RoleReleased(role=event.role, person=event.person, corrects=version)
    _must_see(state, event.previous)
    return m.RoleAssigned(
        role=event.role,
        person=event.previous,
        previous=event.person,
        temporary=event.was_temporary,
        corrects=version,
    )


def _must_see(state: m.Incident, person: str) -> None:
    """Who was removed from a restricted incident does not come back into it by an undo."""
    if state.privacy.restricted and person not in state.insiders:
        raise Refused(f"{state.key} is restricted and {person} may not see it. Admit them first: /admit @{person}")


def _must_be_ours(state: m.Incident, need: int) -> None:
    if need in state.family.asked.values() or (state.family.parent and need in state.family.raised):
        raise Refused(f"The answer to N{need} went to another incident. Ask anew: /need …")


def _stream_back(event: WorkstreamStateSet, version: int) -> WorkstreamStateSet:
    if event.previous is None:
        raise Refused(f"What W{event.number} was before is not in the record. Set its state anew.")
    return WorkstreamStateSet(
        number=event.number,
        title=event.title,
        state=event.previous,
        note=event.previous_note,
        previous=event.state,
        previous_note=event.note,
        corrects=version,
    )
