"""The whole of sev1, wired in the order in which data flows. Read this first.

a sender posts ──► intake: stored in the inbox, answered after the commit
                    └► triage: dedup, silence, inhibit, tier, route, group ──► alert (a row, with its verdict)
                         └► paging: a page runs its escalation policy over time ──► events
                              ├► timers: what the page waits for
                              └► notify: deliveries over mail and webhook, retried, failed over, recorded
sev1 looks itself ─► watch: heartbeats, checks, composites, vendors' pages ──► the same inbox
mail comes in ─────► intake, by SMTP: the same inbox
a person answers ──► surfaces: page, API, CLI ──► the same commands ──► events
a person declares ─► command: the incident, its timeline, its gate ──► events ──► notify, review, measure
"""

import asyncio
import contextlib
import gc
import logging
import random
import secrets
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Self

import asyncpg

from sev1.access import break_glass, break_glass_notices
from sev1.access.keyring import KeyRing
from sev1.access.sessions import Presence
from sev1.access.sweep import sweep
from sev1.catalog.cache import CatalogCache
from sev1.command import concerns, kin
from sev1.command import store as incidents
from sev1.command.decide import IncidentAggregate
from sev1.command.declaration import DeclarationStep, QueueDeclarations
from sev1.command.react import IncidentEffects, PrepareIncident
from sev1.command.wake import WakeByName
from sev1.engine import timers, worker
from sev1.engine.cel import Evaluator
from sev1.engine.clock import Clock, SystemClock
from sev1.engine.commands import Commands, each, one_by_one
from sev1.engine.database import Database
from sev1.engine.fetch import Fetch
from sev1.engine.news import News
from sev1.engine.settings import Settings
from sev1.engine.timer_step import TimerStep
from sev1.engine.worker import Loop
from sev1.evidence import store as evidence
from sev1.intake import changes, inbox_reader, misunderstood
from sev1.intake.inbox import Inbox
from sev1.intake.lookout import Lookout
from sev1.intake.mail_in import MailIn
from sev1.intake.mapping import Mapper
from sev1.intake.pressure import Pressure
from sev1.measure import vitals
from sev1.measure.heartbeat import HeartbeatOut
from sev1.notify import reachable
from sev1.notify import store as deliveries
from sev1.notify.apprise import AppriseChannel
from sev1.notify.channels import Channel
from sev1.notify.deliver import DeliveryStep
from sev1.notify.incident_notices import IncidentNotices
from sev1.notify.ntfy import NtfyChannel
from sev1.notify.page_notices import DeliveryOutcomes, PageNotices
from sev1.notify.push import PushChannel
from sev1.notify.smtp import SmtpChannel
from sev1.notify.twilio import SmsChannel, VoiceChannel
from sev1.notify.webhook import WebhookChannel
from sev1.oncall import feeds as calendars
from sev1.oncall.feed_step import CalendarFeedStep
from sev1.oncall.outlook import Outlook
from sev1.paging import diagnostic_store, turns
from sev1.paging import store as pages
from sev1.paging.decide import PageAggregate
from sev1.paging.diagnostic_step import DiagnosticStep
from sev1.paging.react import PreparePage
from sev1.replay.process import Replays
from sev1.risk.remind import RiskStep
from sev1.surfaces.web.incident_watch import Watches
from sev1.triage.expire import ExpireStep
from sev1.triage.express import ExpressStep
from sev1.triage.pages import firing_of
from sev1.triage.recheck import RecheckStep
from sev1.triage.step import TriageStep
from sev1.triage.tiers import urgency_of
from sev1.watch import store as watches
from sev1.watch.step import WatchStep

log = logging.getLogger(__name__)

DELIVERY_POLLS_S = (1.0, 5.0, 5.0, 5.0)
"""Of the loops that deliver. News of a page wakes all; for what is tried again later one that looks often is enough, and
the others join it when there is much."""
CHANGES_KEPT = timedelta(days=365)
"""How long it is known what was changed: reviews look back at whole quarters."""
DIAGNOSTICS_KEPT = timedelta(days=2)
"""Longer than any of them may be limited for; the answers are in the pages."""
FINISH_S = 2.0
"""How long running steps may take to end when the node stops; what is cut off is taken up at the next start."""


