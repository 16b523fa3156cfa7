"""`POST /api/v1/replay`: a changed catalog tried against the past, before it goes live."""

from datetime import timedelta
from typing import Annotated

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sev1.access.declare import needs, takes_files
from sev1.replay.model import Answers, Report
from sev1.replay.process import BODY_MAX
from sev1.surfaces.injected import Now, Replaying, SignedIn

DAYS_MAX = 400


@post(
    "/api/v1/replay",
    opt=needs("alerts:write") | takes_files(),
    tags=["catalog"],
    status_code=200,
    request_max_body_size=BODY_MAX,
)
async def post_replay(
    request: SignedIn,
    clock: Now,
    replays: Replaying,
    days: Annotated[int, QueryParameter(ge=1, le=DAYS_MAX)] = 30,
    answers: Annotated[Answers, QueryParameter()] = "as-recorded",
) -> Report:
    """What the catalog in the body would have made of the last `days`: who is woken, when, and what would be missed.

    The body is a zip or tar of the catalog's folder, or YAML whose objects take the place of those in force. Nothing is
    changed. It may take a minute; one runs at a time.
    """
    now = clock.now()
    return await replays.run(await request.body(), now - timedelta(days=days), now, answers)


ROUTES: list[HTTPRouteHandler] = [post_replay]
