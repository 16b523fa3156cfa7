"""One of two incidents goes on: it takes over pages, alerts, services and open work; the other ends. Pure (mission 3.2)."""

from datetime import datetime, timedelta

from sev1.command import model as m
from sev1.command.parts import merging as g
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
    )


def take_in(state: m.Incident, command: g.TakeIn, now: datetime) -> list[m.IncidentEvent]:
    """In the incident that goes on. Work keeps its words and says where it comes from."""
    if command.other in state.merging.taken_in:
        return []
    events: list[m.IncidentEvent] = [g.TookIn(other=command.other, title=command.title, reason=command.reason)]
    assert state.started_at is not None
    assert state.detected_at is not None
    if command.started_at and command.started_at < state.started_at:
        events.append(
            m.TimesCorrected(
                started_at=command.started_at, detected_at=state.detected_at, reason=f"{command.other} began earlier"
            )
        )
    alerts = tuple(one for one in command.alerts if one not in state.alerts)
    services = tuple(one for one in command.services if one not in state.services)
    if alerts or services:
        events.append(m.AlertsLinked(alerts=alerts, services=services))
    events += [m.PageLinked(page=page) for page in command.pages if page not in state.pages]
    if len(state.tasks) + len(command.tasks) > MOST:
        raise Refused(f"{state.key} would have more than {MOST} tasks. Close what is done in {command.other} first.")
    first = max(state.tasks, default=0) + 1
    events += [
        TaskGiven(
            number=number,
            text=f"{task.text} ({command.other} {task.ref})"[:1000],
            owner=task.owner,
            due_at=task.due_at if task.due_at and task.due_at > now else now + REPORT_WITHIN,
        )
        for number, task in enumerate(command.tasks, first)
    ]
    if len(state.needs) + len(command.needs) > MOST:
        raise Refused(f"{state.key} would have more than {MOST} needs. Settle what is over in {command.other} first.")
    first = max(state.needs, default=0) + 1
    events += [
        NeedRaised(number=number, text=f"{need.text} ({command.other} {need.ref})"[:1000], owner=need.owner)
        for number, need in enumerate(command.needs, first)
    ]
    return events
