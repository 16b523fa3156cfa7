"""One visit of one person: who they are in the catalog, what they may do, what time it is for them; and the answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from litestar.response import Redirect, Stream, Template
from msgspec import Struct

from sev1.access.model import Principal, Scope
from sev1.access.visibility import sight_of
from sev1.catalog.model import Catalog, Person
from sev1.command.sight import Sight
from sev1.engine.decider import Actor
from sev1.engine.in_steps import in_steps
from sev1.engine.steps import Steps
from sev1.surfaces.actor import actor_of, name_of
from sev1.surfaces.injected import Catalogs, Db, Now, SignedIn

FORM_BYTES = 64 * 1024
"""The longest form: a few texts of 5,000 characters, percent-encoded."""

PIECE = 128 * 1024
"""Characters of a long page that are sent at once."""


class Visit(Struct, frozen=True, kw_only=True):
    principal: Principal
    actor: Actor
    person: Person | None
    """Who the account is in the catalog; None for an account that is nobody there."""
    catalog: Catalog
    now: datetime
    csrf: str
    fragment: bool
    """Whether htmx asks for a part of the page."""

    @property
    def zone(self) -> str:
        return self.person.time_zone if self.person else "UTC"

    @property
    def me(self) -> str:
        """As whom this visitor appears in incidents and pages."""
        return self.actor.id

    @property
    def sight(self) -> Sight:
        """Which incidents this visitor sees."""
        return sight_of(self.principal, self.catalog)

    def may(self, scope: Scope) -> bool:
        return self.principal.may(scope)

    def name_of(self, identity: str) -> str:
        return name_of(self.catalog, identity)


async def open_visit(request: SignedIn, db: Db, clock: Now, catalogs: Catalogs) -> Visit:
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    return visit_of(request.user, request.auth or "", catalog, clock.now(), fragment="hx-request" in request.headers)


def visit_of(principal: Principal, csrf: str, catalog: Catalog, now: datetime, *, fragment: bool = False) -> Visit:
    return Visit(
        principal=principal,
        actor=actor_of(principal, catalog, "web"),
        person=catalog.person_by_email(principal.name) if principal.kind == "user" else None,
        catalog=catalog,
        now=now,
        csrf=csrf,
        fragment=fragment,
    )


Here = NamedDependency[SkipValidation[Visit]]
"""A handler's parameter `visit: Here`."""
PROVIDE_VISIT = {"visit": Provide(open_visit)}


class Typed(Struct, frozen=True, kw_only=True):
    """A form that was refused: which, why, and what was typed, to be shown again as it was."""

    form: str
    fields: dict[str, str]
    error: str
    status: int = 400


def context_of(visit: Visit, **more: Any) -> dict[str, Any]:
    """What every template may use."""
    return {
        "visit": visit,
        "catalog": visit.catalog,
        "now": visit.now,
        "zone": visit.zone,
        "csrf": visit.csrf,
        "may": visit.may,
        "name_of": visit.name_of,
        "typed": None,
        "section": "",
        **more,
    }


def show(visit: Visit, template: str, *, status: int = 200, **context: Any) -> Template:
    """The page; with `typed` in the context its status is the refusal's."""
    typed: Typed | None = context.get("typed")
    return Template(
        template_name=template,
        context=context_of(visit, **context),
        status_code=typed.status if typed else status,
        media_type="text/html",
    )


async def show_in_steps(request: SignedIn, visit: Visit, template: str, **context: Any) -> Stream:
    """The same for a page that may be very long: others get their turn while it is written."""
    engine = request.app.template_engine
    assert engine is not None
    typed: Typed | None = context.get("typed")
    parts: list[str] = []
    await in_steps(
        _written(engine.get_template(template).generate(**context_of(visit, request=request, **context)), parts)
    )
    return Stream(_pieces("".join(parts)), status_code=typed.status if typed else 200, media_type="text/html")


async def _pieces(page: str) -> AsyncIterator[str]:
    """Each is compressed by itself, so no other waits for the whole."""
    for at in range(0, len(page), PIECE):
        yield page[at : at + PIECE]
        await asyncio.sleep(0)


def _written(chunks: Iterator[str], parts: list[str]) -> Steps[None]:
    for chunk in chunks:
        parts.append(chunk)
        yield


def go_to(path: str) -> Redirect:
    """After a change: the browser fetches the page, so that a reload changes nothing again."""
    return Redirect(path, status_code=303)


async def fields_of(request: SignedIn) -> dict[str, str]:
    """The text fields of the form; of a repeated field the last. Line ends are line feeds, as everywhere else."""
    form = await request.form()
    return {k: v.replace("\r\n", "\n") for k, v in form.multi_items() if isinstance(v, str)}
