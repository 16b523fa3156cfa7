"""Several people on call at once, as schedules of one: together they show the same people, whatever the shifts."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sev1.catalog.importers.lanes import Rolling, lanes
from sev1.catalog.importers.turns import WEEK_S, gaps, meet, restrictions, spans, windows
from sev1.catalog.model import Layer, Schedule
from sev1.oncall.schedule import on_call

PEOPLE = ("ana", "bo", "cem", "dana")
BEGIN = datetime(2026, 3, 23, tzinfo=UTC)

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
window = st.builds(windows, st.one_of(st.none(), st.integers(0, 6)), times, st.integers(1, 96).map(lambda n: n * 1800))


@st.composite
def shifts(draw):
    groups = draw(
        st.lists(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True), min_size=1, max_size=3)
    )
    held = draw(st.one_of(st.just([]), window))
    fields = {
        "every": draw(st.sampled_from(["day", "week"])),
        "hand_over_at": draw(times),
        "starts": date(2026, 3, 1),
        "restrictions": restrictions(held) if held else (),
        "ends": draw(st.sampled_from([None, date(2026, 3, 26)])),
        "time_zone": draw(st.sampled_from([None, "Europe/Berlin"])),
    }
    return Rolling(groups=tuple(tuple(group) for group in groups), level=draw(st.integers(0, 2)), fields=fields)


def schedule(layers):
    return Schedule(name="s", title="S", time_zone="America/New_York", layers=layers)


def people_of(shift, at):
    """Each place of the groups is asked for itself."""
    width = max(len(group) for group in shift.groups)
    places = [tuple(group[min(place, len(group) - 1)] for group in shift.groups) for place in range(width)]
    found = [on_call(schedule((Layer(people=people, **shift.fields),)), at) for people in places]
    return {one.person for one in found if one}


@given(found=st.lists(shifts(), min_size=1, max_size=4))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_all_lanes_together_show_everybody_of_the_highest_level_that_holds_and_nobody_else(found):
    made = [schedule(layers) for layers in lanes(found)]
    for hours in range(0, 8 * 24, 5):  # over the change of the clocks in Berlin
        at = BEGIN + timedelta(hours=hours, minutes=15)
        by_level = {}
        for shift in found:
            by_level.setdefault(shift.level, set()).update(people_of(shift, at))
        expected = next((people for _, people in sorted(by_level.items(), reverse=True) if people), set())
        assert {one.person for lane in made if (one := on_call(lane, at))} == expected


@given(day=st.one_of(st.none(), st.integers(0, 6)), start=times, length=st.integers(1, 7 * 48))
@settings(derandomize=True, deadline=None)
def test_windows_cover_what_they_are_asked_to_and_gaps_are_the_rest(day, start, length):
    length_s = length * 1800
    made = restrictions(windows(day, start, length_s))
    covered = spans(made)
    rest = gaps(covered)
    assert not rest or not meet(covered, rest)
    wanted = min(7 * min(length_s, 86400) if day is None else length_s, WEEK_S)
    assert WEEK_S - sum(end - begin for begin, end in rest) == wanted


def test_a_higher_level_covers_the_lower_one_in_every_lane():
    """Two people always; at night one of a higher level, at weekends another of that level as well."""
    base = {"every": "day", "hand_over_at": time(0), "starts": date(2026, 3, 1)}
    nights = restrictions(windows(None, time(22), 8 * 3600))
    weekend = restrictions(windows(5, time(0), 48 * 3600))
    made = lanes(
        [
            Rolling(groups=(("ana", "bo"),), fields=base),
            Rolling(groups=(("cem",),), level=1, fields={**base, "restrictions": nights}),
            Rolling(groups=(("dana",),), level=1, fields={**base, "restrictions": weekend}),
        ]
    )

    def people(instant):
        at = datetime.fromisoformat(instant)
        return {one.person for layers in made if (one := on_call(schedule(layers), at))}

    assert people("2026-03-24T16:00:00Z") == {"ana", "bo"}  # Tuesday at noon in New York
    assert people("2026-03-25T03:00:00Z") == {"cem"}  # Tuesday 23:00: neither of the two below
    assert people("2026-03-28T16:00:00Z") == {"dana"}
    assert people("2026-03-29T03:00:00Z") == {"cem", "dana"}
