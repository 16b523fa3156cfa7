"""Instants and durations in words."""

from datetime import UTC, datetime, timedelta

import pytest

from sev1.surfaces.web import moments

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 00 min"), (3 * 3600 + 605, "3 h 10 min"),
        (86400, "1 d"), (86400 + 7200, "1 d 2 h"), (9 * 86400 + 7200, "9 d"), (-5, "0 s"),
    ],
)  # fmt: skip
def test_a_duration_has_at_most_two_units(seconds: int, words: str) -> None:
    assert moments.spell(timedelta(seconds=seconds)) == words


def test_the_first_minute_is_not_counted_in_seconds() -> None:
    assert moments.ago(NOW - timedelta(seconds=40), NOW) == "under 1 min"
    assert moments.ago(NOW - timedelta(minutes=12), NOW) == "12 min"


@pytest.mark.parametrize(
    ("seconds", "words"), [(161, "3 min"), (120, "2 min"), (60, "1 min"), (42, "0:42"), (0, "0:00"), (-9, "0:00")]
)
def test_a_countdown_is_to_the_second_only_in_the_last_minute(seconds: int, words: str) -> None:
    assert moments.until(NOW + timedelta(seconds=seconds), NOW) == words


def test_times_are_told_both_ways_where_they_differ() -> None:
    assert moments.both(NOW, NOW, "Europe/Berlin") == "03:14 UTC · 04:14 yours"
    assert moments.both(NOW, NOW, "UTC") == "03:14 UTC"
    assert moments.both(NOW, NOW, "Europe/Lisbon") == "03:14 UTC"
    assert moments.both(NOW, NOW, "America/New_York") == "03:14 UTC · Sun 22:14 yours"


def test_another_day_and_another_year_are_named() -> None:
    assert moments.clock(NOW - timedelta(days=1), NOW) == "Sun 1 Mar 03:14 UTC"
    assert moments.clock(NOW - timedelta(days=400), NOW) == "Sun 26 Jan 2025 03:14 UTC"


def test_a_shift_ends_today_this_week_or_on_a_date() -> None:
    assert moments.shift_end(NOW + timedelta(hours=4), NOW, "UTC") == "07:14"
    assert moments.shift_end(NOW + timedelta(days=3), NOW, "Europe/Berlin") == "Thu 04:14"
    assert moments.shift_end(NOW + timedelta(days=20), NOW, "UTC") == "Sun 22 Mar 03:14"
