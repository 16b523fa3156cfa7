"""Rotations and weekly windows of other products, by the clock on the wall. Pure.

All times are local and without a zone: whoever hands over at nine does so on both sides of a change of the clocks.
"""

import functools
import zoneinfo
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo

from sev1.catalog.model import Length, Restriction, Weekday

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
_LONGEST_H = 8784

Span = tuple[int, int]
"""Seconds of the week, from Monday 00:00; the end may lie in the next week."""

T = TypeVar("T")


def local(instant: datetime, zone: str) -> datetime:
    """What the clock on the wall shows in the zone."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def is_zone(name: object) -> bool:
    return isinstance(name, str) and name in _zones()


@functools.cache
def _zones() -> frozenset[str]:
    """The IANA names; `check` has the same list, but knows databases and networks."""
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})


def seconds_of(at: time) -> int:
    return at.hour * HOUR_S + at.minute * 60 + at.second


def rotation(first: datetime, length_s: int) -> dict[str, Any] | None:
    """The fields of a rotation whose first turn begins at `first`; None for a length that is no whole number of hours."""
    every: Any
    if length_s == WEEK_S:
        every = "week"
    elif length_s == DAY_S:
        every = "day"
    elif length_s <= 0 or length_s % HOUR_S or length_s > _LONGEST_H * HOUR_S:
        return None
    else:
        every = Length(days=length_s // DAY_S) if length_s % DAY_S == 0 else Length(hours=length_s // HOUR_S)
    fields: dict[str, Any] = {"every": every, "hand_over_at": first.time(), "starts": first.date()}
    if every == "week":
        fields["hand_over_on"] = WEEKDAYS[first.weekday()]
    return fields


def begun(virtual: datetime, length_s: int, start: datetime) -> tuple[datetime, int]:
    """The hand-over at or before `start` of turns counted from `virtual`, and its number."""
    turn = (start - virtual) // timedelta(seconds=length_s)
    return virtual + turn * timedelta(seconds=length_s), turn


def rotated(people: Sequence[T], by: int) -> tuple[T, ...]:
    by %= len(people)
    return (*people[by:], *people[:by])


def ends_on(end: datetime, hand_over_at: time) -> tuple[date, bool]:
    """The day at whose hand-over time a layer ends that ends at `end`, rounded up; and whether that is exact."""
    exact = end.time() == hand_over_at
    return end.date() + timedelta(days=end.time() > hand_over_at), exact


def windows(day: int | None, start: time, length_s: int) -> list[tuple[int, time, time]]:
    """(weekday, start, end) of a window, none longer than a day. `day` None is every day."""
    if day is None:
        return [window for each in range(7) for window in windows(each, start, min(length_s, DAY_S))]
    length_s = min(length_s, WEEK_S)
    if length_s <= 0:
        return []
    if length_s <= DAY_S:
        return [(day, start, _plus(start, length_s))]
    until_midnight = DAY_S - seconds_of(start)
    first = (day, start, time(0))
    return [first, *windows((day + 1) % 7, time(0), length_s - until_midnight)]


def restrictions(found: Iterable[tuple[int, time, time]]) -> tuple[Restriction, ...]:
    """Windows with equal times as one restriction; none at all when they fill the week."""
    found = list(found)
    if not gaps([_span(*window) for window in found]):
        return ()
    days: dict[tuple[time, time], set[int]] = {}
    for day, start, end in found:
        days.setdefault((start, end), set()).add(day)
    ordered = sorted(days.items(), key=lambda item: (min(item[1]), item[0]))
    return tuple(
        Restriction(days=tuple(WEEKDAYS[day] for day in sorted(held)), start=start, end=end)
        for (start, end), held in ordered
    )


def spans(held: Iterable[Restriction]) -> list[Span]:
    """The windows of restrictions; the whole week when there are none."""
    found = [_span(WEEKDAYS.index(day), one.start, one.end) for one in held for day in one.days]
    return found or [(0, WEEK_S)]


def gaps(held: Iterable[Span]) -> list[Span]:
    """What of the week no span covers, in order."""
    pieces = sorted(piece for start, end in held for piece in _within(start, end))
    found: list[Span] = []
    at = 0
    for start, end in pieces:
        if start > at:
            found.append((at, start))
        at = max(at, end)
    return [*found, (at, WEEK_S)] if at < WEEK_S else found


def meet(one: Iterable[Span], other: Iterable[Span]) -> bool:
    """Whether two sets of spans share an instant of the week."""
    theirs = [piece for span in other for piece in _within(*span)]
    return any(a < d and c < b for span in one for a, b in _within(*span) for c, d in theirs)


def _within(start: int, end: int) -> list[Span]:
    if end <= WEEK_S:
        return [(start, end)]
    return [(start, WEEK_S), (0, end - WEEK_S)]


def _span(day: int, start: time, end: time) -> Span:
    begin = day * DAY_S + seconds_of(start)
    length = (seconds_of(end) - seconds_of(start)) % DAY_S or DAY_S
    return begin, begin + length


def _plus(at: time, length_s: int) -> time:
    total = (seconds_of(at) + length_s) % DAY_S
    return time(total // HOUR_S, total % HOUR_S // 60, total % 60)
