"""`/catalog`: services, people, teams, policies and routes, to read. It is changed as code, by `sev1 apply`."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import store as incidents
from sev1.command.sight import withheld
from sev1.command.withhold import alert_without
from sev1.engine.errors import NotFound
from sev1.measure.alert_health import health_of
from sev1.oncall import store as oncall_store
from sev1.risk import risks, signals
from sev1.surfaces.injected import Db
from sev1.surfaces.web.catalog_view import policy_lines, service_screen
from sev1.surfaces.web.visit import Here, show
from sev1.triage.alerts import list_alerts


@get("/catalog", opt=needs("read"), include_in_schema=False)
async def show_catalog(visit: Here) -> Template:
    catalog = visit.catalog
    return show(
        visit,
        "catalog.html",
        section="catalog",
        services=sorted(catalog.services.values(), key=lambda s: (s.tier, s.title)),
        teams=sorted(catalog.teams.values(), key=lambda t: t.title),
        people=sorted(catalog.people.values(), key=lambda p: p.full_name),
        policies=[
            (policy, policy_lines(policy, catalog))
            for policy in sorted(catalog.policies.values(), key=lambda p: p.title)
        ],
        routes=sorted(catalog.routes.values(), key=lambda r: (r.order, r.name)),
        severities=catalog.severities_worst_first(),
    )


@get("/catalog/services/{name:str}", opt=needs("read"), include_in_schema=False)
async def show_service(name: FromPath[str], db: Db, visit: Here) -> Template:
    service = visit.catalog.services.get(name)
    if service is None:
        raise NotFound(f'The catalog has no service "{name}".')
    async with db.connection() as conn:
        overrides = await oncall_store.overrides_at(conn, visit.now)
        firing = (await list_alerts(conn, status="firing", service=name, limit=20)).alerts
        health = await health_of(conn, name, visit.now, time_zone=visit.zone)
        recent = [i for i in await incidents.recent_incidents(conn, visit.sight, limit=200) if name in i.services]
        hidden = await withheld(conn, visit.sight)
        accepted = await risks.of_services(conn, (name,))
        noted = await signals.listed(conn, visit.sight, state="open", service=name, limit=5)
    return show(
        visit,
        "service.html",
        section="catalog",
        screen=service_screen(service, visit.catalog, overrides, visit.now),
        service=service,
        health=health,
        firing=[alert_without(alert, hidden) for alert in firing],
        recent=recent[:8],
        risks=accepted,
        signals=noted,
    )


ROUTES: list[HTTPRouteHandler] = [show_catalog, show_service]
