"""Who is on call, as a function of a schedule and an instant. Pure, and as fast in ten years as today.

A layer is a row of hand-overs: the n-th happens at the promised wall time `first + n · length` in the layer's zone. When
clocks go forward over that time it happens at the next instant there is (the end of the gap); when they go back and the
time comes twice, at the first. Whoever takes over at the n-th hand-over stays until the next. Restrictions follow the
same rule at both edges, so windows that meet on the wall also meet in time.

Where several layers hold, the last written decides. Overrides lie on top of all layers: those of the schedule first,
then those given, and a later one covers an earlier one. Somebody on leave is never on call: an override of theirs does
not hold, and their turn goes to the next in the rotation or, by the schedule's rule, to the layers below.

There is one function, `segment_at`. The final schedule is that function asked again at each segment's end, so what is
shown and what pages cannot differ.
"""

import bisect
import functools
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct
from whenever import PlainDateTime

from sev1.catalog.model import Layer, Length, Override, Restriction, Rotation, Schedule, Weekday
from sev1.oncall.model import EVERYBODY, Away

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""The edges of a segment that has none."""

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)

Because = Literal["rotation", "override", "stand-in", "nobody"]
Exceptions = Sequence[Override | Away]
"""What lies on top of a schedule: overrides in the order they were made, and who is away."""


class Shift(Struct, frozen=True, kw_only=True):
    """One person's unbroken spell: `start` <= t < `end`, both in UTC.

    It ends at the next hand-over even when the same person takes over from themselves.
    """

    person: str
    start: datetime
    end: datetime
    because: Because
    reason: str = ""
    """The override's reason, or for whom somebody stands in."""


class Segment(Struct, frozen=True, kw_only=True):
    """A part of the final schedule in which nothing changes. `person` is None where nobody is on call."""

    start: datetime
    end: datetime
    person: str | None
    because: Because
    reason: str = ""


class _Span:
    """How far around the instant everything that was looked at stays as it is."""

    __slots__ = ("end", "start")

    def __init__(self) -> None:
        self.start, self.end = EARLIEST, LATEST

    def within(self, start: datetime, end: datetime) -> None:
        self.start = max(self.start, start)
        self.end = min(self.end, end)

    def edges(self, start: datetime, end: datetime, at: datetime) -> bool:
        """Whether `at` lies inside; either way the span ends where that would change."""
        if at < start:
            self.within(EARLIEST, start)
            return False
        if at >= end:
            self.within(end, LATEST)
            return False
        self.within(start, end)
        return True


