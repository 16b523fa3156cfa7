"""A schedule's coming weeks as a calendar: rows of seven days, one cell for days in which nothing changes. Pure.

Days are those of the visitor's zone, so a day on which clocks change has 23 or 25 hours. What is before now is not told.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.oncall.schedule import Shift
from sev1.surfaces.actor import name_of

PARTS_MAX = 4
"""Of one day; a turn may last an hour."""
_DAY = timedelta(days=1)


class Part(Struct, frozen=True, kw_only=True):
    """Who is on call in a part of a cell; both names are empty where nobody is."""

    name: str
    short: str
    """The first name, for narrow screens; with an initial where two share it."""
    at: str
    """When it begins, where that is within the cell: `09:00`."""
    is_me: bool
    covers: bool
    """By an override or as a stand-in."""


class Cell(Struct, frozen=True, kw_only=True):
    days: int
    """How many columns it is wide."""
    title: str
    """`3`, `3 – 8`, with the month where one begins: `1 Apr`. Empty outside of the weeks that are shown."""
    parts: tuple[Part, ...]
    more: int
    """How many parts are left out."""
    today: bool

    @property
    def gap(self) -> bool:
        return any(not part.name for part in self.parts)

    @property
    def mine(self) -> bool:
        return any(part.is_me for part in self.parts)


class _Held(Struct, frozen=True):
    start: datetime
    end: datetime
    shift: Shift | None


def month(
    coming: Sequence[Shift], catalog: Catalog, me: str, zone: str, now: datetime, days: int
) -> tuple[tuple[Cell, ...], ...]:
    """The weeks, from Monday to Sunday, that hold the `days` days from today. `coming` are the shifts of that time in order,
    none twice; where there is none, nobody is on call.
    """
    info = ZoneInfo(zone)
    today = now.astimezone(info).date()
    last = today + (days - 1) * _DAY
    held = _held(coming, now, _midnight(last + _DAY, info))
    short = _short_names(catalog, {shift.person for shift in coming})
    rows = []
    monday = today - today.weekday() * _DAY
    while monday <= last:
        first, end = max(monday, today), min(monday + 6 * _DAY, last)
        cells = [_blank((first - monday).days)]
        for begin, until in _runs(first, end, held, info):
            parts = _parts(begin, until, held, info)
            shown = [
                _part(one, max(_midnight(begin, info), now), catalog, me, info, short) for one in parts[:PARTS_MAX]
            ]
            cells.append(
                Cell(
                    days=(until - begin).days + 1,
                    title=_title(begin, until, today),
                    parts=tuple(shown),
                    more=len(parts) - len(shown),
                    today=begin == today,
                )
            )
        cells.append(_blank((monday + 6 * _DAY - end).days))
        rows.append(tuple(cell for cell in cells if cell.days))
        monday += 7 * _DAY
    return tuple(rows)


def _held(coming: Sequence[Shift], now: datetime, until: datetime) -> list[_Held]:
    """The time from the present shift's start, or now, as parts without a hole."""
    found: list[_Held] = []
    at = now
    for shift in coming:
        if shift.start > at:
            found.append(_Held(at, shift.start, None))
        found.append(_Held(shift.start, shift.end, shift))
        at = max(at, shift.end)
    if at < until:
        found.append(_Held(at, until, None))
    return found


def _runs(first: date, last: date, held: Sequence[_Held], info: ZoneInfo) -> Iterable[tuple[date, date]]:
    """Days in which nothing changes as one; each other day by itself."""
    begin = first
    while begin <= last:
        until = begin
        if len(_parts(begin, begin, held, info)) == 1:
            while until < last and len(_parts(begin, until + _DAY, held, info)) == 1:
                until += _DAY
        yield begin, until
        begin = until + _DAY


def _parts(first: date, last: date, held: Sequence[_Held], info: ZoneInfo) -> list[_Held]:
    start, end = _midnight(first, info), _midnight(last + _DAY, info)
    return [one for one in held if one.start < end and one.end > start]


def _part(one: _Held, start: datetime, catalog: Catalog, me: str, info: ZoneInfo, short: Mapping[str, str]) -> Part:
    at = f"{one.start.astimezone(info):%H:%M}" if one.start > start else ""
    if one.shift is None:
        return Part(name="", short="", at=at, is_me=False, covers=False)
    person = one.shift.person
    return Part(
        name=name_of(catalog, person),
        short=short[person],
        at=at,
        is_me=person == me,
        covers=one.shift.because in {"override", "stand-in"},
    )


def _short_names(catalog: Catalog, people: Iterable[str]) -> dict[str, str]:
    words = {person: name_of(catalog, person).split() or [person] for person in people}
    often = Counter(word[0] for word in words.values())
    return {
        person: word[0] if often[word[0]] == 1 or len(word) == 1 else f"{word[0]} {word[-1][0]}."
        for person, word in words.items()
    }


def _title(first: date, last: date, today: date) -> str:
    begin = f"{first.day} {first:%b}" if first == today or first.day == 1 else f"{first.day}"
    if first == last:
        return begin
    return f"{begin} – {last.day} {last:%b}" if last.month != first.month else f"{begin} – {last.day}"


def _blank(days: int) -> Cell:
    return Cell(days=days, title="", parts=(), more=0, today=False)


def _midnight(day: date, info: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), info).astimezone(UTC)
