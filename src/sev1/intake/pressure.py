"""Is intake under pressure? Then what comes after it gives way: accepting is what only we can do, triage can catch up.

Senders wait for the commit and give up after seconds; a stored alert is safe. So while requests pour in, triage takes
small bites with pauses between them. It never stops: it keeps a fixed share of the time. And it gives way for seconds, not
for as long as somebody keeps sending: what is stored has to be looked at, too.
"""

import time
from collections.abc import Callable

from sev1.intake.inbox import Inbox

BUSY_PER_S = 1_500
"""Requests a second from which on triage gives way: a tenth of what one core accepts."""
BUSY_BYTES_PER_S = 2_000_000
"""The same for few large requests, as of a Prometheus with many alerts at once."""
WINDOW_S = 0.1
PATIENCE_S = 10.0
"""How long what comes after intake may be behind for its sake. Then they share the core until it has caught up."""


class Pressure:
    """Call it to learn whether requests come in faster than `BUSY_PER_S`, by the last tenth of a second or so, and have not
    made triage late yet.
    """

    def __init__(
        self,
        inbox: Inbox,
        is_behind: Callable[[], bool],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_behind` says whether triage has much to read; `monotonic` gives seconds."""
        self._inbox = inbox
        self._is_behind = is_behind
        self._monotonic = monotonic
        self._since_s = self._kept_up_s = monotonic()
        self._stored = 0
        self._bytes = 0
        self._busy = False

    def __call__(self) -> bool:
        now_s, stored, size = self._monotonic(), self._inbox.stored, self._inbox.stored_bytes
        took_s = now_s - self._since_s
        if took_s >= WINDOW_S:
            requests, received = stored - self._stored, size - self._bytes
            self._busy = requests > BUSY_PER_S * took_s or received > BUSY_BYTES_PER_S * took_s
            self._since_s, self._stored, self._bytes = now_s, stored, size
        if not self._is_behind():
            self._kept_up_s = now_s
        return self._busy and now_s - self._kept_up_s < PATIENCE_S
