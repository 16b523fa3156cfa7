"""Who must not wait: while the inbox is long, the first signal of a problem that would wake somebody is noted down.

Triage takes what is noted ahead of its turn (`triage/express.py`), so a page for something new does not stand behind
fifty thousand alerts of something else. While triage keeps up there is nothing to note, and nothing is looked at.
"""

import heapq
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sev1.intake.formats.format import Problem
from sev1.intake.inbox import Address

BACKLOG_BYTES = 64 * 1024
"""Payloads that triage has still to read, from which on the inbox is long: some 150 alerts."""
PROBLEMS_MAX = 20_000
"""Problems that are remembered as noted; the older half is forgotten when there are more."""
NOBODY = 1_000
"""Above any rank."""
NOTED_MAX = 2_000
"""Payloads that wait in the express lane; what comes later stays where it is, in the inbox."""


class Noted(NamedTuple):
    address: Address
    problems: frozenset[Problem]
    """Those that were new."""


class Lookout:
    """One a node, for the inbox of that node."""

    def __init__(
        self,
        stored_bytes: Callable[[], int],
        rank_of: Callable[[str], int | None],
        *,
        on_note: Callable[[], object] = lambda: None,
    ) -> None:
        """`stored_bytes` is what the inbox has ever stored; `rank_of` a severity word: 0 is the worst, None wakes nobody.

        `on_note` is called when something was noted (wakes the express lane).
        """
        self._stored_bytes = stored_bytes
        self._rank_of = rank_of
        self._on_note = on_note
        self._read_bytes = 0
        self._looks_since: int | None = None
        """What the inbox had ever stored when looking began, in bytes; None while nothing is looked at."""
        self._known: dict[tuple[int, Problem], None] = {}
        self._noted: list[tuple[int, int, Noted]] = []
        self._count = 0

    @property
    def is_needed(self) -> bool:
        return self._stored_bytes() - self._read_bytes > BACKLOG_BYTES

    @property
    def sees_all(self) -> bool:
        """Whether what senders posted and is unread was all looked at, so that none of it that would wake somebody waits
        for triage. Mail, reports and sev1's own signals do not pass here: they have their turn.
        """
        return self._looks_since is not None and self._read_bytes >= self._looks_since and len(self._noted) < NOTED_MAX

    def read(self, size: int) -> None:
        """Triage has read so many bytes more."""
        self._read_bytes += size
        if not self.is_needed:
            self._looks_since = None

    def caught_up(self) -> None:
        """Nothing is left to read: what was noted has had its turn."""
        self._read_bytes = self._stored_bytes()
        self._looks_since = None
        self._known.clear()
        self._noted.clear()

    def look(self, key_id: int, glances: Iterable[tuple[str, Problem]], address: Address) -> None:
        """Notes the payload when one of its signals is the first of its problem since the inbox became long."""
        if self._looks_since is None:
            self._looks_since = self._stored_bytes()
        known = self._known
        new: set[Problem] = set()
        worst = NOBODY
        for severity, problem in glances:
            # A storm says the same a hundred times in one payload, and thousands of times in the next ones.
            if (key_id, problem) in known or (rank := self._rank_of(severity)) is None:
                continue
            known[key_id, problem] = None
            new.add(problem)
            worst = min(worst, rank)
        if not new:
            return
        if len(known) > PROBLEMS_MAX:
            for old in list(known)[: PROBLEMS_MAX // 2]:
                del known[old]
        if len(self._noted) >= NOTED_MAX:
            return
        self._count += 1
        heapq.heappush(self._noted, (worst, self._count, Noted(address, frozenset(new))))
        self._on_note()

    def take(self, limit: int) -> list[Noted]:
        """Up to `limit` noted payloads, the worst first, then the oldest. They are no longer noted."""
        return [heapq.heappop(self._noted)[2] for _ in range(min(limit, len(self._noted)))]
