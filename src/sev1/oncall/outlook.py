"""What is to be mended in the coming weeks, worked out in small steps and kept for a minute (missions 7.2, 7.3, 15.6).

At a thousand schedules this takes most of a second, and whoever wakes meanwhile must not wait for it. What is kept is
compared with what it was made of, so nothing has to be told when an override, leave or the catalog changes.
"""

import asyncio
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.engine.database import Database
from sev1.engine.in_steps import in_steps
from sev1.engine.steps import Steps
from sev1.oncall import store
from sev1.oncall.gaps import CoverWarning, all_warnings_in_steps
from sev1.oncall.limits import Breach, catalog_breaches_in_steps
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import Exceptions, shifts

KEPT = timedelta(seconds=60)
SOON = timedelta(days=7)
"""So far ahead it is said who will be on call."""


class Turn(Struct, frozen=True):
    """The first time that a person is on call for a schedule within a week."""

    schedule: str
    person: str
    start: datetime
    """Now, when they are already."""


class Known(Struct, frozen=True, kw_only=True):
    """What an outlook is made of."""

    catalog: Catalog
    exceptions: Mapping[str, Exceptions]
    """Those in force, by schedule."""
    silent: AbstractSet[str]
    """Who could not be reached the last time."""

    def is_still(self, other: "Known") -> bool:
        same_catalog = self.catalog is other.catalog  # it is loaded once for each version
        return same_catalog and self.silent == other.silent and self.exceptions == other.exceptions


class Ahead(Struct, frozen=True, kw_only=True):
    known: Known
    warnings: Mapping[str, list[CoverWarning]]
    """By schedule."""
    breaches: list[Breach]
    """Limits of teams that the coming shifts break."""
    turns: list[Turn]


class Outlook:
    """`await outlook.ahead(catalog, now)`: a node has one. Those who ask at the same moment share the work.

    Call it while holding no connection: who waits for the work would keep others from the database.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turn = asyncio.Lock()
        self._kept: tuple[datetime, Ahead] | None = None

    async def ahead(self, catalog: Catalog, now: datetime) -> Ahead:
        async with self._db.connection() as conn:
            known = await read(conn, catalog, now)
        async with self._turn:
            if self._kept:
                at, ahead = self._kept
                if abs(now - at) < KEPT and ahead.known.is_still(known):
                    return ahead
            ahead = Ahead(
                known=known,
                warnings=await in_steps(all_warnings_in_steps(catalog, now, known.exceptions, known.silent)),
                breaches=await in_steps(catalog_breaches_in_steps(catalog, now, known.exceptions)),
                turns=await in_steps(turns_in_steps(catalog, now, known.exceptions)),
            )
            self._kept = (now, ahead)
            return ahead


async def read(conn: asyncpg.Connection, catalog: Catalog, now: datetime) -> Known:
    exceptions = await store.overrides_at(conn, now)
    return Known(
        catalog=catalog,
        exceptions={name: in_force(held, catalog) for name, held in exceptions.items()},
        silent=frozenset(await store.unreachable(conn, catalog.people)),
    )


def turns_in_steps(catalog: Catalog, now: datetime, exceptions: Mapping[str, Exceptions]) -> Steps[list[Turn]]:
    """Who is on call within a week, for each schedule once, by schedule."""
    found: list[Turn] = []
    for schedule in catalog.schedules.values():
        first: dict[str, Turn] = {}
        for shift in shifts(schedule, now, now + SOON, exceptions.get(schedule.name, ())):
            first.setdefault(shift.person, Turn(schedule.name, shift.person, max(shift.start, now)))
        found += first.values()
        yield
    return found
