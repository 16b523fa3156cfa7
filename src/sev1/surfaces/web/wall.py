"""`/wall`: all active incidents on a screen that hangs on the wall, readable from four metres."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command.active import MOST, active_incidents
from sev1.surfaces.injected import Db
from sev1.surfaces.web.visit import Here, show


@get("/wall", opt=needs("read"), include_in_schema=False)
async def show_wall(db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        found = await active_incidents(conn, visit.sight, visit.now)
    late = sum(incident.is_late(visit.now) for incident in found)
    return show(visit, "wall.html", section="incidents", incidents=found, late=late, is_cut=len(found) == MOST)


ROUTES: list[HTTPRouteHandler] = [show_wall]
