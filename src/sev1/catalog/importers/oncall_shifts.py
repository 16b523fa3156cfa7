"""Shifts of Grafana OnCall as rotations. Pure.

A shift is an event with a recurrence rule (RFC 5545): it begins at `start`, lasts `duration` and comes again every
`interval` hours, days or weeks, on `by_day`. In `rolling_users` each occurrence, or each week with `by_day`, belongs to
the next group. A rotation here says who has the turn; a restriction, in which part of it. So a shift has a form here when
its events fill the turns, or stand at the same times in every week.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from sev1.catalog.importers.directory import override
from sev1.catalog.importers.draft import text
from sev1.catalog.importers.lanes import Rolling
from sev1.catalog.importers.turns import DAY_S, HOUR_S, WEEK_S, is_zone, local, restrictions, rotated, rotation, windows
from sev1.catalog.model import Override

_UNIT_S = {"hourly": HOUR_S, "daily": DAY_S, "weekly": WEEK_S}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Unmappable(Exception):
    """A shift has no form here; the text is the reason."""


class Shift(Struct):
    id: str
    type: str
    start: datetime
    duration: int
    name: str = ""
    level: int = 0
    time_zone: str | None = None
    rotation_start: datetime | None = None
    frequency: str | None = None
    interval: int | None = None
    until: datetime | None = None
    week_start: str | None = None
    by_day: list[str] | None = None
    by_month: list[int] | None = None
    by_monthday: list[int] | None = None
    users: list[str] | None = None
    rolling_users: list[list[str]] | None = None
    start_rotation_from_user_index: int | None = None

    @property
    def once(self) -> bool:
        return self.type in {"override", "single_event"}


def override_of(shift: Shift, zone: str, people: Mapping[str, str], now: datetime, highest: int) -> list[Override]:
    """A shift that happens once, as an override. `highest` is the level of the recurring shifts. Raises `Unmappable`."""
    zone = _zone(shift, zone)
    start = _naive(shift.start, zone).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = start + timedelta(seconds=shift.duration)
    if end <= now:
        raise Unmappable(f"It ended on {end:%Y-%m-%d}")
    names = _known(shift.users or [], people)
    if len(names) != 1:
        raise Unmappable("It puts several people on call once, or nobody")
    if shift.type == "single_event" and shift.level <= highest:
        raise Unmappable(
            "It adds to the other shifts of its level or lies below them, and an override here replaces them"
        )
    made = override(names[0], start, end, text(shift.name))
    return [made] if made else []


def rolling_of(shift: Shift, schedule_zone: str, people: Mapping[str, str], now: datetime) -> tuple[Rolling, list[str]]:
    """The rotation, and what is not exactly the same in it. Raises `Unmappable`."""
    zone = _zone(shift, schedule_zone)
    groups = _groups(shift, people)
    start = _naive(shift.start, zone)
    unit_s = _UNIT_S.get(shift.frequency or "", 0)
    interval = shift.interval or 1
    if not unit_s or interval < 1 or shift.by_month or shift.by_monthday:
        raise Unmappable("It recurs by month, or by a rule that has no form here")
    if shift.duration <= 0:
        raise Unmappable("It lasts no time")
    if shift.by_day:
        first, held = _by_day(shift, start, len(groups), interval)
        length_s = WEEK_S
    else:
        first, length_s = start, unit_s * interval
        held = _within_turn(shift, start, length_s)
    fields = rotation(first, length_s)
    if fields is None:
        raise Unmappable("Its turns are too long")
    notes = _notes(shift, start, first, length_s, local(now, zone), zone)
    ends = _end(shift, start, first, length_s, zone) if shift.until else None
    more: dict[str, Any] = {"title": text(shift.name), "ends": ends, "restrictions": restrictions(held) if held else ()}
    if zone != schedule_zone:
        more["time_zone"] = zone
    return Rolling(groups=groups, level=shift.level, fields={**fields, **more}), notes


def _groups(shift: Shift, people: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    if shift.type == "rolling_users":
        listed = shift.rolling_users or []
    elif shift.type == "recurrent_event":
        listed = [shift.users or []]
    else:
        raise Unmappable(f"Shifts of the type {text(shift.type, 'unknown', most=40)} are not known")
    groups = [tuple(dict.fromkeys(_known(group, people))) for group in listed]
    if not groups or not all(groups):
        raise Unmappable("A turn in it has nobody; leaving it out would give everybody another one")
    return rotated(groups, shift.start_rotation_from_user_index or 0)


def _known(ids: list[str], people: Mapping[str, str]) -> list[str]:
    for one in ids:
        if one not in people:
            raise Unmappable(f"The user {text(one, most=40)} in it was not imported")
    return [people[one] for one in ids]


def _by_day(shift: Shift, start: datetime, groups: int, interval: int) -> tuple[datetime, list[tuple[int, time, time]]]:
    """The first hand-over and the windows of events on days of the week; each week belongs to one group."""
    if shift.frequency == "hourly" or interval != 1 or (shift.frequency == "daily" and groups > 1):
        raise Unmappable("It leaves out whole weeks or days, which restrictions here cannot say")
    if shift.duration > DAY_S:
        raise Unmappable("Its events on days of the week last longer than a day")
    days = [day.upper() for day in shift.by_day or []]
    week_start = (shift.week_start or "SU").upper()
    if not all(day in _DAYS for day in [*days, week_start]):
        raise Unmappable("Its days of the week cannot be read")
    back = (start.weekday() - _DAYS.index(week_start)) % 7
    held = [window for day in days for window in windows(_DAYS.index(day), start.time(), shift.duration)]
    return start - timedelta(days=back), held


def _within_turn(shift: Shift, start: datetime, length_s: int) -> list[tuple[int, time, time]]:
    if shift.duration == length_s:
        return []
    if shift.duration > length_s:
        raise Unmappable("Its events last longer than the time between them, so they overlap")
    if length_s == DAY_S:
        return windows(None, start.time(), shift.duration)
    if length_s == WEEK_S:
        return windows(start.weekday(), start.time(), shift.duration)
    raise Unmappable("Its events leave gaps that are not the same in every week")


def _notes(shift: Shift, start: datetime, first: datetime, length_s: int, now: datetime, zone: str) -> list[str]:
    notes = []
    if length_s % DAY_S:
        notes.append(
            "Turns are counted by the clock on the wall; where the clocks change one is an hour longer or shorter."
        )
    if first < start and start > now:
        notes.append(f"It begins with the week of {first:%Y-%m-%d}, not on {start:%Y-%m-%d}.")
    if shift.rotation_start and _naive(shift.rotation_start, zone) > max(start, now):
        notes.append(f"It holds before its rotation_start of {shift.rotation_start:%Y-%m-%d} as well.")
    return notes


def _end(shift: Shift, start: datetime, first: datetime, length_s: int, zone: str) -> date:
    """`until` is the last instant at which an event may begin; the event itself runs to its end."""
    assert shift.until is not None
    until = _naive(shift.until, zone)
    every = timedelta(days=1) if shift.by_day else timedelta(seconds=length_s)
    last = max(start, start + (until - start) // every * every)
    end = last + every
    return end.date() + timedelta(days=end.time() > first.time())


def _zone(shift: Shift, schedule_zone: str) -> str:
    zone = shift.time_zone or schedule_zone
    if not is_zone(zone):
        raise Unmappable(f'Its time zone "{text(zone, most=60)}" is not known')
    return zone


def _naive(at: datetime, zone: str) -> datetime:
    """Times are given by the clock on the wall; one with an offset is an instant."""
    return at if at.tzinfo is None else local(at, zone)
