"""What was said in confidence, on the incident's page: the rows, and the button of whoever commands (mission 2.3)."""

from collections.abc import Iterable
from datetime import datetime

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from sev1.access.declare import needs
from sev1.catalog.model import Catalog
from sev1.command import concerns, store
from sev1.command.concerns import Concern
from sev1.command.sight import unknown
from sev1.surfaces.actor import name_of
from sev1.surfaces.injected import Doing
from sev1.surfaces.web.visit import FORM_BYTES, Here, go_to


class ConcernRow(Struct, frozen=True, kw_only=True):
    id: int
    who: str
    text: str
    said_at: datetime
    heard: str
    """Name of who has read it; empty while nobody said so."""
    openly: bool
    to_hear: bool
    """Whether the visitor is the one to say that they have read it."""


def concern_rows(said: Iterable[Concern], catalog: Catalog, me: str, commander: str) -> tuple[ConcernRow, ...]:
    """What `me` may read of it."""
    return tuple(
        ConcernRow(
            id=one.id,
            who="you" if one.author == me else name_of(catalog, one.author),
            text=one.text or "I am unsure. Something feels wrong.",
            said_at=one.said_at,
            heard=name_of(catalog, one.heard_by) if one.heard_by else "",
            openly=one.openly,
            to_hear=me == commander and one.author != me and one.heard_at is None,
        )
        for one in concerns.readable(said, me, commander)
    )


@post(
    "/incidents/{key:str}/concerns/{concern:int}/heard",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
)
async def hear_concern(key: FromPath[str], concern: FromPath[int], commands: Doing, visit: Here) -> Response[None]:
    async with commands.db.transaction() as conn:
        incident = await store.get(conn, key)
        if incident is None or not visit.sight.sees(incident):
            raise unknown(key)
        await concerns.hear(conn, key, concern, by=visit.me, commander=incident.commander, now=visit.now)
    commands.news.tell(f"incident/{key}")
    return go_to(f"/incidents/{key}")


ROUTES: list[HTTPRouteHandler] = [hear_concern]
