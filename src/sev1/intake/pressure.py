"""Is intake under pressure? Then what comes after it gives way: accepting is what only we can do, triage can catch up.

Senders wait for the commit and give up after seconds; a stored alert is safe. So while requests pour in, triage takes
small bites and rests between them: briefly while something may be unread that would wake somebody, and almost always once
all of it was looked at, because then the express lane takes that. It gives way for seconds, not for as long as somebody
keeps sending: what is stored has to be read, too.
"""

import time
from collections.abc import Callable

from sev1.intake.inbox import Inbox
from sev1.intake.lookout import Lookout

BUSY_PER_S = 1_500
"""Requests a second from which on triage gives way: a tenth of what one core accepts."""
BUSY_BYTES_PER_S = 2_000_000
"""The same for few large requests, as of a Prometheus with many alerts at once."""
WINDOW_S = 0.1
WHILE_SHORT = 19.0
"""How many times as long as it worked triage rests while it has little to read: a twentieth of the time is its."""
UNTIL_LOOKED_AT = 2.0
"""The same while the inbox is long and begins with what nobody has looked at: some 150 alerts at most."""
ONCE_LOOKED_AT = 199.0
"""The same while all that is unread was looked at. Less than one answer in a hundred meets a bite: more would be seen in
their 99th percentile."""
PATIENCE_S = 10.0
"""How long what comes after intake may be behind for its sake. Then they share the core until it has caught up."""


class Pressure:
    """Call it to learn whether requests come in faster than `BUSY_PER_S`, by the last tenth of a second or so, and have not
    made triage late yet.
    """

    def __init__(self, inbox: Inbox, lookout: Lookout, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`lookout` knows whether triage has much to read, and whether it was looked at; `monotonic` gives seconds."""
        self._inbox = inbox
        self._lookout = lookout
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
        if not self._lookout.is_needed:
            self._kept_up_s = now_s
        return self._busy and now_s - self._kept_up_s < PATIENCE_S

    def rest(self) -> float:
        """How many times as long as it worked triage rests now; 0 when it need not."""
        if not self():
            return 0.0
        if not self._lookout.is_needed:
            return WHILE_SHORT
        return ONCE_LOOKED_AT if self._lookout.sees_all else UNTIL_LOOKED_AT
