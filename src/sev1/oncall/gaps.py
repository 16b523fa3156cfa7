"""What is wrong with the coming weeks of a schedule, said before it happens. Pure (mission 7.2)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from whenever import Instant

from sev1.catalog.model import Catalog, Override, Schedule
from sev1.catalog.problems import listed
from sev1.engine.steps import Steps, at_once
from sev1.oncall.schedule import Exceptions, Segment, final

AHEAD = timedelta(days=30)
HIDDEN_MAX = 100
"""Overrides of one schedule that are compared with each other."""


class CoverWarning(Struct, frozen=True, kw_only=True):
    kind: Literal["gap", "away", "unreachable", "overlap"]
    start: datetime
    end: datetime
    sentence: str
    person: str | None = None
    schedules: tuple[str, ...] = ()
    """Of an overlap between schedules: which. It is said under each of them."""


def warnings(
    catalog: Catalog,
    schedule: Schedule,
    now: datetime,
    exceptions: Exceptions = (),
    unreachable: Collection[str] = (),
) -> list[CoverWarning]:
    """Everything to be mended in the next 30 days of one schedule, by its start: nobody on call, stand-ins for people who
    are away, people on call whose last delivery failed or who are not in the catalog, overrides that another one hides.
    """
    parts = joined(final(schedule, now, now + AHEAD, exceptions))
    return _in_order(_of_one(catalog, schedule, parts, unreachable) + _hidden(catalog, schedule, now, exceptions))


def all_warnings(
    catalog: Catalog,
    now: datetime,
    exceptions: Mapping[str, Exceptions],
    unreachable: Collection[str] = (),
) -> dict[str, list[CoverWarning]]:
    """The same for every schedule by its name, and where one person is on call for several schedules at once: two pages
    would meet one person. Such an overlap is said under each of its schedules.
    """
    return at_once(all_warnings_in_steps(catalog, now, exceptions, unreachable))


def all_warnings_in_steps(
    catalog: Catalog,
    now: datetime,
    exceptions: Mapping[str, Exceptions],
    unreachable: Collection[str] = (),
) -> Steps[dict[str, list[CoverWarning]]]:
    """`all_warnings`, to be interrupted after each schedule and each person."""
    parts: dict[str, list[Segment]] = {}
    found: dict[str, list[CoverWarning]] = {}
    for s in catalog.schedules.values():
        held = exceptions.get(s.name, ())
        parts[s.name] = joined(final(s, now, now + AHEAD, held))
        found[s.name] = _of_one(catalog, s, parts[s.name], unreachable) + _hidden(catalog, s, now, held)
        yield
    for warning in _overlaps(catalog, parts):
        if warning is not None:
            for name in warning.schedules:
                found[name].append(warning)
        yield
    return {name: _in_order(of_one) for name, of_one in found.items()}


def _in_order(found: list[CoverWarning]) -> list[CoverWarning]:
    return sorted(found, key=lambda one: (one.start, one.kind))


def _of_one(
    catalog: Catalog, schedule: Schedule, parts: Sequence[Segment], unreachable: Collection[str]
) -> list[CoverWarning]:
    found: list[CoverWarning] = []
    for part in parts:
        when = _span(part.start, part.end, schedule.time_zone)
        if part.person is None:
            found.append(
                CoverWarning(kind="gap", start=part.start, end=part.end, sentence=f"Nobody is on call {when}.")
            )
        elif part.because == "stand-in":
            sentence = f"{_name(catalog, part.person)} stands in {when}: {part.reason}."
            found.append(
                CoverWarning(kind="away", start=part.start, end=part.end, sentence=sentence, person=part.person)
            )
    for person in dict.fromkeys(part.person for part in parts if part.person):
        first = next(part for part in parts if part.person == person)
        why = ""
        if person not in catalog.people:
            why = "is not in the catalog"
        elif person in unreachable:
            why = "could not be reached the last time"
        if why:
            sentence = (
                f"{_name(catalog, person)} {why}, but is on call {_span(first.start, first.end, schedule.time_zone)}."
            )
            found.append(
                CoverWarning(kind="unreachable", start=first.start, end=first.end, sentence=sentence, person=person)
            )
    return found


def _hidden(catalog: Catalog, schedule: Schedule, now: datetime, exceptions: Exceptions) -> list[CoverWarning]:
    """Overrides of two people for the same time: the later one holds, and whoever made the other may not know."""
    made = [*schedule.overrides, *(e for e in exceptions if isinstance(e, Override))]
    coming = [one for one in made if one.start < one.end and one.end > now and one.start < now + AHEAD][-HIDDEN_MAX:]
    found: list[CoverWarning] = []
    for n, earlier in enumerate(coming):
        for later in coming[n + 1 :]:
            start, end = max(earlier.start, later.start, now), min(earlier.end, later.end)
            if start < end and earlier.person != later.person:
                sentence = (
                    f"{_name(catalog, earlier.person)} and {_name(catalog, later.person)} both cover "
                    f"{_span(start, end, schedule.time_zone)}; {_name(catalog, later.person)}, who was entered later, holds."
                )
                found.append(
                    CoverWarning(kind="overlap", start=start, end=end, sentence=sentence, person=earlier.person)
                )
    return found


def _overlaps(catalog: Catalog, parts: Mapping[str, Sequence[Segment]]) -> Iterator[CoverWarning | None]:
    """One warning a person, however often and for whichever of their schedules it happens; None for whom it does not."""
    edges: dict[str, list[tuple[datetime, bool, str]]] = {}
    for name, held in parts.items():
        for part in held:
            if part.person is not None:
                edges.setdefault(part.person, []).extend([(part.start, True, name), (part.end, False, name)])
    for person, row in edges.items():
        spans: list[tuple[datetime, datetime]] = []
        involved: set[str] = set()
        active: set[str] = set()
        since = row[0][0]
        for at, begins, name in sorted(row):  # at one instant ends come first
            if len(active) > 1 and at > since:
                involved |= active
                if spans and spans[-1][1] == since:
                    spans[-1] = (spans[-1][0], at)
                else:
                    spans.append((since, at))
            (active.add if begins else active.remove)(name)
            since = at
        if not spans:
            yield None
            continue
        names = tuple(name for name in parts if name in involved)
        (start, end), zone = spans[0], catalog.schedules[names[0]].time_zone
        titles = listed([catalog.schedules[name].title for name in names], 4)
        several = f"{titles} at once" if len(names) == 2 else f"more than one of {titles} at once"
        more = f", and {len(spans) - 1} more times until {_at(spans[-1][1], zone)}" if len(spans) > 1 else ""
        sentence = f"{_name(catalog, person)} is on call for {several} {_span(start, end, zone)}{more}."
        yield CoverWarning(kind="overlap", start=start, end=end, sentence=sentence, person=person, schedules=names)


def joined(parts: list[Segment]) -> list[Segment]:
    """Parts that follow each other with the same person for the same reason, as one."""
    whole: list[Segment] = []
    for part in parts:
        last = whole[-1] if whole else None
        if last and (last.person, last.because, last.reason) == (part.person, part.because, part.reason):
            whole[-1] = Segment(
                start=last.start, end=part.end, person=part.person, because=part.because, reason=part.reason
            )
        else:
            whole.append(part)
    return whole


def _name(catalog: Catalog, person: str) -> str:
    return catalog.people[person].full_name if person in catalog.people else person


def _span(start: datetime, end: datetime, zone: str) -> str:
    return f"from {_at(start, zone)} until {_at(end, zone)} {zone}"


def _at(instant: datetime, zone: str) -> str:
    local = Instant(instant).to_tz(zone).to_stdlib()
    return f"{local:%a} {local.day} {local:%b %H:%M}"
