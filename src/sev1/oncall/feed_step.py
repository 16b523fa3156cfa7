"""The step that reads the calendars that are due: asks, works out, keeps. One node at a time reads each of them.

What was read last stays in force when a calendar cannot be read; that it cannot is shown on the on-call page.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec
from prometheus_client import Counter

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import CalendarFeed, Catalog
from sev1.engine import audit
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.fetch import Answer, Fetch, FetchFailed, TargetRefused
from sev1.oncall import calendar_process, feeds
from sev1.oncall.calendar_in import BODY_MAX, CalendarUnreadable, Event, joined
from sev1.oncall.feeds import FeedRow, FeedState

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Each is worked out by a process of its own."""
LEASE_S = 90
"""Longer than asking and working out may take together."""
TIMEOUT_S = 20.0
BACK, AHEAD = timedelta(days=31), timedelta(days=400)
"""The window that is worked out: final schedules reach 366 days ahead, and the file is read anew at least weekly."""
ANEW = timedelta(days=7)
"""So often it is read in full although it has not changed: what repeats reaches further by then."""
AGAIN = timedelta(minutes=5)

READ = Counter("sev1_calendar_feeds_total", "Calendars read, by outcome", ["status"])


class CalendarFeedStep:
    """`await step()` reads up to two due calendars; True when there was one."""

    def __init__(
        self,
        db: Database,
        catalogs: CatalogCache,
        clock: Clock,
        fetch: Fetch,
        *,
        holder: str,
        on_change: Callable[[], None] = lambda: None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._clock = clock
        self._fetch = fetch
        self._holder = holder
        self._on_change = on_change
        self._environ = environ
        self._synced = -1

    async def __call__(self) -> bool:
        now = self._clock.now()
        async with self._db.connection() as conn:
            catalog = await self._catalogs.current(conn)
        gone = False
        async with self._db.transaction() as conn:
            if catalog.version != self._synced:
                gone = await feeds.sync(conn, feeds.wanted(catalog), now)
            rows = await feeds.claim(conn, holder=self._holder, now=now, lease_s=LEASE_S, limit=AT_ONCE)
        self._synced = catalog.version
        if gone:
            self._on_change()
        await asyncio.gather(*[self._read(row, catalog) for row in rows])
        return bool(rows)

    async def _read(self, row: FeedRow, catalog: Catalog) -> None:
        now = self._clock.now()
        since = now - BACK
        window = (since, now, (row.state.read_at or now) + AHEAD)
        spec, zone = _spec(row, catalog)
        events: list[Event] | None = None
        if spec is None:
            state, due = msgspec.structs.replace(row.state, why="It is no longer in the catalog."), now + AGAIN
        else:
            try:
                state, events = await self._ask(row, spec, zone, since, now)
                due = now + timedelta(seconds=spec.every_s)
            except Exception:  # one calendar must not stop the others
                log.exception("the calendar %s of %s %s could not be read; it is tried again", *row.key[::-1])
                state, due = _failed(row.state, "Something went wrong here; the log says what.", now), now + AGAIN
        changed = False
        async with self._db.transaction() as conn:
            changed = await feeds.save(conn, row, state, due, holder=self._holder, events=events, window=window)
            if changed:
                # It is a change of the on-call plan, so calendars that are given out count on from here.
                subject, data = f"{row.kind} {row.name}", {"calendar": row.title, "events": len(events or ())}
                await audit.record(conn, actor="sev1", action="leave.calendar", subject=subject, data=data, now=now)
        READ.labels(state.status).inc()
        if changed or state.status != row.state.status:
            self._on_change()

    async def _ask(
        self, row: FeedRow, spec: CalendarFeed, zone: str, since: datetime, now: datetime
    ) -> tuple[FeedState, list[Event] | None]:
        url = spec.url or self._environ.get(spec.url_env or "", "").strip()
        if not url:
            return _failed(
                row.state, f"The environment variable {spec.url_env} that holds its address is not set.", now
            ), None
        source = hashlib.sha256(f"{url}\n{zone}".encode()).hexdigest()[:32]
        known = row.state if row.state.source == source else FeedState(status=row.state.status)
        fresh = known.read_at is not None and known.read_at > now - ANEW
        try:
            headers = {"User-Agent": "sev1", "Accept": "text/calendar"} | (_conditions(known) if fresh else {})
            answer = await self._fetch.request("GET", url, headers=headers, timeout_s=TIMEOUT_S, body_max=BODY_MAX + 1)
            if answer.status == 304 and fresh:
                return _succeeded(known, known.events, now), None
            events = joined(await self._work_out(answer, zone, since))
        except (FetchFailed, TargetRefused) as error:
            return _failed(row.state, error.message, now), None
        except CalendarUnreadable as error:
            return _failed(row.state, str(error), now), None
        if row.kind == "person":
            # Why somebody is away is theirs: it is not even kept.
            events = joined(Event(start=e.start, end=e.end) for e in events)
        state = FeedState(
            read_at=now,
            source=source,
            etag=_header(answer.headers, "etag"),
            modified=_header(answer.headers, "last-modified"),
        )
        return _succeeded(state, len(events), now), events

    async def _work_out(self, answer: Answer, zone: str, since: datetime) -> list[Event]:
        if answer.status != 200:
            hint = " Write down the address that it leads to." if 300 <= answer.status < 400 else ""
            raise CalendarUnreadable(f"It answers {answer.status}.{hint}")
        return await calendar_process.read(answer.body, zone, since, since + BACK + AHEAD)


def _spec(row: FeedRow, catalog: Catalog) -> tuple[CalendarFeed | None, str]:
    """The calendar as the catalog has it now, and in whose zone its days are."""
    if row.kind == "person":
        person = catalog.people.get(row.name)
        found, zone = (person.leave_calendars, person.time_zone) if person else ((), "UTC")
    else:
        schedule = catalog.schedules.get(row.name)
        found, zone = (schedule.holiday_calendars, schedule.time_zone) if schedule else ((), "UTC")
    return next((spec for spec in found if spec.title == row.title), None), zone


def _conditions(known: FeedState) -> dict[str, str]:
    asked = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return {name: value for name, value in asked.items() if value}


def _succeeded(state: FeedState, events: int, now: datetime) -> FeedState:
    return msgspec.structs.replace(
        state,
        status="ok",
        why="1 event." if events == 1 else f"{events} events.",
        checked_at=now,
        failures=0,
        events=events,
    )


def _failed(state: FeedState, why: str, now: datetime) -> FeedState:
    """What was read last stays as it is."""
    return msgspec.structs.replace(state, status="failing", why=why, checked_at=now, failures=state.failures + 1)


def _header(headers: dict[str, str], name: str) -> str:
    value = headers.get(name, "")
    return value if len(value) <= 200 and value.isprintable() and value.isascii() else ""
