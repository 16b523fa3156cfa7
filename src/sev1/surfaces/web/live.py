"""Pages that stay true while they are open: streams of server-sent events.

An incident's stream is exact: its messages are numbered by the version of the incident, and a browser that lost the
connection gets what it missed (`Last-Event-ID`). Everywhere else a stream only says "there is news", and the page
fetches itself again.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter, SkipValidation
from litestar.response import Stream
from msgspec import Struct

from sev1.access import sessions
from sev1.access.declare import as_is, needs
from sev1.access.model import Principal
from sev1.access.visibility import sight_of
from sev1.command.sight import must_see
from sev1.engine.clock import Clock
from sev1.engine.errors import Invalid
from sev1.engine.news import News
from sev1.surfaces.injected import Db, Hears, Looks, Now, Present, SignedIn, Stopping
from sev1.surfaces.web import sse
from sev1.surfaces.web.incident_watch import Shown, Watches
from sev1.surfaces.web.templating import render
from sev1.surfaces.web.visit import visit_of

POLL_S = 5.0
"""News may be missed (another node, a connection lost between nodes); at most so long it takes to notice."""
HEARTBEAT_S = 15.0
"""A browser takes a stream for lost when it has been silent for longer than this and a little."""
TOLD_AT_MOST_EVERY_S = 0.25
"""For pages that fetch themselves again: a storm of alerts must not become a storm of requests."""
RETRY_MS = 1000
HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
ANYTHING = ("page/*", "incident/*", "alerts", "catalog", "risk")

Watching = NamedDependency[SkipValidation[Watches]]
After = Annotated[int, QueryParameter(ge=0, le=2**31 - 1)]


class Turn(Struct, frozen=True, kw_only=True):
    """A reason to look: something was told, the poll came due, or it is time for a sign of life."""

    principal: Principal
    told: bool
    beat: bool


class Line:
    """One open stream to one browser. It ends when the node stops or the session is over, whichever is first."""

    def __init__(
        self, presence: sessions.Presence, clock: Clock, news: News, stopping: asyncio.Event, session_id: bytes
    ) -> None:
        self.clock = clock
        self.signed_out = False
        self._presence = presence
        self._news = news
        self._stopping = stopping
        self._session_id = session_id

    async def turns(self, *topics: str) -> AsyncIterator[Turn]:
        """The first at once, then at each news of `topics` and at least every POLL_S seconds."""
        loop = asyncio.get_running_loop()
        last_beat = loop.time()
        stops = asyncio.ensure_future(self._stopping.wait())
        with contextlib.ExitStack() as stack:
            stack.callback(stops.cancel)
            told = stack.enter_context(self._news.listen(*topics))
            told.set()
            while True:
                woken = await self._wait(told, stops)
                if self._stopping.is_set():
                    return
                # Cleared before anything is read: news that come while we read lead to another turn.
                told.clear()
                principal = await self.who()
                if principal is None:
                    return
                beat = loop.time() - last_beat >= HEARTBEAT_S
                if beat:
                    last_beat = loop.time()
                yield Turn(principal=principal, told=woken, beat=beat)

    async def who(self) -> Principal | None:
        """Whose stream it is as of now; None once they are signed out, or may not read any more."""
        principal = await self._presence.of(self._session_id)
        if principal is None or not principal.may("read"):
            self.signed_out = True
            return None
        return principal

    async def _wait(self, told: asyncio.Event, stops: "asyncio.Future[Any]") -> bool:
        """Until news, the poll or the end; whether it was news."""
        if not told.is_set():
            news = asyncio.ensure_future(told.wait())
            try:
                await asyncio.wait((news, stops), timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                news.cancel()
        return told.is_set()

    def alive(self) -> bytes:
        return sse.message("alive", f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}")


@get("/incidents/{key:str}/events", opt=needs("read") | as_is(), include_in_schema=False)
async def stream_incident(
    key: FromPath[str],
    request: SignedIn,
    db: Db,
    clock: Now,
    news: Hears,
    stopping: Stopping,
    presence: Present,
    watches: Watching,
    sight: Looks,
    after: After = 0,
    has: FromQuery[str] = "",
) -> Stream:
    """Everything after version `after`, or after `Last-Event-ID` when the browser comes back; then what happens.

    `has` is the fingerprint of the page as it was rendered: while the parts still are so, they are not sent again. Who
    comes back has none: then all are sent at once even if no entry is new, because pages and alerts may have changed.
    """
    last = _last_event_id(request)
    if last is not None:
        after, has = max(after, last), ""
    async with db.connection() as conn:
        await must_see(conn, sight, key)  # an unknown incident is answered before the stream begins
    line = Line(presence, clock, news, stopping, request.user.session_id or b"")

    async def stream() -> AsyncIterator[bytes]:
        shown = Shown(after, has)
        yield sse.retry(RETRY_MS)
        with watches.of(key) as watch:
            async for turn in line.turns(f"incident/{key}", "page/*", "catalog"):
                snapshot = await watch.look()
                # What was read may be newer than the turn: asked again, so that nobody reads what came after they were gone.
                principal = turn.principal if shown.is_as(snapshot) else await line.who()
                if principal is None:
                    break
                if not sight_of(principal, snapshot.catalog).sees(snapshot.page.incident):
                    return  # it was restricted, or they were removed; a new stream is answered as for an unknown one
                if not shown.is_as(snapshot):
                    visit = visit_of(principal, request.auth or "", snapshot.catalog, clock.now())
                    if changed := await shown.catch_up(watch, snapshot, visit, functools.partial(render, request.app)):
                        yield changed
                if turn.beat:
                    yield line.alive()
        if line.signed_out:
            yield sse.message("signed-out")

    return Stream(stream(), media_type="text/event-stream", headers=HEADERS)


@get("/news", opt=needs("read") | as_is(), include_in_schema=False)
async def stream_news(
    request: SignedIn,
    db: Db,
    presence: Present,
    clock: Now,
    news: Hears,
    stopping: Stopping,
    sight: Looks,
    about: FromQuery[str] = "",
) -> Stream:
    """Says that there is news: of `about` (`page/P-1`), else of anything. The page then fetches itself again.

    The first is said at once: between the moment at which the page was rendered and this one something may have happened.
    """
    kind, _, key = about.partition("/")
    if kind == "incident":
        async with db.connection() as conn:
            await must_see(conn, sight, key)
    line = Line(presence, clock, news, stopping, request.user.session_id or b"")
    topics = (about,) if about else ANYTHING

    async def stream() -> AsyncIterator[bytes]:
        yield sse.retry(RETRY_MS)
        first = True
        async for turn in line.turns(*topics):
            if turn.beat or first:
                yield line.alive()
            if turn.told:
                yield sse.message("news")
                # The page has only just been rendered: what comes right after the first need not wait.
                await asyncio.sleep(0 if first else TOLD_AT_MOST_EVERY_S)
            first = False
        if line.signed_out:
            yield sse.message("signed-out")

    return Stream(stream(), media_type="text/event-stream", headers=HEADERS)


def _last_event_id(request: SignedIn) -> int | None:
    last = request.headers.get("last-event-id", "")
    if not last:
        return None
    if not (last.isascii() and last.isdigit() and len(last) < 10):
        raise Invalid("Last-Event-ID is the number of the last message that was received.")
    return int(last)


ROUTES: list[HTTPRouteHandler] = [stream_incident, stream_news]
