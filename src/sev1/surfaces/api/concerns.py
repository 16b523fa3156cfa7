"""`/api/v1/incidents/{key}/concerns`: what was said in confidence, to whoever may read it (mission 2.3)."""

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from sev1.access.declare import needs
from sev1.command import concerns, store
from sev1.command.concerns import Concern
from sev1.command.sight import unknown
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Db, Doing, Looks, Now, SignedIn


@get("/api/v1/incidents/{key:str}/concerns", opt=needs("read"), tags=["incidents"])
async def list_concerns(
    key: FromPath[str], request: SignedIn, db: Db, catalogs: Catalogs, sight: Looks
) -> list[Concern]:
    """Those that the caller may read: all for whoever commands, else what was said openly or by themselves."""
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        catalog = await catalogs.current(conn)
        if incident is None or not sight.sees(incident):
            raise unknown(key)
        said = await concerns.of_incident(conn, key)
    return concerns.readable(said, actor_of(request.user, catalog, "api").id, incident.commander)


@post(
    "/api/v1/incidents/{key:str}/concerns/{concern:int}/heard",
    status_code=204,
    opt=needs("incidents:write"),
    tags=["incidents"],
)
async def hear_concern(
    key: FromPath[str],
    concern: FromPath[int],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    clock: Now,
    sight: Looks,
) -> None:
    """Whoever commands has read it; who said it sees that."""
    async with commands.db.transaction() as conn:
        incident = await store.get(conn, key)
        if incident is None or not sight.sees(incident):
            raise unknown(key)
        by = actor_of(request.user, await catalogs.current(conn), "api").id
        await concerns.hear(conn, key, concern, by=by, commander=incident.commander, now=clock.now())
    commands.news.tell(f"incident/{key}")


ROUTES: list[HTTPRouteHandler] = [list_concerns, hear_concern]
