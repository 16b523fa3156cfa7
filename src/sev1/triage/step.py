"""The triage step: a batch from the inbox becomes alerts, verdicts and pages, in one transaction with the cursor.

Whatever happens, a payload takes effect exactly once: the cursor moves in the transaction that writes what it caused.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
from msgspec import Struct
from prometheus_client import Counter, Histogram

from sev1.catalog.cache import CatalogCache
from sev1.engine.clock import Clock
from sev1.engine.commands import Change, Commands
from sev1.engine.database import Database
from sev1.engine.decider import Actor
from sev1.intake import changes as lately
from sev1.intake import inbox_reader
from sev1.intake.changes import ReceivedChange
from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.inbox_reader import Row
from sev1.intake.lookout import Lookout
from sev1.intake.model import InboundChange
from sev1.triage import express_store, snapshot, store
from sev1.triage.assign import BREATH, Assigned, Pages, assign
from sev1.triage.fold import Episode, Signal, fold
from sev1.triage.model import Transition
from sev1.triage.once_more import LATER, ONCE_MORE
from sev1.triage.pages import PagesByCommand
from sev1.triage.rules import RulesCache
from sev1.triage.settle import settle

log = logging.getLogger(__name__)

BATCH_ROWS = 1_500
BATCH_BYTES = 1536 * 1024
"""A storm is of few problems: the more of it is taken at once, the fewer changes has each page. Larger ones would make the
express lane wait: of large requests, a batch holds triage's lock for about half a second."""
BITE_ROWS = 25
BITE_BYTES = 512 * 1024
"""A batch while intake is under pressure: short enough not to hold up its answers. The first batch after a pause is not
larger either: it may be the beginning of a storm, and what is worst in that must not wait for it."""
FEWER = 10
"""Of a batch that fails, so many times fewer payloads are tried next, down to the one on which it fails."""
MAX_TRIES = 5
SIGNALS_A_TURN = 500
"""Of what is quick for each: intake answers between two turns of the event loop."""

