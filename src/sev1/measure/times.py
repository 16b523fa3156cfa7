"""How long things took: detect, acknowledge, mitigate, resolve (book ch. 14; mission 14.1). From the record only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import mean, median

from msgspec import Struct

from sev1.catalog.model import Severity
from sev1.command.model import Incident

IMMEDIATE_S = 60
""""Immediate" still needs a human to see it."""


class Times(Struct, frozen=True, kw_only=True):
    """Durations of one incident; None where it has not come to that.

    Detect counts from the start of the impact; acknowledge, mitigate and resolve from the detection (book ch. 14).
    """

    to_detect: timedelta | None = None
    to_acknowledge: timedelta | None = None
    to_mitigate: timedelta | None = None
    to_resolve: timedelta | None = None


def times(incident: Incident) -> Times:
    detected = incident.detected_at
    return Times(
        to_detect=_between(incident.started_at, detected),
        to_acknowledge=_between(detected, incident.acknowledged_at),
        to_mitigate=_between(detected, incident.mitigated_at),
        to_resolve=_between(detected, incident.resolved_at),
    )


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    if start is None or end is None:
        return None
    return max(end - start, timedelta())


class Statistic(Struct, frozen=True, kw_only=True):
    """Over `count` incidents; None where there was none to measure."""

    count: int
    mean: timedelta | None = None
    median: timedelta | None = None
    longest: timedelta | None = None


class Summary(Struct, frozen=True, kw_only=True):
    """The means over a period. False alarms are counted, not timed."""

    since: datetime
    until: datetime
    incidents: int
    false_alarms: int
    by_severity: dict[str, int]
    mttd: Statistic
    mtta: Statistic
    mttm: Statistic
    mttr: Statistic


def summarise(incidents: Sequence[Incident], since: datetime, until: datetime) -> Summary:
    """The summary of `incidents` declared between `since` and `until`."""
    incidents = [incident for incident in incidents if incident.status != "merged"]
    real = [incident for incident in incidents if incident.status != "false_alarm"]
    measured = [times(incident) for incident in real]
    by_severity: dict[str, int] = {}
    for incident in real:
        by_severity[incident.severity] = by_severity.get(incident.severity, 0) + 1
    return Summary(
        since=since,
        until=until,
        incidents=len(real),
        false_alarms=len(incidents) - len(real),
        by_severity=dict(sorted(by_severity.items())),
        mttd=_statistic([t.to_detect for t in measured]),
        mtta=_statistic([t.to_acknowledge for t in measured]),
        mttm=_statistic([t.to_mitigate for t in measured]),
        mttr=_statistic([t.to_resolve for t in measured]),
    )


def _statistic(values: Sequence[timedelta | None]) -> Statistic:
    seconds = [value.total_seconds() for value in values if value is not None]
    if not seconds:
        return Statistic(count=0)
    return Statistic(
        count=len(seconds),
        mean=timedelta(seconds=mean(seconds)),
        median=timedelta(seconds=median(seconds)),
        longest=timedelta(seconds=max(seconds)),
    )


class ResponseTarget(Struct, frozen=True, kw_only=True):
    """How soon the severity wants an answer: the time from the detection to the first act of whoever responds."""

    within_s: int
    due_at: datetime
    answered_at: datetime | None
    remaining_s: float | None
    """Until it is missed, below zero since then; None once it was answered, or over without an answer."""
    met: bool | None
    """None while it can still be met."""


def response_target(incident: Incident, severity: Severity | None, now: datetime) -> ResponseTarget | None:
    """The target as it runs (mission 1.3). None where there is none: the severity is only watched."""
    if severity is None or severity.respond_within_s is None or incident.detected_at is None:
        return None
    within_s = severity.respond_within_s or IMMEDIATE_S
    due_at = incident.detected_at + timedelta(seconds=within_s)
    answered_at = incident.acknowledged_at
    runs = answered_at is None and incident.is_open
    return ResponseTarget(
        within_s=within_s,
        due_at=due_at,
        answered_at=answered_at,
        remaining_s=(due_at - now).total_seconds() if runs else None,
        met=answered_at <= due_at if answered_at else False if runs and now > due_at else None,
    )


def target_met(incident: Incident, severity: Severity | None) -> bool | None:
    """Was the first answer within the severity's response target? None where there is no target (mission 1.3)."""
    taken = times(incident).to_acknowledge
    if severity is None or severity.respond_within_s is None or taken is None:
        return None
    return taken <= timedelta(seconds=severity.respond_within_s or IMMEDIATE_S)
