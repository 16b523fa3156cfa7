"""`/api/v1/break-glass`: a right for a limited time, with a reason, and what became of it (mission 7.6)."""

from typing import Annotated

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct, structs

from sev1.access import break_glass, break_glass_notices
from sev1.access.break_glass import TEXT_MAX, Phase, Request, Use, Verdict, Wanted
from sev1.access.declare import needs
from sev1.surfaces.injected import Catalogs, Config, Db, Now, SignedIn

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


class RequestView(Request, frozen=True, kw_only=True):
    state: Phase
    owes_justification: bool


class RequestWithUses(RequestView, frozen=True, kw_only=True):
    used: list[Use]
    """Every request that was made while it was in force: method and path."""


class Justification(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class Review(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    verdict: Verdict
    note: Annotated[str, Meta(max_length=TEXT_MAX)] = ""


def view(request: Request, clock: Now) -> RequestView:
    return RequestView(**structs.asdict(request), state=request.phase(clock.now()), owes_justification=request.owes())


@get("/api/v1/break-glass", opt=needs("read"), tags=["access"])
async def list_requests(request: SignedIn, db: Db, clock: Now) -> list[RequestView]:
    """One's own; for those who may read the audit log everybody's. Newest first."""
    async with db.connection() as conn:
        return [view(one, clock) for one in await break_glass.latest(conn, by=request.user)]


@get("/api/v1/break-glass/{number:int}", opt=needs("read"), tags=["access"])
async def get_request(number: Number, request: SignedIn, db: Db, clock: Now) -> RequestWithUses:
    async with db.connection() as conn:
        found = await break_glass.get(conn, number, by=request.user)
        used = await break_glass.uses(conn, [number])
    return RequestWithUses(**structs.asdict(view(found, clock)), used=used[number])


@post("/api/v1/break-glass", opt=needs("read"), tags=["access"])
async def ask(
    data: JSONBody[Wanted], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, settings: Config
) -> RequestView:
    """Asks for a right, or takes it with `at_once`. All administrators are told."""
    now = clock.now()
    async with db.transaction() as conn:
        made = await break_glass.ask(conn, data, by=request.user, longest_min=settings.break_glass_max_min, now=now)
        await break_glass_notices.announce(conn, made, await catalogs.current(conn), settings.url, now)
    return view(made, clock)


@post("/api/v1/break-glass/{number:int}/approve", opt=needs("access:write"), tags=["access"], status_code=200)
async def approve(number: Number, request: SignedIn, db: Db, clock: Now) -> RequestView:
    """It is in force from now on, for the minutes asked for. Never by whoever asked."""
    async with db.transaction() as conn:
        return view(await break_glass.decide(conn, number, approved=True, by=request.user, now=clock.now()), clock)


@post("/api/v1/break-glass/{number:int}/refuse", opt=needs("access:write"), tags=["access"], status_code=200)
async def refuse(number: Number, request: SignedIn, db: Db, clock: Now) -> RequestView:
    async with db.transaction() as conn:
        return view(await break_glass.decide(conn, number, approved=False, by=request.user, now=clock.now()), clock)


@post("/api/v1/break-glass/{number:int}/end", opt=needs("read"), tags=["access"], status_code=200)
async def end(number: Number, request: SignedIn, db: Db, clock: Now) -> RequestView:
    """Gives it back before its time."""
    async with db.transaction() as conn:
        return view(await break_glass.end(conn, number, by=request.user, now=clock.now()), clock)


@post("/api/v1/break-glass/{number:int}/justification", opt=needs("read"), tags=["access"], status_code=200)
async def justify(number: Number, data: JSONBody[Justification], request: SignedIn, db: Db, clock: Now) -> RequestView:
    """What it was needed for and what was done with it."""
    async with db.transaction() as conn:
        return view(await break_glass.justify(conn, number, data.text, by=request.user, now=clock.now()), clock)


@post("/api/v1/break-glass/{number:int}/review", opt=needs("access:write"), tags=["access"], status_code=200)
async def review(number: Number, data: JSONBody[Review], request: SignedIn, db: Db, clock: Now) -> RequestView:
    """Closes it with a verdict; the reviewer is named. Never by whoever asked."""
    async with db.transaction() as conn:
        closed = await break_glass.review(conn, number, data.verdict, data.note, by=request.user, now=clock.now())
    return view(closed, clock)


ROUTES: list[HTTPRouteHandler] = [list_requests, get_request, ask, approve, refuse, end, justify, review]
