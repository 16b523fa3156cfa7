import asyncio

import pytest

from sev1.engine.together import Together


async def test_all_who_ask_at_once_share_one_run():
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        return runs

    together = Together(work)
    assert await asyncio.gather(*(together() for _ in range(300))) == [1] * 300


async def test_who_asks_while_it_runs_gets_the_next_run():
    began, may_end = asyncio.Event(), asyncio.Event()
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        began.set()
        await may_end.wait()
        return runs

    together = Together(work)
    first = asyncio.create_task(together())
    await began.wait()
    late = [asyncio.create_task(together()) for _ in range(3)]
    await asyncio.sleep(0)
    may_end.set()
    assert await first == 1
    assert await asyncio.gather(*late) == [2, 2, 2]


async def test_an_error_is_everybodys_and_the_next_run_is_a_new_one():
    fails = True

    async def work() -> str:
        if fails:
            raise OSError("the database is away")
        return "read"

    together = Together(work)
    results = await asyncio.gather(together(), together(), return_exceptions=True)
    assert [type(result) for result in results] == [OSError, OSError]
    fails = False
    assert await together() == "read"


async def test_who_goes_away_does_not_take_the_result_from_the_others():
    may_end = asyncio.Event()

    async def work() -> str:
        await may_end.wait()
        return "read"

    together = Together(work)
    gone, stays = asyncio.create_task(together()), asyncio.create_task(together())
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    may_end.set()
    assert await stays == "read"
