"""What is wrong with the coming weeks of a schedule, said before it happens. Pure (mission 7.2)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from whenever import Instant

from sev1.catalog.model import Catalog, Schedule
from sev1.oncall.schedule import Exceptions, Segment, final

AHEAD = timedelta(days=30)


class CoverWarning(Struct, frozen=True, kw_only=True):
    kind: Literal["gap", "away", "unreachable", "overlap"]
    start: datetime
    end: datetime
    sentence: str
    person: str | None = None


def warnings(
    catalog: Catalog,
    schedule: Schedule,
    now: datetime,
    exceptions: Exceptions = (),
    unreachable: Collection[str] = (),
) -> list[CoverWarning]:
    """Everything to be mended in the next 30 days, by its start: nobody on call, stand-ins for people who are away,
    people on call whose last delivery failed or who are not in the catalog, and people on call twice at once.
    """
    parts = joined(final(schedule, now, now + AHEAD, exceptions))
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
    return sorted(found, key=lambda one: (one.start, one.kind))


def overlaps(
    catalog: Catalog, one: Schedule, other: Schedule, now: datetime, exceptions: dict[str, Exceptions]
) -> list[CoverWarning]:
    """Where one person is on call for two schedules at once: two pages would meet one person."""
    found = []
    mine, theirs = (joined(final(s, now, now + AHEAD, exceptions.get(s.name, ()))) for s in (one, other))
    at = 0
    for part in mine:
        while at < len(theirs) and theirs[at].end <= part.start:
            at += 1
        for against in theirs[at:]:
            if against.start >= part.end:
                break
            if part.person is not None and part.person == against.person:
                start, end = max(part.start, against.start), min(part.end, against.end)
                sentence = (
                    f"{_name(catalog, part.person)} is on call for {one.title} and {other.title} "
                    f"{_span(start, end, one.time_zone)}."
                )
                found.append(CoverWarning(kind="overlap", start=start, end=end, sentence=sentence, person=part.person))
    return found


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
    first, last = (Instant(at).to_tz(zone).to_stdlib() for at in (start, end))
    return f"from {first:%a} {first.day} {first:%b %H:%M} until {last:%a} {last.day} {last:%b %H:%M} {zone}"