class Node:
    """One process of sev1: its database pool, its write path, its work. `async with Node(settings, url) as node`."""

    def __init__(self, settings: Settings, database_url: str, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.name = f"{socket.gethostname()}:{settings.port}"
        self.stopping = asyncio.Event()
        self.db = Database(database_url)
        self.news = News()
        self.catalogs = CatalogCache()
        self.outlook = Outlook(self.db)
        self.replays = Replays(self.db)
        self.commands = Commands(self.db, self.clock, self.news)
        self.keyring = KeyRing(self.db, rate_per_s=settings.intake_rate_per_s, burst=2 * settings.intake_rate_per_s)
        self.triage_wake = asyncio.Event()
        self.inbox = Inbox(
            database_url,
            self.clock,
            queue_max=settings.intake_queue_max,
            on_commit=self.triage_wake.set,
        )
        self.express_wake = asyncio.Event()
        self.lookout = Lookout(lambda: self.inbox.stored_bytes, urgency_of, on_note=self.express_wake.set)
        self.pressure = Pressure(self.inbox, self.lookout)
        self.cel = Evaluator()
        self.mapper = Mapper(self.db, self.catalogs, self.cel)
        self.mail_in = MailIn(self.inbox, self.keyring, settings, self.clock, self.db)
        self.presence = Presence(self.db, self.clock)
        self.watches = Watches(self.db, self.catalogs, self.clock)
        self.secret = b""
        self._loops: list[Loop] = []
        self._exchange: asyncio.Task[None] | None = None
        self._wire()

    def _wire(self) -> None:
        """Who reacts to what. Reactions run inside the transaction of the command that causes them, in this order."""
        self.commands.register(
            PageAggregate(),
            pages.project,
            turns.remember,
            diagnostic_store.queue,
            QueueDeclarations(self.catalogs),
            PageNotices(self.catalogs, self.settings.url),
            prepare=PreparePage(self.catalogs, firing=firing_of),
            snapshots=pages.snapshots,
        )
        self.commands.register(
            IncidentAggregate(),
            each(incidents.project),
            each(IncidentEffects(self.commands)),
            each(WakeByName(self.commands, self.catalogs)),
            each(kin.KinEffects(self.commands)),
            each(IncidentNotices(self.catalogs, self.settings.url)),
            prepare=one_by_one(PrepareIncident(self.catalogs)),
            snapshots=incidents.snapshots,
            companions=kin.streams_with,
        )
        self.fetch = Fetch(allow_private=self.settings.allow_private_targets)
        self.channels = self._channels()
        self._steps()

    def _channels(self) -> dict[str, Channel]:
        """How people are reached, by the kind of their contact method."""
        settings, clock, fetch = self.settings, self.clock, self.fetch
        sender = settings.url if settings.url.startswith("https:") else f"mailto:{settings.mail_from}"
        return {
            "email": SmtpChannel(settings, clock),
            "webhook": WebhookChannel(settings, clock, fetch),
            "ntfy": NtfyChannel(clock, fetch),
            "push": PushChannel(self.db, clock, fetch, contact=sender, secret=lambda: self.secret),
            "sms": SmsChannel(settings, clock, fetch),
            "voice": VoiceChannel(settings, clock, fetch),
            "apprise": AppriseChannel(),
        }

    def _steps(self) -> None:
        """What is done again and again; `start_work` says how often."""
        db, commands, catalogs, clock, me = self.db, self.commands, self.catalogs, self.clock, self.name
        self.triage = TriageStep(db, commands, catalogs, clock, must_give_way=self.pressure, lookout=self.lookout)
        self.express = ExpressStep(db, self.triage, self.lookout)
        self.expire = ExpireStep(db, commands, catalogs, clock)
        self.recheck = RecheckStep(db, commands, catalogs, clock)
        self.risks = RiskStep(db, catalogs, clock, self.settings.url)
        self.watch = WatchStep(db, catalogs, clock, self.inbox, self.fetch, holder=me)
        self.calendars = CalendarFeedStep(
            db, catalogs, clock, self.fetch, holder=me, on_change=lambda: self.news.tell("on-call")
        )
        self.timer = TimerStep(commands, holder=me, lease_s=self.settings.lease_s)
        self.diagnose = DiagnosticStep(commands, catalogs, self.fetch, self.cel, holder=me)
        self.declares = DeclarationStep(commands, catalogs, self.cel)
        outcomes = DeliveryOutcomes(commands)
        self.deliver = DeliveryStep(
            db,
            clock,
            self.channels,
            holder=me,
            lease_s=self.settings.lease_s,
            on_sent=outcomes.sent,
            on_failed=outcomes.failed,
            rng=random.Random(),  # noqa: S311 - spreads retries, guards nothing
        )
        self.heartbeat = HeartbeatOut(
            db, clock, self.fetch, url=self.settings.heartbeat_url, every_s=self.settings.heartbeat_every_s
        )

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.db)
            await self.db.migrate()
            async with self.db.transaction() as conn:
                self.secret = await _server_secret(conn)
                # What this node held when it died last time is free again; nobody has to wait for the lease to end.
                await timers.release(conn, holder=self.name)
                await deliveries.release(conn, self.name, self.clock.now())
                await watches.release(conn, self.name)
                await calendars.release(conn, self.name)
                await diagnostic_store.release(conn, self.name)
            await self.keyring.refresh()
            await stack.enter_async_context(self.fetch)
            await stack.enter_async_context(self.cel)
            await stack.enter_async_context(self.inbox)
            if self.settings.mail_in_port:
                await self.mail_in.start()
            self._stack = stack.pop_all()
        return self

    def start_work(self) -> None:
        """Starts the loops. Tests call the steps instead."""
        self._loops = [
            Loop("triage", self.triage, wake=self.triage_wake, poll_s=1.0, give_way=self.pressure.rest),
            Loop("express", self.express, wake=self.express_wake, poll_s=5.0),
            Loop("timers", self.timer, poll_s=0.25),
            Loop("diagnostics", self.diagnose, wake=self._hear(), poll_s=5.0),
            Loop("declaration", self.declares, wake=self._hear(), poll_s=5.0),
            Loop("expire", self.expire, poll_s=2.0),
            Loop("recheck", self.recheck, poll_s=2.0),
            Loop("risks", self.risks, poll_s=30.0),
            Loop("watch", self.watch, poll_s=1.0),
            Loop("calendars", self.calendars, poll_s=5.0),
            Loop("keys", self._refresh_keys, poll_s=5.0),
            Loop("heartbeat", self.heartbeat, poll_s=5.0),
            Loop("housekeeping", self._housekeeping, poll_s=600.0),
            *(Loop("deliver", self.deliver, wake=self._hear(), poll_s=poll_s) for poll_s in DELIVERY_POLLS_S),
        ]
        for loop in self._loops:
            loop.start()
        self._exchange = asyncio.get_running_loop().create_task(self.news.exchange(self.db))

    def _hear(self) -> asyncio.Event:
        """Set when a page or an incident changed: then there may be something to deliver."""
        return self._stack.enter_context(self.news.listen("page/*", "incident/*"))

    async def _refresh_keys(self) -> bool:
        await self.keyring.refresh()
        return False

    async def _housekeeping(self) -> bool:
        """Forgets what is past keeping, a part at a time; True while there is more."""
        now = self.clock.now()
        kept_since = now - timedelta(days=self.settings.payload_days)
        await sweep(self.db, now)
        async with self.db.transaction() as conn:
            forgotten = await inbox_reader.forget_payloads(conn, kept_since)
            forgotten += await misunderstood.forget(conn, kept_since)
            await changes.forget(conn, now - CHANGES_KEPT)
            await diagnostic_store.forget(conn, now - DIAGNOSTICS_KEPT)
            await concerns.forget(conn, now)
        async with self.db.transaction() as conn:
            forgotten += await evidence.destroy_expired(conn, now)
            for owed in await break_glass.to_remind(conn, now):
                await break_glass_notices.remind(conn, owed, await self.catalogs.current(conn), self.settings.url, now)
        async with self.db.transaction() as conn:
            await inbox_reader.forget_writers(conn)
        async with self.db.connection() as conn:
            catalog = await self.catalogs.current(conn)
        ahead = await self.outlook.ahead(catalog, now)
        async with self.db.connection() as conn:
            called = await reachable.call_outs(conn, catalog, self.settings, now, ahead.turns)
        vitals.UNREACHABLE.set(len({one.person for one in called if one.unreachable}))
        return forgotten > 0

    async def __aexit__(self, *_: object) -> None:
        """Stops: what was accepted is committed, running steps may end, the rest is cut off and resumed next time."""
        self.stopping.set()
        await self.mail_in.close()
        await self.inbox.close()
        await worker.stop(self._loops, within_s=FINISH_S)
        if self._exchange:
            self._exchange.cancel()
            await asyncio.gather(self._exchange, return_exceptions=True)
        await self._stack.aclose()


async def _server_secret(conn: asyncpg.Connection) -> bytes:
    """The secret that signs form tokens: made once, the same on every node."""
    await conn.execute("INSERT INTO secrets VALUES ('server', $1) ON CONFLICT DO NOTHING", secrets.token_bytes(32))
    secret: bytes = await conn.fetchval("SELECT value FROM secrets WHERE name = 'server'")
    return secret


@contextlib.asynccontextmanager
async def open_node(settings: Settings, database_url: str) -> AsyncIterator[Node]:
    """A node with its work running; `gc` is calmed, because full collections were what made the slowest answers slow."""
    async with Node(settings, database_url) as node:
        node.start_work()
        gc.collect()
        gc.freeze()
        # Old objects are looked at as seldom as they were with ten times the first number, and no young collection takes
        # longer than a page may: 50,000 young objects are 25 ms.
        gc.set_threshold(5_000, 500, 100)
        yield node
