"""Is intake under pressure? Then what comes after it gives way: accepting is what only we can do, triage can catch up.

Senders wait for the commit and give up after seconds; a stored alert is safe. So while requests pour in, triage takes
small bites with pauses between them. It never stops: it keeps a fixed share of the time.
"""

import time
from collections.abc import Callable

from sev1.intake.inbox import Inbox

BUSY_PER_S = 1_500
"""Requests a second from which on triage gives way: a tenth of what one core accepts."""
WINDOW_S = 0.1


class Pressure:
    """Call it to learn whether requests come in faster than `BUSY_PER_S`, by the last tenth of a second or so."""

    def __init__(self, inbox: Inbox, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._inbox = inbox
        self._monotonic = monotonic
        self._since_s = monotonic()
        self._stored = 0
        self._busy = False

    def __call__(self) -> bool:
        now_s, stored = self._monotonic(), self._inbox.stored
        if now_s - self._since_s >= WINDOW_S:
            self._busy = stored - self._stored > BUSY_PER_S * (now_s - self._since_s)
            self._since_s, self._stored = now_s, stored
        return self._busy
