"""What a healthy shift is, by the limits of a team (mission 15.6). Pure: facts in, sentences out.

What counts is when a person is on call at all: two schedules that follow each other are no rest.
"""

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from whenever import Instant

from sev1.catalog.model import Catalog, Override, Schedule, ShiftLimits
from sev1.engine.steps import Steps, at_once
from sev1.oncall.load import spells
from sev1.oncall.schedule import Exceptions, Segment, final

AHEAD = timedelta(days=91)
"""How far a catalog is looked at before it is applied; further where a limit of weeks needs it."""
BACK = timedelta(weeks=4)
"""So far a shift or a run of weeks that is under way is followed back; overrides that have ended are known as long."""
CLOCKS = timedelta(hours=2)
"""No clock is changed by more: so much a week by the wall may be longer or shorter than 168 hours."""
_WEEK, _HOUR = timedelta(weeks=1), timedelta(hours=1)

Spell = tuple[datetime, datetime]


class Breach(Struct, frozen=True, kw_only=True):
    """One limit that one person's shifts break, at its worst."""

    person: str
    limit: Literal["rest_h", "consecutive_weeks", "night_pages"]
    allowed: int
    found: float
    """Hours of rest, weeks in a row, pages at night."""
    sentence: str

    def worse_than(self, other: "Breach") -> bool:
        return self.found < other.found if self.limit == "rest_h" else self.found > other.found


def breaches(
    catalog: Catalog,
    schedule: str,
    override: Override,
    exceptions: Mapping[str, Exceptions],
    night_pages: int,
    *,
    together: Sequence[Override] = (),
) -> list[str]:
    """One sentence for each limit that the final schedules with `override` break for its person; empty is healthy.

    `night_pages` counts those of the person in the last seven days, `together` are overrides of the same schedule that are
    made at once with this one. Of several teams, the limits of each count.
    """
    who = override.person
    limits = _limits_of(catalog, who)
    if not limits:
        return []
    weeks = max((limit.consecutive_weeks or 0 for limit in limits), default=0)
    around = timedelta(weeks=weeks + 2)
    held = {**exceptions, schedule: [*exceptions.get(schedule, ()), override, *together]}
    mine = at_once(_spells(catalog, held, override.start - around, override.end + around, {who})).get(who, [])
    found: list[Breach] = []
    for limit in limits:
        if limit.rest_h is not None:
            found += _short_rest(catalog, who, limit.rest_h, mine, near=(override.start, override.end))
        if limit.consecutive_weeks is not None:
            run = max((_weeks(one) for one in _runs(mine) if _meet(one, (override.start, override.end))), default=0)
            if run > limit.consecutive_weeks:
                found.append(_too_long(who, limit.consecutive_weeks, run, ""))
        if limit.night_pages is not None and night_pages >= limit.night_pages:
            sentence = (
                f"{who} was paged {night_pages} times at night in the last seven days; "
                f"relief is due after {limit.night_pages}."
            )
            found.append(
                Breach(person=who, limit="night_pages", allowed=limit.night_pages, found=night_pages, sentence=sentence)
            )
    return list(dict.fromkeys(one.sentence for one in found))


def catalog_breaches(
    catalog: Catalog, now: datetime, exceptions: Mapping[str, Exceptions], *, people: Collection[str] | None = None
) -> list[Breach]:
    """Every limit of rest and of weeks in a row that the final schedules from `now` on break, by person; each person and
    limit once, at its worst. Of `people` only, when given.
    """
    return at_once(catalog_breaches_in_steps(catalog, now, exceptions, people=people))


def catalog_breaches_in_steps(
    catalog: Catalog, now: datetime, exceptions: Mapping[str, Exceptions], *, people: Collection[str] | None = None
) -> Steps[list[Breach]]:
    """`catalog_breaches`, to be interrupted after each schedule and each person."""
    held_to = _limits_by_person(catalog)
    limited = sorted(p for p in held_to if people is None or p in people)
    if not limited:
        return []
    weeks = max((team.limits.consecutive_weeks or 0 for team in catalog.teams.values() if team.limits), default=0)
    until = now + max(AHEAD, timedelta(weeks=weeks + 2))
    # From before now: what is cut at now would begin a week in the middle of a shift.
    by_person = yield from _spells(catalog, exceptions, now - BACK, until, set(limited))
    found: list[Breach] = []
    for person in limited:
        yield
        mine = by_person.get(person, [])
        for limit in held_to[person]:
            if limit.rest_h is not None:
                found += _short_rest(catalog, person, limit.rest_h, mine, since=now)
            if limit.consecutive_weeks is not None:
                found += _long_run(catalog, person, limit.consecutive_weeks, mine, now, until)
    worst: dict[tuple[str, str], Breach] = {}
    for one in found:
        known = worst.get((one.person, one.limit))
        if known is None or one.worse_than(known):
            worst[one.person, one.limit] = one
    return list(worst.values())


