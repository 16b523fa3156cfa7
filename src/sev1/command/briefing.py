"""What somebody who takes over has to know, generated from the state (mission 10.2). Pure.

Nobody writes it and nobody can forget a line of it. Grouped as the five points that the successor confirms.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sev1.catalog.audience import INTERNAL
from sev1.command import model as m
from sev1.command.parts.handover import POINTS, Point
from sev1.command.parts.intake import asked
from sev1.command.terms import Details, NameOf, spoken

MOST_LINES = 12
"""Of one kind: what is beyond is counted. Who takes over reads for a minute, not for ten."""


def at_name(person: str) -> str:
    """A name as it is kept in a record, without the catalog."""
    return f"@{person}"


def briefing(incident: m.Incident, now: datetime, name_of: NameOf = at_name) -> Details:
    """Heading and text, in the order of the five points. `now` says what is late."""
    texts: dict[Point, list[str]] = {
        "impact": _impact(incident, now),
        "state": _state(incident),
        "people": _people(incident, now, name_of),
        "decisions": _decisions(incident, now, name_of),
        "next": _next(incident, now),
    }
    return tuple((POINTS[point], "\n".join(lines)) for point, lines in texts.items())


def _impact(incident: m.Incident, now: datetime) -> list[str]:
    lines = [incident.title]
    if incident.started_at:
        lines.append(f"Since {spoken(incident.started_at)}, for {_spell(now - incident.started_at)}.")
    if incident.services:
        lines.append(f"Affected: {', '.join(incident.services)}.")
    if update := incident.update:
        lines.append(f"Latest update: {update.condition}")
        lines += [f"Being done: {update.actions}"] if update.actions else []
    else:
        lines.append("No update was posted yet.")
    if incident.mitigated_at:
        lines.append(f"Mitigated at {spoken(incident.mitigated_at)}.")
    lines += _at_intake(incident)
    known = [f"Known: {item.text}" for item in incident.board.values() if item.kind == "known" and not item.outcome]
    return [*lines, *_most(known)]


def _at_intake(incident: m.Incident) -> list[str]:
    """What changed before and how far it reaches, and which of the five questions are open."""
    asked_for = asked(incident.intake, incident.title, incident.declared_by, incident.declared_at)
    lines = [
        f"{one.title}: {'; '.join(one.text.splitlines())}{'' if one.confirmed else ' (from the record, not confirmed)'}"
        for one in asked_for
        if one.text and one.question in {"blast", "changed", "tell"}
    ]
    unanswered = [one.title.lower() for one in asked_for if not one.text]
    return lines + ([f"Not answered yet: {', '.join(unanswered)}."] if unanswered else [])


def _state(incident: m.Incident) -> list[str]:
    assumed = ", assumed: nobody has confirmed it" if incident.severity_assumed else ""
    lines = [f"{incident.severity.upper()}{assumed}.", f"Stage: {m.STAGE_TITLES[incident.stage]}."]
    if incident.privacy.restricted:
        lines.append("Restricted: speak of it only with those who are in it.")
    if incident.gate:
        held = ", ".join(m.CRITERIA[criterion].lower() for criterion in incident.gate)
        lines.append(f"Confirmed for the end: {held}.")
    return lines


def _people(incident: m.Incident, now: datetime, name_of: NameOf) -> list[str]:
    lines = [
        f"{m.ROLE_TITLES[role]}: {', '.join(map(name_of, holders))}."
        for role, holders in incident.roles.items()
        if holders
    ]
    streams = (stream for stream in incident.workstreams.values() if stream.is_open)
    lines += _most(
        f"{stream.ref} {stream.title}, {name_of(stream.lead)}{': ' + stream.goal if stream.goal else ''}"
        for stream in streams
    )
    if incident.bridge.is_open:
        lines.append(f"Bridge: {incident.bridge.url}{_on_it(incident.bridge.people, name_of)}")
    tasks = sorted((task for task in incident.tasks.values() if task.is_open), key=lambda task: task.due_at)
    return [
        *lines,
        *_most(
            f"{task.ref} {name_of(task.owner) if task.owner else 'nobody yet'}: {task.text} ({_by(task.due_at, now)})"
            for task in tasks
        ),
    ]


def _on_it(people: tuple[str, ...], name_of: NameOf) -> str:
    return f" ({', '.join(map(name_of, people))})" if people else ""


def _decisions(incident: m.Incident, now: datetime, name_of: NameOf) -> list[str]:
    latest = sorted(incident.decisions.values(), key=lambda one: one.number)[-MOST_LINES:]
    lines = [f"{one.ref} {one.decision}{' because ' + one.reason if one.reason else ''}" for one in latest]
    words = {"hypothesis": "Guess", "assumption": "Assumed", "unknown": "Not known", "blocker": "Blocked"}
    lines += _most(
        f"{item.ref} {words[item.kind]}: {item.text}{', wrong if ' + item.disproof if item.disproof else ''}"
        for item in incident.board.values()
        if item.kind in words and not item.outcome
    )
    lines += _most(
        f"{need.ref} Needed: {need.text} ({name_of(need.owner) if need.owner else 'nobody sees to it yet'})"
        for need in incident.needs.values()
        if need.is_open
    )
    lines += _most(
        f"{one.ref} Temporary: {one.text} ({name_of(one.owner)}, remove {_by(one.remove_by, now)})"
        for one in incident.mitigations.values()
        if one.removed_at is None
    )
    return lines or ["Nothing is decided and nothing is open on the board."]


def _next(incident: m.Incident, now: datetime) -> list[str]:
    due = [
        f"{'Those who work on it' if audience == INTERNAL else audience.capitalize()}: {_by(clock.due_at, now)}."
        for audience, clock in incident.clocks.items()
        if clock.due_at
    ]
    return due or ["Nothing is promised to anybody."]


def _by(due_at: datetime, now: datetime) -> str:
    return f"by {spoken(due_at)}{', late' if due_at <= now else ''}"


def _most(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    more = len(found) - MOST_LINES
    return [*found[:MOST_LINES], f"and {more} more"] if more > 0 else found


def _spell(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
