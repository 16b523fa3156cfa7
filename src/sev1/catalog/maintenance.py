"""When maintenance windows begin and end: wall time in a zone, with daylight saving by the rules of the zone. Pure.

The fields for days read as in Alertmanager's `time_intervals`: a list means any of it, ranges `a:b` include both ends,
negative days of the month count from its end, and days that a month does not have are left out.
"""

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct
from whenever import PlainDateTime

from sev1.catalog.matchers import MatcherInvalid, parse_all
from sev1.catalog.model import Maintenance

DAYS = tuple(day.lower() for day in calendar.day_name)
MONTHS = tuple(month.lower() for month in calendar.month_name)
FURTHEST_DAYS = 800
"""So far ahead the next window is looked for: past the next leap day that is not too far."""


class Window(Struct, frozen=True, kw_only=True):
    """One window, from `start` up to but without `end`, both UTC."""

    start: datetime
    end: datetime


def window_at(planned: Maintenance, now: datetime) -> Window | None:
    """The window in which `now` lies; where two overlap, the one that ends last."""
    back = planned.duration_min // (24 * 60) + 2
    first = now.date() - timedelta(days=back)
    found = [w for w in _windows(planned, first, back + 2) if w.start <= now < w.end]
    return max(found, key=lambda w: w.end, default=None)


def next_window(planned: Maintenance, now: datetime) -> Window | None:
    """The first window that begins after `now`, within 800 days."""
    first = max(now.date() - timedelta(days=1), planned.on or planned.starts or date.min)
    return next((w for w in _windows(planned, first, FURTHEST_DAYS) if w.start > now), None)


def _windows(planned: Maintenance, first: date, days: int) -> Iterator[Window]:
    for number in range(days):
        day = first + timedelta(days=number)
        if allows(planned, day):
            start = _instant(planned, day)
            yield Window(start=start, end=start + timedelta(minutes=planned.duration_min))


def _instant(planned: Maintenance, day: date) -> datetime:
    at = planned.at
    wall = PlainDateTime(day.year, day.month, day.day, at.hour, at.minute, at.second)
    # `compatible`: a skipped time moves forward by the gap, of a repeated one the first is meant.
    zoned = wall.assume_tz(planned.time_zone, disambiguation="compatible")
    return zoned.to_instant().to_stdlib().astimezone(UTC)


def allows(planned: Maintenance, day: date) -> bool:
    """Whether a window begins on this local day."""
    if planned.on is not None:
        return day == planned.on
    if (planned.starts and day < planned.starts) or (planned.until and day > planned.until):
        return False
    return (
        _any(_ranges(planned.weekdays, DAYS, 0), day.weekday())
        and _any(_ranges(planned.months, MONTHS, 0), day.month)
        and _any(_ranges(planned.years), day.year)
        and _day_of_month(planned.days_of_month, day)
    )


def _any(ranges: Sequence[tuple[int, int]], value: int) -> bool:
    """A range that ends before it begins goes round, as `friday:monday` does."""
    if not ranges:
        return True
    return any(low <= value <= high if low <= high else value >= low or value <= high for low, high in ranges)


def _day_of_month(texts: Sequence[str], day: date) -> bool:
    if not texts:
        return True
    length = calendar.monthrange(day.year, day.month)[1]
    for low, high in _ranges(texts):
        begin = low if low > 0 else length + low + 1
        end = high if high > 0 else length + high + 1
        if begin <= day.day <= end:
            return True
    return False


def _ranges(texts: Sequence[str], names: Sequence[str] = (), base: int = 0) -> list[tuple[int, int]]:
    """`a:b` and `a` as pairs; names count from `base`. Raises ValueError."""
    found = []
    for text in texts:
        low, _, high = text.strip().lower().partition(":")
        found.append((_number(low, names, base), _number(high or low, names, base)))
    return found


def _number(text: str, names: Sequence[str], base: int) -> int:
    if text in names and text:
        return names.index(text) + base
    return int(text)


def faults(planned: Maintenance) -> list[tuple[str, str, str]]:
    """(field, what is wrong, what to do) for everything that the types cannot say."""
    found: list[tuple[str, str, str]] = []
    checks: tuple[tuple[str, tuple[str, ...], tuple[str, ...], int, int, str], ...] = (
        ("weekdays", planned.weekdays, DAYS, 0, 6, "Write `sunday` or `monday:friday`."),
        ("months", planned.months, MONTHS, 1, 12, "Write `december` or `6:8`."),
        ("years", planned.years, (), 2000, 2200, "Write `2026` or `2026:2028`."),
        ("days_of_month", planned.days_of_month, (), -31, 31, "Write `1`, `1:7` or `-1`."),
    )
    for field, texts, names, lowest, highest, fix in checks:
        found += [
            (field, f'has "{text}" in `{field}`, which is no such day or range.', fix)
            for text in texts
            if not _readable(text, names, lowest, highest, zero=field != "days_of_month")
        ]
    days = planned.weekdays or planned.days_of_month or planned.months or planned.years
    if planned.on is None and not days:
        fix = "Give `on` for once, `weekdays` for weekly, `days_of_month` for monthly; every day is `weekdays: [monday:sunday]`."
        found.append(("at", "does not say on which days.", fix))
    if planned.on is not None and (days or planned.starts or planned.until):
        found.append(("on", "is once, by `on`, and recurs, by other fields.", "Keep one of the two."))
    if planned.starts and planned.until and planned.until < planned.starts:
        found.append(("until", "ends before it starts.", f"Let it end on {planned.starts} or later."))
    if not planned.services and _matches_everything(planned.match):
        fix = "Name `services`, or a matcher that needs a label to be there."
        found.append(("match", "would hide every alert there is.", fix))
    return found


def _readable(text: str, names: Sequence[str], lowest: int, highest: int, *, zero: bool) -> bool:
    try:
        ((low, high),) = _ranges((text,), names)
    except ValueError:
        return False
    inside = all(lowest <= value <= highest and (zero or value != 0) for value in (low, high))
    # Days by name go round the week; numbers that go backwards are a slip. -1 to 5 depends on the month.
    return inside and (bool(names) or low <= high or (low > 0) != (high > 0))


def _matches_everything(texts: Sequence[str]) -> bool:
    try:
        return all(matcher.matches({}) for matcher in parse_all(texts))
    except MatcherInvalid:
        return False
