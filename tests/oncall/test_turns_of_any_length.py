"""Turns of any length over every change of clocks of a year, in all of tzdata: nobody twice, nobody not at all, each
hand-over at the promised wall time. What was promised is worked out here from the standard library's zones alone.
"""

import functools
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from sev1.catalog.model import Length, Rotation, Schedule
from sev1.oncall.schedule import final, on_call

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
PEOPLE = ("ana", "bo", "cem")
TURNS = {
    "8 hours from 02:15": {"every": Length(hours=8), "hand_over_at": time(2, 15)},
    "12 hours from midnight": {"every": Length(hours=12), "hand_over_at": time(0)},
    "an hour": {"every": Length(hours=1), "hand_over_at": time(0, 30)},
    "a day at 02:30": {"every": "day", "hand_over_at": time(2, 30)},
    "36 hours from 01:45": {"every": Length(days=1, hours=12), "hand_over_at": time(1, 45)},
    "a week on Sundays at 02:00": {"every": "week", "hand_over_on": "sunday", "hand_over_at": time(2)},
    "10 days at midnight": {"every": Length(days=10), "hand_over_at": time(0)},
    "a fortnight at 23:59": {"every": Length(days=14), "hand_over_at": time(23, 59)},
}


def instant(info, wall, fold):
    return wall.replace(tzinfo=info, fold=fold).astimezone(UTC)


def promised(info, wall):
    """The first instant at which the clock shows `wall`; where it is skipped, the instant at which the gap ends."""
    first = instant(info, wall, 0)
    if first.astimezone(info).replace(tzinfo=None, fold=0) == wall:
        return first
    # By the offset of before the gap `first` lies after it; by that of after, `instant(…, 1)` lies before it.
    low, high = instant(info, wall, 1), first
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset() else (
            low, middle)  # fmt: skip
    return high.replace(microsecond=0)


@functools.cache
def changes():
    """(zone, days on which its offset changes) for every zone of tzdata that changes its clocks in the year."""
    days = [YEAR[0] + timedelta(days=n) for n in range((YEAR[1] - YEAR[0]).days + 1)]
    found = []
    for zone in sorted(available_timezones() - {"localtime", "Factory", "posixrules"}):
        info = ZoneInfo(zone)
        offsets = [info.utcoffset(day.replace(tzinfo=None)) for day in days]
        on = [day for day, (before, after) in zip(days, pairwise(offsets), strict=False) if before != after]
        if on:
            found.append((zone, info, on))
    return found


def first_hand_over(rotation):
    day = rotation.starts
    if rotation.every == "week":
        day += timedelta(days=(6 - day.weekday()) % 7)  # the turns above are handed over on Sundays
    return datetime.combine(day, rotation.hand_over_at)


def length_of(rotation):
    if isinstance(rotation.every, Length):
        return timedelta(days=rotation.every.days, hours=rotation.every.hours)
    return timedelta(weeks=1) if rotation.every == "week" else timedelta(days=1)


def hand_overs(info, rotation, since, until):
    """Instant and person of each hand-over from the one before `since`; of two at one instant the later counts."""
    first, length = first_hand_over(rotation), length_of(rotation)
    n = (since.astimezone(info).replace(tzinfo=None) - first) // length - 2
    found = {}
    while (at := promised(info, first + n * length)) < until:
        found[at] = PEOPLE[n % len(PEOPLE)]
        n += 1
    return found


@pytest.mark.parametrize("turn", TURNS)
def test_every_zone_keeps_what_was_promised_around_every_change_of_its_clocks(turn):
    checked = set()
    for zone, info, days in changes():
        rotation = Rotation(people=PEOPLE, starts=date(2025, 11, 3), **TURNS[turn])
        schedule = Schedule(name="s", title="S", time_zone=zone, rotation=rotation)
        around = max(timedelta(days=2), length_of(rotation))  # a hand-over before the change and one after it
        for day in days:
            since, until = day - around, day + around + timedelta(days=1)
            parts = final(schedule, since, until)
            assert (parts[0].start, parts[-1].end) == (since, until), zone
            assert all(before.end == after.start for before, after in pairwise(parts)), zone
            wanted = hand_overs(info, rotation, since, until)
            began = max(at for at in wanted if at <= since)
            turns = {since: wanted[began]} | {at: who for at, who in wanted.items() if at > since}
            assert {part.start: part.person for part in parts} == turns, (zone, day)
            for part in parts[1:-1]:
                last = on_call(schedule, part.end - timedelta(microseconds=1))
                assert (last.person, last.start, last.end) == (part.person, part.start, part.end), zone
        checked.add(zone)
    assert len(checked) > 150
    assert {"Australia/Lord_Howe", "Europe/Berlin", "America/St_Johns", "Africa/Cairo", "Pacific/Chatham"} <= checked


def test_on_lord_howe_the_turn_that_holds_the_repeated_half_hour_is_longer_by_it_and_no_other():
    rotation = Rotation(people=PEOPLE, starts=date(2025, 11, 3), every=Length(hours=8), hand_over_at=time(2, 15))
    schedule = Schedule(name="s", title="S", time_zone="Australia/Lord_Howe", rotation=rotation)
    parts = final(schedule, datetime(2026, 4, 3, 7, tzinfo=UTC), datetime(2026, 4, 6, 7, tzinfo=UTC))
    assert [(part.end - part.start).total_seconds() / 3600 for part in parts[1:-1]] == [8, 8, 8, 8.5, 8, 8, 8, 8]
