"""Pages that stay true while they are open: streams of server-sent events.

An incident's stream is exact: its messages are numbered by the version of the incident, and a browser that lost the
connection gets what it missed (`Last-Event-ID`). Everywhere else a stream only says "there is news", and the page
fetches itself again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from sev1.access import sessions
from sev1.access.declare import needs
from sev1.access.model import Principal
from sev1.catalog.cache import CatalogCache
from sev1.engine.clock import Clock
from sev1.engine.commands import Commands
from sev1.engine.database import Database
from sev1.engine.errors import Invalid
from sev1.engine.news import News
from sev1.surfaces.injected import Catalogs, Db, Doing, Hears, Now, SignedIn, Stopping
from sev1.surfaces.web import incident_page, sse
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
ANYTHING = ("page/*", "incident/*", "alerts", "catalog")

After = Annotated[int, QueryParameter(ge=0, le=2**31 - 1)]


class Turn(Struct, frozen=True, kw_only=True):
    """A reason to look: something was told, the poll came due, or it is time for a sign of life."""

    principal: Principal
    told: bool
    beat: bool


class Line:
    """One open stream to one browser. It ends when the node stops or the session is over, whichever is first."""

    def __init__(self, db: Database, clock: Clock, news: News, stopping: asyncio.Event, session_id: bytes) -> None:
        self.clock = clock
        self.signed_out = False
        self._db = db
        self._news = news
        self._stopping = stopping
        self._session_id = session_id

    async def turns(self, *topics: str) -> AsyncIterator[Turn]:
        """The first at once, then at each news of `topics` and at least every POLL_S seconds."""
        loop = asyncio.get_running_loop()
        last_beat = loop.time()
        with self._news.listen(*topics) as told:
            told.set()
            while True:
                woken = await self._wait(told)
                if self._stopping.is_set():
                    return
                # Cleared before anything is read: news that come while we read lead to another turn.
                told.clear()
                principal = await sessions.still_there(self._db, self._session_id, self.clock.now())
                if principal is None or not principal.may("read"):
                    self.signed_out = True
                    return
                beat = loop.time() - last_beat >= HEARTBEAT_S
                if beat:
                    last_beat = loop.time()
                yield Turn(principal=principal, told=woken, beat=beat)

    async def _wait(self, told: asyncio.Event) -> bool:
        """Until news, the poll or the end; whether it was news."""
        waits = [asyncio.ensure_future(told.wait()), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return told.is_set()

    def alive(self) -> bytes:
        return sse.message("alive", f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}")


@get("/incidents/{key:str}/events", opt=needs("read"), include_in_schema=False)
async def stream_incident(
    key: FromPath[str],
    request: SignedIn,
    db: Db,
    commands: Doing,
    clock: Now,
    news: Hears,
    catalogs: Catalogs,
    stopping: Stopping,
    after: After = 0,
    mark: FromQuery[str] = "",
) -> Stream:
    """Everything after version `after`, or after `Last-Event-ID` when the browser comes back; then what happens.

    `mark` is that of the page as it was rendered. Who comes back has none: then the parts are sent at once even if no
    entry is new, because pages and alerts may have changed meanwhile.
    """
    last = _last_event_id(request)
    if last is not None:
        after, mark = max(after, last), ""
    async with db.connection() as conn:
        await incident_page.read_mark(conn, key)  # an unknown incident is answered before the stream begins
    line = Line(db, clock, news, stopping, request.user.session_id or b"")
    reader = IncidentReader(db, commands, catalogs, key, after=after, mark=mark)

    async def stream() -> AsyncIterator[bytes]:
        yield sse.retry(RETRY_MS)
        async for turn in line.turns(f"incident/{key}", "page/*", "catalog"):
            if (news_of := await reader.news()) is not None:
                visit = visit_of(turn.principal, request.auth or "", news_of.catalog, clock.now())
                yield news_of.message(request, visit)
            if turn.beat:
                yield line.alive()
        if line.signed_out:
            yield sse.message("signed-out")

    return Stream(stream(), media_type="text/event-stream", headers=HEADERS)


class IncidentReader:
    """Reads an incident by cursor: what is after the version that the browser has."""

    def __init__(
        self, db: Database, commands: Commands, catalogs: CatalogCache, key: str, *, after: int, mark: str
    ) -> None:
        """`after` and `mark` are those of the page that the browser shows; without a mark it gets the parts at once."""
        self._db = db
        self._commands = commands
        self._catalogs = catalogs
        self._key = key
        self._sent = after
        self._mark = mark

    async def news(self) -> "IncidentNews | None":
        """None while nothing on the page changed. Asking costs one small query, reading happens only for a change."""
        async with self._db.connection() as conn:
            mark = await incident_page.read_mark(conn, self._key)
            if mark == self._mark:
                return None
            self._mark = mark
            page = await incident_page.read(conn, self._key, after=self._sent)
            catalog = await self._catalogs.current(conn)
        news = IncidentNews(page=page, after=self._sent, catalog=catalog)
        self._sent = max(self._sent, page.version)
        return news


class IncidentNews(Struct, frozen=True, kw_only=True):
    page: incident_page.IncidentPage
    after: int
    catalog: Any

    def message(self, request: SignedIn, visit: Any) -> bytes:
        """The parts as they are now, and the entries after the version that the browser has.

        Only a new version of the incident gets an id; a page that was answered changes what is shown, not the cursor.
        """
        entries = incident_page.entries(self.page.facts, visit)
        context = {**incident_page.context(self.page, visit), "entries": entries}
        html = render(request.app, "incident/changed.html", context)
        return sse.message("change", html, id=self.page.version if self.page.version > self.after else None)


@get("/news", opt=needs("read"), include_in_schema=False)
async def stream_news(
    request: SignedIn, db: Db, clock: Now, news: Hears, stopping: Stopping, about: FromQuery[str] = ""
) -> Stream:
    """Says that there is news: of `about` (`page/P-1`), else of anything. The page then fetches itself again.

    The first is said at once: between the moment at which the page was rendered and this one something may have happened.
    """
    line = Line(db, clock, news, stopping, request.user.session_id or b"")
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
