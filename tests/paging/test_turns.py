"""Round-robin on a real database: whose turn it is survives everything, and no two pages take the same turn."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta

import pytest

from sev1.catalog import store as catalogs
from sev1.catalog.cache import CatalogCache
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, EscalationPolicy, Person, Step, Team, TeamTarget
from sev1.engine.clock import FakeClock
from sev1.engine.commands import Commands
from sev1.engine.database import Database
from sev1.engine.decider import SYSTEM
from sev1.engine.news import News
from sev1.notify import store as deliveries
from sev1.notify.model import Notice
from sev1.oncall.absence import add_leave
from sev1.oncall.model import Away
from sev1.paging import model as m
from sev1.paging import turns
from sev1.paging.decide import PageAggregate
from sev1.paging.react import PreparePage, open_page, open_pages, plan_now
from sev1.paging.store import project, snapshots

NAMES = ("ana", "bo", "cem")
IN_TURN = EscalationPolicy(
    name="turns",
    title="Turns",
    steps=(Step(targets=(TeamTarget(name="all"),), wait_s=60, round_robin=True),),
    repeat=5,
)
CATALOG = Catalog(
    people={
        n: Person(name=n, full_name=n, email=f"{n}@x.test", contact=(EmailMethod(address=f"{n}@x.test"),))
        for n in NAMES
    },
    teams={"all": Team(name="all", title="All", members=NAMES)},
    policies={"turns": IN_TURN},
)


@pytest.fixture
async def commands(db: Database, clock: FakeClock) -> Commands:
    async with db.transaction() as conn:
        await catalogs.write(conn, CATALOG, actor="test", now=clock.now())
    commands = Commands(db, clock, News())
    prepare = PreparePage(CatalogCache())
    commands.register(PageAggregate(), project, turns.remember, prepare=prepare, snapshots=snapshots)
    return commands


_groups = itertools.count()


def opening() -> m.Open:
    """Each is a problem of its own."""
    return m.Open(title="t", group_key=str(next(_groups)), policy=IN_TURN, why="r", severity="sev-2")


async def asked(commands: Commands) -> str:
    """Whom a new page asks."""
    async with commands.db.transaction() as conn:
        change = await open_page(commands, conn, opening())
    return change.after.people[0].person


async def test_pages_take_turns_also_across_nodes_and_restarts(db: Database, clock: FakeClock, commands: Commands):
    first = [await asked(commands) for _ in range(2)]
    other_node = Commands(db, clock, News())
    other_node.register(PageAggregate(), project, turns.remember, prepare=PreparePage(CatalogCache()))
    assert [*first, await asked(other_node), await asked(commands)] == ["ana", "bo", "cem", "ana"]


async def test_pages_that_open_at_once_take_different_turns(commands: Commands):
    people = await asyncio.gather(*(asked(commands) for _ in range(12)))
    assert Counter(people) == dict.fromkeys(NAMES, 4)


async def test_pages_of_one_batch_take_different_turns(commands: Commands):
    async with commands.db.transaction() as conn:
        changes = await open_pages(commands, conn, [opening() for _ in range(7)])
    assert [change.after.people[0].person for change in changes] == ["ana", "bo", "cem", "ana", "bo", "cem", "ana"]
    assert await asked(commands) == "bo"


async def test_a_turn_that_was_rolled_back_was_not_taken(commands: Commands):
    async def dies_before_the_commit() -> None:
        async with commands.db.transaction() as conn:
            await open_page(commands, conn, opening())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await dies_before_the_commit()
    assert await asked(commands) == "ana"


async def test_the_next_round_of_the_same_page_is_the_turn_of_the_next(commands: Commands, clock: FakeClock):
    assert await asked(commands) == "ana"
    due = clock.now() + timedelta(seconds=60)
    clock.jump_to(due)
    change = await commands.run("page", "P-1", m.EscalationDue(due=due), by=SYSTEM)
    assert change.after.people[0].person == "bo"


async def test_a_timer_that_decides_nothing_takes_no_turn(commands: Commands, clock: FakeClock):
    assert await asked(commands) == "ana"
    await commands.run("page", "P-1", m.EscalationDue(due=clock.now() - timedelta(seconds=1)), by=SYSTEM)
    assert await asked(commands) == "bo"


async def test_whoever_is_on_leave_is_passed_over_and_the_page_says_until_when(commands: Commands, clock: FakeClock):
    away = Away(person="ana", start=clock.now() - timedelta(hours=1), end=clock.now() + timedelta(hours=2))
    async with commands.db.transaction() as conn:
        await add_leave(conn, CATALOG, away, created_by="ana", now=clock.now())
        change = await open_page(commands, conn, opening())
    assert change.after.people[0].person == "bo"
    (passed,) = change.facts[-1].event.passed_over
    assert passed.person == "ana"
    assert passed.because.startswith("on leave until ")


async def test_whoever_could_not_be_reached_comes_last_for_a_quarter_of_an_hour(commands: Commands, clock: FakeClock):
    async with commands.db.transaction() as conn:
        notice = Notice(kind="page", about="P-0", title="t", url="u")
        contact = CATALOG.people["ana"].contact
        await deliveries.enqueue(conn, about="P-0", person="ana", methods=contact, notice=notice, now=clock.now())
        await conn.execute("UPDATE deliveries SET state = 'failed', finished_at = $1", clock.now())
    assert await asked(commands) == "bo"
    clock.advance(seconds=15 * 60 + 1)
    assert await asked(commands) == "ana"


async def test_looking_ahead_takes_no_turn(commands: Commands, clock: FakeClock):
    async with commands.db.connection() as conn:
        plan = await plan_now(conn, CATALOG, clock.now(), IN_TURN, "sev-2")
    assert [entry.people[0].person for entry in plan[:4]] == ["ana", "bo", "cem", "ana"]
    assert await asked(commands) == "ana"
