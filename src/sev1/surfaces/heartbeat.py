"""`/heartbeat/{key}/{name}`: signs of life, from jobs and devices that hold an integration key of the kind `heartbeat`.

GET and POST count alike, because `curl URL` is what people write. HEAD does not: link previews and scanners send it.
"""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from sev1.access.declare import needs, with_integration_key
from sev1.access.keyring import KeyRing
from sev1.catalog.cache import CatalogCache
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, NotFound, SignInNeeded, TooMany, Unavailable
from sev1.intake.inbox import DATABASE_ERRORS
from sev1.surfaces.injected import Catalogs, Db, Keys, Now
from sev1.watch import store

KIND = "heartbeat"


@get("/heartbeat/{secret:str}/{name:str}", opt=with_integration_key(), include_in_schema=False, media_type="text/plain")
async def get_heartbeat(
    secret: FromPath[str], name: FromPath[str], db: Db, clock: Now, catalogs: Catalogs, keyring: Keys
) -> Response[str]:
    return await _by_key(secret, name, db, clock, catalogs, keyring)


@post(
    "/heartbeat/{secret:str}/{name:str}",
    opt=with_integration_key(),
    include_in_schema=False,
    media_type="text/plain",
    status_code=200,
    request_max_body_size=64 * 1024,
)
async def post_heartbeat(
    secret: FromPath[str], name: FromPath[str], db: Db, clock: Now, catalogs: Catalogs, keyring: Keys
) -> Response[str]:
    return await _by_key(secret, name, db, clock, catalogs, keyring)


@post("/api/v1/heartbeats/{name:str}", opt=needs("report"), tags=["watch"], status_code=204)
async def beat(name: FromPath[str], db: Db, clock: Now, catalogs: Catalogs) -> None:
    """A sign of life of this heartbeat, with an API token in place of an integration key."""
    await _ping(name, db, clock, catalogs)


async def _by_key(
    secret: str, name: str, db: Database, clock: Clock, catalogs: CatalogCache, keyring: KeyRing
) -> Response[str]:
    key = keyring.get_cached(secret) or await keyring.load(secret)
    if key is None:
        raise SignInNeeded("This integration key is not known. Make one with `sev1 key create heartbeat`.")
    if not keyring.allows(key):
        raise TooMany("This key sends more than it may. Send it again in a moment.", retry_after_s=1)
    if key.kind != KIND:
        raise Forbidden(f"This key was made for {key.kind}. Make one with `sev1 key create heartbeat`.")
    await _ping(name, db, clock, catalogs)
    return Response("ok\n", media_type="text/plain")


async def _ping(name: str, db: Database, clock: Clock, catalogs: CatalogCache) -> None:
    """Answered after the commit, like everything that comes in."""
    try:
        async with db.transaction() as conn:
            if name not in (await catalogs.current(conn)).heartbeats:
                raise NotFound(f'The catalog has no heartbeat "{name[:63]}". Add it (`kind: heartbeat`).')
            await store.ping(conn, name, clock.now())
    except DATABASE_ERRORS as error:
        raise Unavailable("The database cannot be reached. Send it again.") from error


ROUTES: list[HTTPRouteHandler] = [get_heartbeat, post_heartbeat, beat]
