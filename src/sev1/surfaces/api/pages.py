"""`/api/v1/pages`: what wakes people, and what they answer."""

from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from sev1.access.declare import needs
from sev1.command.sight import withheld
from sev1.command.withhold import page_facts_without, page_without
from sev1.engine.errors import NotFound
from sev1.notify.model import DeliveryView
from sev1.notify.store import deliveries_about
from sev1.paging import model as m
from sev1.paging import store
from sev1.paging.plan import Planned
from sev1.paging.react import plan_now
from sev1.surfaces.actor import actor_of
from sev1.surfaces.api.views import FactView, PageView, page_view
from sev1.surfaces.injected import Catalogs, Config, Db, Doing, Looks, SignedIn
from sev1.surfaces.offers import Offer, offers


@get("/api/v1/pages", opt=needs("read"), tags=["pages"])
async def list_pages(
    db: Db,
    settings: Config,
    sight: Looks,
    status: FromQuery[Literal["open", "any"]] = "open",
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> list[PageView]:
    """Pages that are not over, oldest first; or the latest of any state, newest first."""
    async with db.connection() as conn:
        rows = await store.with_version(conn, only_open=status == "open", limit=limit)
        hidden = await withheld(conn, sight)
    return [page_view(page_without(page, hidden), version, settings.url) for page, version in rows]


@get("/api/v1/pages/{key:str}", opt=needs("read"), tags=["pages"])
async def get_page(key: FromPath[str], db: Db, settings: Config, sight: Looks) -> PageView:
    async with db.connection() as conn:
        found = await store.get_with_version(conn, key)
        hidden = await withheld(conn, sight)
    if found is None:
        raise NotFound(f"There is no page {key}.")
    page, version = found
    return page_view(page_without(page, hidden), version, settings.url)


@get("/api/v1/pages/{key:str}/events", opt=needs("read"), tags=["pages"])
async def get_page_events(key: FromPath[str], commands: Doing, sight: Looks) -> list[FactView]:
    """Everything that happened to the page, oldest first: whom it asked, why, and who answered."""
    async with commands.db.connection() as conn:
        state, facts = await commands.load(conn, "page", key)
        hidden = await withheld(conn, sight)
    if state.status == "none":
        raise NotFound(f"There is no page {key}.")
    return [
        FactView(
            version=fact.version, at=fact.at, by=fact.by.name, via=fact.by.via, event=msgspec.to_builtins(fact.event)
        )
        for fact in page_facts_without(facts, hidden)
    ]


@get("/api/v1/pages/{key:str}/plan", opt=needs("read"), tags=["pages"])
async def get_page_plan(key: FromPath[str], commands: Doing, catalogs: Catalogs) -> list[Planned]:
    """What will happen when nobody answers: whom it asks when, what it skips and why. Empty when nothing is due."""
    async with commands.db.connection() as conn:
        page = await store.get(conn, key)
        if page is None or page.policy is None:
            raise NotFound(f"There is no page {key}.")
        catalog = await catalogs.current(conn)
        return list(await plan_now(conn, catalog, commands.clock.now(), page.policy, page.severity, page))


@get("/api/v1/pages/{key:str}/deliveries", opt=needs("read"), tags=["pages"])
async def get_page_deliveries(key: FromPath[str], db: Db) -> list[DeliveryView]:
    """What went out about the page, over which channel, and what became of it."""
    async with db.connection() as conn:
        return await deliveries_about(conn, key)


@get("/api/v1/pages/{key:str}/diagnostics", opt=needs("read"), tags=["pages"])
async def get_page_diagnostics(key: FromPath[str], db: Db, catalogs: Catalogs, sight: Looks) -> list[Offer]:
    """What the page's service offers to be asked, those first that its runbook names, each with its latest run here."""
    async with db.connection() as conn:
        page = await store.get(conn, key)
        hidden = await withheld(conn, sight)
        catalog = await catalogs.current(conn)
    if page is None:
        raise NotFound(f"There is no page {key}.")
    return list(offers(page_without(page, hidden), catalog))


@post("/api/v1/pages/{key:str}/commands", status_code=200, opt=needs("pages:write"), tags=["pages"])
async def command_page(
    key: FromPath[str],
    data: JSONBody[m.PersonCommand],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    settings: Config,
    sight: Looks,
) -> PageView:
    """Answers a page: acknowledge, escalate, reassign, snooze, run a diagnostic, report a fix, or resolve.

    The answer is the page afterwards. What a diagnostic found follows in `diagnostics`, usually within seconds.
    """
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
    change = await commands.run("page", key, data, by=actor_of(request.user, catalog, "api"))
    async with commands.db.connection() as conn:
        hidden = await withheld(conn, sight)
    return page_view(page_without(change.after, hidden), change.version, settings.url)


ROUTES: list[HTTPRouteHandler] = [
    list_pages,
    get_page,
    get_page_events,
    get_page_plan,
    get_page_deliveries,
    get_page_diagnostics,
    command_page,
]
