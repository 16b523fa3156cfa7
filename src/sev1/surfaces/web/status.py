"""`/status`: is sev1 itself well? The same vital signs as the metrics, and the channels."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from sev1.access.declare import needs
from sev1.measure import vitals
from sev1.notify import reachable
from sev1.notify.breaker import channel_health
from sev1.surfaces.injected import Config, Db, Foresees
from sev1.surfaces.web.visit import Here, show


@get("/status", opt=needs("read"), include_in_schema=False)
async def show_status(db: Db, visit: Here, settings: Config, outlook: Foresees) -> Template:
    ahead = await outlook.ahead(visit.catalog, visit.now)
    async with db.connection() as conn:
        channels = await channel_health(conn)
        seen = await vitals.read(conn, visit.now)
        called = await reachable.call_outs(conn, visit.catalog, settings, visit.now, ahead.turns)
        database = await conn.fetchval("SHOW server_version")
    return show(
        visit,
        "status.html",
        section="status",
        channels=[(circuit, circuit.phase(visit.now)) for circuit in channels],
        seen=seen,
        troubles=seen.troubles(visit.now),
        unreachable=len({one.person for one in called if one.unreachable}),
        database=database,
        has_mail=bool(settings.smtp_host),
    )


ROUTES: list[HTTPRouteHandler] = [show_status]
