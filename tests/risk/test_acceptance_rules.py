"""Accepting a risk: what may be accepted, until when, and when it is brought to mind."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.model import Catalog, Organisation, Service
from sev1.engine.errors import Invalid
from sev1.risk.acceptance import NewRisk, checked, next_reminder

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
CATALOG = Catalog(
    services={"checkout": Service(name="checkout", title="Checkout", owner="team")},
    organisation=Organisation(name="o", title="O", risk_max_days=90),
)


def days(count: float) -> datetime:
    return NOW + timedelta(days=count)


def new(**changes: object) -> NewRisk:
    given = {"risk": "one\nline", "reason": " r ", "monitoring": "m", "until": days(30), **changes}
    return NewRisk(**given)  # type: ignore[arg-type]


def test_what_is_kept_is_one_line_with_a_reason_and_what_is_watched():
    kept = checked(new(service="checkout", match=('service="checkout"',)), CATALOG, NOW)
    assert (kept.risk, kept.reason) == ("one line", "r")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"until": days(0)}, "That time has passed"),
        ({"until": days(91)}, "at most 90 days"),
        ({"service": "chekout"}, "has no service"),
        ({"match": ("{{{",)}, "is no matcher"),
        ({"reason": "  "}, "reason is missing"),
        ({"monitoring": " "}, "monitoring is missing"),
        ({"risk": " \n "}, "say it in one line"),
    ],
)
def test_what_cannot_be_accepted_says_why(changes, refused):
    with pytest.raises(Invalid, match=refused):
        checked(new(**changes), CATALOG, NOW)


def test_it_is_brought_to_mind_before_it_ends_at_the_end_and_then_every_week():
    at, told = NOW, []
    for _ in range(6):
        at = next_reminder(days(30), at, (7, 1))
        told.append((at - NOW).days)
    assert told == [23, 29, 30, 37, 44, 51]


@given(st.integers(1, 90), st.lists(st.integers(0, 90), max_size=5), st.integers(0, 200))
def test_the_next_reminder_always_lies_ahead(length: int, before: list[int], passed: int):
    assert next_reminder(days(length), days(passed), before) > days(passed)
