"""`/settings/contact`: how I am reached, in which order, whether it works; and the browsers that take web push."""

from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter
from litestar.response import Redirect, Template
from msgspec import Struct

from sev1.access.declare import needs, public
from sev1.catalog.contact import ContactMethod, PushMethod, Urgency
from sev1.catalog.model import Person
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, Refused, TooMany
from sev1.engine.settings import Settings
from sev1.notify import contacts, proof, push, push_store, reachable
from sev1.notify.contacts import URGENCIES, Contacts
from sev1.notify.model import kind_of
from sev1.surfaces.injected import Config, Db, ServerSecret, SignedIn
from sev1.surfaces.web.assets import assets
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

HERE = "/settings/contact"
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
FIELD_OF = {"email": "address", "sms": "number", "voice": "number", "ntfy": "url", "webhook": "url"}
"""The kinds that a person may add, and what their address is called in the catalog."""
TITLES = {
    "email": "Mail",
    "sms": "Text message",
    "voice": "Call",
    "ntfy": "Push by ntfy",
    "push": "Push in the browser",
    "webhook": "Webhook",
    "apprise": "Apprise",
}


class Row(Struct, frozen=True, kw_only=True):
    """One way of being reached in the list for one urgency."""

    content: str
    """The method itself, by which the form names it: the list may have changed meanwhile."""
    title: str
    address: str
    place: int
    """0: not used."""
    way: reachable.Way


class ListView(Struct, frozen=True, kw_only=True):
    urgency: Urgency
    rows: list[Row]
    chosen: bool
    """False: as the catalog says."""


@get(HERE, opt=needs("read"), include_in_schema=False)
async def show_contact(db: Db, visit: Here, settings: Config, server_secret: ServerSecret) -> Template:
    return await _page(db, visit, settings, server_secret)


