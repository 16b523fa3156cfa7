"""`/incidents/INC-1/workstreams/1`: the scratchpad of a workstream, to read and to write (mission 8.3).

A page of its own: nothing moves while somebody writes.
"""

from typing import Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import model as m
from sev1.command import scratchpads, store
from sev1.command.sight import must_see, unknown
from sev1.engine.database import Database
from sev1.engine.errors import Conflict, Invalid, Refused
from sev1.surfaces.injected import Db, SignedIn
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

SAVED = {"alone": "Saved.", "joined": "Saved, joined with what others wrote meanwhile. Read it once more."}
"""What is said on the page after a save, by the word in its address."""


@get("/incidents/{key:str}/workstreams/{number:int}", opt=needs("read"), include_in_schema=False)
async def show_workstream(
    key: FromPath[str], number: FromPath[int], db: Db, visit: Here, saved: FromQuery[str] = ""
) -> Template:
    return await _page(key, number, db, visit, saved=SAVED.get(saved, ""))


@post(
    "/incidents/{key:str}/workstreams/{number:int}",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def save_scratchpad(
    key: FromPath[str], number: FromPath[int], request: SignedIn, db: Db, visit: Here
) -> Response[Any]:
    """A refusal shows the page again with what was typed, and after a conflict with what the other wrote."""
    async with db.connection() as conn:
        await must_see(conn, visit.sight, key)
    fields = await fields_of(request)
    text = fields.get("text", "")
    try:
        async with db.transaction() as conn:
            incident = await store.get(conn, key)
            if incident is None or not visit.sight.sees(incident):
                raise unknown(key)
            saved = await scratchpads.save(
                conn, incident, number, text, base=_version(fields.get("base", "")), by=visit.actor, now=visit.now
            )
    except (Refused, Invalid) as error:
        conflict = error.data if isinstance(error, Conflict) else None
        typed = Typed(form="scratchpad", fields=fields, error=error.message, status=error.status)
        return await _page(key, number, db, visit, typed=typed, conflict=conflict)
    return go_to(f"/incidents/{key}/workstreams/{number}?saved={'joined' if saved.merged else 'alone'}")


def _version(text: str) -> int:
    """The hidden field of the form. Raises Invalid."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Invalid("The form does not say what it was written on top of. Copy your text and load the page again.")
    return int(text)


async def _page(
    key: str,
    number: int,
    db: Database,
    visit: Visit,
    typed: Typed | None = None,
    conflict: dict[str, Any] | None = None,
    saved: str = "",
) -> Template:
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        if incident is None or not visit.sight.sees(incident):
            raise unknown(key)
        scratchpads.check_workstream(incident, number)
        pad = await scratchpads.latest(conn, key, number)
    # After a conflict the next save stands on top of what is shown; after another refusal still on what was read.
    base = conflict["version"] if conflict else typed.fields.get("base", "") if typed else pad.version
    return show(
        visit,
        "workstream.html",
        section="incidents",
        incident=incident,
        stream=incident.workstreams[number],
        pad=pad,
        text=typed.fields.get("text", "") if typed else pad.text,
        base=base,
        conflict=conflict,
        saved=saved,
        # What was typed is shown again even when the incident ended meanwhile.
        writes=visit.may("incidents:write") and (typed is not None or incident.status not in m.OVER),
        typed=typed,
    )


ROUTES: list[HTTPRouteHandler] = [show_workstream, save_scratchpad]
