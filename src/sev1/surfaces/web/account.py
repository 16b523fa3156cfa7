"""`/settings`: how pages look for me, signing out; for admins people, integration keys and tokens."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter
from litestar.response import Redirect, Template

from sev1.access import accounts, keys, links, tokens
from sev1.access.accounts import UserChange
from sev1.access.declare import needs
from sev1.access.keys import KeyKind
from sev1.access.model import Role, Scope, Theme
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Invalid, NotFound, Refused
from sev1.intake import senders
from sev1.surfaces.injected import Config, Db, Keys, SignedIn
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
THEMES: tuple[tuple[Theme, str], ...] = (
    ("auto", "As this device wants it"),
    ("dark", "Dark"),
    ("light", "Light"),
    ("contrast", "High contrast"),
)
KINDS: tuple[KeyKind, ...] = senders.KINDS
ADMIN: Scope = "access:write"


@get("/settings", opt=needs("read"), include_in_schema=False)
async def show_settings(db: Db, visit: Here) -> Template:
    return await _page(db, visit)


@post("/settings/theme", opt=needs("read"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=303)
async def choose_theme(request: SignedIn, db: Db, visit: Here) -> Redirect:
    wanted = (await fields_of(request)).get("theme", "")
    theme = next((name for name, _ in THEMES if name == wanted), None)
    if theme is None:
        raise Invalid("There is no such theme.")
    if visit.principal.user_id is not None:
        await accounts.set_theme(db, visit.principal.user_id, theme)
    return go_to("/settings")


@post("/settings/keys", opt=needs(ADMIN), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200)
async def create_key(request: SignedIn, db: Db, visit: Here, keyring: Keys, settings: Config) -> Template:
    """The answer is the page with the secret on it: it is shown this once."""
    fields = await fields_of(request)
    try:
        kind, service = _sender(fields, visit)
        made = await keys.create(
            db,
            kind=kind,
            name=fields.get("name", ""),
            service=service,
            signing_secret=fields.get("signing_secret", "").strip() or None,
            by=visit.principal,
            now=visit.now,
        )
    except (Invalid, Refused) as error:
        return await _page(db, visit, Typed(form="key", fields=fields, error=error.message, status=error.status))
    await keyring.refresh()
    issued = {
        "what": made.name,
        "said": "Address to paste into the sender",
        "secret": senders.address_of(kind, settings.url, made.secret),
        "how": senders.how_to(kind, settings.url, made.secret),
    }
    return await _page(db, visit, issued=issued)


@post(
    "/settings/keys/{number:int}/revoke",
    opt=needs(ADMIN),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def revoke_key(number: Number, db: Db, visit: Here, keyring: Keys) -> Redirect:
    await keys.revoke(db, number, by=visit.principal, now=visit.now)
    await keyring.refresh()
    return go_to("/settings#keys-list")


@post("/settings/tokens", opt=needs(ADMIN), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200)
async def create_token(request: SignedIn, db: Db, visit: Here) -> Template:
    fields = await fields_of(request)
    try:
        role = _role(fields)
        made = await tokens.create(db, name=fields.get("name", ""), role=role, by=visit.principal, now=visit.now)
    except (Invalid, Refused, Forbidden) as error:
        return await _page(db, visit, Typed(form="token", fields=fields, error=error.message, status=error.status))
    return await _page(db, visit, issued={"what": made.name, "said": "Token", "secret": made.token})


@post(
    "/settings/tokens/{number:int}/revoke",
    opt=needs(ADMIN),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def revoke_token(number: Number, db: Db, visit: Here) -> Redirect:
    await tokens.revoke(db, number, by=visit.principal, now=visit.now)
    return go_to("/settings#tokens-list")


@post("/settings/users", opt=needs(ADMIN), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200)
async def create_user(request: SignedIn, db: Db, visit: Here, settings: Config) -> Template:
    """Makes an account without a password; the answer holds a link that signs its owner in once."""
    fields = await fields_of(request)
    email = fields.get("email", "").strip()
    try:
        await accounts.create_user(
            db,
            email=email,
            role=_role(fields),
            full_name=fields.get("full_name", ""),
            by=visit.principal,
            now=visit.now,
        )
        token = await links.sign_in_link(db, email, by=visit.principal, now=visit.now)
    except (Invalid, Refused) as error:
        return await _page(db, visit, Typed(form="user", fields=fields, error=error.message, status=error.status))
    issued = {"what": email, "said": "Link that signs them in once", "secret": f"{settings.url}/link/{token}"}
    return await _page(db, visit, issued=issued)


@post(
    "/settings/users/{number:int}",
    opt=needs(ADMIN),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def change_user(number: Number, request: SignedIn, db: Db, visit: Here) -> Response[Any]:
    """One change of an account: its role, or whether it may sign in."""
    fields = await fields_of(request)
    try:
        change = UserChange(
            role=_role(fields) if "role" in fields else None,
            disabled={"yes": True, "no": False}.get(fields.get("disabled", "")),
        )
        await accounts.update_user(db, number, change, by=visit.principal, now=visit.now)
    except (Invalid, Refused, NotFound) as error:
        typed = Typed(form=f"user-{number}", fields=fields, error=error.message, status=error.status)
        return await _page(db, visit, typed)
    return go_to("/settings#users-list")


def _sender(fields: dict[str, str], visit: Visit) -> tuple[KeyKind, str | None]:
    """What a new key's sender speaks, and which service its alerts are about when they do not say."""
    kind = next((k for k in KINDS if k == fields.get("kind")), None)
    if kind is None:
        raise Invalid("Choose what the sender speaks.", field="kind")
    service = fields.get("service") or None
    if service is not None and service not in visit.catalog.services:
        raise Invalid("The catalog has no such service.", field="service")
    return kind, service


def _role(fields: dict[str, str]) -> Role:
    try:
        return Role(fields.get("role", ""))
    except ValueError:
        raise Invalid("Choose a role: viewer, responder or admin.", field="role") from None


async def _page(
    db: Database, visit: Visit, typed: Typed | None = None, *, issued: dict[str, str] | None = None
) -> Template:
    admin = visit.may(ADMIN)
    return show(
        visit,
        "settings.html",
        section="settings",
        themes=THEMES,
        kinds=KINDS,
        roles=[role.value for role in Role],
        services=sorted(visit.catalog.services.values(), key=lambda s: s.title),
        users=await accounts.list_users(db) if admin else [],
        keys=await keys.list_all(db) if admin else [],
        tokens=await tokens.list_all(db) if admin else [],
        issued=issued,
        typed=typed,
    )


ROUTES: list[HTTPRouteHandler] = [
    show_settings,
    choose_theme,
    create_key,
    revoke_key,
    create_token,
    revoke_token,
    create_user,
    change_user,
]
