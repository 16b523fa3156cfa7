"""`/api/v1/catalog`: what the catalog says. It is changed as code, by `sev1 apply`."""

from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from sev1.access.declare import needs
from sev1.catalog.model import EscalationPolicy, Route, Schedule, Service, Severity, Step, Team
from sev1.catalog.problems import did_you_mean
from sev1.engine.errors import NotFound
from sev1.paging.plan import Planned
from sev1.paging.react import plan_now
from sev1.surfaces.injected import Catalogs, Db, Doing


class PersonView(Struct, frozen=True, kw_only=True):
    """Without contact methods: those are between a person and the pager."""

    name: str
    full_name: str
    time_zone: str


class StepView(Step, frozen=True, kw_only=True, omit_defaults=False):
    """A step with all its fields, also those that nobody wrote."""


class PolicyView(EscalationPolicy, frozen=True, kw_only=True, omit_defaults=False):
    """A policy with all its fields, also those that nobody wrote."""


class CatalogView(Struct, frozen=True, kw_only=True):
    version: int
    organisation: str
    people: list[PersonView]
    teams: list[Team]
    services: list[Service]
    severities: list[Severity]
    schedules: list[Schedule]
    policies: list[PolicyView]
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
        policies=[_policy_view(policy) for policy in catalog.policies.values()],
        routes=sorted(catalog.routes.values(), key=lambda route: (route.order, route.name)),
    )


def _policy_view(policy: EscalationPolicy) -> PolicyView:
    fields = asdict(policy)
    return PolicyView(**{**fields, "steps": tuple(StepView(**asdict(step)) for step in policy.steps)})


@get("/api/v1/policies/{name:str}/plan", opt=needs("read"), tags=["catalog"])
async def get_policy_plan(
    name: FromPath[str],
    commands: Doing,
    catalogs: Catalogs,
    severity: Annotated[str | None, QueryParameter(pattern="^sev-[0-5]$")] = None,
) -> list[Planned]:
    """Whom a page of this severity would ask if it opened now and nobody answered: when, and why them."""
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
        policy = catalog.policies.get(name)
        if policy is None:
            raise NotFound(f"There is no policy {name}. {did_you_mean(name, catalog.policies)}".rstrip())
        return list(await plan_now(conn, catalog, commands.clock.now(), policy, severity))


ROUTES: list[HTTPRouteHandler] = [get_catalog, get_policy_plan]
