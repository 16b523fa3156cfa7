"""`/incidents`: open ones, the latest, and what the last 30 days took."""

from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import model as m
from sev1.command import store
from sev1.measure.times import summarise, times
from sev1.surfaces.injected import Db
from sev1.surfaces.web.visit import Here, show

PERIOD = timedelta(days=30)
PAGE = 30
Before = Annotated[int | None, QueryParameter(ge=1, le=2**62)]


@get("/incidents", opt=needs("read"), include_in_schema=False)
async def list_incidents(db: Db, visit: Here, before: Before = None) -> Template:
    async with db.connection() as conn:
        open_ones = await store.open_incidents(conn, visit.sight) if before is None else []
        recent = await store.recent_incidents(conn, visit.sight, limit=PAGE + 1, before=before)
        measured = await store.declared_since(conn, visit.now - PERIOD)
    shown, more = recent[:PAGE], len(recent) > PAGE
    return show(
        visit,
        "incidents.html",
        section="incidents",
        open_ones=open_ones,
        ended=[i for i in shown if i.status in m.OVER],
        older=int(shown[-1].key.removeprefix("INC-")) if more else None,
        before=before,
        summary=summarise(measured, visit.now - PERIOD, visit.now),
        times=times,
    )


ROUTES: list[HTTPRouteHandler] = [list_incidents]
