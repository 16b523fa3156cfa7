"""The step that looks again at alerts which fire already, when something that decided about them has changed.

- what held an alert back is over: a silence ended, the inhibiting alert resolved; what still fires then pages;
- a silence began: what matches is marked, and a page on which nothing else fires ends;
- the catalog changed: what nobody was paged for, or was inhibited, gets another verdict;
- a page was resolved, and the senders of its alerts never say that something is over: its alerts are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from sev1.catalog import store as catalog_store
from sev1.catalog.cache import CatalogCache
from sev1.engine.clock import Clock
from sev1.engine.commands import Change, Commands
from sev1.engine.database import Database
from sev1.triage import recheck_store, silences, snapshot, store
from sev1.triage.assign import Pages, assign
from sev1.triage.fold import Episode
from sev1.triage.model import Silence, Transition
from sev1.triage.once_more import ONCE_MORE
from sev1.triage.pages import PagesByCommand
from sev1.triage.rules import RulesCache, maintenance_in_force
from sev1.triage.settle import settle

BATCH = 500


class _Seen(Struct, kw_only=True):
    """What this process has dealt with. Dealing with something twice changes nothing, so it need not be stored."""

    applied: dict[UUID, datetime] = {}
    """Silence -> its `updated_at` when it was applied."""
    catalog_version: int | None = None
    waiting: list[int] = []
    """Alerts that are to be looked at because the catalog changed."""


class RecheckStep:
    """`await step()` looks again at up to 500 alerts; True when there were any."""

    def __init__(
        self,
        db: Database,
        commands: Commands,
        catalogs: CatalogCache,
        clock: Clock,
        *,
        pages: Pages | None = None,
        batch: int = BATCH,
    ) -> None:
        self._db = db
        self._commands = commands
        self._catalogs = catalogs
        self._clock = clock
        self._pages = pages or PagesByCommand(commands)
        self._batch = batch
        self._rules = RulesCache()
        self._seen = _Seen()

    async def __call__(self) -> bool:
        async with self._db.connection() as conn:
            # Without the lock first: mostly there is nothing, and triage should not wait for that.
            if not await self._anything(conn):
                return False
        try:
            async with self._db.transaction() as conn:
                seen, changes = await self._recheck(conn)
        except ONCE_MORE:
            return True
        # Only what was committed counts as seen.
        self._seen = seen
        if changes is None:
            return False
        self._commands.tell(*changes)
        self._commands.news.tell("alerts")
        return True

    async def _anything(self, conn: asyncpg.Connection) -> bool:
        now = self._clock.now()
        return bool(
            self._seen.waiting
            or _unapplied(self._seen, await silences.in_force(conn, now))
            or await catalog_store.read_version(conn) != self._seen.catalog_version
            or await recheck_store.released(conn, now, await self._windows(conn, now), 1)
            or await recheck_store.ended_with_their_page(conn, 1)
        )

    async def _recheck(self, conn: asyncpg.Connection) -> tuple["_Seen", list[Change[Any]] | None]:
        await store.begin(conn)
        now = self._clock.now()
        seen = await self._look(conn)
        ended = await self._end_with_page(conn, now)
        again = await recheck_store.released(conn, now, await self._windows(conn, now), self._batch)
        active = await silences.in_force(conn, now)
        seen.applied = {s.id: seen.applied[s.id] for s in active if s.id in seen.applied}
        for silence in _unapplied(seen, active):
            room = self._batch - len(again)
            if room > 0:
                found = await recheck_store.covered(conn, silence, room)
                again |= dict.fromkeys(found, f"{silence.label} silences it now.")
                if len(found) < room:
                    seen.applied[silence.id] = silence.updated_at
        room = max(0, self._batch - len(again))
        catalog_changed, seen.waiting = seen.waiting[:room], seen.waiting[room:]
        again = {**dict.fromkeys(catalog_changed, "The catalog changed."), **again}
        episodes = await recheck_store.episodes(conn, again)
        changes = await self._judge(conn, episodes, now) if episodes else []
        return seen, changes if ended or episodes or seen.waiting else None

    async def _windows(self, conn: asyncpg.Connection, now: datetime) -> list[str]:
        catalog = await self._catalogs.current(conn)
        return [window.held_by for window in maintenance_in_force(catalog, now)]

    async def _look(self, conn: asyncpg.Connection) -> "_Seen":
        """A copy of what was seen, with the alerts that a change of the catalog concerns."""
        version = await catalog_store.read_version(conn)
        if version == self._seen.catalog_version:
            waiting = list(self._seen.waiting)
        else:
            waiting = await recheck_store.waiting_for_the_catalog(conn)
        return _Seen(applied=dict(self._seen.applied), catalog_version=version, waiting=waiting)

    async def _judge(self, conn: asyncpg.Connection, episodes: Sequence[Episode], now: datetime) -> list[Change[Any]]:
        rules = self._rules.of(await self._catalogs.current(conn))
        context = await snapshot.read(conn, rules, episodes, now)
        also = {e.before.page for e in episodes if e.before and e.before.page and e.before.page_is_open}
        assigned = await assign(conn, self._pages, episodes, context, also=also)
        changed = [episode for episode in episodes if _changed(episode)]
        await store.rejudge(conn, changed, assigned.incidents, now)
        await store.add_transitions(
            conn,
            [
                Transition(
                    alert_id=e.id,
                    at=now,
                    what=e.verdict.held or "looked-at-again",
                    reason=f"{e.again} {e.verdict.conclusion}",
                )
                for e in changed
            ],
        )
        return [*assigned.changes, *await settle(conn, self._pages, also & assigned.open_pages, now)]

    async def _end_with_page(self, conn: asyncpg.Connection, now: datetime) -> bool:
        ended: Mapping[int, tuple[datetime, str]] = await recheck_store.ended_with_their_page(conn, self._batch)
        await store.resolve(conn, {alert_id: at for alert_id, (at, _) in ended.items()}, now)
        await store.add_transitions(
            conn,
            [
                Transition(alert_id=alert_id, at=at, what="resolved", reason=f"{page}, its page, was resolved.")
                for alert_id, (at, page) in ended.items()
            ],
        )
        return bool(ended)


def _unapplied(seen: "_Seen", active: Sequence[Silence]) -> list[Silence]:
    return [silence for silence in active if seen.applied.get(silence.id) != silence.updated_at]


def _changed(episode: Episode) -> bool:
    before, verdict = episode.before, episode.verdict
    assert before is not None
    return (before.held_by, before.page, before.tier) != (
        verdict.held_by,
        verdict.page or before.page,
        verdict.tier,
    )
