"""`/watch`: heartbeats, checks, composites and vendors' status pages: how each stands, and why."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from sev1.access.declare import needs
from sev1.surfaces.api.watch import watch_list
from sev1.surfaces.injected import Db
from sev1.surfaces.web.visit import Here, show
from sev1.watch import store

WORDS = {"waiting": "waiting", "ok": "all right", "trouble": "in trouble", "unreachable": "not readable"}
KINDS = {"heartbeat": "Heartbeat", "check": "Check", "composite": "Composite", "status-feed": "Status page"}


@get("/watch", opt=needs("read"), include_in_schema=False)
async def show_watch(db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        rows = await store.read_all(conn)
    view = watch_list(visit.catalog, rows)
    firing = sum(1 for watch in view.watches if watch.firing)
    return show(visit, "watch.html", section="alerts", view=view, firing=firing, words=WORDS, kinds=KINDS)


ROUTES: list[HTTPRouteHandler] = [show_watch]
