"""`/not-understood`: payloads that could not be read. Nobody was paged for them, so somebody has to look."""

from typing import Annotated

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter
from litestar.response import Redirect, Template

from sev1.access.declare import needs
from sev1.intake import misunderstood
from sev1.surfaces.injected import Db, Hears
from sev1.surfaces.web.alert import raw
from sev1.surfaces.web.visit import FORM_BYTES, Here, go_to, show

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


@get("/not-understood", opt=needs("alerts:write"), include_in_schema=False)
async def list_misunderstood(db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        payloads = await misunderstood.list_open(conn)
    return show(visit, "not_understood.html", section="alerts", payloads=payloads)


@get("/not-understood/{number:int}", opt=needs("alerts:write"), include_in_schema=False)
async def show_misunderstood(number: Number, db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        payload = await misunderstood.get(conn, number)
    text = payload.raw[:20_000].decode("utf-8", "replace")
    return show(visit, "not_understood_one.html", section="alerts", payload=payload, text=text)


@get("/not-understood/{number:int}/payload", opt=needs("alerts:write"), include_in_schema=False)
async def show_misunderstood_payload(number: Number, db: Db) -> Response[bytes]:
    async with db.connection() as conn:
        payload = await misunderstood.get(conn, number)
    return raw(payload.raw, f"not-understood-{number}.txt")


@post(
    "/not-understood/{number:int}/dismiss",
    opt=needs("alerts:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def dismiss_misunderstood(number: Number, db: Db, visit: Here, news: Hears) -> Redirect:
    async with db.transaction() as conn:
        await misunderstood.dismiss(conn, number, by=visit.principal.actor, now=visit.now)
    news.tell("alerts")
    return go_to("/not-understood")


ROUTES: list[HTTPRouteHandler] = [
    list_misunderstood,
    show_misunderstood,
    show_misunderstood_payload,
    dismiss_misunderstood,
]
