"""`/api/v1/incidents/{key}/briefing` and `/people`: what a successor has to know, and who works for how long (10.1, 10.2)."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from sev1.access.declare import needs
from sev1.command import store
from sev1.command.briefing import briefing
from sev1.command.parts.handover import POINTS
from sev1.command.sight import unknown
from sev1.surfaces.actor import actor_of, name_of
from sev1.surfaces.injected import Catalogs, Db, Looks, Now, SignedIn
from sev1.surfaces.people_view import AtWork, at_work


class PointView(Struct, frozen=True, kw_only=True):
    point: str
    """What `accept_command` names when it is confirmed."""
    heading: str
    text: str


@get("/api/v1/incidents/{key:str}/briefing", opt=needs("read"), tags=["incidents"])
async def get_briefing(key: FromPath[str], db: Db, catalogs: Catalogs, clock: Now, sight: Looks) -> list[PointView]:
    """The five points, generated from the state as it is now."""
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        catalog = await catalogs.current(conn)
    if incident is None or not sight.sees(incident):
        raise unknown(key)
    told = briefing(incident, clock.now(), lambda who: name_of(catalog, who))
    return [
        PointView(point=point, heading=heading, text=text) for point, (heading, text) in zip(POINTS, told, strict=True)
    ]


@get("/api/v1/incidents/{key:str}/people", opt=needs("read"), tags=["incidents"])
async def get_people(
    key: FromPath[str], request: SignedIn, db: Db, catalogs: Catalogs, clock: Now, sight: Looks
) -> list[AtWork]:
    """Who works in it, for how long, on which break. How tired somebody is reads whoever commands, and they themselves."""
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        catalog = await catalogs.current(conn)
    if incident is None or not sight.sees(incident):
        raise unknown(key)
    return list(at_work(incident, catalog, actor_of(request.user, catalog, "api").id, clock.now()))


ROUTES: list[HTTPRouteHandler] = [get_briefing, get_people]