@post(
    f"{HERE}/order",
    opt=needs("pages:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def choose_order(
    request: SignedIn, db: Db, visit: Here, settings: Config, server_secret: ServerSecret
) -> Response[str] | Template | Redirect:
    """The order for one urgency, from a number beside each way; without a number it is not used."""
    fields = await fields_of(request)
    form = f"order-{fields.get('urgency', '')}"
    try:
        person, urgency = _me(visit), _urgency(fields)
        async with db.transaction() as conn:
            ways = contacts.known(person, await contacts.read(conn, [person.name]))
            methods = _ordered(fields, ways)
            await contacts.choose(conn, person, urgency, methods, by=visit.actor, now=visit.now)
    except (Invalid, Refused) as error:
        return await _page(db, visit, settings, server_secret, Typed(form=form, fields=fields, error=error.message))
    return go_to(f"{HERE}#{form}")


@post(
    f"{HERE}/add", opt=needs("pages:write"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200
)
async def add_method(
    request: SignedIn, db: Db, visit: Here, settings: Config, server_secret: ServerSecret
) -> Template | Redirect:
    """One more way, tried after those that are there."""
    fields = await fields_of(request)
    try:
        person, method = _me(visit), _method(fields)
        async with db.transaction() as conn:
            await _append(conn, visit, person, method)
    except (Invalid, Refused) as error:
        return await _page(db, visit, settings, server_secret, Typed(form="add", fields=fields, error=error.message))
    return go_to(HERE)


@post(
    f"{HERE}/test", opt=needs("pages:write"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200
)
async def send_test(db: Db, visit: Here, settings: Config, server_secret: ServerSecret) -> Template | Redirect:
    try:
        person = _me(visit)
        async with db.transaction() as conn:
            reach = await contacts.read(conn, [person.name])
            await proof.send(conn, person, reach, settings.url, visit.now, why="You asked for a test.")
    except (Invalid, TooMany) as error:
        return await _page(
            db, visit, settings, server_secret, Typed(form="test", fields={}, error=error.message, status=error.status)
        )
    return go_to(f"{HERE}#test")


@post(
    f"{HERE}/arrived",
    opt=needs("pages:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def say_arrived(request: SignedIn, db: Db, visit: Here) -> Redirect:
    kind = (await fields_of(request)).get("kind", "")
    async with db.transaction() as conn:
        await proof.confirm(conn, _me(visit).name, kind, visit.now)
    return go_to(f"{HERE}#test")


@post(
    f"{HERE}/browsers",
    opt=needs("pages:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def add_browser(
    request: SignedIn, db: Db, visit: Here, settings: Config, server_secret: ServerSecret
) -> Template | Redirect:
    """A browser takes push from now on; the script of the page sends what the browser told it."""
    fields = await fields_of(request)
    try:
        person = _me(visit)
        async with db.transaction() as conn:
            await push_store.add(
                conn,
                person=person.name,
                endpoint=fields.get("endpoint", ""),
                p256dh=fields.get("p256dh", ""),
                auth=fields.get("auth", ""),
                browser=fields.get("browser", ""),
                now=visit.now,
            )
            await _append(conn, visit, person, PushMethod(), silently=True)
    except (Invalid, Refused) as error:
        return await _page(db, visit, settings, server_secret, Typed(form="push", fields=fields, error=error.message))
    return go_to(f"{HERE}#push")


@post(
    f"{HERE}/browsers/{{number:int}}/remove",
    opt=needs("pages:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def remove_browser(number: Number, db: Db, visit: Here) -> Redirect:
    async with db.transaction() as conn:
        await push_store.forget(conn, number, person=_me(visit).name)
    return go_to(f"{HERE}#push")


@get("/service-worker.js", opt=public(), include_in_schema=False)
async def serve_worker() -> Response[bytes]:
    """At the root, because a service worker may only act for pages below its own address."""
    body = assets()["service-worker.js"].body
    return Response(body, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def _append(
    conn: asyncpg.Connection, visit: Visit, person: Person, method: ContactMethod, *, silently: bool = False
) -> None:
    """Adds `method` behind those for what has to be answered. One that is there already is refused, or left `silently`."""
    reach = await contacts.read(conn, [person.name])
    high = reach.of(person, "high")
    if method in high:
        if silently:
            return
        raise Invalid("You are reached there already.")
    await contacts.choose(conn, person, "high", (*high, method), by=visit.actor, now=visit.now)


def _me(visit: Visit) -> Person:
    if visit.person is None:
        raise Invalid("This account is not a person of the catalog, so nobody pages it.")
    return visit.person


def _urgency(fields: dict[str, str]) -> Urgency:
    urgency = next((u for u in URGENCIES if u == fields.get("urgency")), None)
    if urgency is None:
        raise Invalid("Say for which urgency.")
    return urgency


def _ordered(fields: dict[str, str], ways: list[ContactMethod]) -> list[ContactMethod]:
    """The ways that have a number, by their numbers. The form names each by its content, since the list may have changed."""
    by_content = {_content(method): method for method in ways}
    placed: list[tuple[int, int, ContactMethod]] = []
    for index in range(len(fields)):
        method = by_content.get(fields.get(f"method-{index}", ""))
        place = fields.get(f"place-{index}", "")
        if method is not None and place.isdecimal() and int(place):
            placed.append((int(place), index, method))
    if not placed:
        raise Invalid("Give at least one of them a place: somebody has to be able to reach you.")
    return [method for _, _, method in sorted(placed, key=lambda one: one[:2])]


def _content(method: ContactMethod) -> str:
    return msgspec.json.encode(method).decode()


def _method(fields: dict[str, str]) -> ContactMethod:
    kind, address = fields.get("kind", ""), fields.get("address", "").strip()
    if kind not in FIELD_OF:
        raise Invalid("Choose how you want to be reached.")
    if kind in {"sms", "voice"}:
        address = "".join(char for char in address if char not in " -/()")
    try:
        method: ContactMethod = msgspec.convert({"kind": kind, FIELD_OF[kind]: address}, ContactMethod)
    except msgspec.ValidationError:
        raise Invalid(HOW_TO_WRITE[FIELD_OF[kind]]) from None
    return method


HOW_TO_WRITE = {
    "address": "Write a mail address, such as ana@example.com.",
    "number": "Write the number with its country code, such as +4930123456.",
    "url": "Write an address that begins with https://.",
}


async def _page(
    db: Database, visit: Visit, settings: Settings, server_secret: bytes, typed: Typed | None = None
) -> Template:
    person = visit.person
    lists: list[ListView] = []
    ways: list[reachable.Way] = []
    browsers: list[push_store.Subscription] = []
    if person is not None:
        async with db.connection() as conn:
            reach = await contacts.read(conn, [person.name])
            able = await reachable.setup(conn, settings)
            known = contacts.known(person, reach)
            ways = await reachable.ways(conn, person, known, able, visit.now)
            browsers = await push_store.of_person(conn, person.name)
        lists = [_list(person, reach, urgency, known, ways) for urgency in URGENCIES]
    return show(
        visit,
        "contact.html",
        section="settings",
        lists=lists,
        ways=ways,
        kinds=[(kind, TITLES[kind]) for kind in FIELD_OF],
        titles=TITLES,
        browsers=browsers,
        push_key=push.public_key(push.server_key(server_secret)),
        typed=typed,
    )


def _list(
    person: Person, reach: Contacts, urgency: Urgency, known: list[ContactMethod], ways: list[reachable.Way]
) -> ListView:
    order = reach.of(person, urgency)
    rows = [
        Row(
            content=_content(method),
            title=TITLES[kind_of(method)],
            address=_address(method),
            place=order.index(method) + 1 if method in order else 0,
            way=way,
        )
        for method, way in zip(known, ways, strict=True)
    ]
    rows.sort(key=lambda row: row.place or len(rows) + 1)
    return ListView(urgency=urgency, rows=rows, chosen=reach.is_chosen(person, urgency))


def _address(method: ContactMethod) -> str:
    """In full: it is their own."""
    fields = msgspec.to_builtins(method)
    return str(fields.get("address") or fields.get("number") or fields.get("url") or fields.get("url_env") or "")


ROUTES: list[HTTPRouteHandler] = [
    show_contact,
    choose_order,
    add_method,
    send_test,
    say_arrived,
    add_browser,
    remove_browser,
    serve_worker,
]
