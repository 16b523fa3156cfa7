"""Who is on call, as a function of a schedule and an instant. Pure, and as fast in ten years as today.

A rotation is a row of hand-overs: the n-th happens at the promised wall time on day `first + n · 1 or 7 days` in the
schedule's zone. When clocks go forward over that time it happens at the next instant there is (the end of the gap);
when they go back and the time comes twice, at the first. Whoever takes over at the n-th hand-over stays until the next.

Overrides lie on top: those of the schedule first, then those given, and a later one covers an earlier one. A shift's
edges are therefore hand-overs or edges of overrides, whichever is nearer.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args

from msgspec import Struct
from whenever import Date, Instant, Time

from sev1.catalog.model import Override, Rotation, Schedule, Weekday

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)


class Shift(Struct, frozen=True, kw_only=True):
    """One person's unbroken spell: `start` <= t < `end`, both in UTC.

    It ends at the next hand-over even when the same person takes over from themselves.
    """

    person: str
    start: datetime
    end: datetime
    because: Literal["rotation", "override"]
    reason: str = ""
    """The override's reason."""


def on_call(schedule: Schedule, at: datetime, overrides: Sequence[Override] = ()) -> Shift | None:
    """The shift that holds the instant `at` (aware), or None when nobody is on call: before the rotation's start."""
    layers = [o for o in (*schedule.overrides, *overrides) if o.start < o.end]
    top = next((n for n in range(len(layers) - 1, -1, -1) if layers[n].start <= at < layers[n].end), None)
    if top is not None:
        layer = layers[top]
        shift = Shift(person=layer.person, start=layer.start, end=layer.end, because="override", reason=layer.reason)
        return _cut(shift, at, layers[top + 1 :])
    turn = _turn(schedule, at)
    return _cut(turn, at, layers) if turn else None


def shifts(schedule: Schedule, since: datetime, until: datetime, overrides: Sequence[Override] = ()) -> list[Shift]:
    """Every shift that holds an instant of `since` <= t < `until`, in order: the schedule as it will really be.

    Shifts are whole: the first may have begun before `since` and the last may end after `until`.
    """
    if since >= until:
        return []
    return list(itertools.takewhile(lambda shift: shift.start < until, _onwards(schedule, since, overrides)))


def next_up(schedule: Schedule, at: datetime, overrides: Sequence[Override] = ()) -> Shift | None:
    """The first shift after the one at `at` that is somebody else's; None when the person never changes."""
    present = on_call(schedule, at, overrides)
    since = present.end if present else at
    # When the last override has ended and the rotation has come round once, nothing new can follow.
    starts = _hand_over(schedule.time_zone, schedule.rotation.hand_over_at, _first_day(schedule.rotation))
    settled = max([since, starts, *(o.end for o in (*schedule.overrides, *overrides))])
    until = settled + timedelta(weeks=len(schedule.rotation.people) + 1)
    following = shifts(schedule, since, until, overrides)
    return next((shift for shift in following if not present or shift.person != present.person), None)


def _onwards(schedule: Schedule, at: datetime, overrides: Sequence[Override]) -> Iterator[Shift]:
    """The shift at `at`, and those that follow, without end."""
    while True:
        shift = on_call(schedule, at, overrides)
        if shift is None:
            # Before the rotation starts: on to its start, or to an override that comes earlier.
            starts = [_hand_over(schedule.time_zone, schedule.rotation.hand_over_at, _first_day(schedule.rotation))]
            starts += [o.start for o in (*schedule.overrides, *overrides) if at < o.start < o.end]
            at = min(starts)
        else:
            yield shift
            at = shift.end


def _turn(schedule: Schedule, at: datetime) -> Shift | None:
    """The rotation's shift at an instant, without overrides."""
    rotation, zone = schedule.rotation, schedule.time_zone
    first = _first_day(rotation)
    days = 1 if rotation.every == "day" else 7
    local_day = Instant(at).to_tz(zone).date().to_stdlib()
    # The right turn is the one of this day or, early in the day, the one before. Beginning one later and stepping back
    # also finds it where a zone has skipped a day, so that two hand-overs fall on the same instant.
    turn = (local_day - first).days // days + 1
    while _hand_over(zone, rotation.hand_over_at, first + timedelta(days=turn * days)) > at:
        turn -= 1
    if turn < 0:
        return None
    start, end = (_hand_over(zone, rotation.hand_over_at, first + timedelta(days=n * days)) for n in (turn, turn + 1))
    return Shift(person=rotation.people[turn % len(rotation.people)], start=start, end=end, because="rotation")


def _cut(shift: Shift, at: datetime, above: Sequence[Override]) -> Shift:
    """What is left around `at` of a shift when the overrides above it, none of which holds `at`, are taken out."""
    start = max([shift.start, *(o.end for o in above if o.end <= at)])
    end = min([shift.end, *(o.start for o in above if o.start > at)])
    return Shift(person=shift.person, start=start, end=end, because=shift.because, reason=shift.reason)


def _first_day(rotation: Rotation) -> date:
    if rotation.every == "day":
        return rotation.starts
    ahead = (_WEEKDAYS.index(rotation.hand_over_on) - rotation.starts.weekday()) % 7
    return rotation.starts + timedelta(days=ahead)


@functools.lru_cache(maxsize=8192)
def _hand_over(zone: str, wall_time: time, day: date) -> datetime:
    """The instant at which that wall time comes on that day in the zone."""
    local = Date(day).at(Time(wall_time))
    instant = local.assume_tz(zone, disambiguation="earlier")  # the first of two, should it come twice
    if instant.to_plain() != local:
        # Skipped. "earlier" has read the time by the clock of after the gap, which lands before the gap.
        gap_ends = instant.next_transition()
        if gap_ends is None:
            raise AssertionError(f"{local} is skipped in {zone}, but no transition follows {instant}")
        instant = gap_ends
    return instant.to_instant().to_stdlib()
