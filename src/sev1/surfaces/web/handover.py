"""`/incidents/INC-1/handover`: the briefing, and for whom command is offered to the read-back (mission 10.2).

A page of its own: who takes over reads it from the top, and nothing moves while they do.
"""

from typing import Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import store
from sev1.command.briefing import briefing
from sev1.command.parts.handover import POINTS, AcceptCommand, DeclineCommand
from sev1.command.sight import must_see, unknown
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, Refused
from sev1.surfaces.injected import Db, Doing, SignedIn
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show


@get("/incidents/{key:str}/handover", opt=needs("read"), include_in_schema=False)
async def show_handover(key: FromPath[str], db: Db, visit: Here) -> Template:
    return await _page(key, db, visit)


@post(
    "/incidents/{key:str}/handover",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def answer_offer(key: FromPath[str], request: SignedIn, db: Db, commands: Doing, visit: Here) -> Response[Any]:
    """Accepts or declines. A refusal shows the page again with what was ticked and typed."""
    async with db.connection() as conn:
        await must_see(conn, visit.sight, key)
    fields = await fields_of(request)
    points = [point for point in POINTS if fields.pop(f"point-{point}", "")]
    try:
        command = command_from({**fields, "points": points} if points else fields, AcceptCommand | DeclineCommand)
        await commands.run("incident", key, command, by=visit.actor)
    except (Refused, Invalid) as error:
        kept = {**fields, **{f"point-{point}": "on" for point in points}}
        typed = Typed(form=fields.get("form", ""), fields=kept, error=error.message, status=error.status)
        return await _page(key, db, visit, typed=typed)
    return go_to(f"/incidents/{key}")


async def _page(key: str, db: Database, visit: Visit, typed: Typed | None = None) -> Template:
    async with db.connection() as conn:
        incident = await store.get(conn, key)
    if incident is None or not visit.sight.sees(incident):
        raise unknown(key)
    offer = incident.handover.offer
    told = briefing(incident, visit.now, visit.name_of)
    return show(
        visit,
        "handover.html",
        section="incidents",
        incident=incident,
        offer=offer,
        mine=offer is not None and offer.person == visit.me,
        told=[(point, heading, text.splitlines()) for point, (heading, text) in zip(POINTS, told, strict=True)],
        typed=typed,
    )


ROUTES: list[HTTPRouteHandler] = [show_handover, answer_offer]
