"""`/channels/twilio`: what Twilio tells us: answers to text messages, keys pressed in a call, what became of either.

Anybody can reach these routes, so each request has to carry Twilio's signature over our address and the form
(twilio.com/docs/usage/security). Whoever answers acts as the person whose number it is, on pages they were told about.
"""

import hmac
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from sev1.access.declare import public
from sev1.access.model import Principal
from sev1.catalog.contact import SmsMethod, VoiceMethod
from sev1.catalog.model import Catalog, Person
from sev1.engine.commands import Commands
from sev1.engine.decider import Actor, Via
from sev1.engine.errors import Forbidden, NotFound, Sev1Error
from sev1.engine.settings import Settings
from sev1.notify import contacts, proof, store
from sev1.notify.contacts import Contacts
from sev1.notify.model import one_line
from sev1.notify.reply import Reply, Wish, read_reply
from sev1.notify.twilio import KEY_ACKNOWLEDGE, KEY_ESCALATE, signature
from sev1.paging import model as m
from sev1.surfaces.injected import Catalogs, Config, Db, Doing, Now

FORM_BYTES = 64 * 1024
HELP = "Answer ACK and the number of the page to take it, ESC and the number to pass it on, or open the link."
KEYS: dict[str, Wish] = {KEY_ACKNOWLEDGE: "acknowledge", KEY_ESCALATE: "escalate"}
SAID: dict[Wish, str] = {"acknowledge": "is yours", "escalate": "was passed on", "resolve": "is resolved"}
LOST = {"undelivered", "failed", "busy", "no-answer", "canceled"}
ARRIVED = {"delivered", "completed"}

Call = Request[Principal, str, Any]


@post("/channels/twilio/sms", opt=public(), include_in_schema=False, status_code=200, request_max_body_size=FORM_BYTES)
async def answer_to_text(request: Call, settings: Config, commands: Doing, catalogs: Catalogs) -> Response[str]:
    """Somebody answered a text message. The answer to that is TwiML with one message, which says what happened."""
    fields = await _signed(request, settings, "/channels/twilio/sms")
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
        person = _owner(fields.get("From", ""), catalog, await contacts.read(conn))
        told = await store.pages_told(conn, person.name) if person else []
    if person is None:
        return _twiml(
            "Message", "This number belongs to nobody whom sev1 may page, or to several people. Use the link."
        )
    reply = read_reply(fields.get("Body", ""))
    if reply is None:
        return _twiml("Message", HELP)
    if not told and reply.wish == "acknowledge" and reply.page is None:
        async with commands.db.transaction() as conn:
            if await proof.confirm(conn, person.name, "sms", commands.clock.now()):
                return _twiml("Message", "Thank you: this way of reaching you works.")
    pages, problem = _which(reply, told)
    said = [await _act(commands, page, reply.wish, person, "sms") for page in pages] or [problem]
    return _twiml("Message", " ".join(said)[:600])


@post(
    "/channels/twilio/keys/{delivery:uuid}",
    opt=public(),
    include_in_schema=False,
    status_code=200,
    request_max_body_size=FORM_BYTES,
)
async def key_in_call(
    delivery: FromPath[UUID], request: Call, settings: Config, commands: Doing, catalogs: Catalogs
) -> Response[str]:
    """Somebody pressed a key while we called them."""
    fields = await _signed(request, settings, f"/channels/twilio/keys/{delivery}")
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
        together = await store.in_message(conn, delivery)
    person = catalog.people.get(together[0].person or "") if together else None
    if person is None:
        raise NotFound("There is no such call.")
    key = fields.get("Digits", "")
    if together[0].kind == "test":
        async with commands.db.transaction() as conn:
            await proof.confirm(conn, person.name, "voice", commands.clock.now())
        return _twiml("Say", "Thank you. This way of reaching you works.")
    wish = KEYS.get(key)
    if wish is None:
        return _twiml("Say", f"Key {key[:1]} does nothing. The page still waits for you.")
    said = [await _act(commands, one.about, wish, person, "phone") for one in together if one.kind == "page"]
    return _twiml("Say", said[0] if len(said) == 1 else f"{len(said)} pages: {said[0] if said else 'nothing'}")


