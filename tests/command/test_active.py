"""The order of the wall: who needs somebody first."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sev1.command.active import ActiveIncident, in_order

NOW = datetime(2026, 3, 2, 3, 12, tzinfo=UTC)


def incident(name: str, *, severity: str = "sev-2", minutes: float = 30, update_in: float | None = 10, **more: Any):
    return ActiveIncident(
        id=name, title="Card payments fail", severity=severity, stage="triage", commander="ana", services=(),
        started_at=NOW - timedelta(minutes=minutes), open_needs=0, restricted=False,
        next_update_at=None if update_in is None else NOW + timedelta(minutes=update_in),
        **{"status": "open", **more},
    )  # fmt: skip


def order(*incidents: ActiveIncident) -> list[str]:
    return [one.id for one in in_order(incidents, NOW)]


def test_late_comes_before_severe_severe_before_old_and_resolved_last() -> None:
    assert order(
        incident("resolved", severity="sev-0", status="resolved", update_in=-5),
        incident("young", minutes=1),
        incident("old", minutes=60),
        incident("severe", severity="sev-1"),
        incident("late", severity="sev-4", update_in=-1),
        incident("late and severe", update_in=-1),
        incident("no rhythm", severity="sev-5", update_in=None),
    ) == ["late and severe", "late", "severe", "old", "young", "no rhythm", "resolved"]


def test_an_update_is_late_from_the_instant_at_which_it_was_due() -> None:
    assert incident("due", update_in=0).is_late(NOW)
    assert not incident("soon", update_in=0.1).is_late(NOW)
    assert not incident("none", update_in=None).is_late(NOW)