def newly_broken(before: Iterable[Breach], after: Iterable[Breach]) -> list[Breach]:
    """What a change breaks or makes worse: what was so before has been decided before."""
    known = {(one.person, one.limit): one for one in before}
    return [
        one for one in after if (old := known.get((one.person, one.limit))) is None or one.worse_than(old)
    ]  # fmt: skip


def _limits_by_person(catalog: Catalog) -> dict[str, list[ShiftLimits]]:
    found: dict[str, list[ShiftLimits]] = {}
    for team in catalog.teams.values():
        if team.limits:
            for person in team.members:
                found.setdefault(person, []).append(team.limits)
    return found


def _limits_of(catalog: Catalog, person: str) -> list[ShiftLimits]:
    return _limits_by_person(catalog).get(person, [])


def _spells(
    catalog: Catalog,
    exceptions: Mapping[str, Exceptions],
    since: datetime,
    until: datetime,
    people: Collection[str],
) -> Steps[dict[str, list[Spell]]]:
    """When each of `people` is on call for anything, without the edges at which nothing changes for them."""
    parts: dict[str, list[Segment]] = {}
    for s in catalog.schedules.values():
        held = exceptions.get(s.name, ())
        if not _may_hold(s, held).isdisjoint(people):
            for part in final(s, since, until, held):
                if part.person is not None and part.person in people:
                    parts.setdefault(part.person, []).append(part)
        yield
    found: dict[str, list[Spell]] = {}
    for person, mine in parts.items():
        found[person] = [(start, end) for _, start, end in spells(mine)]
        yield
    return found


def _may_hold(schedule: Schedule, exceptions: Exceptions) -> set[str]:
    turns = (schedule.rotation,) if schedule.rotation else schedule.layers
    covers = (*schedule.overrides, *exceptions)
    return {p for turn in turns for p in turn.people} | {one.person for one in covers if isinstance(one, Override)}


def _short_rest(
    catalog: Catalog,
    person: str,
    rest_h: int,
    mine: Sequence[Spell],
    *,
    near: Spell | None = None,
    since: datetime | None = None,
) -> list[Breach]:
    """The shortest rest that is too short; with `near`, of those beside that shift, with `since`, of those that end later."""
    rest = timedelta(hours=rest_h)
    short = [
        (start - end, end)
        for (_, end), (start, _) in itertools.pairwise(mine)
        if start - end < rest
        and (near is None or (end > near[0] - rest and start < near[1] + rest))
        and (since is None or start > since)
    ]
    if not short:
        return []
    length, end = min(short)
    hours = length / _HOUR
    when = "" if near else f" from {_at(catalog, person, end)}"
    sentence = f"{person} would rest {hours:g} h between two shifts{when}; the limit is {rest_h} h."
    return [Breach(person=person, limit="rest_h", allowed=rest_h, found=hours, sentence=sentence)]


def _long_run(
    catalog: Catalog, person: str, allowed: int, mine: Sequence[Spell], now: datetime, until: datetime
) -> list[Breach]:
    """The longest run of weeks that is not over; one that the window cuts is said to be open."""
    longest = max((run for run in _runs(mine) if run[1] > now), key=_weeks, default=None)
    if longest is None or _weeks(longest) <= allowed:
        return []
    more = " or more" if longest[1] > until - _WEEK else ""
    return [_too_long(person, allowed, _weeks(longest), f"{more} from {_at(catalog, person, longest[0])}")]


def _too_long(person: str, allowed: int, run: int, rest: str) -> Breach:
    sentence = f"{person} would be on call {run} weeks in a row{rest}; the limit is {allowed}."
    return Breach(person=person, limit="consecutive_weeks", allowed=allowed, found=run, sentence=sentence)


def _runs(mine: Sequence[Spell]) -> list[Spell]:
    """Spells with less than a week off between them, as one: from the start of the first to the end of the last.

    Weeks are not counted from any one day: by those from a Wednesday, somebody who has every other week from Monday to
    Monday would have all of them.
    """
    found: list[Spell] = []
    for start, end in mine:
        if found and start - found[-1][1] < _WEEK - CLOCKS:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _weeks(run: Spell) -> int:
    return max(1, math.ceil((run[1] - run[0] - CLOCKS) / _WEEK))


def _meet(one: Spell, other: Spell) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _at(catalog: Catalog, person: str, instant: datetime) -> str:
    zone = catalog.people[person].time_zone if person in catalog.people else "UTC"
    local = Instant(instant).to_tz(zone).to_stdlib()
    return f"{local:%a} {local.day} {local:%b %H:%M} {zone}"
