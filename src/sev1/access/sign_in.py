"""Signing in with email and password, slowed down for those who guess.

An attempt is counted as a failure *before* the password is checked and taken back when it was right. Counting afterwards
would let a hundred guesses that are sent at once all pass the limit before the first of them has failed.
"""

import ipaddress
import math
from datetime import datetime, timedelta

import asyncpg

from sev1.access import passwords
from sev1.access.accounts import email_key
from sev1.access.sessions import open_session
from sev1.engine import audit
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, TooMany

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 20
"""Failures within the window after which the account, or the address, has to wait."""

_LOCK_ACCOUNT = 0x5E02
_LOCK_ADDRESS = 0x5E03


async def sign_in(db: Database, *, email: str, password: str, address: str, now: datetime, agent: str = "") -> str:
    """A new session's token for the right email and password.

    Raises Forbidden with one and the same sentence for a wrong password, an unknown email, a disabled account and one
    without a password; TooMany with `retry_after_s` when too many attempts failed, right password or not.
    """
    key = email_key(email)
    await _count_attempt(db, key, address_key(address), now)
    async with db.connection() as conn:
        user = await conn.fetchrow(
            "SELECT id, email, password_hash FROM users WHERE email_key = $1 AND NOT disabled", key
        )
    fits, better_hash = await passwords.matches(password, user and user["password_hash"])
    async with db.transaction() as conn:
        # Read again under a lock: the account may have been disabled or given a new password while we hashed.
        if (
            fits
            and user
            and await conn.fetchval(
                "SELECT TRUE FROM users WHERE id = $1 AND NOT disabled AND password_hash = $2 FOR UPDATE",
                user["id"], user["password_hash"],
            )
        ):  # fmt: skip
            await conn.execute("DELETE FROM sign_in_failures WHERE email_key = $1", key)
            if better_hash:
                await conn.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user["id"], better_hash)
            await _record(conn, user["email"], "user.signed_in", address, now)
            return await open_session(conn, user["id"], agent=agent, now=now)
        if user:  # An unknown email is not recorded: it may be a password typed into the wrong field.
            await _record(conn, user["email"], "user.sign_in_failed", address, now)
    raise Forbidden("The email or the password is not right.")


def address_key(address: str) -> str:
    """What failures are counted by: an IPv4 address, the /64 network of an IPv6 one (its holder has all of it)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


async def _count_attempt(db: Database, key: str, address: str, now: datetime) -> None:
    async with db.transaction() as conn:
        # Always the account's lock first, then the address's: attempts wait for each other but cannot deadlock.
        await conn.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _LOCK_ACCOUNT, key)
        await conn.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _LOCK_ADDRESS, address)
        waits = [
            await _wait_s(conn, "email_key", key, PER_ACCOUNT, now),
            await _wait_s(conn, "address", address, PER_ADDRESS, now),
        ]
        if (wait_s := max(waits)) > 0:
            minutes = math.ceil(wait_s / 60)
            raise TooMany(
                f"Too many attempts failed. Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
                retry_after_s=wait_s,
            )
        await conn.execute(
            "INSERT INTO sign_in_failures (email_key, address, at) VALUES ($1, $2, $3)", key, address, now
        )


async def _wait_s(conn: asyncpg.Connection, column: str, value: str, allowed: int, now: datetime) -> int:
    """Seconds until fewer than `allowed` failures lie within the window; 0 when that is so now."""
    at: datetime | None = await conn.fetchval(
        f"SELECT at FROM sign_in_failures WHERE {column} = $1 AND at > $2 ORDER BY at DESC OFFSET $3 LIMIT 1",
        value, now - WINDOW, allowed - 1,
    )  # fmt: skip
    return 0 if at is None else max(1, math.ceil((at + WINDOW - now).total_seconds()))


async def _record(conn: asyncpg.Connection, email: str, action: str, address: str, now: datetime) -> None:
    await audit.record(
        conn, actor=email, action=action, subject=f"user:{email}", data={"address": address[:100]}, now=now
    )
