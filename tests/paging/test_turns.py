"""Round-robin over the database: the turn is taken with the page, and is fair however many pages open at once."""

import asyncio
from collections import Counter

from sev1.catalog import store as catalog_store
from sev1.catalog.cache import CatalogCache
from sev1.engine.clock import FakeClock
from sev1.engine.commands import Commands
from sev1.engine.database import Database
from sev1.engine.decider import SYSTEM
from sev1.engine.news import News
from sev1.paging import model as m
from sev1.paging import store, turns
from sev1.paging.decide import PageAggregate
from sev1.paging.react import PreparePage, open_pages
from tests.paging.test_eligible import CATALOG, policy, step

TURNING = policy(step("ana", "bo", "fumiko", round_robin=True))


async def commands_on(db: Database, clock: FakeClock) -> Commands:
    async with db.transaction() as conn:
        await catalog_store.write(conn, CATALOG, actor="test", now=clock.now())
    commands = Commands(db, clock, News())
    commands.register(
        PageAggregate(),
        store.project,
        turns.remember,
        prepare=PreparePage(CatalogCache()),
        snapshots=store.snapshots,
    )
    return commands


def problem(number: int) -> m.Open:
    return m.Open(title=f"t{number}", group_key=f"g{number}", policy=TURNING, why="r", severity="sev-1")


async def asked(db: Database) -> list[str]:
    async with db.connection() as conn:
        rows = await conn.fetch("SELECT people FROM pages ORDER BY number")
    return [name for row in rows for name in row["people"]]


async def test_pages_go_round_and_the_turns_survive(db: Database, clock: FakeClock) -> None:
    for number in range(1, 5):
        # New objects each time: what is remembered is in the database.
        commands = await commands_on(db, clock)
        async with db.transaction() as conn:
            await open_pages(commands, conn, [problem(number)], by=SYSTEM)
    assert await asked(db) == ["ana", "bo", "fumiko", "ana"]


async def test_pages_of_one_batch_take_different_turns(db: Database, clock: FakeClock) -> None:
    commands = await commands_on(db, clock)
    async with db.transaction() as conn:
        await open_pages(commands, conn, [problem(number) for number in range(1, 7)], by=SYSTEM)
    assert Counter(await asked(db)) == {"ana": 2, "bo": 2, "fumiko": 2}


async def test_pages_that_open_at_the_same_moment_never_take_the_same_turn(db: Database, clock: FakeClock) -> None:
    commands = await commands_on(db, clock)

    async def opens(number: int) -> None:
        async with db.transaction() as conn:
            await open_pages(commands, conn, [problem(number)], by=SYSTEM)

    await asyncio.gather(*(opens(number) for number in range(1, 10)))
    assert Counter(await asked(db)) == {"ana": 3, "bo": 3, "fumiko": 3}
