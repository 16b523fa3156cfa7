"""The express lane: what is new and would wake somebody does not wait behind a storm.

While the inbox is long, intake notes the first signal of each problem (`intake/lookout.py`). This step takes noted
payloads ahead of their turn and lets the signals take effect that would open a page; the rest of the payload waits.

Exactly once, and never an end before its beginning:

1. Everything happens under triage's lock, in one transaction with the note of what was taken (`inbox_taken`); when the
   cursor comes to the row, those signals are left out.
2. Only signals that fire, whose alert nobody knows yet, and that stand once in their payload are taken.
3. What came before them in the inbox, and is read later, is older than the alert: it decides nothing (`fold.py`).
"""

from collections import Counter as Tally
from collections.abc import Collection, Mapping, Sequence

from prometheus_client import Counter

from sev1.engine.database import Database
from sev1.intake.formats.format import Problem, problem_of
from sev1.intake.inbox import Address
from sev1.intake.lookout import Lookout
from sev1.triage import express_store, store
from sev1.triage.fold import Signal
from sev1.triage.once_more import ONCE_MORE
from sev1.triage.step import TriageStep
from sev1.triage.tiers import urgency_of

PAYLOADS = 10
"""Taken at a time: few, so that triage's lock is held for some milliseconds."""

TAKEN = Counter("sev1_triage_express_total", "Signals taken ahead of their turn while the inbox was long")


class ExpressStep:
    """`await step()` takes what was noted; True when there was something."""

    def __init__(self, db: Database, triage: TriageStep, lookout: Lookout) -> None:
        self._db = db
        self._triage = triage
        self._lookout = lookout

    async def __call__(self) -> bool:
        noted = dict(self._lookout.take(PAYLOADS))
        if not noted:
            return False
        # Whatever goes wrong here is no loss: the payloads are in the inbox and have their turn.
        try:
            await self._run(noted)
        except ONCE_MORE:
            await self._run(noted)
        return True

    async def _run(self, noted: Mapping[Address, Collection[Problem]]) -> None:
        async with self._db.transaction() as conn:
            await store.begin(conn)
            rows = await express_store.unread(conn, list(noted))
            signals = (await self._triage.read(conn, rows)).signals
            known = await store.firing(conn, {signal.who for signal in signals})
            urgent = [signal for signal in _first_of_each(signals, noted) if signal.who not in known]
            changes = await self._triage.take(conn, urgent)
            prints: dict[Address, list[str]] = {}
            for signal in urgent:
                prints.setdefault(Address(signal.writer, signal.row), []).append(signal.event.fingerprint)
            await express_store.take(conn, prints)
        TAKEN.inc(len(urgent))
        self._triage.tell(changes)


def _first_of_each(signals: Sequence[Signal], noted: Mapping[Address, Collection[Problem]]) -> list[Signal]:
    """Of each problem that was new the first signal, if it is the only one about its alert.

    One opens the page; the others of the problem join it when their turn comes.
    """
    times = Tally(signal.who for signal in signals)
    found: dict[tuple[int, Problem], Signal] = {}
    for signal in signals:
        problem = problem_of(signal.event)
        wakes = urgency_of(signal.event.labels.get("severity", "")) is not None
        is_new = problem in noted[Address(signal.writer, signal.row)]
        if is_new and wakes and signal.event.action == "firing" and times[signal.who] == 1:
            found.setdefault((signal.key_id, problem), signal)
    return list(found.values())
