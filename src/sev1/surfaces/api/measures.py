"""`/api/v1/measures`: how long things took, over a period."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import available_timezones

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from sev1.access.declare import needs
from sev1.command import store
from sev1.engine.errors import Invalid, NotFound
from sev1.measure.alert_health import DAYS, AlertHealth, health_of
from sev1.measure.times import summarise
from sev1.surfaces.api.views import MeasuresView, measures_view
from sev1.surfaces.injected import Catalogs, Db, Now


@get("/api/v1/measures", opt=needs("read"), tags=["measures"])
async def get_measures(db: Db, clock: Now, days: Annotated[int, QueryParameter(ge=1, le=3660)] = 30) -> MeasuresView:
    """MTTD, MTTA, MTTM and MTTR of the incidents declared in the last `days` days."""
    now = clock.now()
    since = now - timedelta(days=days)
    async with db.connection() as conn:
        incidents = await store.declared_since(conn, since)
    return measures_view(summarise(incidents, since, now))


@get("/api/v1/services/{name:str}/alert-health", opt=needs("read"), tags=["measures"])
async def get_alert_health(
    name: FromPath[str],
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    days: Annotated[int, QueryParameter(ge=1, le=366)] = DAYS,
    time_zone: FromQuery[str] = "UTC",
) -> AlertHealth:
    """How many of a service's alerts asked somebody to act, how fast somebody had them, and when they come."""
    if time_zone not in available_timezones():
        raise Invalid(f"There is no time zone {time_zone[:63]!r}. Write it like Europe/Berlin.", field="time_zone")
    async with db.connection() as conn:
        if name not in (await catalogs.current(conn)).services:
            raise NotFound(f"The catalog has no service {name[:63]!r}.")
        return await health_of(conn, name, clock.now(), time_zone=time_zone, days=days)


ROUTES: list[HTTPRouteHandler] = [get_measures, get_alert_health]
