"""One of two incidents goes on: it takes over what is open in the other, which ends. Pure (mission 3.2)."""

from datetime import datetime, timedelta

from sev1.command import model as m
from sev1.command.parts import merging as g
from sev1.command.parts.board import ItemPut
from sev1.command.parts.bridge import BridgeOpened, ask_after_min
from sev1.command.parts.intake import IntakeAnswered
from sev1.command.parts.needs import NeedRaised
from sev1.command.parts.tasks import TaskGiven
from sev1.command.terms import MOST
from sev1.engine.errors import Invalid, Refused

REPORT_WITHIN = timedelta(minutes=30)
"""When a task that comes over was late already."""


def merge(state: m.Incident, command: g.MergeInto, known: m.Known) -> list[m.IncidentEvent]:
    """Ends this one. Raises Refused with what has to be done before."""
    if command.into == state.key:
        raise Invalid("An incident cannot be merged into itself. Name the one that goes on.", field="into")
    kin = known.kin
    if kin.other_status != "open":
        raise Refused(f"{command.into} is {kin.other_status.replace('_', ' ')}. Merge into one that is open.")
    if kin.open_children:
        raise Refused(f"{', '.join(kin.open_children)} under this one would be left alone. First, there: /parent none")
    if command.into in kin.above:
        raise Refused(
            f"{state.key} is under {command.into}, which sees to it. End it, or take it out first: /parent none"
        )
    return [g.MergedInto(into=command.into, title=kin.other_title, reason=command.reason)]


def handed_on(source: m.Incident, into: str, reason: str) -> tuple[str, g.TakeIn]:
    """What the incident that goes on takes over of `source`."""
    return into, g.TakeIn(
        other=source.key,
        title=source.title,
        reason=reason,
        started_at=source.started_at,
        services=source.services,
        alerts=source.alerts,
        pages=source.pages,
        tasks=tuple(
            g.Work(ref=task.ref, text=task.text, owner=task.owner, due_at=task.due_at)
            for task in source.tasks.values()
            if task.is_open
        ),
        needs=tuple(
            g.Work(ref=need.ref, text=need.text, owner=need.owner) for need in source.needs.values() if need.is_open
        ),
        board=tuple(
            g.Said(ref=item.ref, kind=item.kind, text=item.text, disproof=item.disproof)
            for item in source.board.values()
            if not item.outcome
        ),
        answers=tuple((q, one.text) for q, one in source.intake.items() if one.confirmed and q != "began"),
        bridge=source.bridge.url,
        on_the_bridge=source.bridge.people,
    )


def take_in(state: m.Incident, command: g.TakeIn, now: datetime) -> list[m.IncidentEvent]:
    """In the incident that goes on. What comes over keeps its words and says where it comes from."""
    if command.other in state.merging.taken_in:
        return []
    return [
        g.TookIn(other=command.other, title=command.title, reason=command.reason),
        *_earlier(state, command),
        *_affected(state, command),
        *_work(state, command, now),
        *_board(state, command),
        *_answers(state, command),
        *_bridge(state, command),
    ]


def _earlier(state: m.Incident, command: g.TakeIn) -> list[m.IncidentEvent]:
    assert state.started_at is not None
    assert state.detected_at is not None
    if not command.started_at or command.started_at >= state.started_at:
        return []
    because = f"{command.other} began earlier"
    return [m.TimesCorrected(started_at=command.started_at, detected_at=state.detected_at, reason=because)]


def _affected(state: m.Incident, command: g.TakeIn) -> list[m.IncidentEvent]:
    alerts = tuple(one for one in command.alerts if one not in state.alerts)
    services = tuple(one for one in command.services if one not in state.services)
    linked: list[m.IncidentEvent] = [m.AlertsLinked(alerts=alerts, services=services)] if alerts or services else []
    return linked + [m.PageLinked(page=page) for page in command.pages if page not in state.pages]


def _work(state: m.Incident, command: g.TakeIn, now: datetime) -> list[m.IncidentEvent]:
    _must_fit(state, len(state.tasks) + len(command.tasks), f"tasks. Close what is done in {command.other} first.")
    _must_fit(state, len(state.needs) + len(command.needs), f"needs. Settle what is over in {command.other} first.")
    return [
        *(
            TaskGiven(
                number=number,
                text=_from(command.other, task.ref, task.text),
                owner=task.owner,
                due_at=task.due_at if task.due_at and task.due_at > now else now + REPORT_WITHIN,
            )
            for number, task in enumerate(command.tasks, max(state.tasks, default=0) + 1)
        ),
        *(
            NeedRaised(number=number, text=_from(command.other, need.ref, need.text), owner=need.owner)
            for number, need in enumerate(command.needs, max(state.needs, default=0) + 1)
        ),
    ]


def _board(state: m.Incident, command: g.TakeIn) -> list[ItemPut]:
    stands = {(item.kind, item.text) for item in state.board.values() if not item.outcome}
    new = [item for item in command.board if (item.kind, item.text) not in stands]
    _must_fit(state, len(state.board) + len(new), f"items on its board. Settle what is over in {command.other} first.")
    return [
        ItemPut(number=number, kind=item.kind, text=_from(command.other, item.ref, item.text), disproof=item.disproof)
        for number, item in enumerate(new, max(state.board, default=0) + 1)
    ]


def _answers(state: m.Incident, command: g.TakeIn) -> list[IntakeAnswered]:
    """What a person answered there, where nobody has here."""
    return [
        IntakeAnswered(question=question, text=f"{text} ({command.other})")
        for question, text in command.answers
        if not ((here := state.intake.get(question)) and here.confirmed)
    ]


def _bridge(state: m.Incident, command: g.TakeIn) -> list[BridgeOpened]:
    """One bridge goes on: the one here, onto which those from there are called; else theirs, as it is."""
    here = state.bridge
    if not command.bridge:
        return []
    people = tuple(dict.fromkeys((*here.people, *command.on_the_bridge)))
    if not here.is_open:
        return [BridgeOpened(url=command.bridge, people=people, ask_after_min=ask_after_min(state.severity))]
    if people == here.people:
        return []
    called = () if here.url == command.bridge else tuple(name for name in people if name not in here.people)
    return [BridgeOpened(url=here.url, people=people, called=called, ask_after_min=here.ask_after_min)]


def _from(other: str, ref: str, text: str) -> str:
    return f"{text} ({other} {ref})"[:1000]


def _must_fit(state: m.Incident, count: int, what: str) -> None:
    if count > MOST:
        raise Refused(f"{state.key} would have more than {MOST} {what}")
