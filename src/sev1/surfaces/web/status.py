"""`/status`: is sev1 itself well? Channels and how far triage is behind."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from sev1.access.declare import needs
from sev1.intake.inbox_reader import lag
from sev1.notify.breaker import channel_health
from sev1.surfaces.injected import Config, Db
from sev1.surfaces.web.visit import Here, show


@get("/status", opt=needs("read"), include_in_schema=False)
async def show_status(db: Db, visit: Here, settings: Config) -> Template:
    async with db.connection() as conn:
        channels = await channel_health(conn)
        behind, oldest = await lag(conn)
        counts = await conn.fetchrow(
            "SELECT count(*) FILTER (WHERE state IN ('queued', 'sending')) AS waiting,"
            " count(*) FILTER (WHERE state = 'failed' AND finished_at > $1::timestamptz - interval '24 hours') AS failed"
            " FROM deliveries",
            visit.now,
        )
        database = await conn.fetchval("SHOW server_version")
    return show(
        visit,
        "status.html",
        section="status",
        channels=[(circuit, circuit.phase(visit.now)) for circuit in channels],
        behind=behind,
        oldest=oldest,
        waiting=counts["waiting"],
        failed=counts["failed"],
        database=database,
        has_mail=bool(settings.smtp_host),
    )


ROUTES: list[HTTPRouteHandler] = [show_status]
