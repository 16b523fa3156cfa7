"""The step that looks at what is due: asks, decides, says so to intake, remembers.

What is said goes into the same inbox as everybody's alerts, under a key of our own, and before the state is written:
a node that dies in between says it twice, which is one alert, and never not at all.
"""

import asyncio
import logging
from datetime import datetime, timedelta

import msgspec
from prometheus_client import Counter

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.fetch import Fetch
from sev1.intake.formats.watch import Watch
from sev1.intake.inbox import Inbox
from sev1.intake.keys import IntegrationKey
from sev1.watch import decide, feeds, store
from sev1.watch.model import Judged, Kind, Row, Signal
from sev1.watch.probes import Probes

log = logging.getLogger(__name__)

WATCH_KEY = IntegrationKey(id=-1, name="sev1 itself", kind=Watch.name)
"""The internal integration key. Identity columns begin at 1, people's reports have 0."""
AT_ONCE = 16
"""Checks and feeds that run at the same time on one node."""
AGAIN = timedelta(seconds=10)
SAY_EVERY = store.GAP / 6
"""How often it is written down that this node listens."""
LEASE_S = 90
"""Longer than the longest probe."""

LOOKED = Counter(
    "sev1_watch_runs_total", "Heartbeats, checks, composites and status feeds looked at", ["kind", "status"]
)
SAID = Counter("sev1_watch_signals_total", "Signals that sev1 made itself", ["kind", "status"])


class WatchStep:
    """`await step()` looks at up to 16 due watches; True when there was one."""

    def __init__(
        self,
        db: Database,
        catalogs: CatalogCache,
        clock: Clock,
        inbox: Inbox,
        fetch: Fetch,
        *,
        holder: str,
        probes: Probes | None = None,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._clock = clock
        self._inbox = inbox
        self._fetch = fetch
        self._holder = holder
        self._probes = probes or Probes(fetch, clock)
        self._synced = -1
        self._listening: datetime | None = None
        """Since when somebody listens without a gap, as of `_said_at`."""
        self._said_at = clock.now()

    async def __call__(self) -> bool:
        now = self._clock.now()
        async with self._db.connection() as conn:
            catalog = await self._catalogs.current(conn)
            if self._listening is None or now - self._said_at >= SAY_EVERY:
                self._listening, self._said_at = await store.listening(conn, now), now
            since = self._listening
        if catalog.version != self._synced:
            await self._sync(catalog, now)
        async with self._db.connection() as conn:
            rows = await store.claim(conn, holder=self._holder, now=now, lease_s=LEASE_S, limit=AT_ONCE)
        await asyncio.gather(*[self._look(row, catalog, since) for row in rows])
        return bool(rows)

    async def _sync(self, catalog: Catalog, now: datetime) -> None:
        wanted = watched(catalog)
        async with self._db.transaction() as conn:
            await store.sync(conn, wanted, now)
            left = await store.not_in(conn, wanted)
        for row in left:
            await self._say(row.kind, decide.gone(row.kind, row.name, row.state))
            async with self._db.transaction() as conn:
                await store.delete(conn, row)
        self._synced = catalog.version

    async def _look(self, row: Row, catalog: Catalog, since: datetime) -> None:
        try:
            judged = await self._judge(row, catalog, since)
            if judged is not None:
                await self._say(row.kind, judged.signals)
        except Exception:  # one watch must not stop the others
            log.exception("the %s %s could not be looked at; it is tried again", row.kind, row.name)
            judged = None
        async with self._db.transaction() as conn:
            if judged is None:
                await store.put_off(conn, row, self._clock.now() + AGAIN, holder=self._holder)
            else:
                await store.save(conn, row, judged, holder=self._holder)
                LOOKED.labels(row.kind, judged.state.status).inc()

    async def _judge(self, row: Row, catalog: Catalog, since: datetime) -> Judged | None:
        """None when the catalog has lost it meanwhile."""
        match row.kind:
            case "heartbeat":
                if beat := catalog.heartbeats.get(row.name):
                    return decide.heartbeat(beat, row.state, row.seen_at, since, self._clock.now())
            case "check":
                if spec := catalog.checks.get(row.name):
                    outcome = await self._probes.run(spec.probe, timeout_s=spec.timeout_s)
                    return decide.check(spec, row.state, outcome, self._clock.now())
            case "composite":
                if several := catalog.composites.get(row.name):
                    async with self._db.connection() as conn:
                        alerts = await store.firing_alerts(conn)
                    return decide.composite(several, row.state, alerts, self._clock.now())
            case "status-feed":
                if page := catalog.feeds.get(row.name):
                    return await feeds.look(self._fetch, page, row.state, self._clock)
        return None

    async def _say(self, kind: Kind, signals: tuple[Signal, ...]) -> None:
        if not signals:
            return
        raw = msgspec.json.encode(signals)
        await self._inbox.submit(WATCH_KEY.id, Watch.name, raw, self._clock.now())
        for signal in signals:
            SAID.labels(kind, signal.status).inc()


def watched(catalog: Catalog) -> list[tuple[Kind, str]]:
    """Everything of the catalog that is watched."""
    found: list[tuple[Kind, str]] = [("heartbeat", name) for name in catalog.heartbeats]
    found += [("check", name) for name in catalog.checks]
    found += [("composite", name) for name in catalog.composites]
    found += [("status-feed", name) for name in catalog.feeds]
    return found
