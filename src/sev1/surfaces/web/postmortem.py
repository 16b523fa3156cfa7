"""`/incidents/INC-1/postmortem`: the draft, made from the record, to read and to take along."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import store
from sev1.command.sight import must_see
from sev1.engine.errors import NotFound
from sev1.review.postmortem import draft
from sev1.surfaces.injected import Doing
from sev1.surfaces.web.visit import Here, show


@get("/incidents/{key:str}/postmortem", opt=needs("read"), include_in_schema=False)
async def show_postmortem(key: FromPath[str], commands: Doing, visit: Here) -> Template:
    async with commands.db.connection() as conn:
        text = await draft(conn, commands, visit.catalog, key)
        incident = await store.get(conn, key)
        await must_see(conn, visit.sight, key)
    return show(visit, "postmortem.html", section="incidents", text=text, key=key, incident=incident)


@get("/incidents/{key:str}/postmortem.md", opt=needs("read"), include_in_schema=False)
async def download_postmortem(key: FromPath[str], commands: Doing, visit: Here) -> Response[str]:
    if not key.startswith("INC-"):
        raise NotFound(f"There is no incident {key}.")
    async with commands.db.connection() as conn:
        text = await draft(conn, commands, visit.catalog, key)
        await must_see(conn, visit.sight, key)
    headers = {"Content-Disposition": f'attachment; filename="{key}-postmortem.md"'}
    return Response(text, media_type="text/markdown", headers=headers)


ROUTES: list[HTTPRouteHandler] = [show_postmortem, download_postmortem]
