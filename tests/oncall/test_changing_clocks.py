"""Hand-overs while the clocks change: at the promised wall time, at the end of a gap, at the first of two."""

import functools
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from sev1.catalog.model import Rotation, Schedule
from sev1.oncall.schedule import on_call, shifts

WINDOW = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def daily(zone, at, starts):
    rotation = Rotation(people=("ana", "bo", "cem"), every="day", hand_over_at=at, starts=starts)
    return Schedule(name="s", title="S", time_zone=zone, rotation=rotation)


def hand_overs(zone, at, first, days):
    since = datetime.combine(first, time(), ZoneInfo(zone)).astimezone(UTC)
    found = shifts(daily(zone, at, first - timedelta(days=30)), since, since + timedelta(days=days))
    return [f"{shift.end.astimezone(ZoneInfo(zone)):%d %H:%M %z}" for shift in found]


def test_the_wall_time_stays_when_the_offset_changes():
    assert hand_overs("Europe/Berlin", time(9), date(2026, 3, 28), 3) == [
        "28 09:00 +0100",
        "29 09:00 +0200",
        "30 09:00 +0200",
        "31 09:00 +0200",
    ]


def test_a_skipped_time_becomes_the_end_of_the_gap():
    assert hand_overs("Europe/Berlin", time(2, 30), date(2026, 3, 28), 3) == [
        "28 02:30 +0100",
        "29 03:00 +0200",
        "30 02:30 +0200",
        "31 02:30 +0200",
    ]


def test_a_repeated_time_is_taken_the_first_time():
    assert hand_overs("Europe/Berlin", time(2, 30), date(2026, 10, 24), 3) == [
        "24 02:30 +0200",
        "25 02:30 +0200",
        "26 02:30 +0100",
        "27 02:30 +0100",
    ]


def test_lord_howe_moves_its_clocks_by_half_an_hour():
    assert hand_overs("Australia/Lord_Howe", time(2, 15), date(2026, 10, 3), 3) == [
        "03 02:15 +1030",
        "04 02:30 +1100",
        "05 02:15 +1100",
        "06 02:15 +1100",
    ]
    assert hand_overs("Australia/Lord_Howe", time(1, 45), date(2026, 4, 4), 3) == [
        "04 01:45 +1100",
        "05 01:45 +1100",
        "06 01:45 +1030",
        "07 01:45 +1030",
    ]


def test_a_gap_at_midnight_moves_the_start_of_the_day():
    """Africa/Cairo goes forward at midnight: 24 April 2026 begins at one o'clock."""
    assert hand_overs("Africa/Cairo", time(0), date(2026, 4, 23), 2) == [
        "24 01:00 +0300",
        "25 00:00 +0300",
        "26 00:00 +0300",
    ]


def test_a_day_that_a_country_skipped_is_nobodys_shift():
    """Samoa went from 29 to 31 December 2011: of two hand-overs at one instant the later counts."""
    of = daily("Pacific/Apia", time(0), date(2011, 12, 27))
    found = shifts(of, datetime(2011, 12, 27, 10, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC))
    assert [shift.person for shift in found] == ["ana", "bo", "cem", "bo", "cem"]
    assert all(before.end == after.start for before, after in pairwise(found))
    at_nine = hand_overs("Pacific/Apia", time(9), date(2011, 12, 29), 2)
    assert at_nine == ["29 09:00 -1000", "31 00:00 +1400", "31 09:00 +1400", "01 09:00 +1400"]


def test_a_clock_that_goes_back_over_midnight_hands_over_once():
    """Africa/Cairo goes back at midnight: the last hour of 29 October 2026 comes twice."""
    assert hand_overs("Africa/Cairo", time(23, 30), date(2026, 10, 29), 3) == [
        "29 23:30 +0300",
        "30 23:30 +0200",
        "31 23:30 +0200",
    ]


@functools.cache
def _transitions(zone):
    """The days of 2026 on which a zone's offset changes, found day by day."""
    at, until = WINDOW
    info = ZoneInfo(zone)
    found = []
    step = timedelta(days=1)
    while at < until:
        if at.astimezone(info).utcoffset() != (at + step).astimezone(info).utcoffset():
            found.append(at)
        at += step
    return found


def _promised(info, day, at):
    """The first instant at which the zone's clock shows `at` of `day` or later: a definition, tried in steps."""
    instant = datetime.combine(day, at, UTC) - timedelta(hours=16)
    wanted = datetime.combine(day, at)
    while instant.astimezone(info).replace(tzinfo=None) < wanted:
        instant += timedelta(minutes=15)
    return instant


def _changing_zones():
    wanted = available_timezones() - {"localtime", "Factory", "posixrules"}
    return sorted(zone for zone in wanted if "/" in zone and not zone.startswith(("posix/", "right/")))


@pytest.mark.parametrize("at", [time(0), time(1, 30), time(2), time(2, 15), time(9)])
def test_every_zone_that_changes_its_clocks_keeps_its_promise(at):
    """All of tzdata, three weeks around each change of 2026: no gap, nobody twice, each hand-over when promised."""
    checked = 0
    for zone in _changing_zones():
        info = ZoneInfo(zone)
        for change in _transitions(zone):
            since, until = change - timedelta(days=10), change + timedelta(days=11)
            of = daily(zone, at, since.date() - timedelta(days=20))
            found = shifts(of, since, until)
            assert found[0].start <= since, zone
            assert found[-1].end >= until, zone
            assert all(before.end == after.start for before, after in pairwise(found)), zone
            assert all(before.person != after.person for before, after in pairwise(found)), zone
            days = [shift.start.astimezone(info).date() for shift in found]
            near = [n for n, day in enumerate(days) if abs((day - change.date()).days) <= 2]
            assert [found[n].start for n in near] == [_promised(info, days[n], at) for n in near], zone
            for shift in (found[n] for n in near):
                assert on_call(of, shift.end - timedelta(microseconds=1)) == shift, zone
            checked += 1
    assert checked > 200
