"""The write path on a real database: one transaction a command, whoever else writes at the same time."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tests.paging.test_decide import ANA, WHO, policy

from sev1.command.decide import IncidentAggregate
from sev1.engine import event_log, timers
from sev1.engine.clock import FakeClock
from sev1.engine.commands import Change, Commands, one_by_one
from sev1.engine.database import Database
from sev1.engine.decider import SYSTEM
from sev1.engine.errors import Conflict, NotFound
from sev1.engine.news import News
from sev1.engine.timer_step import TimerStep
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.store import SHAPE, project, snapshots


def commands_on(db: Database, clock: FakeClock, *reactions: object) -> Commands:
    async def people(conn: object, state: m.Page, command: m.PageCommand, now: datetime) -> m.PageCommand:
        return type(command)(due=command.due, who=WHO) if isinstance(command, m.EscalationDue) else command

    commands = Commands(db, clock, News())
    commands.register(PageAggregate(), project, *reactions, prepare=one_by_one(people), snapshots=snapshots)
    return commands


async def opened(commands: Commands, key: str = "P-1") -> Change[m.Page]:
    return await commands.run(
        "page", key, m.Open(title="t", group_key=key, policy=policy(), why="r", who=WHO), by=SYSTEM
    )


async def test_events_projection_and_timers_are_written_together(db: Database, clock: FakeClock):
    change = await opened(commands_on(db, clock))
    async with db.connection() as conn:
        assert await conn.fetchval("SELECT version FROM pages WHERE id = 'P-1'") == change.version == 2
        assert await timers.next_due(conn) == clock.now() + timedelta(seconds=300)


async def test_when_a_reaction_fails_nothing_of_the_command_stays(db: Database, clock: FakeClock):
    async def broken(conn: object, changes: Sequence[Change[m.Page]]) -> None:
        raise RuntimeError("reaction")

    with pytest.raises(RuntimeError, match="reaction"):
        await opened(commands_on(db, clock, broken))
    async with db.connection() as conn:
        for table in ("events", "pages", "timers"):
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_many_commands_on_one_stream_at_once_all_take_effect_in_some_order(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    await opened(commands)
    await asyncio.gather(
        *(commands.run("page", "P-1", m.JoinAlerts(count=1, summary="s"), by=SYSTEM) for _ in range(20))
    )
    async with db.connection() as conn:
        state, facts = await commands.load(conn, "page", "P-1")
    assert state.alert_count == 21
    assert [fact.version for fact in facts] == list(range(1, 23))


async def test_two_writers_of_the_same_version_conflict(db: Database, clock: FakeClock):
    first = event_log.facts([m.PolicyExhausted()], after=0, at=clock.now(), by=SYSTEM)
    async with db.transaction() as conn:
        await event_log.append(conn, {"page/P-1": first})
    with pytest.raises(Conflict):
        async with db.transaction() as conn:
            await event_log.append(conn, {"page/P-1": first})


async def test_a_batch_of_commands_does_what_each_alone_would(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    for n in range(1, 4):
        await opened(commands, f"P-{n}")
    asked = {"P-2": m.Acknowledge(), "P-3": m.JoinAlerts(count=2, summary="s"), "P-1": m.Resolve(reason="over")}
    async with db.transaction() as conn:
        changes = await commands.run_many_in(conn, "page", asked, by=ANA)
    assert [(change.key, change.after.status) for change in changes] == [
        ("P-2", "acknowledged"), ("P-3", "triggered"), ("P-1", "resolved")
    ]  # fmt: skip
    async with db.connection() as conn:
        for change in changes:
            state, facts = await commands.load(conn, "page", change.key)
            assert state == change.after
            assert (await snapshots(conn, [change.key]))[change.key] == (state, len(facts))
        waiting = await conn.fetch("SELECT stream, kind FROM timers ORDER BY stream")
    assert [tuple(row) for row in waiting] == [("page/P-2", "unattended"), ("page/P-3", "escalate")]


async def test_a_refusal_within_a_batch_refuses_all_of_it(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    await opened(commands)
    with pytest.raises(NotFound):
        async with db.transaction() as conn:
            await commands.run_many_in(conn, "page", {"P-1": m.Acknowledge(), "P-9": m.Acknowledge()}, by=ANA)
    async with db.connection() as conn:
        state, _ = await commands.load(conn, "page", "P-1")
    assert state.status == "triggered"


async def test_a_page_that_another_release_projected_is_read_from_its_events(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    await opened(commands)
    async with db.transaction() as conn:
        await conn.execute('UPDATE pages SET shape = $1, state = \'{"key": "P-1"}\'', SHAPE + 1)
    change = await commands.run("page", "P-1", m.Acknowledge(), by=ANA)
    assert (change.after.status, change.after.title, change.version) == ("acknowledged", "t", 3)
    async with db.connection() as conn:
        assert "P-1" in await snapshots(conn, ["P-1"])


async def test_timers_that_are_due_together_fire_together(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    for n in range(1, 31):
        await opened(commands, f"P-{n}")
    clock.advance(seconds=300)
    assert await TimerStep(commands, holder="a", lease_s=30)() is True
    async with db.connection() as conn:
        states = await snapshots(conn, [f"P-{n}" for n in range(1, 31)])
        transactions = await conn.fetchval("SELECT count(DISTINCT xmin::text) FROM events WHERE version > 2")
    assert {state.step for state, _ in states.values()} == {1}
    assert transactions == 1


async def test_an_acknowledgement_and_the_timer_racing_never_page_after_the_acknowledgement(
    db: Database, clock: FakeClock
):
    commands = commands_on(db, clock)
    for n in range(1, 11):
        await opened(commands, f"P-{n}")
    clock.advance(seconds=300)
    step = TimerStep(commands, holder="a", lease_s=30)
    await asyncio.gather(step(), *(commands.run("page", f"P-{n}", m.Acknowledge(), by=ANA) for n in range(1, 11)))
    async with db.connection() as conn:
        for n in range(1, 11):
            _, facts = await commands.load(conn, "page", f"P-{n}")
            kinds = [type(fact.event) for fact in facts]
            assert m.StepStarted not in kinds[kinds.index(m.PageAcknowledged) :]


async def test_numbers_have_no_gap_when_a_transaction_fails(db: Database):
    async with db.transaction() as conn:
        assert await event_log.next_number(conn, "incident") == 1
    with contextlib.suppress(RuntimeError):
        async with db.transaction() as conn:
            assert await event_log.next_number(conn, "incident") == 2
            raise RuntimeError
    async with db.transaction() as conn:
        assert await event_log.next_number(conn, "incident") == 2


async def test_a_timer_is_fired_by_one_node_only_and_by_another_when_that_one_dies(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    await opened(commands)
    clock.advance(seconds=300)
    async with db.transaction() as conn:
        held = await timers.claim(conn, holder="dead", now=clock.now(), lease_s=30, limit=10)
    assert len(held) == 1
    alive = TimerStep(commands, holder="alive", lease_s=30)
    assert await alive() is False
    clock.advance(seconds=30)
    assert await alive() is True
    async with db.connection() as conn:
        state, _ = await commands.load(conn, "page", "P-1")
    assert state.step == 1


async def test_a_node_that_starts_again_takes_up_its_own_timers_at_once(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    await opened(commands)
    clock.advance(seconds=300)
    async with db.transaction() as conn:
        await timers.claim(conn, holder="me", now=clock.now(), lease_s=30, limit=10)
        await timers.release(conn, holder="me")
    assert await TimerStep(commands, holder="me", lease_s=30)() is True


async def test_a_timer_that_cannot_be_fired_does_not_stop_the_others(db: Database, clock: FakeClock):
    commands = commands_on(db, clock)
    await opened(commands, "P-1")
    async with db.transaction() as conn:
        await conn.execute("INSERT INTO timers (stream, kind, due_at) VALUES ('page/P-0', 'nonsense', $1)", clock.now())
    clock.advance(seconds=300)
    await TimerStep(commands, holder="a", lease_s=30)()
    async with db.connection() as conn:
        state, _ = await commands.load(conn, "page", "P-1")
    assert state.step == 1


def test_an_incident_waits_for_no_timer_yet():
    aggregate = IncidentAggregate()
    assert aggregate.timers(aggregate.initial("INC-1")) == {}
    with pytest.raises(ValueError, match="no timer"):
        aggregate.timer_command("x", datetime(2026, 1, 1, tzinfo=UTC))
