"""One piece of work for all who ask for it at the same moment: many streams wake at once and want to read the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """`await together()` runs `work` once for everybody who asks before it begins.

    Who asks while it runs waits for the next run: what they were told of may have come after this one had looked.
    """

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._running: asyncio.Future[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """The result of a run that began after this call. An error of the run is everybody's."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._run(self._running))
        # Shielded: who goes away must not take the result from the others.
        return await asyncio.shield(self._next)

    async def _run(self, before: "asyncio.Future[T] | None") -> T:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        return await self._work()
