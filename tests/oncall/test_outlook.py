"""What looks ahead at on call: worked out in steps that others come between, shared, kept, and never kept too long."""

import asyncio
import functools
from datetime import UTC, datetime, timedelta

import msgspec
from tests.scenarios.conftest import post as post  # noqa: PLC0414 - fixtures of the scenarios
from tests.scenarios.conftest import sample
from tests.scenarios.conftest import stage as stage  # noqa: PLC0414
from tests.scenarios.stage import Stage

from sev1.catalog.model import Catalog, Override
from sev1.engine.in_steps import AT_MOST_S, in_steps
from sev1.engine.steps import Steps, at_once
from sev1.oncall import store
from sev1.oncall.gaps import all_warnings, all_warnings_in_steps
from sev1.oncall.outlook import SOON, turns_in_steps

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


async def test_others_come_between_the_steps_of_long_work() -> None:
    now_s = 0.0

    def work() -> Steps[str]:
        nonlocal now_s
        for _ in range(10):
            now_s += 2 * AT_MOST_S
            yield
        return "done"

    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert await in_steps(work(), clock=lambda: now_s) == "done"
    task.cancel()
    assert turns >= 10


async def test_short_work_is_done_without_a_pause() -> None:
    def work() -> Steps[int]:
        yield
        return 7

    begun = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(begun.set_result, None)
    assert await in_steps(work(), clock=lambda: 0.0) == 7
    assert not begun.done()


def test_each_schedule_is_a_step_of_its_own_and_the_steps_give_what_is_said_at_once() -> None:
    catalog, count = sample(), len(sample().schedules)
    assert len(list(all_warnings_in_steps(catalog, NOW, {}))) >= count
    assert len(list(turns_in_steps(catalog, NOW, {}))) == count
    assert at_once(all_warnings_in_steps(catalog, NOW, {})) == all_warnings(catalog, NOW, {})


def test_whoever_is_on_call_within_a_week_is_said_once_a_schedule_from_now_on() -> None:
    found = [turn for turn in at_once(turns_in_steps(sample(), NOW, {})) if turn.schedule == "payments-primary"]
    assert len({turn.person for turn in found}) == len(found) >= 2
    assert found[0].start == NOW
    assert all(NOW <= turn.start < NOW + SOON for turn in found)


async def test_those_who_ask_at_once_share_the_work_and_it_is_kept_for_a_minute(stage: Stage) -> None:
    ahead = functools.partial(stage.node.outlook.ahead, await catalog_of(stage))
    now = stage.clock.now()
    first, second = await asyncio.gather(ahead(now), ahead(now))
    assert first is second
    assert await ahead(now + timedelta(seconds=59)) is first
    assert await ahead(now + timedelta(seconds=60)) is not first


async def test_an_override_and_a_new_catalog_are_seen_at_once(stage: Stage) -> None:
    catalog, now = await catalog_of(stage), stage.clock.now()
    before = await stage.node.outlook.ahead(catalog, now)
    cover = Override(person="dana", start=now + timedelta(hours=1), end=now + timedelta(hours=2))
    async with stage.node.db.transaction() as conn:
        await store.add_override(conn, catalog, "payments-primary", cover, created_by="dana", now=now)
    after = await stage.node.outlook.ahead(catalog, now)
    assert "dana" not in {turn.person for turn in before.turns if turn.schedule == "payments-primary"}
    assert "dana" in {turn.person for turn in after.turns if turn.schedule == "payments-primary"}
    fewer = msgspec.structs.replace(catalog, schedules={"payments-primary": catalog.schedules["payments-primary"]})
    assert set((await stage.node.outlook.ahead(fewer, now)).warnings) == {"payments-primary"}


async def catalog_of(stage: Stage) -> Catalog:
    async with stage.node.db.connection() as conn:
        return await stage.node.catalogs.current(conn)
