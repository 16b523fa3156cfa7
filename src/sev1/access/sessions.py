"""Sessions: a random token in the browser's cookie, its SHA-256 in the database, and the account read at each request."""

from collections.abc import Collection
from datetime import datetime, timedelta

import asyncpg

from sev1.access.grants import active, with_grants
from sev1.access.model import SCOPES_OF, Principal, Role
from sev1.access.secret import digest, new_token
from sev1.engine import audit
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.together import Together

IDLE = timedelta(hours=12)
"""A session that was not used for this long is over."""
LIFE = timedelta(days=7)
"""And every session is over after this, used or not."""
SEEN_EVERY = timedelta(minutes=5)
"""`seen_at` is written at most this often, so that reading a page seldom writes. An idle session may therefore end up to
five minutes before its twelve hours."""


async def open_session(conn: asyncpg.Connection, user_id: int, *, agent: str, now: datetime) -> str:
    """A new session in the caller's transaction; returns the token for the cookie, which is stored nowhere."""
    token = new_token()
    await conn.execute(
        "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at, agent)"
        " VALUES ($1, $2, $3, $3, $4, $5)",
        digest(token), user_id, now, now + LIFE, "".join(c for c in agent if c.isprintable())[:200],
    )  # fmt: skip
    return token


async def principal_of(db: Database, token: str, now: datetime) -> Principal | None:
    """Who holds this cookie; None when the session is unknown, idle, over, or its account disabled."""
    return await still_there(db, digest(token), now)


async def still_there(db: Database, session_id: bytes, now: datetime) -> Principal | None:
    """The same by `Principal.session_id`, for a stream that stays open and asks again from time to time."""
    return (await all_still_there(db, [session_id], now)).get(session_id)


async def all_still_there(db: Database, session_ids: Collection[bytes], now: datetime) -> dict[bytes, Principal]:
    """Whose sessions these are, of those that are not over: the same for many streams in one question."""
    async with db.connection() as conn:
        rows = await conn.fetch(
            f"SELECT s.token_hash, s.seen_at, u.id, u.email, u.full_name, u.role, u.theme, {active('u.email', '$2')} AS grants"
            " FROM sessions s JOIN users u ON u.id = s.user_id"
            " WHERE s.token_hash = ANY($1::bytea[]) AND s.expires_at > $2 AND s.seen_at > $3 AND NOT u.disabled",
            list(session_ids), now, now - IDLE,
        )  # fmt: skip
        if unseen := [row["token_hash"] for row in rows if row["seen_at"] <= now - SEEN_EVERY]:
            # The condition is repeated: of many requests at once only the first writes.
            await conn.execute(
                "UPDATE sessions SET seen_at = $2 WHERE token_hash = ANY($1::bytea[]) AND seen_at <= $3",
                unseen, now, now - SEEN_EVERY,
            )  # fmt: skip
    return {row["token_hash"]: _principal(row) for row in rows}


class Presence:
    """Asks whether sessions are still there, once for all streams that want to know at the same moment."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._asked: set[bytes] = set()
        self._together = Together(self._look)

    async def of(self, session_id: bytes) -> Principal | None:
        self._asked.add(session_id)
        return (await self._together()).get(session_id)

    async def _look(self) -> dict[bytes, Principal]:
        asked, self._asked = self._asked, set()
        return await all_still_there(self._db, asked, self._clock.now())


def _principal(row: asyncpg.Record) -> Principal:
    role = Role(row["role"])
    own = Principal(
        kind="user",
        name=row["email"],
        display=row["full_name"] or row["email"],
        role=role,
        scopes=SCOPES_OF[role],
        user_id=row["id"],
        session_id=row["token_hash"],
        theme=row["theme"],
    )
    return with_grants(own, row["grants"])


async def sign_out(db: Database, token: str) -> None:
    """Ends the session of this cookie; nothing happens when there is none."""
    async with db.connection() as conn:
        await conn.execute("DELETE FROM sessions WHERE token_hash = $1", digest(token))


async def sign_out_everywhere(db: Database, user_id: int, *, by: Principal, now: datetime) -> int:
    """Ends all sessions of an account and returns how many there were."""
    async with db.transaction() as conn:
        ended = await conn.fetch("DELETE FROM sessions WHERE user_id = $1 RETURNING 1", user_id)
        email = await conn.fetchval("SELECT email FROM users WHERE id = $1", user_id)
        if ended:
            await audit.record(
                conn,
                actor=by.actor,
                action="user.signed_out_everywhere",
                subject=f"user:{email}",
                data={"sessions": len(ended)},
                now=now,
            )
    return len(ended)
