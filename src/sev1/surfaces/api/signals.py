"""`/api/v1/signals`: weak signals and near misses (mission 2.4). Anybody signed in may note one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import structs

from sev1.access.declare import needs
from sev1.catalog.cache import CatalogCache
from sev1.engine.commands import Commands
from sev1.engine.settings import Settings
from sev1.risk import signals
from sev1.risk.model import Dropping, NewSignal, Promotion, Review, Signal, SignalKind, SignalState
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Config, Db, Doing, Hears, Looks, Now, SignedIn
from sev1.surfaces.said import FieldHint, warnings

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)]
Word = Annotated[str | None, QueryParameter(max_length=63)]


class SignalView(Signal, frozen=True, kw_only=True):
    id: str
    url: str
    warnings: Sequence[FieldHint] = ()
    """What is pointed out in the texts that were sent. It was kept all the same."""


def signal_view(signal: Signal, url: str, hints: Sequence[FieldHint] = ()) -> SignalView:
    return SignalView(**structs.asdict(signal), id=signal.key, url=f"{url}/signals/{signal.number}", warnings=hints)


@get("/api/v1/signals", opt=needs("read"), tags=["signals"])
async def list_signals(
    db: Db,
    settings: Config,
    sight: Looks,
    signal_state: Annotated[SignalState | None, QueryParameter(name="state")] = None,
    kind: Annotated[SignalKind | None, QueryParameter()] = None,
    service: Word = None,
    tag: Word = None,
    incident: Word = None,
    limit: Limit = 50,
    before: Before = None,
) -> list[SignalView]:
    """The latest first; `before` is the number of the last one seen."""
    async with db.connection() as conn:
        found = await signals.listed(
            conn,
            sight,
            state=signal_state,
            kind=kind,
            service=service,
            tag=tag,
            incident=incident,
            before=before,
            limit=limit,
        )
    return [signal_view(one, settings.url) for one in found]


@post("/api/v1/signals", opt=needs("report"), tags=["signals"])
async def note_signal(
    data: JSONBody[NewSignal],
    request: SignedIn,
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    news: Hears,
    settings: Config,
) -> SignalView:
    """Notes something that did not break anything. `{"text": "…"}` is enough; it wakes nobody."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        signal = await signals.note(conn, catalog, data, by=by, now=clock.now())
    news.tell("risk")
    return signal_view(signal, settings.url, warnings(data, catalog))


@get("/api/v1/signals/{number:int}", opt=needs("read"), tags=["signals"])
async def get_signal(number: Number, db: Db, settings: Config, sight: Looks) -> SignalView:
    async with db.connection() as conn:
        return signal_view(await signals.get(conn, sight, number), settings.url)


@post("/api/v1/signals/{number:int}/promote", opt=needs("report"), tags=["signals"], status_code=200)
async def promote_signal(
    number: Number,
    data: JSONBody[Promotion],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    settings: Config,
) -> SignalView:
    """Declares an incident from it; `incident` of the answer names it."""
    async with commands.db.transaction() as conn:
        catalog = await catalogs.current(conn)
        signal, changes = await signals.promote(
            commands,
            conn,
            catalogs,
            number,
            data,
            by=actor_of(request.user, catalog, "api"),
            commands_it=request.user.kind == "user" and request.user.may("incidents:write"),
        )
    for change in changes:
        commands.tell(change)
    return signal_view(signal, settings.url, warnings(data, catalog))


@post("/api/v1/signals/{number:int}/review", opt=needs("incidents:write"), tags=["signals"], status_code=200)
async def review_signal(
    number: Number, data: JSONBody[Review], request: SignedIn, commands: Doing, catalogs: Catalogs, settings: Config
) -> SignalView:
    """Says what was learnt."""
    return await _settle(signals.review, number, data, request, commands, catalogs, settings)


@post("/api/v1/signals/{number:int}/drop", opt=needs("incidents:write"), tags=["signals"], status_code=200)
async def drop_signal(
    number: Number, data: JSONBody[Dropping], request: SignedIn, commands: Doing, catalogs: Catalogs, settings: Config
) -> SignalView:
    """Puts it away with a reason; it stays on record."""
    return await _settle(signals.drop, number, data, request, commands, catalogs, settings)


async def _settle(
    settle: Callable[..., Awaitable[Signal]],
    number: int,
    data: Review | Dropping,
    request: SignedIn,
    commands: Commands,
    catalogs: CatalogCache,
    settings: Settings,
) -> SignalView:
    async with commands.db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        signal = await settle(conn, number, data, by=by, now=commands.clock.now())
    commands.news.tell("risk")
    return signal_view(signal, settings.url, warnings(data, catalog))


ROUTES: list[HTTPRouteHandler] = [list_signals, note_signal, get_signal, promote_signal, review_signal, drop_signal]
