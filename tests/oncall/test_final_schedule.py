"""The final schedule and paging are one function: layers, restrictions, lengths, leave, over every change of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sev1.catalog.model import Layer, Length, Override, Restriction, Schedule
from sev1.oncall.model import Away
from sev1.oncall.schedule import final, on_call

PEOPLE = ("ana", "bo", "cem")
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def layer(*people, zone=None, every="day", at=time(9), starts=date(2026, 1, 1), **more):
    return Layer(people=people, every=every, hand_over_at=at, starts=starts, time_zone=zone, **more)


def of(*layers, zone="UTC", **more):
    return Schedule(name="s", title="S", time_zone=zone, layers=layers, **more)


def who(schedule, *moment, exceptions=()):
    shift = on_call(schedule, datetime(*moment, tzinfo=UTC), exceptions)
    return shift and shift.person


def test_the_layer_written_last_decides_where_it_holds():
    office = layer("bo", restrictions=(Restriction(days=WORKDAYS, start=time(9), end=time(17)),))
    schedule = of(layer("ana"), office)
    assert who(schedule, 2026, 3, 4, 8, 59) == "ana"
    assert who(schedule, 2026, 3, 4, 9) == "bo"
    assert who(schedule, 2026, 3, 4, 17) == "ana"
    assert who(schedule, 2026, 3, 7, 12) == "ana"  # a Saturday


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins():
    nights = of(layer("ana", restrictions=(Restriction(days=("friday",), start=time(22), end=time(6)),)))
    assert who(nights, 2026, 3, 6, 21, 59) is None
    assert who(nights, 2026, 3, 7, 5, 59) == "ana"
    assert who(nights, 2026, 3, 7, 6) is None
    assert who(nights, 2026, 3, 6, 5) is None


def test_the_sun_is_followed_by_layers_with_zones_of_their_own():
    day = Restriction(start=time(8), end=time(16))
    sun = of(*(layer(p, zone=z, restrictions=(day,)) for p, z in
               (("ana", "UTC"), ("bo", "America/Los_Angeles"), ("cem", "Asia/Singapore"))))  # fmt: skip
    assert {segment.person for segment in final(sun, SINCE, SINCE + timedelta(days=3))} == {"ana", "bo", "cem"}


def test_turns_of_any_length_keep_to_the_clock_on_the_wall():
    for every, hours in ((Length(days=3), 72), (Length(hours=12), 12), (Length(days=1, hours=12), 36)):
        found = final(of(layer(*PEOPLE, every=every)), SINCE, SINCE + timedelta(days=20))
        assert {part.end - part.start for part in found[1:-1]} == {timedelta(hours=hours)}


def test_a_layer_ends_when_it_says():
    schedule = of(layer("ana", ends=date(2026, 3, 5)))
    assert who(schedule, 2026, 3, 5, 8, 59) == "ana"
    assert who(schedule, 2026, 3, 5, 9) is None


def leave(person, begin, end, kind="leave"):
    return Away(person=person, start=SINCE + timedelta(days=begin), end=SINCE + timedelta(days=end), kind=kind)


def test_the_next_in_the_rotation_stands_in_for_somebody_on_leave():
    schedule = of(layer(*PEOPLE, every="week"))
    usual = who(schedule, 2026, 3, 4)
    exceptions = [leave(usual, 2, 4)]
    shift = on_call(schedule, datetime(2026, 3, 4, tzinfo=UTC), exceptions)
    assert shift.person == PEOPLE[(PEOPLE.index(usual) + 1) % 3]
    assert (shift.because, shift.reason) == ("stand-in", f"{usual} is away")
    assert (shift.start, shift.end) == (exceptions[0].start, exceptions[0].end)


def test_a_schedule_may_rather_leave_a_gap_and_layers_below_fill_it():
    top = layer("ana")
    assert who(of(top, on_leave="gap"), 2026, 3, 4, exceptions=[leave("ana", 2, 4)]) is None
    assert who(of(layer("bo"), top, on_leave="gap"), 2026, 3, 4, exceptions=[leave("ana", 2, 4)]) == "bo"


def test_nobody_is_made_up_when_everybody_is_away():
    away = [leave(person, 2, 4) for person in PEOPLE]
    assert who(of(layer(*PEOPLE)), 2026, 3, 4, exceptions=away) is None


def test_an_override_of_somebody_on_leave_does_not_hold():
    cover = Override(person="bo", start=SINCE, end=SINCE + timedelta(days=9))
    assert who(of(layer("ana")), 2026, 3, 4, exceptions=[cover]) == "bo"
    assert who(of(layer("ana")), 2026, 3, 4, exceptions=[cover, leave("bo", 2, 4)]) == "ana"


def test_a_public_holiday_changes_nothing_unless_the_schedule_says_so():
    away = [leave("ana", 2, 4, "holiday")]
    assert who(of(layer("ana", "ana", "bo")), 2026, 3, 4, exceptions=away) in PEOPLE
    assert who(of(layer("ana")), 2026, 3, 4, exceptions=away) == "ana"
    assert who(of(layer("ana"), on_holiday="next"), 2026, 3, 4, exceptions=away) is None


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
windows = st.builds(
    Restriction, start=times, end=times, days=st.lists(st.sampled_from(WORKDAYS), min_size=1, unique=True).map(tuple)
)
layers = st.builds(
    Layer,
    people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4).map(tuple),
    every=st.sampled_from(["day", "week", Length(days=3), Length(hours=12), Length(hours=5)]),
    hand_over_at=times,
    starts=st.dates(date(2025, 1, 1), date(2026, 4, 10)),
    ends=st.none() | st.dates(date(2026, 4, 11), date(2026, 6, 1)),
    time_zone=st.none() | st.sampled_from(ZONES),
    restrictions=st.lists(windows, max_size=3).map(tuple),
)
schedules = st.builds(
    lambda layers, zone, leave, holiday: of(*layers, zone=zone, on_leave=leave, on_holiday=holiday),
    st.lists(layers, min_size=1, max_size=3),
    st.sampled_from(ZONES),
    st.sampled_from(["next", "gap"]),
    st.sampled_from(["stay", "next", "gap"]),
)
begins = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 20), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.integers(1, 200).map(lambda h: timedelta(hours=h))
exceptions = st.lists(
    st.builds(lambda p, s, d: Override(person=p, start=s, end=s + d), st.sampled_from(PEOPLE), begins, spans)
    | st.builds(
        lambda p, s, d, k: Away(person=p, start=s, end=s + d, kind=k),
        st.sampled_from(PEOPLE), begins, spans, st.sampled_from(["leave", "holiday"]),
    ),
    max_size=5,
)  # fmt: skip


@given(schedules, exceptions, begins, st.lists(st.integers(0, 14 * 86400 - 1), min_size=5, max_size=5))
@settings(deadline=None, max_examples=150)
def test_what_is_shown_is_what_pages_and_segments_tile_the_time(schedule, exceptions, since, moments):
    until = since + timedelta(days=14)
    found = final(schedule, since, until, exceptions)
    assert (found[0].start, found[-1].end) == (since, until)
    assert all(before.end == after.start and before.start < before.end for before, after in pairwise(found))
    for at in [since + timedelta(seconds=s) for s in moments] + [part.start for part in found]:
        [part] = [part for part in found if part.start <= at < part.end]
        shift = on_call(schedule, at, exceptions)
        assert (shift and shift.person) == part.person
        if shift:
            assert shift.start <= at < shift.end
            assert shift.end >= part.end or part.end == until


def _changes(info):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        at + timedelta(days=n)
        for n in range(365)
        if (at + timedelta(days=n)).astimezone(info).utcoffset()
        != (at + timedelta(days=n + 1)).astimezone(info).utcoffset()
    ]


def _first_shown(info, wall):
    """By definition, in steps: the first instant at which the clock shows `wall` or later."""
    at = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(info).replace(tzinfo=None) < wall:
        at += timedelta(minutes=15)
    return at


@pytest.mark.parametrize("every", ["day", "week", Length(days=2), Length(hours=12)])
def test_in_every_zone_windows_over_midnight_and_in_the_changed_hour_open_when_promised(every):
    checked = 0
    for zone in sorted(z for z in available_timezones() if "/" in z and not z.startswith(("posix/", "right/"))):
        info = ZoneInfo(zone)
        for change in _changes(info):
            since, until = change - timedelta(days=3), change + timedelta(days=4)
            night, rest = Restriction(start=time(22), end=time(2, 15)), Restriction(start=time(2, 15), end=time(22))
            split = of(
                layer("ana", every=every, restrictions=(night,)),
                layer("bo", every=every, restrictions=(rest,)), zone=zone,
            )  # fmt: skip
            found = final(split, since, until)
            assert {part.person for part in found} == {"ana", "bo"}, zone  # nobody twice, never nobody
            day = change.astimezone(info).date()
            for offset in (-1, 0, 1):
                for wall, person in ((time(2, 15), "bo"), (time(22), "ana")):
                    at = _first_shown(info, datetime.combine(day + timedelta(days=offset), wall))
                    assert on_call(split, at).person == person, (zone, at)
                    assert on_call(split, at - timedelta(seconds=1)).person != person, (zone, at)
            checked += 1
    assert checked > 200
