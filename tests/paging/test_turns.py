"""Round-robin on a real database: whose turn it is survives everything, and no two pages take the same turn."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from sev1.catalog import store as catalogs
from sev1.catalog.cache import CatalogCache
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, EscalationPolicy, Person, Step, Team, TeamTarget
from sev1.engine.clock import FakeClock
from sev1.engine.commands import Change, Commands
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
from tests.intake.conftest import until_somebody_waits_for_a_lock

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


ALSO_IN_TURN = msgspec.structs.replace(IN_TURN, name="also-turns")


def other_node(db: Database, clock: FakeClock) -> Commands:
    other = Commands(db, clock, News())
    other.register(PageAggregate(), project, turns.remember, prepare=PreparePage(CatalogCache()), snapshots=snapshots)
    return other


async def test_who_takes_a_turn_before_a_number_and_who_does_it_the_other_way_do_not_wait_for_each_other(
    db: Database, clock: FakeClock, commands: Commands
):
    """Triage lets an alert join a page, which takes a turn when it is worse, and opens the next page after that."""
    assert await asked(commands) == "ana"
    async with db.transaction() as conn:
        worse = m.JoinAlerts(count=1, summary="worse", severity="sev-1")
        joined = await commands.run_in(conn, "page", "P-1", worse, by=SYSTEM)
        opening_too = asyncio.ensure_future(asked(other_node(db, clock)))
        await until_somebody_waits_for_a_lock(db)
        mine = await open_page(commands, conn, opening())
    theirs = await opening_too
    assert [joined.after.people[0].person, mine.after.people[0].person, theirs] == ["bo", "cem", "ana"]
    assert await numbers(db) == [1, 2, 3]


async def test_who_takes_turns_of_two_policies_in_any_order_does_not_wait_in_a_circle(
    db: Database, clock: FakeClock, commands: Commands
):
    due = clock.now() + timedelta(seconds=60)
    async with db.transaction() as conn:
        also = msgspec.structs.replace(opening(), policy=ALSO_IN_TURN)
        await open_pages(commands, conn, [opening(), also])
    clock.jump_to(due)
    async with db.transaction() as conn:
        await open_page(commands, conn, opening())
        escalating = asyncio.ensure_future(escalate(other_node(db, clock), ("P-1", "P-2"), due))
        await until_somebody_waits_for_a_lock(db)
        mine = await open_page(commands, conn, msgspec.structs.replace(opening(), policy=ALSO_IN_TURN))
    assert mine.after.people[0].person == "bo"
    assert [change.after.people[0].person for change in await escalating] == ["cem", "cem"]


async def escalate(commands: Commands, pages: Sequence[str], due: datetime) -> list[Change[m.Page]]:
    async with commands.db.transaction() as conn:
        return await commands.run_many_in(conn, "page", dict.fromkeys(pages, m.EscalationDue(due=due)), by=SYSTEM)


async def test_two_nodes_that_open_and_escalate_at_once_lose_no_turn_and_no_number(
    db: Database, clock: FakeClock, commands: Commands
):
    nodes = (commands, other_node(db, clock))
    await asyncio.gather(*(asked(node) for node in nodes for _ in range(3)))
    due = clock.now() + timedelta(seconds=60)
    clock.jump_to(due)
    await asyncio.gather(
        *(asked(node) for node in nodes for _ in range(6)),
        escalate(nodes[0], ("P-1", "P-3", "P-5"), due),
        escalate(nodes[1], ("P-6", "P-4", "P-2"), due),
    )
    assert await numbers(db) == list(range(1, 19))
    async with db.connection() as conn:
        started = await conn.fetch(
            "SELECT p ->> 'person' AS person FROM events, jsonb_array_elements(event -> 'people') AS p"
            " WHERE event ->> 'type' = 'step_started'"
        )
    assert Counter(row["person"] for row in started) == dict.fromkeys(NAMES, 8), "24 turns, everybody the same"


async def numbers(db: Database) -> list[int]:
    async with db.connection() as conn:
        return [row["number"] for row in await conn.fetch("SELECT number FROM pages ORDER BY number")]
