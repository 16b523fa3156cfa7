"""`/api/v1/incidents/{key}/family`: the incidents under one, and the one above it, at one glance."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from sev1.access.declare import needs
from sev1.command import kin, store
from sev1.command.rollup import RollUp, roll_up
from sev1.command.sight import unknown
from sev1.surfaces.injected import Db, Looks, Now


@get("/api/v1/incidents/{key:str}/family", opt=needs("read"), tags=["incidents"])
async def get_family(key: FromPath[str], db: Db, clock: Now, sight: Looks) -> RollUp:
    """How each incident under this one stands: severity, stage, commander, condition, open needs, what is late."""
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        if incident is None or not sight.sees(incident):
            raise unknown(key)
        around = await kin.around(conn, key, incident.family.parent)
    return roll_up(key, around, clock.now())


ROUTES: list[HTTPRouteHandler] = [get_family]