@post(
    "/channels/twilio/status/{delivery:uuid}",
    opt=public(),
    include_in_schema=False,
    status_code=204,
    request_max_body_size=FORM_BYTES,
)
async def status_of_message(delivery: FromPath[UUID], request: Call, settings: Config, db: Db, clock: Now) -> None:
    """What became of a message or a call after Twilio took it over. Lost: the next contact method is used at once."""
    fields = await _signed(request, settings, f"/channels/twilio/status/{delivery}")
    status = fields.get("MessageStatus") or fields.get("CallStatus") or ""
    async with db.transaction() as conn:
        if status in ARRIVED:
            await store.arrived(
                conn, delivery, "delivered" if status == "delivered" else "the call was taken", clock.now()
            )
        elif status in LOST:
            code = one_line(fields.get("ErrorCode", ""), 20)
            await store.not_arrived(conn, delivery, f"{status}{f' ({code})' if code else ''}", clock.now())


async def _signed(request: Call, settings: Settings, path: str) -> dict[str, str]:
    """The form. Raises Forbidden unless Twilio signed it for our public address."""
    if not settings.twilio_token:
        raise Forbidden("Text messages and calls are not set up here.")
    form = await request.form()
    fields = [(str(name), str(value)) for name, value in form.multi_items()]
    query = f"?{request.url.query}" if request.url.query else ""
    expected = signature(settings.twilio_token, f"{settings.url}{path}{query}", fields)
    if not hmac.compare_digest(expected.encode(), request.headers.get("x-twilio-signature", "").encode()):
        raise Forbidden("The signature is not right. Is SEV1_PUBLIC_URL the address that Twilio calls?")
    return dict(fields)


def _owner(number: str, catalog: Catalog, reach: Contacts) -> Person | None:
    """The one person with this number; nobody when it is shared, since then nobody knows who answered."""
    owners = [
        person
        for person in catalog.people.values()
        if any(
            isinstance(method, SmsMethod | VoiceMethod) and method.number == number
            for urgency in contacts.URGENCIES
            for method in reach.of(person, urgency)
        )
    ]
    return owners[0] if len(owners) == 1 else None


def _which(reply: Reply, told: list[str]) -> tuple[list[str], str]:
    """The pages that the answer is about, or why there is none."""
    if reply.page is not None:
        return ([reply.page], "") if reply.page in told else ([], f"{reply.page} does not wait for you.")
    if not told:
        return [], "No page waits for you."
    if reply.all or len(told) == 1:
        return told, ""
    names = ", ".join(told[:8]) + (" and more" if len(told) > 8 else "")
    return [], f"{len(told)} pages wait for you: {names}. Answer with a number, or ACK ALL."


async def _act(commands: Commands, page: str, wish: Wish, person: Person, via: Via) -> str:
    by = Actor(id=person.name, name=person.full_name, via=via)
    try:
        await commands.run("page", page, _command(wish, person), by=by)
    except Sev1Error as error:
        return f"{page}: {error.message}"
    return f"{page} {SAID[wish]}."


def _command(wish: Wish, person: Person) -> m.PersonCommand:
    match wish:
        case "acknowledge":
            return m.Acknowledge()
        case "escalate":
            return m.Escalate()
        case "resolve":
            return m.Resolve(reason=f"{person.full_name} said so by text message.")


def _twiml(verb: str, text: str) -> Response[str]:
    return Response(f"<Response><{verb}>{escape(text)}</{verb}></Response>", media_type="application/xml")


ROUTES: list[HTTPRouteHandler] = [answer_to_text, key_in_call, status_of_message]
