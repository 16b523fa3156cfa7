"""`/api/v1`: tokens, integration keys, accounts, and who am I. Secrets are answered once, when they are made."""

from typing import Annotated, Any

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, RequestBody, SkipValidation
from msgspec import Meta, Struct

from sev1.access import accounts, keys, tokens
from sev1.access.accounts import User, UserChange
from sev1.access.declare import needs
from sev1.access.keyring import KeyRing
from sev1.access.keys import IntegrationKey, IssuedKey, KeyKind
from sev1.access.model import Principal, Role, Scope
from sev1.access.tokens import IssuedToken, Token
from sev1.catalog.model import Slug
from sev1.engine.clock import Clock
from sev1.engine.database import Database

BODY_BYTES = 64 * 1024

Db = NamedDependency[SkipValidation[Database]]
Now = NamedDependency[SkipValidation[Clock]]
Keys = NamedDependency[SkipValidation[KeyRing]]
ApiRequest = Request[Principal, str, Any]
Id = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)", max_length=254)]
Password = Annotated[str, Meta(min_length=12, max_length=1024)]
FullName = Annotated[str, Meta(max_length=200)]


class NewToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: Role
    scopes: list[Scope] | None = None
    """Without it all scopes of the role."""


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: KeyKind
    name: Annotated[str, Meta(max_length=100)] = ""
    service: Slug | None = None
    signing_secret: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    """For senders that sign (`sentry`): their client secret. Nothing unsigned is taken then."""


class NewUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Email
    role: Role
    full_name: FullName = ""
    password: Password | None = None


class ChangeUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is missing or null stays as it is."""

    role: Role | None = None
    disabled: bool | None = None
    full_name: FullName | None = None
    password: Password | None = None


class Me(Struct, frozen=True, kw_only=True):
    kind: str
    name: str
    display: str
    role: Role
    scopes: list[Scope]


@get("/api/v1/me", opt=needs("read"), tags=["access"])
async def get_me(request: ApiRequest) -> Me:
    me = request.user
    return Me(kind=me.kind, name=me.name, display=me.display, role=me.role, scopes=sorted(me.scopes))


@get("/api/v1/tokens", opt=needs("access:write"), tags=["access"])
async def list_tokens(db: Db) -> list[Token]:
    return await tokens.list_all(db)


@post("/api/v1/tokens", opt=needs("access:write"), tags=["access"], request_max_body_size=BODY_BYTES)
async def create_token(request: ApiRequest, data: RequestBody[NewToken], db: Db, clock: Now) -> IssuedToken:
    return await tokens.create(db, name=data.name, role=data.role, scopes=data.scopes, by=request.user, now=clock.now())


@delete("/api/v1/tokens/{token_id:int}", opt=needs("access:write"), tags=["access"])
async def revoke_token(request: ApiRequest, token_id: Id, db: Db, clock: Now) -> None:
    await tokens.revoke(db, token_id, by=request.user, now=clock.now())


@get("/api/v1/keys", opt=needs("access:write"), tags=["access"])
async def list_keys(db: Db) -> list[IntegrationKey]:
    return await keys.list_all(db)


@post("/api/v1/keys", opt=needs("access:write"), tags=["access"], request_max_body_size=BODY_BYTES)
async def create_key(request: ApiRequest, data: RequestBody[NewKey], db: Db, clock: Now, keyring: Keys) -> IssuedKey:
    issued = await keys.create(
        db,
        kind=data.kind,
        name=data.name,
        service=data.service,
        signing_secret=data.signing_secret,
        by=request.user,
        now=clock.now(),
    )
    await keyring.refresh()
    return issued


@delete("/api/v1/keys/{key_id:int}", opt=needs("access:write"), tags=["access"])
async def revoke_key(request: ApiRequest, key_id: Id, db: Db, clock: Now, keyring: Keys) -> None:
    await keys.revoke(db, key_id, by=request.user, now=clock.now())
    await keyring.refresh()


@get("/api/v1/users", opt=needs("access:write"), tags=["access"])
async def list_users(db: Db) -> list[User]:
    return await accounts.list_users(db)


@post("/api/v1/users", opt=needs("access:write"), tags=["access"], request_max_body_size=BODY_BYTES)
async def create_user(request: ApiRequest, data: RequestBody[NewUser], db: Db, clock: Now) -> User:
    return await accounts.create_user(
        db,
        email=data.email,
        role=data.role,
        full_name=data.full_name,
        password=data.password,
        by=request.user,
        now=clock.now(),
    )


@patch("/api/v1/users/{user_id:int}", opt=needs("access:write"), tags=["access"], request_max_body_size=BODY_BYTES)
async def change_user(request: ApiRequest, user_id: Id, data: RequestBody[ChangeUser], db: Db, clock: Now) -> User:
    change = UserChange(role=data.role, disabled=data.disabled, full_name=data.full_name, password=data.password)
    return await accounts.update_user(db, user_id, change, by=request.user, now=clock.now())


API_ROUTES: list[HTTPRouteHandler] = [
    get_me,
    list_tokens,
    create_token,
    revoke_token,
    list_keys,
    create_key,
    revoke_key,
    list_users,
    create_user,
    change_user,
]
