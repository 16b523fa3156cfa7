"""Windows of local time in a policy: whether one holds now, and when the next begins. Pure."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from whenever import PlainDateTime

from sev1.catalog.model import Restriction, Weekday

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)
_DAY = timedelta(days=1)


def inside(windows: Sequence[Restriction], zone: str, at: datetime) -> bool:
    """Whether the clock on the wall in `zone` shows a time inside one of `windows` at the instant `at` (aware)."""
    local = at.astimezone(ZoneInfo(zone))
    clock = local.time()
    today, yesterday = _WEEKDAYS[local.weekday()], _WEEKDAYS[(local.weekday() - 1) % 7]
    return any(_holds(window, clock, today, yesterday) for window in windows)


def next_opening(windows: Sequence[Restriction], zone: str, at: datetime) -> datetime | None:
    """The first instant after `at` (UTC) at which a window begins; None when none does within two weeks.

    A beginning that the clocks skip is the end of the gap; one that comes twice counts the first time.
    """
    day = at.astimezone(ZoneInfo(zone)).date()
    for ahead in range(-1, 15):
        on = day + ahead * _DAY
        begins = [
            _promised(zone, datetime.combine(on, window.start))
            for window in windows
            if _WEEKDAYS[on.weekday()] in window.days
        ]
        # A window that lies wholly in the hour that is skipped never holds on that day.
        coming = [begin for begin in begins if begin > at and inside(windows, zone, begin)]
        if coming:
            return min(coming)
    return None


def _holds(window: Restriction, clock: time, today: str, yesterday: str) -> bool:
    if window.start < window.end:
        return today in window.days and window.start <= clock < window.end
    return (today in window.days and clock >= window.start) or (yesterday in window.days and clock < window.end)


def _promised(zone: str, wall: datetime) -> datetime:
    local = PlainDateTime(wall)
    instant = local.assume_tz(zone, disambiguation="earlier")
    if instant.to_plain() != local:
        instant = instant.next_transition() or instant
    return instant.to_instant().to_stdlib()


def local_time(at: datetime, zone: str) -> str:
    """`14:05 in Tokyo`."""
    place = zone.rpartition("/")[2].replace("_", " ")
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M} in {place}"


def local_day(at: datetime, zone: str) -> str:
    """`Mon 09:00 Europe/Berlin`."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %H:%M} {zone}"


def in_words(windows: Sequence[Restriction]) -> str:
    """`Mon–Fri 09:00–17:00`; several joined by "and"."""
    return " and ".join(_window(window) for window in windows)


def _window(window: Restriction) -> str:
    numbers = sorted(_WEEKDAYS.index(day) for day in window.days)
    names = [_WEEKDAYS[n][:3].capitalize() for n in numbers]
    in_a_row = len(numbers) > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    days = "" if len(names) == 7 else f"{names[0]}–{names[-1]}" if in_a_row else ", ".join(names)
    times = "" if window.start == window.end else f"{window.start:%H:%M}–{window.end:%H:%M}"
    return f"{days} {times}".strip() or "always"
