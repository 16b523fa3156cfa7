"""The draft of a postmortem: ten sections (mission 12.1), filled from the record, with what only people know left to them.

Markdown. What is known is stated, what is not is asked for as a question in italics.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.parts.intake import Question
from sev1.command.timeline import Entry, render
from sev1.engine.commands import Commands
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound
from sev1.measure.times import Times, target_met, times
from sev1.paging import store as pages
from sev1.paging.model import Page


class Record(Struct, frozen=True, kw_only=True):
    """Everything that the draft is rendered from."""

    incident: m.Incident
    facts: Sequence[Fact[m.IncidentEvent]]
    pages: Sequence[Page]
    alerts: Sequence[str]
    """Summaries of the linked alerts, oldest first."""
    alert_count: int
    catalog: Catalog


async def draft(conn: asyncpg.Connection, commands: Commands, catalog: Catalog, key: str) -> str:
    """The draft for incident `key` as it stands now. Raises NotFound."""
    incident, facts = await commands.load(conn, "incident", key)
    if incident.status == "none":
        raise NotFound(f"There is no incident {key}.")
    alerts = await conn.fetch("SELECT id, summary FROM alerts WHERE incident = $1 ORDER BY starts_at, id LIMIT 20", key)
    count = await conn.fetchval("SELECT count(*) FROM alerts WHERE incident = $1", key)
    record = Record(
        incident=incident,
        facts=facts,
        pages=await pages.of_incident(conn, key),
        alerts=[f"A-{row['id']}: {row['summary']}" for row in alerts],
        alert_count=count,
        catalog=catalog,
    )
    return render_draft(record)


def render_draft(record: Record) -> str:
    """The ten sections in order. Pure."""
    incident = record.incident
    entries = render(record.facts, lambda who: _name(record.catalog, who), record.incident.entries)
    took = times(incident)
    sections = (
        ("Summary", _summary(record, took)),
        ("Timeline", _timeline(entries)),
        ("Impact", _impact(record, took)),
        (
            "Contributing causes",
            [
                *_answered(incident, "changed", "Changed before"),
                _ask("Which conditions came together? Ask why on several branches; none ends at a person."),
            ],
        ),
        ("Detection", _detection(record, took)),
        ("Mitigation", _of_kind(entries, {"decision"}, "Decisions taken") + _mitigation(incident, took)),
        ("Resolution", _resolution(record, took)),
        ("Lessons", [_ask("What went well, what did not, where were we lucky?")]),
        ("Action items", [*_needs(record), _ask("What, who, until when, and how will we know that it worked?")]),
        ("Prevention", [_ask("What would make this kind of incident less likely, or smaller?")]),
    )
    head = f"# {_escape(f'{incident.key} {incident.severity.upper()}: {incident.title}')}\n\n_Draft, made from the record._"
    body = "\n\n".join(f"## {n}. {title}\n\n" + "\n".join(lines) for n, (title, lines) in enumerate(sections, 1))
    return f"{head}\n\n{body}\n"


def _summary(record: Record, took: Times) -> list[str]:
    incident = record.incident
    assert incident.declared_at is not None
    services = ", ".join(_service(record.catalog, name) for name in incident.services) or "no service named"
    declared = f"Declared by {_escape(_name(record.catalog, incident.declared_by))} at {_instant(incident.declared_at)}"
    commander = _escape(_name(record.catalog, incident.commander))
    lines = [
        f"{_escape(incident.title)}. {declared} for {_escape(services)}; Incident Commander at the end: {commander}.",
        "",
        "| Time to | Took |",
        "| --- | --- |",
        f"| detect | {_took(took.to_detect)} |",
        f"| acknowledge | {_took(took.to_acknowledge)}{_target(record)} |",
        f"| mitigate | {_took(took.to_mitigate)} |",
        f"| resolve | {_took(took.to_resolve)} |",
    ]
    if incident.update:
        lines += ["", f"Last known condition: {_escape(incident.update.condition)}"]
    return lines


def _target(record: Record) -> str:
    met = target_met(record.incident, record.catalog.severities.get(record.incident.severity))
    return {None: "", True: " (within the target)", False: " (later than the target)"}[met]


def _timeline(entries: Sequence[Entry]) -> list[str]:
    lines = []
    for entry in entries:
        sign = f"{entry.sign} " if entry.sign else ""
        headline = _escape(entry.headline)
        said = f"~~{headline}~~ undone" if entry.corrected_by else headline
        lines.append(f"- {entry.at:%Y-%m-%d %H:%M:%S} UTC — {sign}{said} ({_escape(entry.by)})")
        lines += [f"  - {label}: {_escape(text)}" for label, text in entry.details]
    return lines


def _impact(record: Record, took: Times) -> list[str]:
    lines = []
    for name in record.incident.services:
        service = record.catalog.services.get(name)
        if service and service.impact:
            lines.append(f"- {_escape(service.title)}: {_escape(service.impact)}")
    incident = record.incident
    if incident.started_at and incident.mitigated_at:
        felt = max(incident.mitigated_at - incident.started_at, timedelta())
        lines.append(f"- From {_instant(incident.started_at)} until {_instant(incident.mitigated_at)}: {_took(felt)}.")
    elif took.to_detect is not None and incident.started_at:
        lines.append(f"- Since {_instant(incident.started_at)}.")
    lines += _answered(incident, "blast", "Reach")
    return [*lines, _ask("How many customers, which functions, what did it cost?")]


def _answered(incident: m.Incident, question: Question, title: str) -> list[str]:
    """What was answered at intake, and whether anybody has confirmed it."""
    answer = incident.intake.get(question)
    if answer is None:
        return []
    doubt = "" if answer.confirmed else " _(from the record, not confirmed)_"
    return [f"- {title}: {_escape('; '.join(answer.text.splitlines()))}{doubt}"]


def _detection(record: Record, took: Times) -> list[str]:
    incident = record.incident
    assert incident.detected_at is not None
    lines = [f"- Detected at {_instant(incident.detected_at)}, {_took(took.to_detect)} after it began."]
    if record.alert_count:
        lines += [f"- {_escape(summary)}" for summary in record.alerts]
        if record.alert_count > len(record.alerts):
            lines.append(f"- and {record.alert_count - len(record.alerts)} more alerts")
    else:
        lines.append("- Reported by a person; no alert is linked.")
    lines += [
        f"- {page.key} paged {_escape(', '.join(_name(record.catalog, who) for who in page.paged) or 'nobody')}"
        + (f"; acknowledged at {_instant(page.acknowledged_at)}" if page.acknowledged_at else "; never acknowledged")
        for page in record.pages
    ]
    return [*lines, _ask("Was it timely? Would a better signal have told us earlier?")]


def _mitigation(incident: m.Incident, took: Times) -> list[str]:
    if incident.mitigated_at is None:
        return [_ask("Not mitigated yet.")]
    return [f"- Mitigated at {_instant(incident.mitigated_at)}, {_took(took.to_mitigate)} after detection."]


def _resolution(record: Record, took: Times) -> list[str]:
    incident = record.incident
    if incident.resolved_at is None:
        return [_ask("Not resolved yet.")]
    lines = [f"- Resolved at {_instant(incident.resolved_at)}, {_took(took.to_resolve)} after detection."]
    for criterion, sentence in m.CRITERIA.items():
        mark = incident.gate.get(criterion)
        if mark:
            who = _escape(_name(record.catalog, mark.by))
            how = f"overridden by {who}: {_escape(mark.override)}" if mark.override else f"confirmed by {who}"
            lines.append(f"- {sentence}: {how} at {_instant(mark.at)}.")
    return lines


def _needs(record: Record) -> list[str]:
    """Needs named in updates are where follow-ups hide."""
    return [
        f"- [ ] {_escape(fact.event.needs)} _(asked for at {fact.at:%H:%M} UTC)_"
        for fact in record.facts
        if isinstance(fact.event, m.UpdatePosted) and fact.event.needs
    ]


def _of_kind(entries: Sequence[Entry], kinds: set[str], title: str) -> list[str]:
    chosen = [
        f"  - {entry.at:%H:%M} UTC {_escape(entry.headline)}"
        for entry in entries
        if entry.kind in kinds and not entry.corrected_by
    ]
    return [f"- {title}:", *chosen] if chosen else []


def _ask(question: str) -> str:
    return f"_{question}_"


def _name(catalog: Catalog, identity: str) -> str:
    person = catalog.people.get(identity) or catalog.person_by_email(identity)
    return person.full_name if person else identity


def _service(catalog: Catalog, name: str) -> str:
    return catalog.services[name].title if name in catalog.services else name


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _took(duration: timedelta | None) -> str:
    if duration is None:
        return "not yet"
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds if not hours else 0, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"


def _escape(text: str) -> str:
    """What people wrote stays text: no heading, list, table or HTML of its own, and one line stays one line."""
    for char in "\\`*_[]<>#|~":
        text = text.replace(char, "\\" + char)
    return " ".join(text.split())