def segment_at(schedule: Schedule, at: datetime, exceptions: Exceptions = ()) -> Segment:
    """The segment that holds the instant `at` (aware). Its edges are those of whatever decided it."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone; a naive one would mean something else in each")
    span = _Span()
    if schedule.overrides or exceptions:
        found = _override(schedule, at, exceptions, span)
        if found is not None:
            return Segment(start=span.start, end=span.end, person=found.person, because="override", reason=found.reason)
    if schedule.rotation is not None:
        decided = _turn(schedule.rotation, schedule.time_zone, schedule, at, exceptions, span)
        if decided:
            return _segment(span, *decided)
    for layer in reversed(schedule.layers):
        zone = layer.time_zone or schedule.time_zone
        if _holds(layer, zone, at, span):
            decided = _turn(layer, zone, schedule, at, exceptions, span)
            if decided:
                return _segment(span, *decided)
    return Segment(start=span.start, end=span.end, person=None, because="nobody")


def final(schedule: Schedule, since: datetime, until: datetime, exceptions: Exceptions = ()) -> list[Segment]:
    """The final schedule: segments that tile `since` <= t < `until` in order, gaps included. Nothing is left out."""
    found: list[Segment] = []
    at = since
    while at < until:
        segment = segment_at(schedule, at, exceptions)
        end = min(segment.end, until)
        found.append(Segment(start=at, end=end, person=segment.person, because=segment.because, reason=segment.reason))
        at = end
    return found


def on_call(schedule: Schedule, at: datetime, exceptions: Exceptions = ()) -> Shift | None:
    """The shift that holds the instant `at` (aware), or None when nobody is on call."""
    return _shift(segment_at(schedule, at, exceptions))


def shifts(schedule: Schedule, since: datetime, until: datetime, exceptions: Exceptions = ()) -> list[Shift]:
    """Every shift that holds an instant of `since` <= t < `until`, in order: the schedule as it will really be.

    Shifts are whole: the first may have begun before `since` and the last may end after `until`.
    """
    found = (_shift(segment) for segment in _onwards(schedule, since, until, exceptions))
    return [shift for shift in found if shift is not None]


def next_up(schedule: Schedule, at: datetime, exceptions: Exceptions = ()) -> Shift | None:
    """The first shift after the one at `at` that is somebody else's; None when nobody follows within a whole round."""
    present = segment_at(schedule, at, exceptions)
    turns: Sequence[Rotation] = (schedule.rotation,) if schedule.rotation else schedule.layers
    rounds = max(_length(turn) * (len(turn.people) + 1) for turn in turns)
    # When the last exception has ended and every rotation has begun and come round once, nothing new can follow.
    starts = [datetime.combine(turn.starts, time(), UTC) + timedelta(days=8) for turn in turns]
    ends = [e.end for e in (*schedule.overrides, *exceptions)]
    until = max([at, *starts, *ends]) + rounds + timedelta(days=8)
    for segment in _onwards(schedule, at, until, exceptions):
        if segment.start > at and segment.person not in {None, present.person}:
            return _shift(segment)
    return None


def _onwards(schedule: Schedule, at: datetime, until: datetime, exceptions: Exceptions) -> Iterator[Segment]:
    while at < until:
        segment = segment_at(schedule, at, exceptions)
        yield segment
        at = segment.end


def _segment(span: _Span, person: str, because: Because, reason: str) -> Segment:
    return Segment(start=span.start, end=span.end, person=person, because=because, reason=reason)


def _shift(segment: Segment) -> Shift | None:
    if segment.person is None:
        return None
    return Shift(
        person=segment.person, start=segment.start, end=segment.end, because=segment.because, reason=segment.reason
    )


def _override(schedule: Schedule, at: datetime, exceptions: Exceptions, span: _Span) -> Override | None:
    given = [e for e in exceptions if isinstance(e, Override)]
    for override in reversed((*schedule.overrides, *given)):
        if override.start >= override.end or not span.edges(override.start, override.end, at):
            continue
        if not _away(override.person, at, exceptions, span, kinds=("leave",)):
            return override
    return None


def _away(person: str, at: datetime, exceptions: Exceptions, span: _Span, *, kinds: tuple[str, ...]) -> Away | None:
    """Why somebody is not there, the first reason given; None when they are."""
    away: Away | None = None
    for e in exceptions:
        if isinstance(e, Away) and e.person in (person, EVERYBODY) and e.kind in kinds:
            # Every edge counts, also when it is known already that they are away.
            here = span.edges(e.start, e.end, at)
            away = away or (e if here else None)
    return away


def _holds(layer: Layer, zone: str, at: datetime, span: _Span) -> bool:
    if layer.ends is not None:
        ends = _promised(zone, datetime.combine(layer.ends, layer.hand_over_at))
        if not span.edges(EARLIEST, ends, at):
            return False
    if not layer.restrictions:
        return True
    windows = _windows(zone, layer.restrictions, _local(zone, at).date())
    n = bisect.bisect_right(windows, at)
    # Edges alternate: after an odd number of them a window is open.
    span.within(windows[n - 1] if n else EARLIEST, windows[n] if n < len(windows) else LATEST)
    return n % 2 == 1


