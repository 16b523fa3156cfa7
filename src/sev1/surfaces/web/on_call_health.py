"""`/on-call/health`: what a quarter of on call cost whom, and whether it was shared fairly."""

from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Template

from sev1.access.declare import needs
from sev1.oncall.health import team_health
from sev1.surfaces.injected import Db, Foresees
from sev1.surfaces.web.visit import Here, show


@get("/on-call/health", opt=needs("read"), include_in_schema=False)
async def show_health(
    db: Db, visit: Here, outlook: Foresees, team: Annotated[str, QueryParameter(max_length=64, required=False)] = ""
) -> Template:
    """Without `team`: that of whoever looks, else the first."""
    teams = sorted(visit.catalog.teams.values(), key=lambda one: one.title)
    mine = [one.name for one in teams if visit.me in one.members]
    chosen = team or next(iter([*mine, *(one.name for one in teams)]), "")
    found = None
    if chosen:
        ahead = await outlook.ahead(visit.catalog, visit.now)
        async with db.connection() as conn:
            found = await team_health(
                conn,
                visit.catalog,
                chosen,
                visit.now,
                me=visit.me,
                sees_all=visit.may("access:write"),
                coming=ahead.breaches,
            )
    return show(visit, "on_call_health.html", section="on-call", teams=teams, chosen=chosen, health=found)


ROUTES: list[HTTPRouteHandler] = [show_health]