TRIAGED = Counter("sev1_triage_signals_total", "Signals taken from the inbox")
LATENCY = Histogram(
    "sev1_triage_seconds",
    "From when a signal was received until its verdict",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
SET_ASIDE = Counter("sev1_triage_set_aside_total", "Payloads that triage could not use, kept as not understood")


class _Unread(Struct, frozen=True):
    row: Row
    error: str


class _Done(NamedTuple):
    changes: list[Change[Any]]
    read_bytes: int


class Said(Struct):
    """What stored payloads say."""

    signals: list[Signal] = []
    changes: list[ReceivedChange] = []
    unread: list[_Unread] = []


class TriageStep:
    """`await step()` triages one batch; True when there was one."""

    def __init__(
        self,
        db: Database,
        commands: Commands,
        catalogs: CatalogCache,
        clock: Clock,
        *,
        pages: Pages | None = None,
        batch_rows: int = BATCH_ROWS,
        batch_bytes: int = BATCH_BYTES,
        must_give_way: Callable[[], bool] = lambda: False,
        lookout: Lookout | None = None,
    ) -> None:
        self._db = db
        self._commands = commands
        self._catalogs = catalogs
        self._clock = clock
        self._pages = pages or PagesByCommand(commands)
        self._rules = RulesCache()
        self._batch_rows = batch_rows
        self._must_give_way = must_give_way
        self._batch_bytes = batch_bytes
        self._lookout = lookout
        self._at_most = batch_rows
        """Rows at once: fewer for a while after a batch failed."""
        self._works_off = False
        """Whether a batch went before, and intake is quiet."""

    async def __call__(self) -> bool:
        gives_way = self._must_give_way()
        rows = min(BITE_ROWS, self._at_most) if gives_way else self._at_most
        works_off, self._works_off = self._works_off and not gives_way, False
        try:
            worked = await self._run(rows, self._batch_bytes if works_off else min(BITE_BYTES, self._batch_bytes))
        except LATER:
            raise
        except Exception:  # one payload must not stop all the others; this is the only broad catch of triage
            if rows == 1:
                log.exception("a payload cannot be triaged; it is set aside as not understood")
                return await self._set_aside_next()
            log.exception("a batch of up to %d payloads cannot be triaged; fewer are tried at once", rows)
            self._at_most = max(1, rows // FEWER)
            return True
        self._at_most = min(self._batch_rows, self._at_most * 2)
        self._works_off = worked and not gives_way
        return worked

    async def _run(self, limit_rows: int, limit_bytes: int) -> bool:
        for attempt in range(1, MAX_TRIES + 1):
            try:
                async with self._db.transaction() as conn:
                    done = await self._triage(conn, limit_rows, limit_bytes)
            except ONCE_MORE:
                if attempt == MAX_TRIES:
                    raise
            else:
                break
        if done is None:
            if self._lookout is not None:
                self._lookout.caught_up()
            return False
        if self._lookout is not None:
            self._lookout.read(done.read_bytes)
        self.tell(done.changes)
        return True

    def tell(self, changes: Sequence[Change[Any]]) -> None:
        """Says what is new, after the commit."""
        self._commands.tell(*changes)
        self._commands.news.tell("alerts")

    async def _triage(self, conn: asyncpg.Connection, limit_rows: int, limit_bytes: int) -> _Done | None:
        """What became of a batch; None when the inbox is empty."""
        await store.begin(conn)
        batch = await inbox_reader.read_batch(conn, limit_rows=limit_rows, limit_bytes=limit_bytes)
        if batch is None:
            return None
        said = await self.read(conn, batch.rows)
        for problem in said.unread:
            await _set_aside(conn, problem.row, problem.error)
        if said.changes:
            await lately.add(conn, said.changes)
        signals = said.signals
        if taken := await express_store.taken(conn, batch):
            signals = [s for s in signals if s.event.fingerprint not in taken.get(s.row, ())]
        changes = await self.take(conn, signals)
        await inbox_reader.advance(conn, batch.writer, batch.position)
        if taken:
            await express_store.forget(conn, batch.writer, batch.position)
        return _Done(changes, sum(len(row.raw) for row in batch.rows))

    async def take(self, conn: asyncpg.Connection, signals: Sequence[Signal]) -> list[Change[Any]]:
        """Lets `signals` take effect, in the caller's transaction, under triage's lock. The changes of pages."""
        now = self._clock.now()
        before = await store.firing(conn, {signal.who for signal in signals})
        episodes = fold(signals, before, now)
        assigned = await self._judge(conn, episodes, now)
        await _write(conn, episodes, assigned, now)
        TRIAGED.inc(len(signals))
        for number, signal in enumerate(signals):
            LATENCY.observe(max(0.0, (now - signal.received_at).total_seconds()))
            if number % SIGNALS_A_TURN == 0:
                await asyncio.sleep(0)
        return [*assigned.changes, *await self._answer(conn, episodes, assigned, now)]

    async def read(self, conn: asyncpg.Connection, rows: Sequence[Row]) -> Said:
        """What stored payloads say, and which of them this release cannot read."""
        services = await store.services_of_keys(conn, {row.key_id for row in rows})
        said = Said()
        breath = BREATH
        for row in rows:
            _read_row(row, services.get(row.key_id), said)
            if len(said.signals) >= breath:
                breath = len(said.signals) + BREATH
                await asyncio.sleep(0)
        return said

    async def _judge(self, conn: asyncpg.Connection, episodes: Sequence[Episode], now: datetime) -> Assigned:
        new = [episode for episode in episodes if episode.is_new]
        for episode, alert_id in zip(new, await store.new_ids(conn, len(new)), strict=True):
            episode.id = alert_id
        also = {
            e.before.page
            for e in episodes
            if e.before and e.before.page and e.before.page_is_open and (e.acknowledged or not e.firing)
        }
        if not also and not any(episode.judge for episode in episodes):
            return Assigned()
        rules = self._rules.of(await self._catalogs.current(conn))
        context = await snapshot.read(conn, rules, episodes, now)
        return await assign(conn, self._pages, episodes, context, also=also)

    async def _answer(
        self, conn: asyncpg.Connection, episodes: Sequence[Episode], assigned: Assigned, now: datetime
    ) -> list[Change[Any]]:
        """What the senders acknowledged and ended is so on the pages, too."""
        changes = []
        acknowledged = {page: e.key_id for e in episodes if e.acknowledged and (page := _page(e))}
        names = await store.names_of_keys(conn, acknowledged.values()) if acknowledged else {}
        for page, key_id in sorted(acknowledged.items()):
            if page in assigned.open_pages or any(change.key == page for change in assigned.changes):
                name = names.get(key_id, "integration")
                by = Actor(id=f"key:{name}", name=name, via="triage")
                changes.append(await self._pages.acknowledge(conn, page, by=by))
        ended = {e.before.page for e in episodes if not e.firing and e.before and e.before.page}
        changes += await settle(conn, self._pages, ended & assigned.open_pages, now)
        return changes

    async def _set_aside_next(self) -> bool:
        async with self._db.transaction() as conn:
            await store.begin(conn)
            batch = await inbox_reader.read_batch(conn, limit_rows=1)
            if batch is None:
                return False
            await _set_aside(conn, batch.rows[0], "Triage failed on this payload; the server's log says why.")
            await inbox_reader.advance(conn, batch.writer, batch.position)
        self._commands.news.tell("alerts")
        return True


def _read_row(row: Row, service: str | None, said: Said) -> None:
    """Adds what the payload says to `said`.

    The edge refuses what cannot be read, so only a payload that another release stored is unread here.
    """
    format_ = FORMATS.get(row.format)
    if format_ is None:
        said.unread.append(_Unread(row, f"This release does not know the format {row.format!r}."))
        return
    try:
        decoded = format_.decode(row.raw)
    except Misunderstood as error:
        said.unread.append(_Unread(row, error.sentence))
        return
    for event in format_.events(decoded, row.received_at):
        if isinstance(event, InboundChange):
            said.changes.append(
                ReceivedChange(
                    change=event, key_id=row.key_id, service=event.service or service, received_at=row.received_at
                )
            )
            continue
        said.signals.append(
            Signal(
                event=event,
                key_id=row.key_id,
                service=service,
                received_at=row.received_at,
                writer=row.writer,
                row=row.id,
            )
        )


async def _set_aside(conn: asyncpg.Connection, row: Row, error: str) -> None:
    SET_ASIDE.inc()
    await conn.execute(
        "INSERT INTO misunderstood (received_at, key_id, format, error, raw) VALUES ($1, $2, $3, $4, $5)",
        row.received_at, row.key_id, row.format, error, row.raw,
    )  # fmt: skip


async def _write(conn: asyncpg.Connection, episodes: Sequence[Episode], assigned: Assigned, now: datetime) -> None:
    known = [episode for episode in episodes if not episode.is_new]
    await store.repeat(conn, [e for e in known if e.signals], now)
    await store.rejudge(conn, [e for e in known if e.judge and e.firing], assigned.incidents, now)
    # Before the new ones: of each fingerprint only one alert may fire.
    await store.resolve(conn, {e.id: e.resolved_at for e in known if e.resolved_at}, now)
    await store.insert(conn, [e for e in episodes if e.is_new], assigned.incidents)
    await store.add_transitions(conn, [line for e in episodes for line in _history(e, now)])


def _history(episode: Episode, now: datetime) -> Iterable[Transition]:
    verdict = episode.verdict
    # That a new one fired, and why it went where it went, its row says.
    if not episode.is_new and episode.judge and episode.firing:
        yield Transition(alert_id=episode.id, at=now, what=verdict.held or "looked-at-again", reason=verdict.conclusion)
    if episode.acknowledged:
        yield Transition(alert_id=episode.id, at=now, what="acknowledged", reason="The sender says so.")
    for note in episode.notes:
        yield Transition(alert_id=episode.id, at=now, what="noted", reason=note)
    if episode.resolved_at:
        yield Transition(alert_id=episode.id, at=episode.resolved_at, what="resolved", reason=episode.end)


def _page(episode: Episode) -> str | None:
    """The page that it is on after the batch."""
    return episode.verdict.page or (episode.before.page if episode.before else None)
