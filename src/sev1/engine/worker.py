"""Work loops. A step does a bounded piece of work and says whether there was any; tests call steps, loops sleep.

The loop around a step is the one place that catches broadly: one bad item is recorded and the rest goes on.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from prometheus_client import Counter

log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[bool]]

FAILURES = Counter("sev1_step_failures_total", "Work steps that raised an unexpected error", ["step"])


async def run(
    name: str, step: Step, *, stopping: asyncio.Event, wake: asyncio.Event | None = None, poll_s: float = 1.0
) -> None:
    """Runs `step` until `stopping`: again at once while there is work, else after `wake` or `poll_s` seconds.

    An error is logged and counted, and the step waits `poll_s` before it is tried again.
    """
    wake = wake or asyncio.Event()
    while not stopping.is_set():
        wake.clear()
        try:
            worked = await step()
        except Exception:
            log.exception("step %s failed; it goes on", name)
            FAILURES.labels(name).inc()
            await asyncio.sleep(poll_s)
            continue
        if not worked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), poll_s)
        else:
            await asyncio.sleep(0)


async def drain(*steps: Step, limit: int = 10_000) -> int:
    """Runs `steps` in turn until none of them has work; returns how often one had. For tests and the simulation."""
    worked = 0
    for _ in range(limit):
        results = [await step() for step in steps]
        if not any(results):
            return worked
        worked += sum(results)
    raise RuntimeError(f"still work after {limit} rounds: a step keeps finding something to do")