def _turn(
    rotation: Rotation, zone: str, schedule: Schedule, at: datetime, exceptions: Exceptions, span: _Span
) -> tuple[str, Because, str] | None:
    """Whose turn it is at an instant, and why; None before the start, and when nobody of the rotation is there."""
    first, length = _first(rotation), _length(rotation)
    # Beginning one turn later and stepping back also finds the right one early in the day, and where a zone has skipped
    # a day, so that two hand-overs fall on the same instant; stepping on does where clocks went back by more than a turn.
    turn = (_local(zone, at) - first) // length + 1
    wall = first + turn * length
    end = _promised(zone, wall)
    while end <= at:
        turn, wall = turn + 1, wall + length
        end = _promised(zone, wall)
    turn, wall = turn - 1, wall - length
    start = _promised(zone, wall)
    while start > at:
        end, turn, wall = start, turn - 1, wall - length
        start = _promised(zone, wall)
    if turn < 0:
        span.within(EARLIEST, _promised(zone, first))
        return None
    span.within(start, end)
    people = rotation.people
    whose = people[turn % len(people)]
    if not exceptions:
        return whose, "rotation", ""
    kinds = ("leave",) if schedule.on_holiday == "stay" else ("leave", "holiday")
    reason = f"{whose} is away"
    for ahead in range(len(people)):
        person = people[(turn + ahead) % len(people)]
        away = _away(person, at, exceptions, span, kinds=kinds)
        if away is None:
            return (person, "rotation", "") if person == whose else (person, "stand-in", reason)
        if ahead == 0 and away.reason:
            reason += f": {away.reason}"
        if ahead == 0 and not _next_stands_in(schedule, person, at, exceptions):
            return None
    return None


def _next_stands_in(schedule: Schedule, person: str, at: datetime, exceptions: Exceptions) -> bool:
    """Which rule applies to somebody away: leave counts before a holiday."""
    on_leave = _away(person, at, exceptions, _Span(), kinds=("leave",))
    return (schedule.on_leave if on_leave else schedule.on_holiday) == "next"


def _length(rotation: Rotation) -> timedelta:
    every = rotation.every
    if isinstance(every, Length):
        return timedelta(days=every.days, hours=every.hours)
    return _DAY if every == "day" else _WEEK


def _first(rotation: Rotation) -> datetime:
    """The first hand-over, by the clock on the wall."""
    day = rotation.starts
    if rotation.every == "week":
        day += timedelta(days=(_WEEKDAYS.index(rotation.hand_over_on) - day.weekday()) % 7)
    return datetime.combine(day, rotation.hand_over_at)


@functools.lru_cache(maxsize=4096)
def _local(zone: str, at: datetime) -> datetime:
    """What the clock on the wall shows, without its zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@functools.lru_cache(maxsize=4096)
def _windows(zone: str, restrictions: tuple[Restriction, ...], day: date) -> tuple[datetime, ...]:
    """The edges (open, close, open …) of all windows from nine days before `day` to nine after, joined where they meet."""
    found: list[tuple[datetime, datetime]] = []
    for offset in range(-9, 10):
        on = day + timedelta(days=offset)
        for window in restrictions:
            if _WEEKDAYS[on.weekday()] in window.days:
                until = on if window.end > window.start else on + timedelta(days=1)
                start = _promised(zone, datetime.combine(on, window.start))
                end = _promised(zone, datetime.combine(until, window.end))
                if start < end:
                    found.append((start, end))
    edges: list[datetime] = []
    for start, end in sorted(found):
        if edges and start <= edges[-1]:
            edges[-1] = max(edges[-1], end)
        else:
            edges += [start, end]
    return tuple(edges)


@functools.lru_cache(maxsize=65536)
def _promised(zone: str, wall: datetime) -> datetime:
    """The instant at which the clock in the zone first shows `wall` (naive) or, should it be skipped, what follows it."""
    local = PlainDateTime(wall)
    instant = local.assume_tz(zone, disambiguation="earlier")  # the first of two, should it come twice
    if instant.to_plain() != local:
        # Skipped. "earlier" has read the time by the clock of after the gap, which lands before the gap.
        gap_ends = instant.next_transition()
        if gap_ends is None:
            raise AssertionError(f"{local} is skipped in {zone}, but no transition follows {instant}")
        instant = gap_ends
    return instant.to_instant().to_stdlib()
