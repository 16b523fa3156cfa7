"""What the API answers with: the domain's state in the domain's words, with times as RFC 3339 in UTC."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as incident_model
from sev1.command.advice import Advice
from sev1.command.openings import Opening, openings
from sev1.command.parts.board import Item
from sev1.command.parts.bridge import Bridge
from sev1.command.parts.clocks import Clock
from sev1.command.parts.decisions import Decision
from sev1.command.parts.family import Family
from sev1.command.parts.handover import Handover
from sev1.command.parts.intake import Asked, asked
from sev1.command.parts.merging import Merging
from sev1.command.parts.mitigations import Mitigation
from sev1.command.parts.needs import Need
from sev1.command.parts.priority import Priority
from sev1.command.parts.reach import Reach
from sev1.command.parts.recovery import Recovery
from sev1.command.parts.runs import RunbookRun
from sev1.command.parts.tasks import Task
from sev1.command.parts.workstreams import Workstream
from sev1.command.prompts import Prompt, prompts
from sev1.command.react import DEFAULT_RHYTHM_MIN
from sev1.command.similar import Similar
from sev1.command.timeline import Entry
from sev1.command.vocabulary import InOtherWords, in_other_words
from sev1.measure.times import ResponseTarget, Statistic, Summary, response_target, times
from sev1.paging import model as page_model
from sev1.paging.diagnostics import Run
from sev1.paging.fix import Fix
from sev1.paging.suggestion import Suggestion
from sev1.surfaces.said import FieldHint


class TimesView(Struct, frozen=True, kw_only=True):
    """Seconds; null where it has not come to that."""

    to_detect_s: float | None
    to_acknowledge_s: float | None
    to_mitigate_s: float | None
    to_resolve_s: float | None
    response_target_met: bool | None


class IncidentView(Struct, frozen=True, kw_only=True):
    id: str
    url: str
    version: int
    status: str
    title: str
    severity: str
    severity_assumed: bool
    stage: str
    services: tuple[str, ...]
    commander: str
    commander_is_temporary: bool
    roles: dict[str, tuple[str, ...]]
    pages: tuple[str, ...]
    alerts: tuple[int, ...]
    update: incident_model.Update | None
    next_update_at: datetime | None
    gate: dict[str, incident_model.Mark]
    missing_criteria: list[str]
    started_at: datetime | None
    detected_at: datetime | None
    declared_at: datetime | None
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    all_clear_at: datetime | None
    times: TimesView
    board: list[Item]
    tasks: list[Task]
    needs: list[Need]
    workstreams: list[Workstream]
    mitigations: list[Mitigation]
    restricted: bool
    admitted: tuple[str, ...]
    """Who sees it while it is restricted, besides those with a role."""
    family: Family
    decisions: list[Decision]
    bridge: Bridge | None
    """Null while none is open."""
    intake: tuple[Asked, ...]
    """The five intake questions with their answers; what is not confirmed says the record alone."""
    clocks: dict[str, Clock]
    """By audience: what it was told last, and when it hears again."""
    runs: list[RunbookRun]
    """Runbooks that were run as checklists, with what came of each step."""
    handover: Handover
    """Whom command is offered to, if to anybody."""
    reach: Reach
    """Whether the commander was called, and who is asked to take over."""
    merging: Merging
    """The incident that goes on in its place, and those that were merged into it."""
    recovery: Recovery
    earlier_ends: tuple[incident_model.Ending, ...]
    """How it had ended each time that it was reopened."""
    priority: str
    """`P1` to `P5`: what somebody said, else what follows from the severity."""
    priority_set: Priority | None
    """Who said so, when and why; null while it follows the severity."""
    in_other_words: InOtherWords
    """The stage as SRE, ITIL and NIST call it."""
    response_target: ResponseTarget | None
    """How soon an answer is wanted, and how much of that is left; null where the severity is only watched."""
    openings: list[Opening]
    """What waits for somebody to pick it up, most wanted first, each with the line that does."""
    prompts: dict[str, Prompt]
    """By person: the one question to each holder of a role who is asked something now; `later_prompt` puts it off."""


class Declared(IncidentView, frozen=True, kw_only=True):
    warnings: Sequence[FieldHint] = ()
    """What is pointed out in the texts of the declaration. It was done all the same."""
    similar: Sequence[Similar] = ()
    """Running incidents that may be the same: `/merge INC-3 because …` joins them."""


def incident_view(
    incident: incident_model.Incident, version: int, catalog: Catalog, url: str, *, now: datetime
) -> IncidentView:
    took = times(incident)
    severity = catalog.severities.get(incident.severity)
    target = response_target(incident, severity, now)
    return IncidentView(
        id=incident.key,
        url=f"{url}/incidents/{incident.key}",
        version=version,
        status=incident.status,
        title=incident.title,
        severity=incident.severity,
        severity_assumed=incident.severity_assumed,
        stage=incident.stage,
        services=incident.services,
        commander=incident.commander,
        commander_is_temporary=incident.commander_is_temporary,
        roles={str(role): holders for role, holders in incident.roles.items()},
        pages=incident.pages,
        alerts=incident.alerts,
        update=incident.update,
        next_update_at=incident.next_update_at,
        gate={str(criterion): mark for criterion, mark in incident.gate.items()},
        missing_criteria=[str(criterion) for criterion in incident.missing],
        started_at=incident.started_at,
        detected_at=incident.detected_at,
        declared_at=incident.declared_at,
        acknowledged_at=incident.acknowledged_at,
        mitigated_at=incident.mitigated_at,
        resolved_at=incident.resolved_at,
        all_clear_at=incident.all_clear_at,
        times=TimesView(
            to_detect_s=took.to_detect.total_seconds() if took.to_detect is not None else None,
            to_acknowledge_s=took.to_acknowledge.total_seconds() if took.to_acknowledge is not None else None,
            to_mitigate_s=took.to_mitigate.total_seconds() if took.to_mitigate is not None else None,
            to_resolve_s=took.to_resolve.total_seconds() if took.to_resolve is not None else None,
            response_target_met=target.met if target else None,
        ),
        board=list(incident.board.values()),
        tasks=list(incident.tasks.values()),
        needs=list(incident.needs.values()),
        workstreams=list(incident.workstreams.values()),
        mitigations=list(incident.mitigations.values()),
        restricted=incident.privacy.restricted,
        admitted=incident.privacy.admitted,
        family=incident.family,
        decisions=list(incident.decisions.values()),
        bridge=incident.bridge if incident.bridge.is_open else None,
        intake=asked(incident.intake, incident.title, incident.declared_by, incident.declared_at),
        clocks=incident.clocks,
        runs=list(incident.runs.values()),
        handover=incident.handover,
        reach=incident.reach,
        merging=incident.merging,
        recovery=incident.recovery,
        earlier_ends=incident.earlier_ends,
        priority=f"P{incident.priority_level}",
        priority_set=incident.priority if incident.priority.level else None,
        in_other_words=in_other_words(incident.stage),
        response_target=target,
        openings=openings(incident),
        prompts=prompts(incident, now, severity.update_every_min if severity else DEFAULT_RHYTHM_MIN),
    )


class PageView(Struct, frozen=True, kw_only=True):
    id: str
    url: str
    version: int
    status: str
    title: str
    service: str | None
    severity: str | None
    why: str
    brief: page_model.Brief
    policy: str
    step: int
    round: int
    people: tuple[page_model.Paged, ...]
    paged: tuple[str, ...]
    exhausted: bool
    alert_count: int
    incident: str | None
    diagnostics: tuple[Run, ...]
    """The latest run of each diagnostic on this page."""
    fix: Fix | None
    """The latest fix that somebody reported, and whether it helped."""
    suggestion: Suggestion | None
    """What a declaration policy found."""
    opened_at: datetime | None
    next_escalation_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    attend_by: datetime | None
    resolved_at: datetime | None
    resolution: str


def page_view(page: page_model.Page, version: int, url: str) -> PageView:
    return PageView(
        id=page.key,
        url=f"{url}/pages/{page.key}",
        version=version,
        status=page.status,
        title=page.title,
        service=page.service,
        severity=page.severity,
        why=page.why,
        brief=page.brief,
        policy=page.policy.name if page.policy else "",
        step=page.step,
        round=page.round,
        people=page.people,
        paged=page.paged,
        exhausted=page.exhausted,
        alert_count=page.alert_count,
        incident=page.incident,
        diagnostics=page.diagnostics,
        fix=page.fix,
        suggestion=page.suggestion,
        opened_at=page.opened_at,
        next_escalation_at=page.next_at,
        acknowledged_at=page.acknowledged_at,
        acknowledged_by=page.acknowledged_by,
        snoozed_until=page.snoozed_until,
        attend_by=page.attend_by,
        resolved_at=page.resolved_at,
        resolution=page.resolution,
    )


class FactView(Struct, frozen=True, kw_only=True):
    """One recorded event of a page, as it is in the log."""

    version: int
    at: datetime
    by: str
    via: str
    event: dict[str, Any]


class StatisticView(Struct, frozen=True, kw_only=True):
    """Over `count` incidents, in seconds."""

    count: int
    mean_s: float | None
    median_s: float | None
    longest_s: float | None


class MeasuresView(Struct, frozen=True, kw_only=True):
    since: datetime
    until: datetime
    incidents: int
    false_alarms: int
    by_severity: dict[str, int]
    mttd: StatisticView
    mtta: StatisticView
    mttm: StatisticView
    mttr: StatisticView


def measures_view(summary: Summary) -> MeasuresView:
    return MeasuresView(
        since=summary.since,
        until=summary.until,
        incidents=summary.incidents,
        false_alarms=summary.false_alarms,
        by_severity=summary.by_severity,
        mttd=_statistic(summary.mttd),
        mtta=_statistic(summary.mtta),
        mttm=_statistic(summary.mttm),
        mttr=_statistic(summary.mttr),
    )


def _statistic(statistic: Statistic) -> StatisticView:
    return StatisticView(
        count=statistic.count,
        mean_s=statistic.mean.total_seconds() if statistic.mean is not None else None,
        median_s=statistic.median.total_seconds() if statistic.median is not None else None,
        longest_s=statistic.longest.total_seconds() if statistic.longest is not None else None,
    )


class Changed(Struct, frozen=True, kw_only=True):
    """The incident after a command, and what the command added to its timeline (nothing when it was so already)."""

    incident: IncidentView
    recorded: Sequence[Entry]
    advice: Sequence[Advice] = ()
    """Pointed out to whoever did it; nothing was blocked."""
    warnings: Sequence[FieldHint] = ()
    """What is pointed out in the texts of the command. It was done all the same."""
