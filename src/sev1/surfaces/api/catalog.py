"""`/api/v1/catalog`: what the catalog says. It is changed as code, by `sev1 apply`."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from sev1.access.declare import needs
from sev1.catalog.model import EscalationPolicy, Route, Schedule, Service, Severity, Team
from sev1.surfaces.injected import Catalogs, Db


class PersonView(Struct, frozen=True, kw_only=True):
    """Without contact methods: those are between a person and the pager."""

    name: str
    full_name: str
    time_zone: str


class CatalogView(Struct, frozen=True, kw_only=True):
    version: int
    organisation: str
    people: list[PersonView]
    teams: list[Team]
    services: list[Service]
    severities: list[Severity]
    schedules: list[Schedule]
    policies: list[EscalationPolicy]
    routes: list[Route]


@get("/api/v1/catalog", opt=needs("read"), tags=["catalog"])
async def get_catalog(db: Db, catalogs: Catalogs) -> CatalogView:
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    return CatalogView(
        version=catalog.version,
        organisation=catalog.organisation.title,
        people=[PersonView(name=p.name, full_name=p.full_name, time_zone=p.time_zone) for p in catalog.people.values()],
        teams=list(catalog.teams.values()),
        services=list(catalog.services.values()),
        severities=catalog.severities_worst_first(),
        schedules=list(catalog.schedules.values()),
        policies=list(catalog.policies.values()),
        routes=sorted(catalog.routes.values(), key=lambda route: (route.order, route.name)),
    )


ROUTES: list[HTTPRouteHandler] = [get_catalog]
