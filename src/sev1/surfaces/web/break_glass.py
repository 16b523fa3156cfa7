"""`/break-glass`: ask for a right or take it, approve, and look at afterwards what it was used for (mission 7.6)."""

from typing import Any

import asyncpg
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template
from msgspec import Struct

from sev1.access import break_glass, break_glass_notices
from sev1.access.break_glass import Phase, Request, Use, Wanted
from sev1.access.declare import needs
from sev1.access.model import Role
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Invalid, Refused
from sev1.engine.settings import Settings
from sev1.surfaces.api.break_glass import Number
from sev1.surfaces.injected import Config, Db, SignedIn
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

USES_SHOWN = 100
"""Of each; the API has them all."""
VERDICTS: tuple[tuple[break_glass.Verdict, str], ...] = (
    ("right", "It was right"),
    ("follow-up", "Right, and something follows from it"),
    ("wrong", "It was not right"),
)


class Row(Struct, frozen=True, kw_only=True):
    request: Request
    phase: Phase
    used: tuple[Use, ...]
    is_mine: bool


@get("/break-glass", opt=needs("read"), include_in_schema=False)
async def show_break_glass(db: Db, visit: Here, settings: Config) -> Template:
    return await _page(db, visit, settings)


@post("/break-glass", opt=needs("read"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200)
async def ask(request: SignedIn, db: Db, visit: Here, settings: Config) -> Response[Any]:
    fields = await fields_of(request)
    try:
        wanted = _wanted(fields)
        async with db.transaction() as conn:
            made = await break_glass.ask(
                conn, wanted, by=visit.principal, longest_min=settings.break_glass_max_min, now=visit.now
            )
            await break_glass_notices.announce(conn, made, visit.catalog, settings.url, visit.now)
    except (Invalid, Refused) as error:
        typed = Typed(form="ask", fields=fields, error=error.message, status=error.status)
        return await _page(db, visit, settings, typed)
    return go_to(f"/break-glass#request-{made.id}")


def _wanted(fields: dict[str, str]) -> Wanted:
    """What the form's choice means: a role's name, or `incident` with its number beside it. Raises Invalid."""
    what, minutes = fields.get("what", ""), fields.get("minutes", "")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        raise Invalid("Say for how many minutes.", field="minutes")
    if what == "incident":
        role, incident = None, fields.get("incident", "").strip().upper()
    elif what in {"responder", "admin"}:
        role, incident = Role(what), None
    else:
        raise Invalid("Choose what you need.", field="what")
    at_once = fields.get("at_once") == "yes"
    return Wanted(reason=fields.get("reason", ""), role=role, incident=incident, minutes=int(minutes), at_once=at_once)


@post(
    "/break-glass/{number:int}",
    opt=needs("read"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def answer(number: Number, request: SignedIn, db: Db, visit: Here, settings: Config) -> Response[Any]:
    """Approve, refuse, end, justify, review: `type` says which."""
    fields = await fields_of(request)
    try:
        async with db.transaction() as conn:
            await _do(conn, number, fields, visit)
    except (Invalid, Refused, Forbidden) as error:
        typed = Typed(form=f"request-{number}", fields=fields, error=error.message, status=error.status)
        return await _page(db, visit, settings, typed)
    return go_to(f"/break-glass#request-{number}")


async def _do(conn: asyncpg.Connection, number: int, fields: dict[str, str], visit: Visit) -> None:
    by, now, kind = visit.principal, visit.now, fields.get("type", "")
    if kind in {"approve", "refuse", "review"} and not by.may("access:write"):
        raise Forbidden("Only an administrator decides on this.")
    match kind:
        case "approve" | "refuse":
            await break_glass.decide(conn, number, approved=kind == "approve", by=by, now=now)
        case "end":
            await break_glass.end(conn, number, by=by, now=now)
        case "justify":
            await break_glass.justify(conn, number, fields.get("text", ""), by=by, now=now)
        case "review":
            verdict = next((name for name, _ in VERDICTS if name == fields.get("verdict")), None)
            if verdict is None:
                raise Invalid("Say whether it was right.", field="verdict")
            await break_glass.review(conn, number, verdict, fields.get("note", ""), by=by, now=now)
        case _:
            raise Invalid("Nothing was changed: this form asks for something that does not exist. Reload the page.")


async def _page(db: Database, visit: Visit, settings: Settings, typed: Typed | None = None) -> Template:
    async with db.connection() as conn:
        found = await break_glass.latest(conn, by=visit.principal)
        used = await break_glass.uses(conn, [one.id for one in found if one.starts_at], most=USES_SHOWN)
    rows = [
        Row(
            request=one,
            phase=one.phase(visit.now),
            used=tuple(used.get(one.id, ())),
            is_mine=one.actor == visit.principal.actor,
        )
        for one in found
    ]
    return show(
        visit,
        "break_glass.html",
        section="settings",
        rows=rows,
        verdicts=VERDICTS,
        verdict_words=dict(VERDICTS),
        default_min=break_glass.DEFAULT_MIN,
        longest_min=settings.break_glass_max_min,
        typed=typed,
    )


ROUTES: list[HTTPRouteHandler] = [show_break_glass, ask, answer]
