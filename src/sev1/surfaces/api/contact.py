"""`/api/v1`: how people want to be reached, test pages, who could not be reached, and how the channels are."""

from typing import Annotated

from litestar import get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from sev1.access.declare import needs
from sev1.access.model import Principal
from sev1.catalog.contact import ContactMethod, Urgency
from sev1.catalog.model import Catalog, Person
from sev1.engine.errors import Forbidden, NotFound
from sev1.notify import contacts, proof, reachable
from sev1.notify.breaker import Phase, channel_health
from sev1.notify.model import kind_of
from sev1.notify.reachable import CallOut, Way
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Config, Db, Foresees, Now, SignedIn


class ContactView(Struct, frozen=True, kw_only=True):
    high: tuple[ContactMethod, ...]
    """For what has to be answered: the order in which they are tried."""
    low: tuple[ContactMethod, ...]
    """For what may wait, such as an all-clear or a SEV-3."""
    high_chosen: bool
    """False: as the catalog says."""
    low_chosen: bool
    ways: list[Way]
    """What is known of each, in the order of `high`, then those that only `low` has."""


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    urgency: Urgency
    methods: Annotated[tuple[ContactMethod, ...], Meta(max_length=20)]
    """In the order in which they are to be tried; empty: as the catalog says again."""


class TestPageView(Struct, frozen=True, kw_only=True):
    sent_over: list[str]
    """The kinds of contact method that get a message now."""


class ChannelView(Struct, frozen=True, kw_only=True):
    channel: str
    phase: Phase
    """`open`: deliveries avoid it, after failures."""
    failures: int
    """In a row."""
    last_error: str | None


@get("/api/v1/people/{name:str}/contact", opt=needs("read"), tags=["on-call"])
async def get_contact(
    name: FromPath[str], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, settings: Config
) -> ContactView:
    """One's own contact methods, and for admins everybody's."""
    async with db.connection() as conn:
        person = own(name, request.user, await catalogs.current(conn))
        reach = await contacts.read(conn, [person.name])
        able = await reachable.setup(conn, settings)
        ways = await reachable.ways(conn, person, proof.methods_of(person, reach), able, clock.now())
    return ContactView(
        high=reach.of(person, "high"),
        low=reach.of(person, "low"),
        high_chosen=reach.is_chosen(person, "high"),
        low_chosen=reach.is_chosen(person, "low"),
        ways=ways,
    )


@put("/api/v1/people/{name:str}/contact", opt=needs("pages:write"), tags=["on-call"], status_code=204)
async def put_contact(
    name: FromPath[str], data: JSONBody[Choice], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs
) -> None:
    """Chooses how one is reached for an urgency; for admins anybody's. It counts from the next page on."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        person = own(name, request.user, catalog)
        by = actor_of(request.user, catalog, "api")
        await contacts.choose(conn, person, data.urgency, data.methods, by=by, now=clock.now())


@post("/api/v1/people/{name:str}/test-page", opt=needs("pages:write"), tags=["on-call"], status_code=202)
async def post_test_page(
    name: FromPath[str], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, settings: Config
) -> TestPageView:
    """One message over each way in which one is reached; for admins to anybody. At most once a minute."""
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        person = own(name, request.user, catalog)
        by = actor_of(request.user, catalog, "api")
        reach = await contacts.read(conn, [person.name])
        why = f"{by.name} asked for a test."
        methods = await proof.send(conn, person, reach, settings.url, clock.now(), why=why)
    return TestPageView(sent_over=[kind_of(method) for method in methods])


@get("/api/v1/on-call/unreachable", opt=needs("read"), tags=["on-call"])
async def list_unreachable(
    db: Db, clock: Now, catalogs: Catalogs, settings: Config, outlook: Foresees
) -> list[CallOut]:
    """Who is on call within a week and has no contact method that works, or none that was ever tried."""
    now = clock.now()
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    ahead = await outlook.ahead(catalog, now)
    async with db.connection() as conn:
        return await reachable.call_outs(conn, catalog, settings, now, ahead.turns)


@get("/api/v1/channels", opt=needs("read"), tags=["on-call"])
async def list_channels(db: Db, clock: Now) -> list[ChannelView]:
    """Every channel that was used, with the state of its breaker."""
    async with db.connection() as conn:
        circuits = await channel_health(conn)
    return [
        ChannelView(
            channel=circuit.channel,
            phase=circuit.phase(clock.now()),
            failures=circuit.failures,
            last_error=circuit.last_error,
        )
        for circuit in circuits
    ]


def own(name: str, principal: Principal, catalog: Catalog) -> Person:
    """The person, for themselves and for admins. Raises NotFound, and Forbidden for everybody else."""
    person = catalog.people.get(name)
    if person is None:
        raise NotFound(f"The catalog has no person {name[:63]}.")
    me = catalog.person_by_email(principal.name) if principal.kind == "user" else None
    if not principal.may("access:write") and me != person:
        raise Forbidden(
            "How somebody is reached is between them and the pager: only they and admins see and change it."
        )
    return person


ROUTES: list[HTTPRouteHandler] = [
    get_contact,
    put_contact,
    post_test_page,
    list_unreachable,
    list_channels,
]
