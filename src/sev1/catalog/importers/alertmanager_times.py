"""Alertmanager's `time_intervals` as maintenance windows. Pure.

Its fields for days are those of a maintenance window; only the times differ: an interval lasts until a time on the wall, a
window so many minutes. A route that is active only in an interval is muted outside of it, so there the gaps of the week
become windows, which works for intervals that are the same every week.
"""

from collections.abc import Iterator
from datetime import time
from typing import Any

from msgspec import Struct

from sev1.catalog.importers.turns import DAY_S, WEEK_S, WEEKDAYS, Span, gaps, is_zone

_EVERY_DAY = ("monday:sunday",)
_DATES = ("days_of_month", "months", "years")


class Unmappable(Exception):
    """An interval cannot be a window; the text is the reason."""


class Window(Struct, frozen=True, kw_only=True):
    at: time
    duration_min: int
    time_zone: str
    weekdays: tuple[str, ...] = ()
    days_of_month: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    years: tuple[str, ...] = ()


def muted(intervals: Any) -> list[Window]:
    """The windows in which an interval of this name holds. Raises `Unmappable`."""
    return [window for held in _each(intervals) for window in _windows(held)]


def inactive(intervals: list[Any]) -> list[Window]:
    """The windows in which none of the intervals holds. Raises `Unmappable`."""
    found: list[Span] = []
    zones: set[str] = set()
    for held in (one for interval in intervals for one in _each(interval)):
        if any(held.get(field) for field in _DATES):
            raise Unmappable(
                "it depends on days of the month, months or years, so what lies outside has no weekly form"
            )
        zones.add(_zone(held))
        found += [
            (day * DAY_S + start * 60, day * DAY_S + end * 60) for day in _days(held) for start, end in _times(held)
        ]
    if len(zones) != 1:
        raise Unmappable("its parts are in several time zones")
    (zone,) = zones
    return [_gap(start, end, zone) for start, end in _joined(gaps(found))]


def _joined(found: list[Span]) -> list[Span]:
    """A gap over the end of the week is one."""
    if len(found) > 1 and found[0][0] == 0 and found[-1][1] == WEEK_S:
        return [*found[1:-1], (found[-1][0], WEEK_S + found[0][1])]
    return found


def _gap(start: int, end: int, zone: str) -> Window:
    second = start % DAY_S
    return Window(
        at=time(second // 3600, second % 3600 // 60),
        duration_min=(end - start) // 60,
        time_zone=zone,
        weekdays=(WEEKDAYS[start // DAY_S],),
    )


def _each(intervals: Any) -> list[dict[str, Any]]:
    if not isinstance(intervals, list) or not all(isinstance(one, dict) for one in intervals):
        raise Unmappable("it is not a list of intervals")
    return intervals


def _windows(held: dict[str, Any]) -> Iterator[Window]:
    days = _texts(held, "weekdays")
    dates = {field: _texts(held, field) for field in _DATES}
    for start, end in _times(held):
        yield Window(
            at=time(start // 60, start % 60),
            duration_min=end - start,
            time_zone=_zone(held),
            weekdays=days or (() if any(dates.values()) else _EVERY_DAY),
            **dates,
        )


def _zone(held: dict[str, Any]) -> str:
    zone = held.get("location") or "UTC"
    if not is_zone(zone):
        raise Unmappable(f'its location "{zone}" is no time zone known here')
    return str(zone)


def _texts(held: dict[str, Any], field: str) -> tuple[str, ...]:
    found = held.get(field) or []
    if not isinstance(found, list) or not all(isinstance(one, str | int) for one in found):
        raise Unmappable(f"its {field} are no list")
    return tuple(str(one).lower() for one in found)


def _times(held: dict[str, Any]) -> list[tuple[int, int]]:
    """Minutes of the day."""
    found = held.get("times") or [{"start_time": "00:00", "end_time": "24:00"}]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unmappable("its times are no list")
    times = [(_minute(one.get("start_time")), _minute(one.get("end_time"))) for one in found]
    if any(end <= start for start, end in times):
        raise Unmappable("a time ends before it begins")
    return times


def _minute(value: Any) -> int:
    hour, _, minute = str(value).partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(minute) < 60 and int(hour) * 60 + int(minute) <= 1440):
        raise Unmappable(f'"{value}" is no time')
    return int(hour) * 60 + int(minute)


def _days(held: dict[str, Any]) -> list[int]:
    found: list[int] = []
    for one in _texts(held, "weekdays") or _EVERY_DAY:
        first, _, last = one.partition(":")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise Unmappable(f'"{one}" is no weekday')
        low, high = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found += [day % 7 for day in range(low, high + 1 if high >= low else high + 8)]
    return found
