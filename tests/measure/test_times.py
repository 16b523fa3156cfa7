from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sev1.catalog.model import Severity
from sev1.command.model import Incident
from sev1.measure.times import response_target, summarise, target_met, times

T0 = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def incident(key: str = "INC-1", **minutes: float | None) -> Incident:
    """Began at 0, detected at 5, acknowledged at 8, mitigated at 25, resolved at 65 minutes, unless told otherwise."""
    offsets = {"started": 0, "detected": 5, "acknowledged": 8, "mitigated": 25, "resolved": 65, **minutes}
    marks = {f"{name}_at": None if m is None else T0 + timedelta(minutes=m) for name, m in offsets.items()}
    return Incident(key=key, status="resolved", severity="sev-1", declared_at=T0, **marks)


def severity(respond_within_s: int | None) -> Severity:
    return Severity(name="sev-1", title="t", impact="i", respond_within_s=respond_within_s)


def test_detection_counts_from_the_start_and_everything_else_from_the_detection():
    took = times(incident())
    assert took.to_detect == timedelta(minutes=5)
    assert took.to_acknowledge == timedelta(minutes=3)
    assert took.to_mitigate == timedelta(minutes=20)
    assert took.to_resolve == timedelta(minutes=60)


def test_what_has_not_happened_has_no_duration():
    took = times(incident(mitigated=None, resolved=None))
    assert took.to_mitigate is None
    assert took.to_resolve is None


@pytest.mark.parametrize(("limit_s", "met"), [(180, True), (179, False), (None, None), (0, False)])
def test_the_response_target_is_met_up_to_the_last_second(limit_s: int | None, met: bool | None):
    assert target_met(incident(), severity(limit_s)) is met


def test_immediate_leaves_a_human_one_minute():
    assert target_met(incident(acknowledged=6), severity(0)) is True


@pytest.mark.parametrize(
    ("minute", "left_s", "met"), [(5, 180.0, None), (7, 60.0, None), (8, 0.0, None), (8.5, -30.0, False)]
)
def test_the_target_runs_from_the_detection_until_somebody_answers(minute: float, left_s: float, met: bool | None):
    running = replace(incident(acknowledged=None), status="open")
    target = response_target(running, severity(180), T0 + timedelta(minutes=minute))
    assert target is not None
    assert (target.remaining_s, target.met) == (left_s, met)
    assert target.due_at == T0 + timedelta(minutes=8)


def test_once_answered_nothing_is_left_to_run_and_the_time_does_not_change_it():
    for minute in (9, 900):
        target = response_target(incident(), severity(180), T0 + timedelta(minutes=minute))
        assert target is not None
        assert (target.remaining_s, target.met, target.answered_at) == (None, True, T0 + timedelta(minutes=8))
    late = response_target(incident(acknowledged=9), severity(180), T0)
    assert late is not None
    assert late.met is False


def test_what_ended_without_an_answer_runs_no_more_and_what_is_watched_has_no_target():
    over = response_target(incident(acknowledged=None), severity(180), T0 + timedelta(hours=9))
    assert over is not None
    assert (over.remaining_s, over.met) == (None, None)
    assert response_target(incident(), severity(None), T0) is None


def test_a_summary_leaves_out_what_is_not_there_and_does_not_time_false_alarms():
    alarm = Incident(key="INC-3", status="false_alarm", severity="sev-1")
    summary = summarise(
        [incident(), incident("INC-2", resolved=None), alarm], T0 - timedelta(days=30), T0 + timedelta(days=1)
    )
    assert (summary.incidents, summary.false_alarms) == (2, 1)
    assert summary.mttr.count == 1
    assert summary.mttr.mean == timedelta(minutes=60)
    assert summary.mtta.count == 2
    assert summary.by_severity == {"sev-1": 2}


def test_nothing_measured_is_none_and_not_zero():
    summary = summarise([], T0, T0 + timedelta(days=30))
    assert summary.mttd.count == 0
    assert summary.mttd.mean is None


def test_the_mean_and_the_median_tell_of_an_outlier():
    many = [incident(f"INC-{n}", resolved=5 + m) for n, m in enumerate((10, 10, 10, 370))]
    summary = summarise(many, T0, T0)
    assert summary.mttr.mean == timedelta(minutes=100)
    assert summary.mttr.median == timedelta(minutes=10)
    assert summary.mttr.longest == timedelta(minutes=370)
