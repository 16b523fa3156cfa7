"""`/api/v1`: the final schedule, its warnings, swaps, leave, and calendars in and out."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from litestar import Request, Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from sev1.access.declare import needs, public
from sev1.access.model import Principal
from sev1.access.secret import digest, new_token
from sev1.catalog.model import Slug
from sev1.engine.errors import Forbidden, Invalid, NotFound
from sev1.oncall import absence, feeds, links, store, swaps
from sev1.oncall.absence import Leave
from sev1.oncall.gaps import CoverWarning
from sev1.oncall.limits import Breach
from sev1.oncall.model import Away
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import Segment, final
from sev1.oncall.swaps import NewSwap, Swap
from sev1.surfaces.actor import actor_of
from sev1.surfaces.api.on_call import aware
from sev1.surfaces.injected import Catalogs, Config, Db, Foresees, Hears, Now, SignedIn

LONGEST = timedelta(days=366)
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


class SwapBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    person: Slug
    """Who is asked to take the shift."""
    start: datetime
    end: datetime
    back_start: datetime | None = None
    back_end: datetime | None = None


class AnswerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    answer: Literal["accepted", "declined", "withdrawn"]
    anyway: Annotated[str, Meta(max_length=500)] = ""
    """Why the swap must be although it breaks a limit of the team."""


class LeaveBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    person: Slug
    start: datetime
    end: datetime
    reason: Annotated[str, Meta(max_length=500)] = ""


class LinkBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["person", "team", "schedule"]
    name: Slug


class LinkView(Struct, frozen=True, kw_only=True):
    id: int
    url: str
    """Shown once: whoever has it may read the calendar until it is revoked."""


class FeedView(Struct, frozen=True, kw_only=True):
    kind: Literal["person", "schedule"]
    name: str
    title: str
    status: Literal["waiting", "ok", "failing"]
    why: str
    """How many events it holds, or why it cannot be read; what was read last stays in force."""
    checked_at: datetime | None
    read_at: datetime | None


@get("/api/v1/schedules/{name:str}/final", opt=needs("read"), tags=["on-call"])
async def final_schedule(
    name: FromPath[str],
    db: Db,
    catalogs: Catalogs,
    since: Annotated[datetime, QueryParameter(name="from")],
    until: Annotated[datetime, QueryParameter(name="to")],
) -> list[Segment]:
    """Who is on call in each part of an interval of at most 366 days, gaps included: the very function that pages."""
    aware(since, "from")
    aware(until, "to")
    if not timedelta(0) < until - since <= LONGEST:
        raise Invalid("Let `to` come after `from`, at most 366 days later.", field="to")
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        exceptions = await store.overrides_since(conn, since - store.LOOK_BACK)
    if name not in catalog.schedules:
        raise NotFound(f"There is no schedule {name}.")
    return final(catalog.schedules[name], since, until, in_force(exceptions.get(name, ()), catalog))


@get("/api/v1/on-call/warnings", opt=needs("read"), tags=["on-call"])
async def list_warnings(db: Db, clock: Now, catalogs: Catalogs, outlook: Foresees) -> dict[str, list[CoverWarning]]:
    """By schedule, what is to be mended in the next 30 days: gaps, overlaps, stand-ins, people who cannot be reached."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    return dict((await outlook.ahead(catalog, clock.now())).warnings)


@get("/api/v1/on-call/breaches", opt=needs("read"), tags=["on-call"])
async def list_breaches(db: Db, clock: Now, catalogs: Catalogs, outlook: Foresees) -> list[Breach]:
    """Limits of teams (rest between shifts, weeks in a row) that the shifts of the coming 91 days break: of each person
    and limit the worst.
    """
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    return (await outlook.ahead(catalog, clock.now())).breaches


@get("/api/v1/calendar-feeds", opt=needs("read"), tags=["on-call"])
async def list_feeds(db: Db) -> list[FeedView]:
    """The calendars of leave and holidays that the catalog names, and where each stands; those that fail first."""
    async with db.connection() as conn:
        rows = await feeds.read_all(conn)
    return [
        FeedView(
            kind=row.kind, name=row.name, title=row.title, status=row.state.status, why=row.state.why,
            checked_at=row.state.checked_at, read_at=row.state.read_at,
        )
        for row in rows
    ]  # fmt: skip


@get("/api/v1/swaps", opt=needs("read"), tags=["on-call"])
async def list_swaps(db: Db, clock: Now) -> list[Swap]:
    """Swaps that wait for an answer."""
    async with db.connection() as conn:
        return await swaps.asked(conn, clock.now())


