"""`/api/v1/incidents/{key}/workstreams/{number}/scratchpad`: what is written in a workstream, by several at once (mission 8.3)."""

from typing import Annotated

from litestar import get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from sev1.access.declare import needs
from sev1.command import scratchpads, store
from sev1.command.scratchpads import Scratchpad
from sev1.command.sight import unknown
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Db, Doing, Looks, Now, SignedIn


class SaveScratchpad(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(max_length=64 * 1024)]
    """Markdown, at most 20,000 bytes."""
    base: Annotated[int, Meta(ge=0, le=2**53)]
    """The version that it was written on top of; 0: nothing was there."""


@get("/api/v1/incidents/{key:str}/workstreams/{number:int}/scratchpad", opt=needs("read"), tags=["incidents"])
async def get_scratchpad(key: FromPath[str], number: FromPath[int], db: Db, sight: Looks) -> Scratchpad:
    """The latest version; version 0 and no text while nobody wrote anything."""
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        if incident is None or not sight.sees(incident):
            raise unknown(key)
        scratchpads.check_workstream(incident, number)
        return await scratchpads.latest(conn, key, number)


@put(
    "/api/v1/incidents/{key:str}/workstreams/{number:int}/scratchpad",
    opt=needs("incidents:write"),
    tags=["incidents"],
)
async def save_scratchpad(
    key: FromPath[str],
    number: FromPath[int],
    data: JSONBody[SaveScratchpad],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    clock: Now,
    sight: Looks,
) -> Scratchpad:
    """Saves it together with what others saved since `base`.

    When the same lines were changed it is refused (409) with `base`, `yours`, `theirs` and the latest `version` in `data`.
    """
    async with commands.db.transaction() as conn:
        incident = await store.get(conn, key)
        if incident is None or not sight.sees(incident):
            raise unknown(key)
        by = actor_of(request.user, await catalogs.current(conn), "api")
        return await scratchpads.save(conn, incident, number, data.text, base=data.base, by=by, now=clock.now())


ROUTES: list[HTTPRouteHandler] = [get_scratchpad, save_scratchpad]
