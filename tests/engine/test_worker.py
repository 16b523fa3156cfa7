import asyncio

import pytest

from sev1.engine import worker
from sev1.engine.worker import Loop


async def test_a_loop_goes_on_after_a_step_that_fails():
    wake, calls = asyncio.Event(), 0

    async def step() -> bool:
        nonlocal calls
        calls += 1
        wake.set()
        if calls == 1:
            raise RuntimeError("the first time")
        return False

    loop = Loop("test", step, poll_s=0.01)
    loop.start()
    async with asyncio.timeout(5):
        while calls < 2:
            wake.clear()
            await wake.wait()
    await worker.stop([loop], within_s=1)
    assert calls >= 2


async def test_stopping_lets_the_step_at_work_finish():
    started, finish, finished = asyncio.Event(), asyncio.Event(), False

    async def step() -> bool:
        nonlocal finished
        started.set()
        await finish.wait()
        finished = True
        return True

    loop = Loop("test", step, poll_s=60)
    loop.start()
    await started.wait()
    stopping = asyncio.create_task(worker.stop([loop], within_s=5))
    await asyncio.sleep(0)
    finish.set()
    await stopping
    assert finished


async def test_a_step_that_does_not_finish_in_time_is_cut_off():
    started = asyncio.Event()

    async def step() -> bool:
        started.set()
        await asyncio.Event().wait()
        return True

    loop = Loop("test", step, poll_s=60)
    loop.start()
    await started.wait()
    await worker.stop([loop], within_s=0.01)
    assert loop.task is not None
    assert loop.task.done()


async def test_draining_says_when_a_step_never_ends():
    async def always() -> bool:
        return True

    with pytest.raises(RuntimeError, match="keeps finding"):
        await worker.drain(always, limit=5)
