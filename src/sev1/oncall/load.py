"""On-call load by person and ISO week: hours, pages, nights, interrupted sleep (mission 10.1, 10.5). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from sev1.oncall.schedule import Segment

NIGHT = (22, 7)
"""From this hour until that one, by the person's own clock."""


UNEVEN = 1.5
"""So many times the median is far more than it."""
_MEASURES = {
    "hours": ("hours on call", 24.0),
    "pages": ("pages", 3.0),
    "night_pages": ("pages at night", 2.0),
    "interrupted_nights": ("interrupted nights", 2.0),
}
"""What is compared, in words, and the least difference from the median that is worth a sentence."""


class Week(Struct, frozen=True, kw_only=True):
    person: str
    week: str
    """ISO week of the person's own calendar: `2026-W10`."""
    hours: float = 0.0
    pages: int = 0
    night_pages: int = 0
    interrupted_nights: int = 0
    """Nights with one page or more."""


class Spread(Struct, frozen=True, kw_only=True):
    """How evenly something is spread over a team: no names, so that it is no ranking."""

    people: int
    least: float
    median: float
    most: float


class PersonLoad(Struct, frozen=True, kw_only=True):
    """One person's weeks and their sums."""

    person: str
    hours: float
    pages: int
    night_pages: int
    interrupted_nights: int
    weeks: tuple[Week, ...]


class Fairness(Struct, frozen=True, kw_only=True):
    """How evenly the load of a team is spread."""

    hours: Spread
    pages: Spread
    night_pages: Spread
    interrupted_nights: Spread
    uneven: tuple[str, ...]
    """One sentence for each of the four of which somebody carries far more than the middle; empty is fair."""


def loads(found: Iterable[Week], people: Iterable[str]) -> list[PersonLoad]:
    """By person, in the order given: those without a week have zeros, so that they count in a spread."""
    by_person: dict[str, list[Week]] = {}
    for week in found:
        by_person.setdefault(week.person, []).append(week)
    return [
        PersonLoad(
            person=person,
            hours=round(sum(week.hours for week in mine), 2),
            pages=sum(week.pages for week in mine),
            night_pages=sum(week.night_pages for week in mine),
            interrupted_nights=sum(week.interrupted_nights for week in mine),
            weeks=tuple(mine),
        )
        for person in people
        for mine in (by_person.get(person, ()),)
    ]


def fairness(people: Sequence[PersonLoad]) -> Fairness:
    """Mission 10.5: fair rotation. A team of one has nothing to share."""
    of = {name: spread(getattr(one, name) for one in people) for name in _MEASURES}
    uneven = tuple(
        f"{words[0].upper()}{words[1:]} are uneven: one person has {_figure(one.most)}, the middle of the team {_figure(one.median)}."
        for name, (words, least) in _MEASURES.items()
        for one in (of[name],)
        if one.people > 1 and one.most - one.median >= least and one.most > UNEVEN * one.median
    )
    return Fairness(**of, uneven=uneven)


def _figure(value: float) -> str:
    """A tenth is enough below 100, and nothing behind the point above."""
    return f"{value:.0f}" if value >= 100 else f"{round(value, 1):g}"


def weeks(segments: Iterable[Segment], pages: Iterable[tuple[str, datetime]], zones: Mapping[str, str]) -> list[Week]:
    """By person and week. `pages` are (person, when they were asked). Hours that schedules share count once."""
    hours: dict[tuple[str, str], float] = {}
    for person, start, end in spells(segments):
        zone = ZoneInfo(zones.get(person, "UTC"))
        at = start
        while at < end:
            local = at.astimezone(zone)
            monday = (local + timedelta(days=7 - local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
            edge = min(end, monday.astimezone(start.tzinfo))
            key = (person, _week(local))
            hours[key] = hours.get(key, 0.0) + (edge - at).total_seconds() / 3600
            at = edge
    counts: dict[tuple[str, str], int] = {}
    nights: dict[tuple[str, str], list[datetime]] = {}
    for person, when in pages:
        local = when.astimezone(ZoneInfo(zones.get(person, "UTC")))
        counts[person, _week(local)] = counts.get((person, _week(local)), 0) + 1
        if is_night(local):
            nights.setdefault((person, _week(local)), []).append(local)
    return [
        Week(
            person=person,
            week=week,
            hours=round(hours.get((person, week), 0.0), 2),
            pages=counts.get((person, week), 0),
            night_pages=len(nights.get((person, week), ())),
            # A night belongs to the evening on which it began.
            interrupted_nights=len({(at - timedelta(hours=NIGHT[1])).date() for at in nights.get((person, week), ())}),
        )
        for person, week in sorted(hours.keys() | counts.keys())
    ]


def is_night(local: datetime) -> bool:
    return local.hour >= NIGHT[0] or local.hour < NIGHT[1]


def spread(values: Iterable[float]) -> Spread:
    """Least, median and most of one value a person."""
    ordered = sorted(values)
    if not ordered:
        return Spread(people=0, least=0, median=0, most=0)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Spread(people=len(ordered), least=ordered[0], median=median, most=ordered[-1])


def _week(local: datetime) -> str:
    year, week, _ = local.isocalendar()
    return f"{year}-W{week:02}"


def spells(segments: Iterable[Segment]) -> list[tuple[str, datetime, datetime]]:
    """When each person is on call for anything: (person, start, end) in order, without edges at which nothing changes."""
    found: list[tuple[str, datetime, datetime]] = []
    held = sorted((part.person, part.start, part.end) for part in segments if part.person is not None)
    for person, start, end in held:
        if found and found[-1][0] == person and start <= found[-1][2]:
            found[-1] = (person, found[-1][1], max(found[-1][2], end))
        else:
            found.append((person, start, end))
    return found
