"""`/glossary`: our words. `/language/hints`: what is pointed out in a field while somebody writes (missions 2.2, 2.5)."""

from typing import Annotated, cast

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Template

from sev1.access.declare import needs
from sev1.catalog.glossary import AUDIENCES, Audience, glossary_of, said_to
from sev1.surfaces.api.language import Hints
from sev1.surfaces.injected import SignedIn
from sev1.surfaces.said import on_text
from sev1.surfaces.web.visit import FORM_BYTES, Here, fields_of, show

AUDIENCE_TITLES: dict[Audience, str] = {
    "sre": "SRE", "dev": "developers", "security": "security", "business": "the business",
}  # fmt: skip


@get("/glossary", opt=needs("read"), include_in_schema=False)
async def show_glossary(visit: Here, q: Annotated[str, QueryParameter(max_length=100)] = "") -> Template:
    glossary = glossary_of(visit.catalog)
    found = glossary.search(q)
    said = {
        term.name: [
            (AUDIENCE_TITLES[audience], said_to(term, audience)) for audience in AUDIENCES if said_to(term, audience)
        ]
        for term in found
    }
    return show(visit, "glossary.html", section="catalog", terms=found, said=said, own=glossary.own, q=q)


@post(
    "/language/hints",
    opt=needs("read"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def check_field(request: SignedIn, visit: Here) -> Hints:
    """For the script of a page: the hints on `text`, read by `audience`. Nothing is kept."""
    fields = await fields_of(request)
    audience = cast("Audience", fields["audience"]) if fields.get("audience") in AUDIENCES else None
    return Hints(hints=on_text(fields.get("text", ""), visit.catalog, audience))


ROUTES: list[HTTPRouteHandler] = [show_glossary, check_field]
