"""`/on-call`: who is on call, and who covers for whom."""

from datetime import UTC, datetime
from typing import Annotated, Any, cast, get_args

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, PathParameter
from litestar.response import Redirect, Stream
from whenever import PlainDateTime, RepeatedTime, SkippedTime

from sev1.access.declare import needs
from sev1.access.model import Scope
from sev1.catalog.model import Override
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Invalid, NotFound, Refused
from sev1.engine.in_steps import in_steps
from sev1.engine.settings import Settings
from sev1.notify import reachable
from sev1.oncall import absence, feeds, store, swaps
from sev1.oncall.model import Away
from sev1.oncall.outlook import Outlook
from sev1.surfaces.injected import Config, Db, Foresees, Hears, SignedIn
from sev1.surfaces.web.on_call_view import schedule_views_in_steps
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show_in_steps

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


ANYBODY: Scope = "access:write"
"""Who may enter leave for others: admins."""


@get("/on-call", opt=needs("read"), include_in_schema=False)
async def show_on_call(request: SignedIn, db: Db, visit: Here, settings: Config, outlook: Foresees) -> Stream:
    return await _page(request, db, visit, settings, outlook)


@post(
    "/on-call/{schedule:str}/overrides",
    opt=needs("oncall:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def add_override(
    schedule: FromPath[str], request: SignedIn, db: Db, visit: Here, settings: Config, news: Hears, outlook: Foresees
) -> Response[Any]:
    """Somebody takes a part of a schedule. Times are wall times in the visitor's own zone."""
    fields = await fields_of(request)
    try:
        override = Override(
            person=fields.get("person", ""),
            start=instant_of(fields.get("start", ""), visit.zone, "start"),
            end=instant_of(fields.get("end", ""), visit.zone, "end"),
            reason=fields.get("reason", "").strip()[:300],
        )
        async with db.transaction() as conn:
            await store.add_override(
                conn,
                visit.catalog,
                schedule,
                override,
                created_by=visit.actor.id,
                now=visit.now,
                anyway=fields.get("anyway", "")[:300],
            )
    except (Invalid, Refused, NotFound) as error:
        typed = Typed(form=f"override-{schedule}", fields=fields, error=error.message, status=error.status)
        return await _page(request, db, visit, settings, outlook, typed)
    news.tell("on-call")
    return go_to(f"/on-call#{schedule}")


@post(
    "/on-call/overrides/{number:int}/remove",
    opt=needs("oncall:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def remove_override(number: Number, db: Db, visit: Here, news: Hears) -> Redirect:
    async with db.transaction() as conn:
        await store.remove_override(conn, number, actor=visit.actor.id, now=visit.now)
    news.tell("on-call")
    return go_to("/on-call")


def _answer(typed: str) -> swaps.Answer:
    if typed not in get_args(swaps.Answer):
        raise Invalid("Accept, decline or withdraw the swap.", field="answer")
    return cast("swaps.Answer", typed)


async def _page(
    request: SignedIn, db: Database, visit: Visit, settings: Settings, outlook: Outlook, typed: Typed | None = None
) -> Stream:
    ahead = await outlook.ahead(visit.catalog, visit.now)
    async with db.connection() as conn:
        made = await store.made_since(conn, visit.now - store.LOOK_BACK)
        read = await feeds.read_all(conn)
        events = await feeds.events_since(conn, visit.now)
        called = await reachable.call_outs(conn, visit.catalog, settings, visit.now, ahead.turns)
        leave = await absence.leave_since(conn, visit.now)
        asked = await swaps.asked(conn, visit.now)
    said = {one.person for one in called}  # once, with the reason
    warned = {
        name: [one for one in found if one.kind != "unreachable" or one.person not in said]
        for name, found in ahead.warnings.items()
    }
    views = await in_steps(
        schedule_views_in_steps(
            visit.catalog, made, visit.me, visit.zone, visit.now, exceptions=ahead.known.exceptions, warned=warned
        )
    )
    return await show_in_steps(
        request,
        visit,
        "on_call.html",
        section="on-call",
        schedules=views,
        typed=typed,
        breaches=ahead.breaches,
        overlaps=list(dict.fromkeys(w.sentence for found in warned.values() for w in found if w.schedules)),
        leave=leave,
        feeds=read,
        events=[one for one in events if one.kind == "person"],
        swaps=asked,
        unreachable=[one for one in called if one.unreachable],
        untried=[one for one in called if not one.unreachable],
    )


def instant_of(wall_time: str, zone: str, field: str) -> datetime:
    """The instant of a `datetime-local` field in `zone`. A time that does not exist there is refused, not guessed."""
    try:
        local = PlainDateTime.parse_iso(wall_time)
    except ValueError:
        raise Invalid(f"The {field} is not readable. Write it like 2026-03-02 09:00.", field=field) from None
    try:
        zoned = local.assume_tz(zone, disambiguation="raise")
    except RepeatedTime:
        # The clocks go back: the first of the two is meant, they are within the hour.
        zoned = local.assume_tz(zone, disambiguation="earlier")
    except SkippedTime:
        raise Invalid(f"{wall_time} does not exist in {zone}: the clocks go forward then.", field=field) from None
    return zoned.to_instant().to_stdlib().astimezone(UTC)


@post(
    "/on-call/{schedule:str}/swaps",
    opt=needs("oncall:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def ask_swap(
    schedule: FromPath[str], request: SignedIn, db: Db, visit: Here, settings: Config, news: Hears, outlook: Foresees
) -> Response[Any]:
    """The visitor asks somebody to take a part of a schedule, and may take another part in return."""
    fields = await fields_of(request)

    def at(name: str) -> datetime:
        return instant_of(fields.get(name, ""), visit.zone, name)

    try:
        back = bool(fields.get("back_start") or fields.get("back_end"))
        wanted = swaps.NewSwap(
            schedule=schedule,
            asked_of=fields.get("person", ""),
            start=at("start"),
            end=at("end"),
            back_start=at("back_start") if back else None,
            back_end=at("back_end") if back else None,
        )
        async with db.transaction() as conn:
            await swaps.ask(conn, visit.catalog, wanted, asked_by=visit.me, now=visit.now)
    except (Invalid, Refused, NotFound) as error:
        typed = Typed(form=f"swap-{schedule}", fields=fields, error=error.message, status=error.status)
        return await _page(request, db, visit, settings, outlook, typed)
    news.tell("on-call")
    return go_to(f"/on-call#{schedule}")


@post(
    "/on-call/swaps/{number:int}/answer",
    opt=needs("oncall:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def answer_swap(
    number: Number, request: SignedIn, db: Db, visit: Here, settings: Config, news: Hears, outlook: Foresees
) -> Response[Any]:
    """Accepts, declines or withdraws a swap."""
    fields = await fields_of(request)
    try:
        answer = _answer(fields.get("answer", ""))
        async with db.transaction() as conn:
            await swaps.answer(
                conn,
                visit.catalog,
                number,
                answer,
                actor=visit.me,
                now=visit.now,
                anyway=fields.get("anyway", "")[:300],
            )
    except (Invalid, Refused, NotFound, Forbidden) as error:
        typed = Typed(form=f"answer-{number}", fields=fields, error=error.message, status=error.status)
        return await _page(request, db, visit, settings, outlook, typed)
    news.tell("on-call")
    return go_to("/on-call")


@post(
    "/on-call/leave",
    opt=needs("oncall:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def add_leave(
    request: SignedIn, db: Db, visit: Here, settings: Config, news: Hears, outlook: Foresees
) -> Response[Any]:
    """Somebody is away: the visitor, or for an admin anybody."""
    fields = await fields_of(request)
    try:
        away = Away(
            person=fields.get("person", ""),
            start=instant_of(fields.get("start", ""), visit.zone, "start"),
            end=instant_of(fields.get("end", ""), visit.zone, "end"),
            reason=fields.get("reason", "").strip()[:300],
        )
        async with db.transaction() as conn:
            await absence.add_leave(
                conn, visit.catalog, away, created_by=visit.actor.id, now=visit.now, for_anybody=visit.may(ANYBODY)
            )
    except (Invalid, Refused, NotFound, Forbidden) as error:
        typed = Typed(form="leave", fields=fields, error=error.message, status=error.status)
        return await _page(request, db, visit, settings, outlook, typed)
    news.tell("on-call")
    return go_to("/on-call#leave")


@post(
    "/on-call/leave/{number:int}/remove",
    opt=needs("oncall:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def remove_leave(number: Number, db: Db, visit: Here, news: Hears) -> Redirect:
    async with db.transaction() as conn:
        await absence.remove_leave(conn, number, actor=visit.actor.id, now=visit.now, for_anybody=visit.may(ANYBODY))
    news.tell("on-call")
    return go_to("/on-call#leave")


ROUTES: list[HTTPRouteHandler] = [
    show_on_call,
    add_override,
    remove_override,
    ask_swap,
    answer_swap,
    add_leave,
    remove_leave,
]
