"""How long things took: detect, acknowledge, mitigate, resolve (book ch. 14; mission 14.1). From the record only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import mean, median

from msgspec import Struct

from sev1.catalog.model import Severity
from sev1.command.model import Incident


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


def target_met(incident: Incident, severity: Severity | None) -> bool | None:
    """Was the first answer within the severity's response target? None where there is no target (mission 1.3)."""
    taken = times(incident).to_acknowledge
    if severity is None or severity.respond_within_s is None or taken is None:
        return None
    # "Immediate" still needs a human to see it: one minute.
    return taken <= timedelta(seconds=severity.respond_within_s or 60)
