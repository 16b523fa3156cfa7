"""What is known of people beside an incident: how they were woken lately, and who could take command (missions 10.1, 10.3)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.fatigue import Limits, fatigue
from sev1.command.parts.pace import Condition, Fresh
from sev1.command.succession import in_line
from sev1.oncall import store as oncall_store
from sev1.oncall.awake import awake_first, wakefulness
from sev1.oncall.load import is_night
from sev1.paging.model import Paged
from sev1.paging.react import people_of_steps

WEEK, DAY = timedelta(days=7), timedelta(days=1)


async def conditions(
    conn: asyncpg.Connection, catalog: Catalog, names: Iterable[str], now: datetime
) -> tuple[Condition, ...]:
    """Of those of `names` who are in the catalog: pages of the last day, and of the nights of the last week."""
    people = [name for name in dict.fromkeys(names) if name in catalog.people]
    rows = await conn.fetch(
        "SELECT p.person, g.opened_at FROM unnest($1::text[]) AS p (person) JOIN pages g ON p.person = ANY (g.people)"
        " WHERE g.opened_at > $2 AND g.opened_at <= $3",
        people, now - WEEK, now,
    )  # fmt: skip
    opened: dict[str, list[datetime]] = {name: [] for name in people}
    for row in rows:
        opened[row["person"]].append(row["opened_at"])
    return tuple(
        Condition(
            person=name,
            pages_24h=sum(at > now - DAY for at in opened[name]),
            night_pages_7d=sum(is_night(_local(at, catalog, name)) for at in opened[name]),
            awake=wakefulness(catalog.people[name], now).awake,
        )
        for name in people
    )


def _local(at: datetime, catalog: Catalog, person: str) -> datetime:
    return at.astimezone(ZoneInfo(catalog.people[person].time_zone))


async def on_call_for(
    conn: asyncpg.Connection, catalog: Catalog, services: Iterable[str], now: datetime
) -> list[Paged]:
    """Who is on call for `services`, then for everything, each with why: those who are awake by their own clock first."""
    overrides = await oncall_store.overrides_at(conn, now)
    policies = [catalog.services[name].policy for name in services if name in catalog.services]
    policies.append(catalog.organisation.fallback_policy)
    found: dict[str, Paged] = {}
    for policy in (catalog.policies[name] for name in policies if name in catalog.policies):
        for step in people_of_steps(policy, catalog, now, overrides):
            for one in step:
                found.setdefault(one.person, one)
    return [found[one.person] for one in awake_first(found, catalog, now)]


async def fresh_ones(conn: asyncpg.Connection, state: m.Incident, catalog: Catalog, now: datetime) -> tuple[Fresh, ...]:
    """Who could take command, in the order in which they come into question: those who are in the incident, who is on
    call for its services, the teams that own those. Who is tired by this incident comes into question only when nobody
    else does.
    """
    why = {person: _role_of(state, person) for person in in_line(state, ())}
    if not state.privacy.restricted:
        for one in await on_call_for(conn, catalog, state.services, now):
            why.setdefault(one.person, one.because)
        for team in (catalog.teams.get(catalog.services[s].owner) for s in state.services if s in catalog.services):
            for member in team.members if team else ():
                why.setdefault(member, team.title if team else "")
    found: list[Fresh] = []
    tired: list[Fresh] = []
    for person, because in why.items():
        if (known := catalog.people.get(person)) is None:
            continue
        sleep = wakefulness(known, now)
        local = sleep.because.partition(",")[0]
        (tired if _is_tired(state, catalog, person, now) else found).append(
            Fresh(person=person, awake=sleep.awake, local=local, role=because)
        )
    return tuple(found or tired)


def _role_of(state: m.Incident, person: str) -> str:
    held = [m.ROLE_TITLES[role] for role, holders in state.roles.items() if person in holders]
    return held[0] if held else "leads a workstream"


def _is_tired(state: m.Incident, catalog: Catalog, person: str, now: datetime) -> bool:
    stint = state.pace.stints.get(person)
    severity = catalog.severities.get(state.severity)
    if stint is None or severity is None:
        return False
    awake = wakefulness(catalog.people[person], now).awake
    limits = Limits(command_h=severity.command_hours, break_every_h=severity.break_every_h)
    return fatigue(stint, now, limits, awake=awake).level == "tired"
