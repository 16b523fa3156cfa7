"""What is pointed out to whoever did something, and never blocks it (missions 8.2, 8.7, 8.10, 10.4). Pure.

Advice is private: it is in the answer to the command, not on the timeline.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from sev1.command import model as m
from sev1.command.openings import is_involved, most_wanted
from sev1.command.parts.board import ItemPut
from sev1.command.parts.family import ChildDeclared
from sev1.command.parts.privacy import IncidentRestricted
from sev1.command.parts.runs import StepTicked, steps_in_words
from sev1.command.parts.tasks import TaskGiven, TaskTaken
from sev1.command.terms import NameOf
from sev1.engine.decider import Fact
from sev1.language.vague import vague

TASKS_AT_ONCE = 3
"""More open tasks than this per person are pointed out."""
_DIAGNOSTIC = re.compile(
    r"^\s*(?:\$|#|>)\s*\S+|^\s*at \S+\(.*\)$|Traceback \(most recent call last\)|\b(?:kubectl|systemctl|tcpdump|strace|psql|journalctl)\b"
    r"|\bEXPLAIN\b|\bSELECT\b.+\bFROM\b|\b(?:WARN|ERROR|FATAL|DEBUG)\b.*[:\]]|```|\b\d{2}:\d{2}:\d{2}[.,]\d{3}\b",
    re.MULTILINE,
)
"""What looks like the output of a tool: commands, stack traces, log lines, queries."""


class Advice(Struct, frozen=True, kw_only=True):
    kind: str
    """`overload`, `in_the_weeds`, `no_disproof`, …: stable, for programs."""
    message: str
    line: str = ""
    """A line of the grammar that would follow the advice."""


def advise(after: m.Incident, facts: Iterable[Fact[m.IncidentEvent]], name_of: NameOf) -> list[Advice]:
    """What to point out after `facts` led to `after`."""
    return [
        advice
        for fact in facts
        for advice in (_out_of_order(fact.event) if isinstance(fact.event, StepTicked) else _of(after, fact, name_of))
    ]


def _of(after: m.Incident, fact: Fact[m.IncidentEvent], name_of: NameOf) -> list[Advice]:
    match fact.event:
        case TaskGiven(owner=owner, text=text, number=number):
            return [*_vague(number, text), *(_of_owner(after, owner, number, name_of) if owner else [])]
        case TaskTaken(owner=owner, number=number):
            return _of_owner(after, owner, number, name_of)
        case ItemPut(kind="hypothesis", disproof="", number=number):
            return [
                Advice(
                    kind="no_disproof",
                    message=f"What would prove H{number} wrong? Say it, and somebody can look.",
                    line=f"/guess {fact.event.text} unless ",
                )
            ]
        case m.CriterionConfirmed(criterion=criterion, despite=despite) if despite:
            return [
                Advice(
                    kind="known_against",
                    message=f"Confirmed, although {'; '.join(despite)}.",
                    line=f"/withdraw {criterion} because ",
                )
            ]
        case m.IncidentResolved() | m.AllClearGiven():
            return _left_open(after)
        case IncidentRestricted():
            return _shut_out(after, name_of)
        case m.NoteAdded(text=text) | ItemPut(text=text) if fact.by.id == after.commander and _DIAGNOSTIC.search(text):
            return [
                Advice(
                    kind="in_the_weeds",
                    message="This looks like diagnosis, and you hold command. Who could look, so that you keep the overview?",
                    line=f"/task {_at(helper(after, after.commander))}find out ",
                )
            ]
        case m.NoteAdded():
            return _of_newcomer(after, fact)
        case ChildDeclared(child=child, commander=commander) if commander == after.commander:
            return [
                Advice(
                    kind="two_commands",
                    message=f"{name_of(commander)} commands {child} as well. Who commands there, so that this one is led?",
                )
            ]
        case _:
            return []


def _of_newcomer(after: m.Incident, fact: Fact[m.IncidentEvent]) -> list[Advice]:
    """Said once, with the first word of somebody who has nothing to do here yet."""
    stint = after.pace.stints.get(fact.by.id)
    if stint is None or stint.since != fact.at or is_involved(after, fact.by.id):
        return []
    if (wanted := most_wanted(after)) is None:
        return []
    message = f"If you can do more: nobody has {wanted.ref} yet. {wanted.text}"
    return [Advice(kind="pick_up", message=message, line=wanted.line)]


def _left_open(after: m.Incident) -> list[Advice]:
    """What somebody has to close or carry over, so that nothing is left open for ever."""
    return [
        *(
            Advice(
                kind="left_open",
                message=f"{task.ref} is still open: {task.text}. Done, dropped, or a follow-up of whom?",
                line=f"/carry {task.ref} @{task.owner or ''}",
            )
            for task in after.tasks.values()
            if task.is_open and not task.carried
        ),
        *(
            Advice(kind="left_open", message=f"{need.ref} is still open: {need.text}.", line=f"/drop {need.ref} ")
            for need in after.needs.values()
            if need.is_open
        ),
    ]


def _shut_out(after: m.Incident, name_of: NameOf) -> list[Advice]:
    """Who has open work and does not see the incident any more."""
    works = (after.tasks, after.needs, after.mitigations)
    owners = [one.owner for work in works for one in work.values() if one.is_open and one.owner]
    owners += [stream.lead for stream in after.workstreams.values() if stream.is_open]
    return [
        Advice(
            kind="shut_out",
            message=f"{name_of(name)} has open work here and no longer sees it.",
            line=f"/admit @{name}",
        )
        for name in dict.fromkeys(owners)
        if name not in after.insiders
    ]


def _out_of_order(event: StepTicked) -> list[Advice]:
    if not event.before:
        return []
    them = "it" if len(event.before) == 1 else "them"
    return [
        Advice(
            kind="out_of_order",
            message=f"Nobody ticked {steps_in_words(event.before)} of C{event.run} before. Say what became of {them}.",
            line=f"/tick C{event.run} {event.before[0]} skipped ",
        )
    ]


def _vague(number: int, text: str) -> list[Advice]:
    """Who, what, and how one knows that it is done: a task that says less is asked to be sharpened."""
    hint = vague(text)
    if hint is None:
        return []
    return [Advice(kind="vague", message=f"T{number}: {hint.why}", line=f"/change T{number} {hint.instead or text}")]


def _of_owner(after: m.Incident, owner: str, number: int, name_of: NameOf) -> list[Advice]:
    return [*_in_the_weeds(after, owner, number, name_of), *_overload(after, owner, number, name_of)]


def _in_the_weeds(after: m.Incident, owner: str, number: int, name_of: NameOf) -> list[Advice]:
    if owner != after.commander:
        return []
    other = helper(after, owner)
    offer = f" {name_of(other)} could take it." if other else " Page somebody who can take it."
    return [
        Advice(
            kind="in_the_weeds",
            message=f"T{number} keeps the Incident Commander from commanding.{offer}",
            line=f"/take T{number} @{other}" if other else "/page @",
        )
    ]


def _overload(after: m.Incident, owner: str, number: int, name_of: NameOf) -> list[Advice]:
    open_ones = [task for task in after.tasks.values() if task.is_open and task.owner == owner]
    if len(open_ones) <= TASKS_AT_ONCE:
        return []
    other = helper(after, owner)
    return [
        Advice(
            kind="overload",
            message=f"{name_of(owner)} has {len(open_ones)} open tasks. Which is first, and who takes another?",
            line=f"/take T{number} {_at(other)}".rstrip(),
        )
    ]


def helper(incident: m.Incident, but: str) -> str | None:
    """Who could take over work: of those with a role other than command, the one with the fewest open tasks."""
    held = [name for role, holders in incident.roles.items() if role != "ic" for name in holders]
    leads = [stream.lead for stream in incident.workstreams.values() if stream.is_open]
    people = [name for name in dict.fromkeys((*held, *leads)) if name not in {but, incident.commander}]
    load = {name: sum(task.is_open and task.owner == name for task in incident.tasks.values()) for name in people}
    return min(people, key=lambda name: load[name], default=None)


def _at(name: str | None) -> str:
    return f"@{name} " if name else ""
