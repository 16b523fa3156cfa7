"""`/signals`: what was noticed and broke nothing: to note it, promote it, review it or drop it (mission 2.4)."""

from typing import Annotated, Any, get_args

import asyncpg
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter
from litestar.response import Redirect, Template

from sev1.access.declare import needs
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, Refused
from sev1.engine.news import News
from sev1.language.model import Hint
from sev1.risk import signals
from sev1.risk.model import Dropping, NewSignal, Promotion, Review, SignalState
from sev1.surfaces.injected import Catalogs, Db, Doing, Hears, SignedIn
from sev1.surfaces.said import warnings
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

FORM = "signal"
PAGE = 50
SETTLING = ("promote", "review", "drop")
STATES: tuple[SignalState, ...] = get_args(SignalState)
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)]
State = Annotated[SignalState, QueryParameter(name="state")]


@get("/signals", opt=needs("read"), include_in_schema=False)
async def list_signals(
    db: Db,
    visit: Here,
    shown: State = "open",
    service: FromQuery[str] = "",
    tag: FromQuery[str] = "",
    before: Before = None,
    said: Before = None,
) -> Template:
    """`service` and `tag` narrow the list; `said` is the signal just written, for what is pointed out in it."""
    return await _page(db, visit, shown=shown, service=service[:63], tag=tag[:40], before=before, said=said)


@get("/signals/{number:int}", opt=needs("read"), include_in_schema=False, status_code=303)
async def show_signal(number: Number, db: Db, visit: Here) -> Redirect:
    """Leads to its place in the list, whatever became of it."""
    async with db.connection() as conn:
        signal = await signals.get(conn, visit.sight, number)
    return go_to(f"/signals?state={signal.state}&before={number + 1}#{signal.key}")


@post("/signals", opt=needs("report"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200)
async def note_signal(request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    fields = await fields_of(request)
    tags = [word for word in fields.get("tags", "").replace(",", " ").split() if word]
    try:
        new = command_from({**fields, "tags": tags}, NewSignal)
        async with db.transaction() as conn:
            signal = await signals.note(conn, visit.catalog, new, by=visit.actor, now=visit.now)
    except (Invalid, Refused) as error:
        return await _page(db, visit, Typed(form=FORM, fields=fields, error=error.message, status=error.status))
    news.tell("risk")
    return go_to(f"/signals?said={signal.number}" if warnings(new, visit.catalog) else "/signals")


@post(
    "/signals/{number:int}/promote",
    opt=needs("report"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def promote_signal(
    number: Number, request: SignedIn, commands: Doing, catalogs: Catalogs, visit: Here
) -> Response[Any]:
    """Declares from it and leads to the incident; its severity is the worst plausible until somebody knows."""
    try:
        async with commands.db.transaction() as conn:
            signal, changes = await signals.promote(
                commands,
                conn,
                catalogs,
                number,
                Promotion(restricted=(await fields_of(request)).get("restricted") == "true"),
                by=visit.actor,
                commands_it=visit.may("incidents:write"),
            )
    except (Invalid, Refused) as error:
        typed = Typed(form=f"promote-{number}", fields={}, error=error.message, status=error.status)
        return await _page(commands.db, visit, typed)
    for change in changes:
        commands.tell(change)
    return go_to(f"/incidents/{signal.incident}")


@post(
    "/signals/{number:int}/review",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def review_signal(number: Number, request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    """With what was learnt."""
    return await _settle(f"review-{number}", number, Review, await fields_of(request), db, visit, news)


@post(
    "/signals/{number:int}/drop",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def drop_signal(number: Number, request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    """With the reason."""
    return await _settle(f"drop-{number}", number, Dropping, await fields_of(request), db, visit, news)


async def _settle(
    form: str,
    number: int,
    ending: type[Review | Dropping],
    fields: dict[str, str],
    db: Database,
    visit: Visit,
    news: News,
) -> Response[Any]:
    try:
        wanted = command_from(fields, ending)
        async with db.transaction() as conn:
            settle = signals.review if ending is Review else signals.drop
            signal = await settle(conn, number, wanted, by=visit.actor, now=visit.now)
    except (Invalid, Refused) as error:
        return await _page(db, visit, Typed(form=form, fields=fields, error=error.message, status=error.status))
    news.tell("risk")
    worth = f"&said={number}" if warnings(wanted, visit.catalog) else ""
    return go_to(f"/signals?state={signal.state}{worth}")


async def _page(
    db: Database,
    visit: Visit,
    typed: Typed | None = None,
    *,
    shown: SignalState = "open",
    service: str = "",
    tag: str = "",
    before: int | None = None,
    said: int | None = None,
) -> Template:
    async with db.connection() as conn:
        found = await signals.listed(
            conn, visit.sight, state=shown, service=service or None, tag=tag or None, before=before, limit=PAGE + 1
        )
        worth = await _worth(conn, visit, said) if said else []
    there = {FORM, *(f"{form}-{one.number}" for one in found for form in SETTLING if one.state == "open")}
    return show(
        visit,
        "signals.html",
        section="incidents",
        signals=found[:PAGE],
        older=found[PAGE - 1].number if len(found) > PAGE else None,
        shown=shown,
        states=STATES,
        service=service,
        tag=tag,
        services=sorted(visit.catalog.services.values(), key=lambda one: one.title),
        worth=worth,
        gone=typed.error if typed and typed.form not in there else "",
        typed=typed,
    )


async def _worth(conn: asyncpg.Connection, visit: Visit, number: int) -> list[Hint]:
    """What is pointed out in the signal that this visitor has just written."""
    return [
        hint
        for one in await signals.listed(conn, visit.sight, before=number + 1, limit=1)
        for hint in warnings(one, visit.catalog)
    ]


ROUTES: list[HTTPRouteHandler] = [list_signals, show_signal, note_signal, promote_signal, review_signal, drop_signal]
