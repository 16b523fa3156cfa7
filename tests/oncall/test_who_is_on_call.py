"""Who is on call: rotations, overrides, edges. Europe/Berlin is UTC+1 in winter."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.model import Override, Rotation, Schedule
from sev1.oncall import schedule as schedule_module
from sev1.oncall.schedule import Shift, next_up, on_call, shifts


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def over(person, start, end, reason=""):
    return Override(person=person, start=utc(start), end=utc(end), reason=reason)


def schedule(*people, zone="Europe/Berlin", overrides=(), **rotation):
    given_rotation = {"starts": date(2026, 1, 5), **rotation}
    return Schedule(
        name="s", title="S", time_zone=zone, rotation=Rotation(people=people, **given_rotation), overrides=overrides
    )


WEEKLY = schedule("ana", "bo", "cem")


def turn(person, start, end, because="rotation", reason=""):
    return Shift(person=person, start=utc(start), end=utc(end), because=because, reason=reason)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        ("2026-01-05T08:00", "ana"),
        ("2026-01-12T07:59:59.999999", "ana"),
        ("2026-01-12T08:00", "bo"),
        ("2026-01-19T08:00", "cem"),
        ("2026-01-26T08:00", "ana"),
        ("2027-01-04T08:00", "bo"),
    ],
)
def test_a_weekly_rotation_hands_over_at_the_local_time(at, person):
    assert on_call(WEEKLY, utc(at)).person == person


def test_a_shift_says_when_it_began_when_it_ends_and_why():
    assert on_call(WEEKLY, utc("2026-01-14T00:00")) == turn("bo", "2026-01-12T08:00", "2026-01-19T08:00")


def test_before_the_rotation_starts_nobody_is_on_call():
    assert on_call(WEEKLY, utc("2026-01-05T07:59:59")) is None
    assert on_call(WEEKLY, utc("1999-01-01T00:00")) is None


def test_a_weekly_rotation_starts_on_the_first_hand_over_day_at_or_after_its_start():
    late = schedule("ana", "bo", starts=date(2026, 1, 6), hand_over_on="friday", hand_over_at=time(17))
    assert on_call(late, utc("2026-01-09T15:59")) is None
    assert on_call(late, utc("2026-01-09T16:00")) == turn("ana", "2026-01-09T16:00", "2026-01-16T16:00")


def test_a_daily_rotation_hands_over_each_day():
    daily = schedule("ana", "bo", every="day", hand_over_at=time(8), starts=date(2026, 1, 7))
    found = shifts(daily, utc("2026-01-01T00:00"), utc("2026-01-10T00:00"))
    assert found == [
        turn("ana", "2026-01-07T07:00", "2026-01-08T07:00"),
        turn("bo", "2026-01-08T07:00", "2026-01-09T07:00"),
        turn("ana", "2026-01-09T07:00", "2026-01-10T07:00"),
    ]


def test_whoever_is_listed_twice_takes_two_turns():
    found = shifts(schedule("ana", "ana", "bo"), utc("2026-01-05T08:00"), utc("2026-01-27T08:00"))
    assert [shift.person for shift in found] == ["ana", "ana", "bo", "ana"]


def test_an_override_cuts_a_shift_in_two():
    cover = over("eve", "2026-01-07T00:00", "2026-01-08T00:00", "dentist")
    assert shifts(WEEKLY, utc("2026-01-05T08:00"), utc("2026-01-12T08:00"), [cover]) == [
        turn("ana", "2026-01-05T08:00", "2026-01-07T00:00"),
        turn("eve", "2026-01-07T00:00", "2026-01-08T00:00", "override", "dentist"),
        turn("ana", "2026-01-08T00:00", "2026-01-12T08:00"),
    ]


def test_an_override_may_cover_several_hand_overs():
    cover = over("eve", "2026-01-07T00:00", "2026-01-21T00:00")
    assert [shift.person for shift in shifts(WEEKLY, utc("2026-01-05T08:00"), utc("2026-01-22T00:00"), [cover])] == [
        "ana",
        "eve",
        "cem",
    ]


def test_a_later_override_wins_and_the_earlier_one_comes_back_after_it():
    standing = schedule("ana", "bo", overrides=(over("cem", "2026-01-06T00:00", "2026-01-10T00:00"),))
    made = [over("eve", "2026-01-07T00:00", "2026-01-08T00:00"), over("fay", "2026-01-07T12:00", "2026-01-09T00:00")]
    assert shifts(standing, utc("2026-01-06T00:00"), utc("2026-01-10T00:00"), made) == [
        turn("cem", "2026-01-06T00:00", "2026-01-07T00:00", "override"),
        turn("eve", "2026-01-07T00:00", "2026-01-07T12:00", "override"),
        turn("fay", "2026-01-07T12:00", "2026-01-09T00:00", "override"),
        turn("cem", "2026-01-09T00:00", "2026-01-10T00:00", "override"),
    ]


def test_an_override_counts_before_the_rotation_starts():
    early = [over("eve", "2026-01-01T00:00", "2026-01-02T00:00"), over("fay", "2026-01-03T00:00", "2026-01-05T12:00")]
    assert on_call(WEEKLY, utc("2026-01-02T00:00"), early) is None
    found = shifts(WEEKLY, utc("2025-12-01T00:00"), utc("2026-01-05T13:00"), early)
    assert [(shift.person, shift.start) for shift in found] == [
        ("eve", utc("2026-01-01T00:00")),
        ("fay", utc("2026-01-03T00:00")),
        ("ana", utc("2026-01-05T12:00")),
    ]


def test_an_override_without_length_covers_nothing():
    nothing = [over("eve", "2026-01-07T00:00", "2026-01-07T00:00"), over("eve", "2026-01-08T00:00", "2026-01-07T00:00")]
    at = utc("2026-01-07T00:00")
    assert on_call(WEEKLY, at, nothing) == on_call(WEEKLY, at)


def test_an_empty_span_has_no_shifts():
    at = utc("2026-01-14T00:00")
    assert shifts(WEEKLY, at, at) == shifts(WEEKLY, at, at - timedelta(days=1)) == []


def test_who_is_next_is_the_next_other_person():
    at = utc("2026-01-06T00:00")
    assert next_up(WEEKLY, at) == turn("bo", "2026-01-12T08:00", "2026-01-19T08:00")
    assert next_up(schedule("ana", "ana", "bo"), at).start == utc("2026-01-19T08:00")
    assert next_up(schedule("ana"), at) is None
    assert next_up(schedule("ana"), at, [over("eve", "2026-02-20T00:00", "2026-02-21T00:00")]).person == "eve"
    assert next_up(WEEKLY, utc("2025-06-01T00:00")) == turn("ana", "2026-01-05T08:00", "2026-01-12T08:00")


def test_far_away_is_as_near_as_tomorrow():
    """No loop from the start: an answer in two hundred years needs as few hand-overs as one next week."""
    daily = schedule("ana", "bo", "cem", every="day", zone="Pacific/Chatham")
    schedule_module._promised.cache_clear()
    assert on_call(daily, utc("2226-01-05T00:00")) is not None
    assert schedule_module._promised.cache_info().misses <= 4


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match=r"naive|aware|timezone"):
        on_call(WEEKLY, datetime(2026, 1, 6))  # noqa: DTZ001 - the mistake under test


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu",
         "Pacific/Apia", "America/St_Johns", "Antarctica/Troll"]  # fmt: skip
instants = st.datetimes(datetime(2011, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
people = st.sampled_from(["ana", "bo", "cem", "eve"])
overrides = st.builds(
    lambda person, start, hours: Override(person=person, start=start, end=start + timedelta(hours=hours)),
    people,
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(-5, 400),
)
schedules = st.builds(
    lambda zone, who, every, at, day, starts, standing: schedule(
        *who, zone=zone, every=every, hand_over_at=at, hand_over_on=day, starts=starts, overrides=tuple(standing)
    ),
    st.sampled_from(ZONES),
    st.lists(people, min_size=1, max_size=5),
    st.sampled_from(["day", "week"]),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(["monday", "wednesday", "sunday"]),
    st.dates(date(2011, 1, 1), date(2026, 2, 1)),
    st.lists(overrides, max_size=2),
)


@given(schedules, instants, st.integers(1, 60))
def test_no_gap_and_nobody_twice(of, since, days):
    until = since + timedelta(days=days)
    found = shifts(of, since, until)
    for before, after in pairwise(found):
        # Gaps there are only before the rotation starts.
        assert before.end == after.start or before.because == "override"
        assert before.end <= after.start
    assert all(shift.start < shift.end for shift in found)
    first_hand_over = datetime.combine(of.rotation.starts + timedelta(days=8), time(), ZoneInfo(of.time_zone))
    if since > first_hand_over:
        assert found[0].start <= since
        assert found[-1].end >= until
        assert all(before.end == after.start for before, after in pairwise(found))


@given(schedules, st.lists(overrides, max_size=4), st.integers(0, 80), st.integers(1, 20))
def test_every_instant_of_the_final_schedule_agrees_with_who_is_on_call(of, made, offset, days):
    since = utc("2025-12-20T00:00") + timedelta(days=offset)
    for shift in shifts(of, since, since + timedelta(days=days), made):
        middle = shift.start + (shift.end - shift.start) / 2
        for at in (shift.start, middle, shift.end - timedelta(microseconds=1)):
            assert on_call(of, at, made) == shift
        assert on_call(of, shift.end, made) != shift
        assert on_call(of, shift.start - timedelta(microseconds=1), made) != shift


@given(schedules, st.lists(overrides, max_size=4), st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 20)))  # noqa: DTZ001
def test_the_last_override_that_holds_the_instant_decides(of, made, at):
    at = at.replace(tzinfo=UTC)
    holding = [override for override in (*of.overrides, *made) if override.start <= at < override.end]
    shift = on_call(of, at, made)
    if holding:
        assert (shift.person, shift.because) == (holding[-1].person, "override")
    else:
        bare = on_call(schedule(*of.rotation.people, zone=of.time_zone, **_rotation(of)), at)
        assert (shift and shift.person) == (bare and bare.person)


def _rotation(of):
    rotation = of.rotation
    return {name: getattr(rotation, name) for name in ("every", "hand_over_at", "hand_over_on", "starts")}
