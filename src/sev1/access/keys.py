"""Integration keys: what a sender of alerts shows. A key lets one send to intake and nothing else."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import asyncpg
import msgspec
from msgspec import Struct

from sev1.access.model import Principal, one_line
from sev1.access.secret import digest, new_key
from sev1.engine import audit
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, NotFound
from sev1.intake import senders
from sev1.intake.senders import KINDS

if TYPE_CHECKING:
    KeyKind = str
else:
    # Made of the formats, so that a new one need not be listed here; requests and the API's description get the words.
    KeyKind = Literal[KINDS]
"""What the sender speaks. The one secret works in a path and as a PagerDuty routing key alike."""
SIGNING_SECRET_MAX = 1_000
_COLUMNS = "id, name, kind, service, hint, created_by, created_at, revoked_at"


class IntegrationKey(Struct, frozen=True, kw_only=True):
    id: int
    name: str
    kind: str
    service: str | None
    """The service that alerts sent with this key belong to when they do not say."""
    hint: str
    """The last four characters of the secret, to tell keys apart."""
    created_by: str
    created_at: datetime
    revoked_at: datetime | None


class HeldKey(IntegrationKey, frozen=True, kw_only=True):
    """As intake knows it. Never part of an answer."""

    signing_secret: str | None = None
    """What the sender signs with; None: the key alone says who it is."""


class IssuedKey(IntegrationKey, frozen=True, kw_only=True):
    secret: str
    """Shown here and never again."""


async def create(
    db: Database,
    *,
    kind: KeyKind,
    by: Principal,
    now: datetime,
    name: str = "",
    service: str | None = None,
    signing_secret: str | None = None,
) -> IssuedKey:
    """A new key; without a name it is called after its service and kind.

    `signing_secret` is what the sender signs its requests with; then nothing unsigned is taken. Raises Invalid for a
    kind that no sender speaks, a bad name or service, and a secret for senders that do not sign.

    Whether the service exists is not looked at: keys may be made before the catalog is applied.
    """
    service = None if service is None else one_line(service, what="service", longest=63)
    name = one_line(name or f"{service or 'any service'}, {kind}", what="name", longest=100)
    if kind not in KINDS:
        raise Invalid(f"There is no kind {kind!r}. Choose one of: {', '.join(KINDS)}.")
    if signing_secret is not None and not senders.signs(kind):
        raise Invalid(f"{senders.title_of(kind)} does not sign what it sends, so the key takes no secret.")
    if signing_secret is not None and not 1 <= len(signing_secret) <= SIGNING_SECRET_MAX:
        raise Invalid(f"A secret has 1 to {SIGNING_SECRET_MAX} characters.")
    secret = new_key()
    async with db.transaction() as conn:
        row = await conn.fetchrow(
            "INSERT INTO integration_keys (name, kind, service, secret_hash, hint, created_by, created_at,"
            f" signing_secret) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}",
            name, kind, service, digest(secret), secret[-4:], by.actor, now, signing_secret,
        )  # fmt: skip
        await _record(conn, row, "key.created", by, now)
    return msgspec.convert({**row, "secret": secret}, IssuedKey)


async def list_all(db: Database) -> list[IntegrationKey]:
    """All keys, revoked ones too, in the order they were made."""
    async with db.connection() as conn:
        return [_key(row) for row in await conn.fetch(f"SELECT {_COLUMNS} FROM integration_keys ORDER BY id")]


async def revoke(db: Database, key_id: int, *, by: Principal, now: datetime) -> None:
    """Ends the key; does nothing when it was revoked before. Raises NotFound.

    Nodes take it out of their `KeyRing` at their next refresh; the caller refreshes its own.
    """
    async with db.transaction() as conn:
        row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM integration_keys WHERE id = $1 FOR UPDATE", key_id)
        if row is None:
            raise NotFound(f"There is no key {key_id}.")
        if row["revoked_at"] is None:
            await conn.execute("UPDATE integration_keys SET revoked_at = $2 WHERE id = $1", key_id, now)
            await _record(conn, row, "key.revoked", by, now)


async def by_digest(conn: asyncpg.Connection, secret_hash: bytes) -> HeldKey | None:
    """The key with this secret, unless it was revoked."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS}, signing_secret FROM integration_keys WHERE secret_hash = $1 AND revoked_at IS NULL",
        secret_hash,
    )
    return None if row is None else _held(row)


async def all_valid(conn: asyncpg.Connection) -> dict[bytes, HeldKey]:
    """Every key that works, by the SHA-256 of its secret."""
    rows = await conn.fetch(
        f"SELECT secret_hash, {_COLUMNS}, signing_secret FROM integration_keys WHERE revoked_at IS NULL"
    )
    return {row["secret_hash"]: _held(row) for row in rows}


def _key(row: asyncpg.Record) -> IntegrationKey:
    return msgspec.convert(dict(row), IntegrationKey)


def _held(row: asyncpg.Record) -> HeldKey:
    return msgspec.convert(dict(row), HeldKey)


async def _record(conn: asyncpg.Connection, row: asyncpg.Record, action: str, by: Principal, now: datetime) -> None:
    await audit.record(
        conn,
        actor=by.actor,
        action=action,
        subject=f"key:{row['id']}",
        data={"name": row["name"], "kind": row["kind"], "service": row["service"], "hint": row["hint"]},
        now=now,
    )
