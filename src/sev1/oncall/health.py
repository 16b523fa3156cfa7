"""On-call health of a team over the last quarter, and who may see whose figures (missions 10.1, 10.5, 14.3)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.engine.errors import NotFound
from sev1.engine.in_steps import in_steps
from sev1.engine.steps import Steps
from sev1.oncall import store
from sev1.oncall.limits import Breach
from sev1.oncall.load import Fairness, PersonLoad, fairness, loads, weeks
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import Exceptions, Segment, final

QUARTER = timedelta(days=91)


class TeamHealth(Struct, frozen=True, kw_only=True):
    since: datetime
    until: datetime
    mine: PersonLoad
    """Of whoever asks, over all schedules."""
    fairness: Fairness
    people: tuple[PersonLoad, ...] | None
    """The members by name, for the team itself and for admins; None for everybody else. Never in order of load."""
    breaches: tuple[Breach, ...] = ()
    """Limits of rest and of weeks in a row that the coming shifts of members break."""


async def team_health(
    conn: asyncpg.Connection,
    catalog: Catalog,
    team: str,
    now: datetime,
    *,
    me: str,
    sees_all: bool,
    coming: Iterable[Breach] = (),
) -> TeamHealth:
    """The quarter that ends now. Hours are those of the schedules as they are in the catalog now, pages the recorded.
    `coming` are the limits that shifts to come break, of whomever.

    Raises `NotFound` for an unknown team.
    """
    if team not in catalog.teams:
        raise NotFound(f"There is no team {team}.")
    since = now - QUARTER
    exceptions = await store.overrides_since(conn, since - store.LOOK_BACK)
    asked = await store.asked_between(conn, since, now)
    held = {name: in_force(one, catalog) for name, one in exceptions.items()}
    members = sorted(catalog.teams[team].members)
    parts = await in_steps(_parts(catalog, since, now, held, {me, *members}))
    found = weeks(parts, asked, {p.name: p.time_zone for p in catalog.people.values()})
    people = loads(found, members)
    return TeamHealth(
        since=since,
        until=now,
        mine=loads(found, [me])[0],
        fairness=fairness(people),
        people=tuple(people) if sees_all or me in members else None,
        breaches=tuple(one for one in coming if one.person in members),
    )


def _parts(
    catalog: Catalog, since: datetime, until: datetime, exceptions: Mapping[str, Exceptions], people: Collection[str]
) -> Steps[list[Segment]]:
    """What `people` held in that time, over all schedules."""
    found: list[Segment] = []
    for s in catalog.schedules.values():
        found += (part for part in final(s, since, until, exceptions.get(s.name, ())) if part.person in people)
        yield
    return found
