"""API tokens: `sev1_` and 43 characters, with a role and scopes. For programs; a browser never holds one."""

from collections.abc import Collection
from datetime import datetime, timedelta

import asyncpg
import msgspec
from msgspec import Struct

from sev1.access.grants import active, with_grants
from sev1.access.model import SCOPES, SCOPES_OF, Principal, Role, Scope, one_line
from sev1.access.secret import digest, new_token
from sev1.engine import audit
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Invalid, NotFound, Refused

PREFIX = "sev1_"
"""So that scanners of repositories and logs can recognise one."""
USED_EVERY = timedelta(minutes=1)
"""`last_used_at` is written at most this often."""
_ACTOR = "'token:' || name"
_COLUMNS = "id, name, role, scopes, created_by, created_at, last_used_at, revoked_at"


class Token(Struct, frozen=True, kw_only=True):
    id: int
    name: str
    role: Role
    scopes: tuple[str, ...]
    """As granted; what counts are those of them that the role has."""
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None


class IssuedToken(Token, frozen=True, kw_only=True):
    token: str
    """The secret: shown here and never again."""


async def create(
    db: Database, *, name: str, role: Role, by: Principal, now: datetime, scopes: Collection[str] | None = None
) -> IssuedToken:
    """A new token; `scopes` None means all of the role's.

    Raises Invalid for an unknown scope or one that the role does not have, Forbidden when `by` would hand out more than
    it has itself, Refused when the name is taken (by a revoked token too: the audit log speaks of tokens by name).
    """
    name = one_line(name, what="name", longest=100)
    granted = _grantable(role, scopes)
    if role > by.role or not granted <= by.scopes:
        raise Forbidden("A token cannot do more than whoever makes it.")
    secret = PREFIX + new_token()
    async with db.transaction() as conn:
        row = await conn.fetchrow(
            "INSERT INTO api_tokens (name, token_hash, role, scopes, created_by, created_at)"
            f" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING RETURNING {_COLUMNS}",
            name, digest(secret), role.value, sorted(granted), by.actor, now,
        )  # fmt: skip
        if row is None:
            raise Refused(f"There is already a token named {name}. Names of revoked tokens are not used again.")
        await audit.record(
            conn,
            actor=by.actor,
            action="token.created",
            subject=f"token:{name}",
            data={"role": role.value, "scopes": sorted(granted)},
            now=now,
        )
    return msgspec.convert({**row, "token": secret}, IssuedToken)


async def list_all(db: Database) -> list[Token]:
    """All tokens, revoked ones too, in the order they were made."""
    async with db.connection() as conn:
        rows = await conn.fetch(f"SELECT {_COLUMNS} FROM api_tokens ORDER BY id")
    return [msgspec.convert(dict(row), Token) for row in rows]


async def revoke(db: Database, token_id: int, *, by: Principal, now: datetime) -> None:
    """Ends the token at once; does nothing when it was revoked before. Raises NotFound."""
    async with db.transaction() as conn:
        row = await conn.fetchrow("SELECT name, revoked_at FROM api_tokens WHERE id = $1 FOR UPDATE", token_id)
        if row is None:
            raise NotFound(f"There is no token {token_id}.")
        if row["revoked_at"] is None:
            await conn.execute("UPDATE api_tokens SET revoked_at = $2 WHERE id = $1", token_id, now)
            await audit.record(
                conn, actor=by.actor, action="token.revoked", subject=f"token:{row['name']}", data={}, now=now
            )


async def verify(db: Database, token: str, now: datetime) -> Principal | None:
    """Who holds this token; None when it is not one of ours or revoked. Costs one indexed read."""
    if not token.startswith(PREFIX):
        return None
    async with db.connection() as conn:
        row = await conn.fetchrow(
            f"SELECT id, name, role, scopes, last_used_at, {active(_ACTOR, '$2')} AS grants"
            " FROM api_tokens WHERE token_hash = $1 AND revoked_at IS NULL",
            digest(token),
            now,
        )
        if row is None:
            return None
        await _note_use(conn, row, now)
    role = Role(row["role"])
    own = Principal(
        kind="token",
        name=row["name"],
        display=row["name"],
        role=role,
        # A scope of a later release, found after a downgrade, gives nothing.
        scopes=SCOPES_OF[role] & frozenset(row["scopes"]),
    )
    return with_grants(own, row["grants"])


async def _note_use(conn: asyncpg.Connection, row: asyncpg.Record, now: datetime) -> None:
    if row["last_used_at"] is None or row["last_used_at"] <= now - USED_EVERY:
        await conn.execute(
            "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
            row["id"], now, now - USED_EVERY,
        )  # fmt: skip


def _grantable(role: Role, scopes: Collection[str] | None) -> frozenset[Scope]:
    if scopes is None:
        return SCOPES_OF[role]
    if not scopes:
        raise Invalid("A token needs at least one scope.")
    wanted = set(scopes)
    if unknown := wanted - SCOPES:
        raise Invalid(f"There is no scope {min(unknown)}. Scopes are {', '.join(sorted(SCOPES))}.")
    if beyond := wanted - SCOPES_OF[role]:
        raise Invalid(f"The role {role.value} does not have the scope {min(beyond)}.")
    return SCOPES_OF[role] & wanted
