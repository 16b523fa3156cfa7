"""`/`: only what needs the visitor."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import store as incidents
from sev1.command.sight import withheld
from sev1.command.withhold import page_without
from sev1.intake import misunderstood
from sev1.notify import reachable
from sev1.oncall import store as oncall_store
from sev1.paging import store as pages
from sev1.surfaces.injected import Config, Db, Foresees
from sev1.surfaces.web.now_view import now_view
from sev1.surfaces.web.visit import Here, show
from sev1.triage.alerts import unrouted

COUNTED = 100
"""Beyond that the number no longer tells anything: it is `99+`."""


@get("/", opt=needs("read"), include_in_schema=False)
async def show_now(db: Db, visit: Here, settings: Config, outlook: Foresees) -> Template:
    async with db.connection() as conn:
        open_pages = await pages.open_pages(conn)
        open_incidents = await incidents.open_incidents(conn, visit.sight)
        overrides = await oncall_store.overrides_at(conn, visit.now)
        tidies = visit.may("alerts:write")
        not_understood = len(await misunderstood.list_open(conn, limit=COUNTED)) if tidies else 0
        lost = len(await unrouted(conn, limit=COUNTED)) if tidies else 0
        is_mute = visit.person and await reachable.is_mute(conn, visit.person, settings, visit.now)
        hidden = await withheld(conn, visit.sight)
    mute = []
    if is_mute:
        ahead = await outlook.ahead(visit.catalog, visit.now)
        turns = [turn for turn in ahead.turns if turn.person == visit.me]
        async with db.connection() as conn:
            mute = await reachable.call_outs(conn, visit.catalog, settings, visit.now, turns)
    open_pages = [page_without(page, hidden) for page in open_pages]
    view = now_view(open_pages, open_incidents, visit.catalog, overrides, visit.me, visit.zone, visit.now)
    return show(
        visit, "now.html", section="now", view=view, not_understood=not_understood, unrouted=lost, mute=mute[:1]
    )


ROUTES: list[HTTPRouteHandler] = [show_now]
