"""The dead-man switch: while all is well, sev1 calls an address elsewhere; when the calls stop, somebody else alarms.

What watches sev1 must not depend on sev1. The call is made only while the database answers and can be written, what was
accepted is judged, timers fire and deliveries move; it stops when any of them does not.
"""

import logging
from datetime import datetime, timedelta

from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Sev1Error
from sev1.engine.fetch import Fetch
from sev1.measure import vitals

log = logging.getLogger(__name__)

OK = range(200, 300)


class HeartbeatOut:
    """`await step()` calls `url` when it is time and all is well. True is never said: there is nothing more to do."""

    def __init__(self, db: Database, clock: Clock, fetch: Fetch, *, url: str, every_s: int) -> None:
        self._db = db
        self._clock = clock
        self._fetch = fetch
        self._url = url
        self._every = timedelta(seconds=every_s)
        self._next_at: datetime | None = None
        self.trouble: str | None = None
        """Why the last call was not made, or not answered; None when it was."""

    async def __call__(self) -> bool:
        now = self._clock.now()
        if not self._url or (self._next_at is not None and now < self._next_at):
            return False
        self._next_at = now + self._every
        self.trouble = await self._beat(now)
        if self.trouble:
            log.warning("no heartbeat: %s", self.trouble)
        return False

    async def _beat(self, now: datetime) -> str | None:
        async with self._db.transaction() as conn:
            found = await vitals.read(conn, now)
            # A database that can be read and not written (a full disk, a standby) is not well.
            await conn.execute(
                "INSERT INTO secrets VALUES ('heartbeat', ''::bytea) ON CONFLICT (name) DO UPDATE SET value = ''::bytea"
            )
        if troubles := found.troubles(now):
            return "; ".join(troubles)
        try:
            answer = await self._fetch.request("GET", self._url)
        except Sev1Error as error:
            return f"{error.message}"
        return None if answer.status in OK else f"the address answered {answer.status}"
