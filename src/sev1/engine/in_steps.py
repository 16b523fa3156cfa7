"""Runs long work on the event loop without holding it: others get their turn every few milliseconds.

A thread would not help, because the interpreter's lock is what is short; a process would have to be given the catalog.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sev1.engine.steps import Steps

T = TypeVar("T")

AT_MOST_S = 0.005
"""Others wait no longer than this and one step."""


async def in_steps(work: Steps[T], *, at_most_s: float = AT_MOST_S, clock: Callable[[], float] | None = None) -> T:
    """The result of `work`. `clock` counts seconds; the loop's own when None."""
    seconds = clock or asyncio.get_running_loop().time
    since = seconds()
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        if seconds() - since >= at_most_s:
            await asyncio.sleep(0)
            since = seconds()
