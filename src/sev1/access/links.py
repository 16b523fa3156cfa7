"""One-time links: the first admin's set-up, and signing in without a password.

Only the SHA-256 of a link's token is stored. Looking at a link changes nothing (mail scanners and previews follow links);
only the form on its page uses it up.
"""

from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from sev1.access import accounts
from sev1.access.model import Principal, Role, one_line
from sev1.access.secret import digest, new_token
from sev1.access.sessions import open_session
from sev1.engine import audit
from sev1.engine.database import Database
from sev1.engine.errors import NotFound, Refused

SET_UP_LIFE = timedelta(hours=24)
SIGN_IN_LIFE = timedelta(minutes=15)
_LOCK_FIRST_ADMIN = 0x5E_0004

Purpose = Literal["first-run", "sign-in"]


async def first_run_link(db: Database, now: datetime) -> str | None:
    """The token for `/setup/{token}`, valid for 24 hours; None when there is an admin already.

    Each call makes one (several nodes may start at once); all of them end when the first admin exists.
    """
    async with db.transaction() as conn:
        if await accounts.an_admin_exists(conn):
            return None
        return await _make(conn, "first-run", now + SET_UP_LIFE, role=Role.ADMIN)


async def check_set_up_link(db: Database, token: str, now: datetime) -> None:
    """Raises NotFound when the link is unknown, used, too old, or an admin exists."""
    async with db.connection() as conn:
        if await accounts.an_admin_exists(conn) or not await _open_link(conn, token, "first-run", now):
            raise _dead_link()


async def complete_set_up(
    db: Database, token: str, *, email: str, full_name: str, password: str, now: datetime, agent: str = ""
) -> str:
    """Makes the first admin and returns a session's token. The link survives a refused password or email.

    Raises NotFound for a dead link, Invalid for a bad email or password, Refused when the email has an account.
    """
    await check_set_up_link(db, token, now)
    full_name = one_line(full_name, what="name")
    password_hash = await accounts.checked_hash(email, password)
    async with db.transaction() as conn:
        # Two links may be open in two browsers: only the first of them may make an admin.
        await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_FIRST_ADMIN)
        if await accounts.an_admin_exists(conn) or await _use(conn, token, "first-run", now) is None:
            raise _dead_link()
        user = await accounts.insert_user(
            conn,
            email=email,
            role=Role.ADMIN,
            by="first-run set-up",
            now=now,
            full_name=full_name,
            password_hash=password_hash,
        )
        return await open_session(conn, user.id, agent=agent, now=now)


async def sign_in_link(db: Database, email: str, *, by: Principal, now: datetime) -> str:
    """The token for `/link/{token}`, valid once and for 15 minutes. Raises NotFound, and Refused when disabled.

    Also the way back in for somebody who forgot the password, or whose account is waiting after failed attempts.
    """
    user = await accounts.user_by_email(db, email)
    if user.disabled:
        raise Refused(f"The account of {user.email} is disabled.")
    async with db.transaction() as conn:
        await audit.record(
            conn, actor=by.actor, action="user.sign_in_link_made", subject=f"user:{user.email}", data={}, now=now
        )
        return await _make(conn, "sign-in", now + SIGN_IN_LIFE, user_id=user.id)


async def email_of_sign_in_link(db: Database, token: str, now: datetime) -> str:
    """Whom the link signs in, without using it. Raises NotFound when it is unknown, used or too old."""
    async with db.connection() as conn:
        if (link := await _open_link(conn, token, "sign-in", now)) is None:
            raise _dead_link()
        email: str = link["email"]
        return email


async def use_sign_in_link(db: Database, token: str, *, now: datetime, agent: str = "") -> str:
    """Uses the link up and returns a session's token. Raises NotFound when it is unknown, used or too old."""
    async with db.transaction() as conn:
        if (link := await _use(conn, token, "sign-in", now)) is None:
            raise _dead_link()
        user = await conn.fetchrow(
            "SELECT id, email FROM users WHERE id = $1 AND NOT disabled FOR UPDATE", link["user_id"]
        )
        if user is None:
            raise _dead_link()
        await audit.record(
            conn,
            actor=user["email"],
            action="user.signed_in",
            subject=f"user:{user['email']}",
            data={"by": "link"},
            now=now,
        )
        return await open_session(conn, user["id"], agent=agent, now=now)


async def _make(
    conn: asyncpg.Connection,
    purpose: Purpose,
    expires_at: datetime,
    *,
    user_id: int | None = None,
    role: Role | None = None,
) -> str:
    token = new_token()
    await conn.execute(
        "INSERT INTO setup_links (token_hash, user_id, purpose, role, expires_at) VALUES ($1, $2, $3, $4, $5)",
        digest(token), user_id, purpose, role and role.value, expires_at,
    )  # fmt: skip
    return token


async def _open_link(conn: asyncpg.Connection, token: str, purpose: Purpose, now: datetime) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT u.email FROM setup_links l LEFT JOIN users u ON u.id = l.user_id WHERE l.token_hash = $1"
        " AND l.purpose = $2 AND l.used_at IS NULL AND l.expires_at > $3 AND u.disabled IS NOT TRUE",
        digest(token), purpose, now,
    )  # fmt: skip


async def _use(conn: asyncpg.Connection, token: str, purpose: Purpose, now: datetime) -> asyncpg.Record | None:
    """Marks the link as used and returns its `user_id`; None when it is dead. Of two at once one gets it."""
    return await conn.fetchrow(
        "UPDATE setup_links SET used_at = $3 WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL"
        " AND expires_at > $3 RETURNING user_id",
        digest(token), purpose, now,
    )  # fmt: skip


def _dead_link() -> NotFound:
    return NotFound("This link was used already or is too old. Ask for a new one.")
