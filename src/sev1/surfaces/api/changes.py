"""`/api/v1/changes`: what was changed, to hold against what broke."""

from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from sev1.access.declare import needs
from sev1.intake import changes
from sev1.intake.changes import Change
from sev1.surfaces.api.on_call import aware
from sev1.surfaces.injected import Db


@get("/api/v1/changes", opt=needs("read"), tags=["alerts"])
async def list_changes(
    db: Db,
    service: Annotated[str | None, QueryParameter(max_length=63)] = None,
    since: FromQuery[datetime | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> list[Change]:
    """Changes of a service, or of all, from `since` on, newest first."""
    async with db.connection() as conn:
        return await changes.list_changes(
            conn, service=service, since=aware(since, "since") if since else None, limit=limit
        )


ROUTES: list[HTTPRouteHandler] = [list_changes]
