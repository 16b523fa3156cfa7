"""The step that fires due timers: each becomes an ordinary command of its aggregate."""

import logging

from sev1.engine import timers
from sev1.engine.commands import Commands
from sev1.engine.decider import TIMER

log = logging.getLogger(__name__)

BATCH = 100


class TimerStep:
    """Claims due timers under a lease and runs their commands. True when there was at least one."""

    def __init__(self, commands: Commands, *, holder: str, lease_s: int) -> None:
        self._commands = commands
        self._holder = holder
        self._lease_s = lease_s

    async def __call__(self) -> bool:
        now = self._commands.clock.now()
        async with self._commands.db.transaction() as conn:
            due = await timers.claim(conn, holder=self._holder, now=now, lease_s=self._lease_s, limit=BATCH)
        for timer in due:
            try:
                await self._fire(timer)
            except Exception:
                # Left under its lease: tried again when that ends, by whoever comes first.
                log.exception("timer %s of %s failed", timer.kind, timer.stream)
        return bool(due)

    async def _fire(self, timer: timers.Timer) -> None:
        kind, key = timer.stream.split("/", 1)
        aggregate = self._commands.aggregate(kind)
        async with self._commands.db.transaction() as conn:
            command = aggregate.timer_command(timer.kind, timer.due_at)
            change = await self._commands.run_in(conn, kind, key, command, by=TIMER)
            await timers.done(conn, timer, holder=self._holder)
        self._commands.tell(change)
