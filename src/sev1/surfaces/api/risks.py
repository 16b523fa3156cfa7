"""`/api/v1/risks`: what was accepted, why, what is watched, and until when (mission 7.5)."""

from collections.abc import Sequence
from typing import Annotated

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import structs

from sev1.access.declare import needs
from sev1.access.visibility import sight_of
from sev1.risk import risks
from sev1.risk.acceptance import Closing, NewRisk, Renewing, Risk, RiskState
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Config, Db, Hears, Looks, Now, SignedIn
from sev1.surfaces.said import FieldHint, warnings

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
Word = Annotated[str | None, QueryParameter(max_length=63)]


class RiskView(Risk, frozen=True, kw_only=True):
    id: str
    url: str
    warnings: Sequence[FieldHint] = ()
    """What is pointed out in the texts that were sent. It was kept all the same."""


def risk_view(risk: Risk, url: str, hints: Sequence[FieldHint] = ()) -> RiskView:
    return RiskView(**structs.asdict(risk), id=risk.key, url=f"{url}/risks#{risk.key}", warnings=hints)


@get("/api/v1/risks", opt=needs("read"), tags=["risks"])
async def list_risks(
    db: Db,
    settings: Config,
    sight: Looks,
    risk_state: Annotated[RiskState | None, QueryParameter(name="state")] = None,
    service: Word = None,
) -> list[RiskView]:
    """What ends first."""
    async with db.connection() as conn:
        found = await risks.listed(conn, sight, state=risk_state, service=service)
    return [risk_view(one, settings.url) for one in found]


@get("/api/v1/risks/{number:int}", opt=needs("read"), tags=["risks"])
async def get_risk(number: Number, db: Db, settings: Config, sight: Looks) -> RiskView:
    async with db.connection() as conn:
        return risk_view(await risks.get(conn, sight, number), settings.url)


@post("/api/v1/risks", opt=needs("incidents:write"), tags=["risks"])
async def accept_risk(
    data: JSONBody[NewRisk], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, news: Hears, settings: Config
) -> RiskView:
    """Accepts a risk until a time; whoever does is who decided."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        sight = sight_of(request.user, catalog)
        by = actor_of(request.user, catalog, "api")
        risk = await risks.accept(conn, catalog, sight, data, by=by, now=clock.now())
    news.tell("risk")
    return risk_view(risk, settings.url, warnings(data, catalog))


@post("/api/v1/risks/{number:int}/renew", opt=needs("incidents:write"), tags=["risks"], status_code=200)
async def renew_risk(
    number: Number,
    data: JSONBody[Renewing],
    request: SignedIn,
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    news: Hears,
    settings: Config,
) -> RiskView:
    """Accepts it for longer, with the reason."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        await risks.renew(conn, catalog, number, data, by=by, now=clock.now())
        risk = await risks.get(conn, sight_of(request.user, catalog), number)
    news.tell("risk")
    return risk_view(risk, settings.url, warnings(data, catalog))


@post("/api/v1/risks/{number:int}/close", opt=needs("incidents:write"), tags=["risks"], status_code=200)
async def close_risk(
    number: Number,
    data: JSONBody[Closing],
    request: SignedIn,
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    news: Hears,
    settings: Config,
) -> RiskView:
    """Says what became of it."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        await risks.close(conn, number, data, by=by, now=clock.now())
        risk = await risks.get(conn, sight_of(request.user, catalog), number)
    news.tell("risk")
    return risk_view(risk, settings.url, warnings(data, catalog))


ROUTES: list[HTTPRouteHandler] = [list_risks, get_risk, accept_risk, renew_risk, close_risk]
