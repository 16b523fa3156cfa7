"""Opsgenie's time restrictions as weekly windows. Pure.

`time-of-day` is a window of every day, `weekday-and-time-of-day` runs from a day and time to another day and time.
"""

from datetime import time

from msgspec import Struct

from sev1.catalog.importers.turns import DAY_S, WEEK_S, WEEKDAYS, seconds_of, windows


class Between(Struct, rename="camel"):
    start_hour: int
    end_hour: int
    start_min: int = 0
    end_min: int = 0
    start_day: str | None = None
    end_day: str | None = None


class Limits(Struct):
    type: str
    restriction: Between | None = None
    restrictions: list[Between] = []


def windows_of(limits: Limits | None) -> list[tuple[int, time, time]]:
    """(weekday, start, end); none without restrictions, and none when one of them cannot be read."""
    if limits is None:
        return []
    held = [limits.restriction] if limits.restriction else limits.restrictions
    found = [_between(one, on_days=limits.type != "time-of-day") for one in held]
    return [window for each in found for window in each] if all(found) else []


def _between(one: Between, *, on_days: bool) -> list[tuple[int, time, time]]:
    start, end = _time(one.start_hour, one.start_min), _time(one.end_hour, one.end_min)
    length_s = seconds_of(end) - seconds_of(start)
    if not on_days:
        return windows(None, start, length_s % DAY_S or DAY_S)
    days = [str(day).lower() for day in (one.start_day, one.end_day)]
    if not all(day in WEEKDAYS for day in days):
        return []
    first, last = (WEEKDAYS.index(day) for day in days)
    return windows(first, start, ((last - first) * DAY_S + length_s) % WEEK_S or WEEK_S)


def _time(hour: int, minute: int) -> time:
    return time(hour % 24, minute % 60)
