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


async def test_a_loop_that_rests_goes_on_as_soon_as_it_need_not_rest_any_more(monkeypatch):
    monkeypatch.setattr(worker, "ASK_AGAIN_S", 0.001)
    calls, asked, again = 0, 0, asyncio.Event()

    async def step() -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            again.set()
        return True

    def give_way() -> float:
        nonlocal asked
        asked += 1
        return 1e15 if asked < 4 else 0.0

    loop = Loop("test", step, poll_s=60, give_way=give_way)
    loop.start()
    async with asyncio.timeout(5):
        await again.wait()
    await worker.stop([loop], within_s=1)
    assert asked >= 4


async def test_loops_that_began_together_do_not_poll_together(monkeypatch):
    delays: list[float] = []
    real, enough = asyncio.timeout, asyncio.Event()

    def timeout(delay_s: float) -> asyncio.Timeout:
        delays.append(delay_s)
        if len(delays) == 20:
            enough.set()
        return real(0)

    async def step() -> bool:
        return False

    loop = Loop("test", step, poll_s=10)
    with monkeypatch.context() as patched:
        patched.setattr(worker.asyncio, "timeout", timeout)
        loop.start()
        await enough.wait()
        await worker.stop([loop], within_s=1)
    assert len(set(delays)) > 10
    assert all(8 <= delay_s <= 12 for delay_s in delays)


async def test_draining_says_when_a_step_never_ends():
    async def always() -> bool:
        return True

    with pytest.raises(RuntimeError, match="keeps finding"):
        await worker.drain(always, limit=5)
