"""The step that fires due timers: each becomes an ordinary command of its aggregate, those due together in one transaction."""

import logging
from collections.abc import Iterator, Sequence

from prometheus_client import Histogram

from sev1.engine import timers
from sev1.engine.commands import Commands
from sev1.engine.decider import TIMER

log = logging.getLogger(__name__)

BATCH = 100

LATENESS = Histogram(
    "sev1_timer_lateness_seconds",
    "From when a timer was due until what it causes was committed",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)


class TimerStep:
    """Claims due timers under a lease and runs their commands. True when there was at least one."""

    def __init__(self, commands: Commands, *, holder: str, lease_s: int) -> None:
        self._commands = commands
        self._holder = holder
        self._lease_s = lease_s

    async def __call__(self) -> bool:
        now = self._commands.clock.now()
        async with self._commands.db.connection() as conn:
            due = await timers.claim(conn, holder=self._holder, now=now, lease_s=self._lease_s, limit=BATCH)
        for kind, batch in _batches(due):
            try:
                await self._fire(kind, batch)
            except Exception:
                log.exception("%d timers together failed; they are fired one by one", len(batch))
                await self._one_by_one(kind, batch)
        return bool(due)

    async def _one_by_one(self, kind: str, timers_: Sequence[timers.Timer]) -> None:
        """One timer that cannot fire must not hold up the others."""
        for timer in timers_:
            try:
                await self._fire(kind, [timer])
            except Exception:
                # Left under its lease: tried again when that ends, by whoever comes first.
                log.exception("timer %s of %s failed", timer.kind, timer.stream)

    async def _fire(self, kind: str, due: Sequence[timers.Timer]) -> None:
        aggregate = self._commands.aggregate(kind)
        wanted = {timer.stream.split("/", 1)[1]: aggregate.timer_command(timer.kind, timer.due_at) for timer in due}
        async with self._commands.db.transaction() as conn:
            changes = await self._commands.run_many_in(conn, kind, wanted, by=TIMER)
            await timers.done(conn, due, holder=self._holder)
        self._commands.tell(*changes)
        now = self._commands.clock.now()
        for timer in due:
            LATENESS.observe(max(0.0, (now - timer.due_at).total_seconds()))


def _batches(due: Sequence[timers.Timer]) -> Iterator[tuple[str, list[timers.Timer]]]:
    """(kind of the aggregate, timers of different streams): two timers of one stream fire one after the other."""
    rest = list(due)
    while rest:
        kind = rest[0].stream.split("/", 1)[0]
        batch: dict[str, timers.Timer] = {}
        later = []
        for timer in rest:
            if timer.stream.startswith(f"{kind}/") and timer.stream not in batch:
                batch[timer.stream] = timer
            else:
                later.append(timer)
        yield kind, list(batch.values())
        rest = later
