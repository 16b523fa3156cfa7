"""`/explain`: why was I (not) paged, and the whole path of an alert or a page, from stored facts."""

from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, PathParameter, QueryParameter
from litestar.response import Template
from msgspec import Struct

from sev1.access.declare import needs
from sev1.explain import store
from sev1.explain.model import Because
from sev1.surfaces.injected import Db
from sev1.surfaces.web.visit import Here, Visit, show

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


class Asks(Struct, frozen=True, kw_only=True):
    person: str
    hours: int


@get("/alerts/{number:int}/explanation", opt=needs("read"), include_in_schema=False)
async def explain_alert(number: Number, db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        tree = await store.of_alert(conn, number, visit.catalog, visit.now, visit.sight)
    return _show(visit, tree, title=f"What became of A-{number}", back=f"/alerts/{number}", back_label=f"A-{number}")


@get("/pages/{key:str}/explanation", opt=needs("read"), include_in_schema=False)
async def explain_page(key: FromPath[str], db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        tree = await store.of_page(conn, key, visit.catalog, visit.now, visit.sight)
    return _show(visit, tree, title=f"Why {key} went where it did", back=f"/pages/{key}", back_label=key)


@get("/explain", opt=needs("read"), include_in_schema=False)
async def explain_person(
    db: Db,
    visit: Here,
    person: Annotated[str, QueryParameter(max_length=63)] = "",
    hours: Annotated[int, QueryParameter(ge=1, le=744)] = 24,
    about: Annotated[str, QueryParameter(max_length=1000)] = "",
) -> Template:
    """Without a question it asks for the visitor."""
    asks = Asks(person=person or (visit.person.name if visit.person else ""), hours=hours)
    tree = None
    async with db.connection() as conn:
        if about.strip():
            tree = await store.explain(conn, about, visit.catalog, visit.now, visit.sight)
        elif asks.person:
            since = visit.now - timedelta(hours=hours)
            tree = await store.of_person(conn, asks.person, since, visit.catalog, visit.now, visit.sight)
    title = "Why it woke whom" if about.strip() else "Why was I (not) paged?"
    return _show(visit, tree, title=title, back="/on-call", back_label="On call", asks=asks)


def _show(
    visit: Visit, tree: Because | None, *, title: str, back: str, back_label: str, asks: Asks | None = None
) -> Template:
    return show(
        visit, "explanation.html", section="alerts", tree=tree, title=title, back=back, back_label=back_label, asks=asks
    )


ROUTES: list[HTTPRouteHandler] = [explain_alert, explain_page, explain_person]
