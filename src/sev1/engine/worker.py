"""Work loops. A step does a bounded piece of work and says whether there was any; tests call steps, loops sleep.

The loop around a step is the one place that catches broadly: one bad item is recorded and the rest goes on.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import Counter

log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[bool]]

_jitter = random.Random()  # noqa: S311 - spreads polls, guards nothing

ASK_AGAIN_S = 0.1
"""How soon a loop that rests learns that it need not any more."""
JITTER = 0.2
"""By which part a pause between two polls may be shorter or longer: loops, and nodes, that began together do not stay together."""

FAILURES = Counter("sev1_step_failures", "Work steps that raised an unexpected error", ["step"])


class Loop:
    """Runs a step again and again: at once while there is work, else after `wake` or `poll_s` seconds.

    `give_way` says how many times as long as a step took the loop rests after it, for the sake of other work; 0: not. It is
    asked again and again while the loop rests.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        *,
        poll_s: float,
        wake: asyncio.Event | None = None,
        give_way: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.name = name
        self._step = step
        self._give_way = give_way
        self._poll_s = poll_s
        self._wake = wake or asyncio.Event()
        self._busy = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"loop {self.name}")

    async def _run(self) -> None:
        """An error is logged and counted, and the step waits `poll_s` before it is tried again."""
        while not self._stopping:
            self._wake.clear()
            self._busy = True
            began_s = time.monotonic()
            try:
                worked = await self._step()
            except Exception:
                log.exception("step %s failed; it goes on", self.name)
                FAILURES.labels(self.name).inc()
                worked = False
                self._wake.clear()
            finally:
                self._busy = False
            if not worked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s * _jitter.uniform(1 - JITTER, 1 + JITTER)):
                        await self._wake.wait()
            else:
                await self._rest(time.monotonic() - began_s)

    async def _rest(self, worked_s: float) -> None:
        began_s = time.monotonic()
        left_s = self._give_way() * worked_s
        while left_s > ASK_AGAIN_S:
            await asyncio.sleep(ASK_AGAIN_S)
            left_s = self._give_way() * worked_s - (time.monotonic() - began_s)
        await asyncio.sleep(max(0.0, left_s))

    def ask_to_stop(self) -> None:
        """No further step starts; one that waits ends at once, one at work may finish."""
        self._stopping = True
        if self._task and not self._busy:
            self._task.cancel()

    @property
    def task(self) -> asyncio.Task[None] | None:
        return self._task


async def stop(loops: Sequence[Loop], *, within_s: float) -> None:
    """Ends all loops; a step that takes longer than `within_s` is cut off, which its transaction survives."""
    for loop in loops:
        loop.ask_to_stop()
    tasks = [loop.task for loop in loops if loop.task]
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=within_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def drain(*steps: Step, limit: int = 10_000) -> int:
    """Runs `steps` in turn until none of them has work; returns how often one had. For tests and the simulation."""
    worked = 0
    for _ in range(limit):
        results = [await step() for step in steps]
        if not any(results):
            return worked
        worked += sum(results)
    raise RuntimeError(f"still work after {limit} rounds: a step keeps finding something to do")