@post("/api/v1/schedules/{name:str}/swaps", opt=needs("oncall:write"), tags=["on-call"])
async def ask_swap(
    name: FromPath[str],
    data: JSONBody[SwapBody],
    request: SignedIn,
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    news: Hears,
) -> dict[str, int]:
    """Asks somebody to take a shift, and offers one in return if wanted. Nothing changes until they accept."""
    for field in ("start", "end", "back_start", "back_end"):
        if (at := getattr(data, field)) is not None:
            aware(at, field)
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        wanted = NewSwap(
            schedule=name, asked_of=data.person, start=data.start, end=data.end,
            back_start=data.back_start, back_end=data.back_end,
        )  # fmt: skip
        me = actor_of(request.user, catalog, "api").id
        number = await swaps.ask(conn, catalog, wanted, asked_by=me, now=clock.now())
    news.tell("on-call")
    return {"id": number}


@post("/api/v1/swaps/{number:int}/answer", opt=needs("oncall:write"), tags=["on-call"], status_code=200)
async def answer_swap(
    number: Number, data: JSONBody[AnswerBody], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, news: Hears
) -> Swap:
    """Accepts or declines a swap one was asked for, or withdraws one's own. Only the first answer counts."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        me = actor_of(request.user, catalog, "api").id
        swap = await swaps.answer(conn, catalog, number, data.answer, actor=me, now=clock.now(), anyway=data.anyway)
    news.tell("on-call")
    return swap


@get("/api/v1/leave", opt=needs("read"), tags=["on-call"])
async def list_leave(db: Db, clock: Now, catalogs: Catalogs, request: SignedIn) -> list[Leave]:
    """Present and coming leave. The reason is shown to the person alone."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        found = await absence.leave_since(conn, clock.now())
    me = actor_of(request.user, catalog, "api").id
    return [
        one
        if one.person == me
        else Leave(id=one.id, person=one.person, start=one.start, end=one.end, reason="", created_by=one.created_by)
        for one in found
    ]


@post("/api/v1/leave", opt=needs("oncall:write"), tags=["on-call"])
async def add_leave(
    data: JSONBody[LeaveBody], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, news: Hears
) -> dict[str, int]:
    """Somebody is away: their turns go to the next in the rotation, or by the schedule's own rule. Oneself, or for an
    admin anybody.
    """
    away = Away(person=data.person, start=aware(data.start, "start"), end=aware(data.end, "end"), reason=data.reason)
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        me = actor_of(request.user, catalog, "api").id
        number = await absence.add_leave(
            conn, catalog, away, created_by=me, now=clock.now(), for_anybody=request.user.may("access:write")
        )
    news.tell("on-call")
    return {"id": number}


@delete("/api/v1/leave/{number:int}", opt=needs("oncall:write"), tags=["on-call"])
async def remove_leave(number: Number, request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, news: Hears) -> None:
    """Takes leave back: one's own, or for an admin anybody's."""
    async with db.transaction() as conn:
        me = actor_of(request.user, await catalogs.current(conn), "api").id
        anybody = request.user.may("access:write")
        await absence.remove_leave(conn, number, actor=me, now=clock.now(), for_anybody=anybody)
    news.tell("on-call")


@post("/api/v1/calendar-links", opt=needs("oncall:write"), tags=["on-call"])
async def add_link(
    data: JSONBody[LinkBody], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, settings: Config
) -> LinkView:
    """Makes a secret address under which a calendar can subscribe to shifts."""
    token = new_token()
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        me = actor_of(request.user, catalog, "api").id
        number = await links.add(conn, catalog, data.kind, data.name, digest(token), by=me, now=clock.now())
    return LinkView(id=number, url=f"{settings.url}/calendars/{token}.ics")


@delete("/api/v1/calendar-links/{number:int}", opt=needs("oncall:write"), tags=["on-call"])
async def revoke_link(number: Number, request: SignedIn, db: Db, clock: Now, catalogs: Catalogs) -> None:
    """The address opens nothing any more. One's own links, and for admins all."""
    async with db.transaction() as conn:
        me = actor_of(request.user, await catalogs.current(conn), "api").id
        others = {link.id for link in await links.in_use(conn) if link.created_by != me}
        if number in others and not request.user.may("access:write"):
            raise Forbidden("Only whoever made a calendar link, or an admin, can revoke it.")
        await links.revoke(conn, number, by=me, now=clock.now())


@get("/calendars/{name:str}", opt=public(), include_in_schema=False)
async def read_calendar(
    name: FromPath[str],
    request: Request[Principal, str, Any],
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    settings: Config,
) -> Response[bytes]:
    """The feed behind a secret address. The token is the only key, so the answer is for nobody's cache but the asker's."""
    token = name.removesuffix(".ics")
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        body = await links.feed(conn, catalog, digest(token), f"{settings.url}/on-call", clock.now())
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")


ROUTES: list[HTTPRouteHandler] = [
    final_schedule,
    list_warnings,
    list_breaches,
    list_feeds,
    list_swaps,
    ask_swap,
    answer_swap,
    list_leave,
    add_leave,
    remove_leave,
    add_link,
    revoke_link,
    read_calendar,
]
