"""What a healthy shift is, by the limits of a team (mission 15.6). Pure: facts in, sentences out."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

from sev1.catalog.model import Catalog, Override, ShiftLimits
from sev1.oncall.schedule import Exceptions, Segment, final


def breaches(
    catalog: Catalog, schedule: str, override: Override, exceptions: Exceptions, night_pages: int
) -> list[str]:
    """One sentence for each limit that the final schedule with `override` breaks for its person; empty is healthy.

    `night_pages` counts those of the person in the last seven days. The strictest limit of the person's teams counts.
    """
    limits = [team.limits for team in catalog.teams.values() if team.limits and override.person in team.members]
    if not limits:
        return []
    weeks = max((limit.consecutive_weeks or 0 for limit in limits), default=0)
    around = timedelta(weeks=weeks + 1)
    parts = final(catalog.schedules[schedule], override.start - around, override.end + around, [*exceptions, override])
    spells = _spells(parts, override.person)
    found = [sentence for limit in limits for sentence in _broken(limit, override, spells, night_pages)]
    return list(dict.fromkeys(found))


def _broken(
    limit: ShiftLimits, override: Override, spells: Sequence[tuple[datetime, datetime]], night_pages: int
) -> list[str]:
    found = []
    who = override.person
    if limit.rest_h is not None:
        rest = timedelta(hours=limit.rest_h)
        for (_, end), (start, _) in itertools.pairwise(spells):
            touches = end > override.start - rest and start < override.end + rest
            if touches and start - end < rest:
                hours = (start - end).total_seconds() / 3600
                found.append(f"{who} would rest {hours:g} h between two shifts; the limit is {limit.rest_h} h.")
                break
    if limit.consecutive_weeks is not None:
        run = _weeks_in_a_row(spells, override.start)
        if run > limit.consecutive_weeks:
            found.append(f"{who} would be on call {run} weeks in a row; the limit is {limit.consecutive_weeks}.")
    if limit.night_pages is not None and night_pages >= limit.night_pages:
        found.append(
            f"{who} was paged {night_pages} times at night in the last seven days; relief is due after {limit.night_pages}."
        )
    return found


def _spells(parts: Sequence[Segment], person: str) -> list[tuple[datetime, datetime]]:
    """When the person is on call, without the edges at which they take over from themselves."""
    found: list[tuple[datetime, datetime]] = []
    for part in parts:
        if part.person == person:
            if found and found[-1][1] == part.start:
                found[-1] = (found[-1][0], part.end)
            else:
                found.append((part.start, part.end))
    return found


def _weeks_in_a_row(spells: Sequence[tuple[datetime, datetime]], at: datetime) -> int:
    """How many weeks of seven days in a row, counted from the one that begins at `at`, hold some of the spells."""

    def holds(week: int) -> bool:
        start = at + timedelta(weeks=week)
        return any(begin < start + timedelta(weeks=1) and end > start for begin, end in spells)

    first = 0
    while holds(first - 1):
        first -= 1
    last = 0
    while holds(last + 1):
        last += 1
    return last - first + 1
