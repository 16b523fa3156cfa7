"""When maintenance windows begin and end, over changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.maintenance import faults, next_window, window_at
from sev1.catalog.model import Maintenance

BASE = Maintenance(
    name="patch",
    title="Patches",
    owner="platform",
    reason="kernel",
    services=("db",),
    time_zone="Europe/Berlin",
    at=time(2, 30),
    duration_min=60,
)


def planned(**changes: object) -> Maintenance:
    return msgspec.structs.replace(BASE, **changes)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_weekly_window_keeps_its_wall_time_over_the_year():
    weekly = planned(weekdays=("sunday",), at=time(4, 0))
    winter, summer = window_at(weekly, utc(2026, 1, 4, 3, 30)), window_at(weekly, utc(2026, 7, 5, 2, 30))
    assert winter is not None
    assert summer is not None
    assert (winter.start, summer.start) == (utc(2026, 1, 4, 3), utc(2026, 7, 5, 2))


def test_a_wall_time_that_the_clocks_skip_begins_as_much_later():
    window = next_window(planned(on=date(2026, 3, 29)), utc(2026, 3, 1))
    assert window is not None
    assert (window.start, window.end) == (utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 2, 30))


def test_of_a_wall_time_that_comes_twice_the_first_is_meant_and_it_lasts_its_minutes():
    window = next_window(planned(on=date(2026, 10, 25)), utc(2026, 10, 1))
    assert window is not None
    assert (window.start, window.end) == (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))


def test_the_last_day_and_the_first_sunday_of_a_month():
    last = next_window(planned(days_of_month=("-1",)), utc(2026, 2, 2))
    first_sunday = next_window(planned(weekdays=("sunday",), days_of_month=("1:7",)), utc(2026, 3, 2))
    assert last is not None
    assert first_sunday is not None
    assert (last.start.date(), first_sunday.start.date()) == (date(2026, 2, 28), date(2026, 4, 5))


def test_it_is_in_force_from_its_start_up_to_but_without_its_end_and_not_after_until():
    once = planned(weekdays=("monday:sunday",), until=date(2026, 3, 2))
    assert window_at(once, utc(2026, 3, 2, 1, 30)) is not None
    assert window_at(once, utc(2026, 3, 2, 2, 30)) is None
    assert window_at(once, utc(2026, 3, 3, 1, 45)) is None


@given(st.integers(0, 3 * 366 * 24 * 60), st.integers(1, 10_080))
def test_whatever_the_instant_a_window_holds_it_and_has_its_length(later: int, minutes: int):
    now = utc(2025, 1, 1) + timedelta(minutes=later)
    weekly = planned(weekdays=("monday:sunday",), duration_min=minutes)
    window = window_at(weekly, now)
    following = next_window(weekly, now)
    assert following is not None
    assert following.start > now
    if window:
        assert window.start <= now < window.end
        assert window.end - window.start == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "at"),
        ({"weekdays": ("someday",)}, "weekdays"),
        ({"days_of_month": ("0",)}, "days_of_month"),
        ({"days_of_month": ("7:1",)}, "days_of_month"),
        ({"months": ("13",)}, "months"),
        ({"weekdays": ("monday",), "on": date(2026, 3, 2)}, "on"),
        ({"weekdays": ("monday",), "starts": date(2026, 3, 2), "until": date(2026, 3, 1)}, "until"),
        ({"weekdays": ("monday",), "services": (), "match": ('team!="x"',)}, "match"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, object], field: str):
    assert [found[0] for found in faults(planned(**changes))] == [field]


def test_a_window_of_no_length_is_refused_by_its_type():
    raw = {**msgspec.to_builtins(planned(weekdays=("monday",))), "duration_min": 0}
    with pytest.raises(msgspec.ValidationError, match=">= 1"):
        msgspec.convert(raw, Maintenance)
