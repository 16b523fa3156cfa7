"""`/api/v1/measures`: how long things took, over a period."""

from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sev1.access.declare import needs
from sev1.command import store
from sev1.measure.times import summarise
from sev1.surfaces.api.views import MeasuresView, measures_view
from sev1.surfaces.injected import Db, Now


@get("/api/v1/measures", opt=needs("read"), tags=["measures"])
async def get_measures(db: Db, clock: Now, days: Annotated[int, QueryParameter(ge=1, le=3660)] = 30) -> MeasuresView:
    """MTTD, MTTA, MTTM and MTTR of the incidents declared in the last `days` days."""
    now = clock.now()
    since = now - timedelta(days=days)
    async with db.connection() as conn:
        incidents = await store.declared_since(conn, since)
    return measures_view(summarise(incidents, since, now))


ROUTES: list[HTTPRouteHandler] = [get_measures]
