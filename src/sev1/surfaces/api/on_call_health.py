"""`/api/v1/on-call/health`: hours, pages, nights and interrupted sleep of a quarter, and how fairly they are spread."""

from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sev1.access.declare import needs
from sev1.oncall.health import TeamHealth, team_health
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Db, Foresees, Now, SignedIn


@get("/api/v1/on-call/health", opt=needs("read"), tags=["on-call"])
async def health(
    team: Annotated[str, QueryParameter(max_length=64)],
    request: SignedIn,
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    outlook: Foresees,
) -> TeamHealth:
    """The last quarter of a team: one's own weeks, and how evenly the load is spread. The figures of each member are for
    the team itself and for admins. With the limits that their coming shifts break.
    """
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    now = clock.now()
    ahead = await outlook.ahead(catalog, now)
    async with db.connection() as conn:
        me = actor_of(request.user, catalog, "api").id
        return await team_health(
            conn, catalog, team, now, me=me, sees_all=request.user.may("access:write"), coming=ahead.breaches
        )


ROUTES: list[HTTPRouteHandler] = [health]
