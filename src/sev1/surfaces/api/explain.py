"""`/api/v1/alerts/{id}/explanation`, `/api/v1/explanations`: why something woke whom, as a tree of sentences with data."""

from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from sev1.access.declare import needs
from sev1.engine.errors import Invalid
from sev1.explain import store
from sev1.explain.model import Because
from sev1.surfaces.injected import Catalogs, Db, Looks, Now

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


@get("/api/v1/alerts/{number:int}/explanation", opt=needs("read"), tags=["alerts"])
async def explain_alert(number: Number, db: Db, clock: Now, catalogs: Catalogs, sight: Looks) -> Because:
    """The whole path: received, each stage, the page, whom it asked and why, what went out, who answered, why it stopped."""
    async with db.connection() as conn:
        return await store.of_alert(conn, number, await catalogs.current(conn), clock.now(), sight)


@get("/api/v1/explanations", opt=needs("read"), tags=["alerts"])
async def explain(
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    sight: Looks,
    about: Annotated[str, QueryParameter(max_length=1000)] = "",
    person: Annotated[str, QueryParameter(max_length=63)] = "",
    since_min: Annotated[int, QueryParameter(ge=1, le=44640)] = 1440,
) -> Because:
    """`about` an alert (`A-12`), a page (`P-3`) or a fingerprint; or why `person` was and was not paged since so many
    minutes ago, at most 31 days.
    """
    if bool(about.strip()) == bool(person):
        raise Invalid("Give `about` (A-12, P-3 or a fingerprint) or `person`, and not both.", field="about")
    now = clock.now()
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        if person:
            return await store.of_person(conn, person, now - timedelta(minutes=since_min), catalog, now, sight)
        return await store.explain(conn, about, catalog, now, sight)


ROUTES: list[HTTPRouteHandler] = [explain_alert, explain]
