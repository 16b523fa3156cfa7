"""`/healthz`, `/readyz`, `/metrics`: for the machines that watch this machine."""

import asyncio

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sev1.access.declare import public
from sev1.engine.errors import Unavailable
from sev1.intake.inbox import DATABASE_ERRORS
from sev1.measure import vitals
from sev1.surfaces.injected import Db, Now, Stopping

READY_TIMEOUT_S = 2


@get("/healthz", opt=public(), include_in_schema=False, media_type="text/plain")
async def healthz() -> str:
    """The process answers."""
    return "ok\n"


@get("/readyz", opt=public(), include_in_schema=False, media_type="text/plain")
async def readyz(db: Db, stopping: Stopping) -> Response[str]:
    """The node takes work: its database answers and it is not stopping."""
    if stopping.is_set():
        raise Unavailable("This node is stopping.")
    try:
        async with asyncio.timeout(READY_TIMEOUT_S), db.connection() as conn:
            await conn.fetchval("SELECT 1")
    except DATABASE_ERRORS as error:
        raise Unavailable("The database does not answer.") from error
    return Response("ready\n", media_type="text/plain")


@get("/metrics", opt=public(), include_in_schema=False)
async def metrics(db: Db, clock: Now) -> Response[bytes]:
    """Counters and timings of this node in Prometheus' text format. They name channels and formats, never people.

    What is read from the database is read now; without a database the rest is answered all the same.
    """
    now = clock.now()
    try:
        async with asyncio.timeout(READY_TIMEOUT_S), db.connection() as conn:
            (await vitals.read(conn, now)).show(now)
    except DATABASE_ERRORS:
        vitals.DATABASE_UP.set(0)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES: list[HTTPRouteHandler] = [healthz, readyz, metrics]
