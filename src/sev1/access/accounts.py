"""Local accounts: made, changed, disabled; and the one rule that there is always an admin who can sign in."""

import re
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from sev1.access import passwords
from sev1.access.model import Principal, Role, Theme, one_line
from sev1.engine import audit
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, NotFound, Refused

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_COLUMNS = "id, email, full_name, role, disabled, theme, created_at, password_hash IS NOT NULL AS has_password"


class User(Struct, frozen=True, kw_only=True):
    id: int
    email: str
    full_name: str
    role: Role
    disabled: bool
    theme: Theme
    created_at: datetime
    has_password: bool
    """Without one the person signs in by a link only."""


class UserChange(Struct, frozen=True, kw_only=True):
    """What is None stays as it is."""

    role: Role | None = None
    disabled: bool | None = None
    full_name: str | None = None
    password: str | None = None


def email_key(email: str) -> str:
    """What two spellings of one address share. Takes any text; what no address can hold is dropped."""
    return "".join(c for c in email.strip().casefold() if c.isprintable())[:254]


async def create_user(
    db: Database,
    *,
    email: str,
    role: Role,
    by: Principal,
    now: datetime,
    full_name: str = "",
    password: str | None = None,
) -> User:
    """A new account. Raises Invalid for a bad email, name or password and Refused when the email has an account."""
    password_hash = await checked_hash(email, password)
    async with db.transaction() as conn:
        return await insert_user(
            conn, email=email, role=role, by=by.actor, now=now, full_name=full_name, password_hash=password_hash
        )


async def checked_hash(email: str, password: str | None) -> str | None:
    """The hash of an allowed password; slow, so it is made before a transaction is opened."""
    if password is None:
        return None
    passwords.check_allowed(password, email)
    return await passwords.hashed(password)


async def insert_user(
    conn: asyncpg.Connection,
    *,
    email: str,
    role: Role,
    by: str,
    now: datetime,
    full_name: str,
    password_hash: str | None,
) -> User:
    email = one_line(email, what="email", longest=254)
    if not _EMAIL.fullmatch(email):
        raise Invalid("The email does not look like one: it needs a name, an @ and a domain.")
    row = await conn.fetchrow(
        "INSERT INTO users (email, email_key, full_name, role, password_hash, created_at)"
        f" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email_key) DO NOTHING RETURNING {_COLUMNS}",
        email, email_key(email), one_line(full_name, what="name", may_be_empty=True), role.value, password_hash, now,
    )  # fmt: skip
    if row is None:
        raise Refused(f"There is already an account for {email}.")
    await audit.record(
        conn, actor=by, action="user.created", subject=f"user:{email}", data={"role": role.value}, now=now
    )
    return _user(row)


async def list_users(db: Database) -> list[User]:
    """Everybody, disabled or not, by email."""
    async with db.connection() as conn:
        return [_user(row) for row in await conn.fetch(f"SELECT {_COLUMNS} FROM users ORDER BY email_key")]


async def user_by_email(db: Database, email: str) -> User:
    """The account of this address, however it is spelled. Raises NotFound."""
    async with db.connection() as conn:
        row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM users WHERE email_key = $1", email_key(email))
    if row is None:
        raise NotFound("There is no account for this email.")
    return _user(row)


async def update_user(db: Database, user_id: int, change: UserChange, *, by: Principal, now: datetime) -> User:
    """Applies the change and returns the account as it is then.

    A new role counts from the person's next request on; disabling and a new password end the person's sessions, except
    the one that asked. Raises NotFound, Invalid, and Refused when no admin who can sign in would be left.
    """
    async with db.connection() as conn:
        email = await conn.fetchval("SELECT email FROM users WHERE id = $1", user_id)
    if email is None:
        raise NotFound(f"There is no account {user_id}.")
    password_hash = await checked_hash(email, change.password)
    full_name = None if change.full_name is None else one_line(change.full_name, what="name", may_be_empty=True)
    async with db.transaction() as conn:
        if change.disabled or (change.role is not None and change.role < Role.ADMIN):
            await _keep_another_admin(conn, user_id)
        row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM users WHERE id = $1 FOR UPDATE", user_id)
        if row is None:
            raise NotFound(f"There is no account {user_id}.")
        before = _user(row)
        after = _user(
            await conn.fetchrow(
                "UPDATE users SET role = coalesce($2, role), disabled = coalesce($3, disabled),"
                " full_name = coalesce($4, full_name), password_hash = coalesce($5, password_hash)"
                f" WHERE id = $1 RETURNING {_COLUMNS}",
                user_id, change.role and change.role.value, change.disabled, full_name, password_hash,
            )
        )  # fmt: skip
        if after.disabled or password_hash is not None:
            await conn.execute(
                "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2",
                user_id, b"" if after.disabled else by.session_id or b"",
            )  # fmt: skip
        for action, data in _what_happened(before, after, new_password=password_hash is not None):
            await audit.record(conn, actor=by.actor, action=action, subject=f"user:{after.email}", data=data, now=now)
    return after


async def set_theme(db: Database, user_id: int, theme: Theme) -> None:
    """How the person wants pages to look. Not audited: it concerns nobody else."""
    async with db.connection() as conn:
        await conn.execute("UPDATE users SET theme = $2 WHERE id = $1", user_id, theme)


async def an_admin_exists(conn: asyncpg.Connection) -> bool:
    found: bool = await conn.fetchval("SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND NOT disabled)")
    return found


async def _keep_another_admin(conn: asyncpg.Connection, user_id: int) -> None:
    # The rows are locked: two admins who demote each other at the same moment must not both succeed. The second waits
    # here and then no longer sees the first one's row as an admin's.
    admins = await conn.fetch("SELECT id FROM users WHERE role = 'admin' AND NOT disabled ORDER BY id FOR UPDATE")
    if [row["id"] for row in admins] == [user_id]:
        raise Refused("This is the last admin: make somebody else an admin first.")


def _what_happened(before: User, after: User, *, new_password: bool) -> list[tuple[str, dict[str, str]]]:
    happened: list[tuple[str, dict[str, str]]] = []
    if before.role != after.role:
        happened.append(("user.role_changed", {"from": before.role.value, "to": after.role.value}))
    if before.disabled != after.disabled:
        happened.append(("user.disabled" if after.disabled else "user.enabled", {}))
    if before.full_name != after.full_name:
        happened.append(("user.renamed", {"from": before.full_name, "to": after.full_name}))
    if new_password:
        happened.append(("user.password_set", {}))
    return happened


def _user(row: asyncpg.Record) -> User:
    return msgspec.convert(dict(row), User)
