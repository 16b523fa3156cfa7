"""Silences: made, changed and ended by people; every one has an owner, a reason and an end (mission 5.4).

The rules are Alertmanager's, so that amtool and karma find what they expect, except that a reason is required.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from sev1.catalog.matchers import Matcher
from sev1.engine import audit
from sev1.engine.errors import Invalid, NotFound
from sev1.triage.model import Silence

LONGEST_OWNER = 200
LONGEST_COMMENT = 2_000
MOST_MATCHERS = 50
_COLUMNS = "id, key_id, matchers, starts_at, ends_at, created_by, comment, updated_at"
_ORDER = {"active": 0, "pending": 1, "expired": 2}


async def create(
    conn: asyncpg.Connection,
    *,
    matchers: Iterable[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    created_by: str,
    comment: str,
    now: datetime,
    key_id: int | None = None,
    actor: str | None = None,
) -> Silence:
    """A new silence; a start in the past counts as now. `key_id` limits it to what came through that key.

    `actor` is who appears in the audit log when that is not the owner. Raises Invalid.
    """
    silence = _checked(
        Silence(
            id=uuid.uuid4(),
            key_id=key_id,
            matchers=tuple(matchers),
            starts_at=max(starts_at, now),
            ends_at=ends_at,
            created_by=created_by.strip(),
            comment=comment.strip(),
            updated_at=now,
        ),
        now,
    )
    await conn.execute(
        f"INSERT INTO silences ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        silence.id, silence.key_id, silence.matchers, silence.starts_at, silence.ends_at, silence.created_by,
        silence.comment, silence.updated_at,
    )  # fmt: skip
    await _record(conn, silence, "silence.created", actor or silence.created_by, now)
    return silence


async def update(
    conn: asyncpg.Connection,
    silence_id: uuid.UUID,
    *,
    matchers: Iterable[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    created_by: str,
    comment: str,
    now: datetime,
    key_id: int | None = None,
    actor: str | None = None,
) -> Silence:
    """Changes a silence. What would rewrite history (other matchers, a silence that is over, the start of one that is
    in force) ends it and makes a new one instead, whose id is returned. Raises NotFound, Invalid.
    """
    before = await _locked(conn, silence_id, key_id)
    wanted = tuple(matchers)
    same_history = before.matchers == wanted and (
        (before.state(now) == "active" and int(starts_at.timestamp()) == int(before.starts_at.timestamp()))
        or (before.state(now) == "pending" and starts_at >= now)
    )
    if not same_history:
        made = await create(
            conn,
            matchers=wanted,
            starts_at=starts_at,
            ends_at=ends_at,
            created_by=created_by,
            comment=comment,
            now=now,
            key_id=before.key_id,
            actor=actor,
        )
        if before.state(now) != "expired":
            await expire(conn, silence_id, by=actor or made.created_by, now=now, key_id=key_id)
        return made
    after = _checked(
        msgspec.structs.replace(
            before,
            starts_at=before.starts_at if before.state(now) == "active" else starts_at,
            ends_at=ends_at,
            created_by=created_by.strip(),
            comment=comment.strip(),
            updated_at=now,
        ),
        now,
    )
    await conn.execute(
        "UPDATE silences SET starts_at = $2, ends_at = $3, created_by = $4, comment = $5, updated_at = $6 WHERE id = $1",
        after.id, after.starts_at, after.ends_at, after.created_by, after.comment, after.updated_at,
    )  # fmt: skip
    await _record(conn, after, "silence.changed", actor or after.created_by, now)
    return after


async def expire(
    conn: asyncpg.Connection, silence_id: uuid.UUID, *, by: str, now: datetime, key_id: int | None = None
) -> Silence:
    """Ends a silence now; one that has not begun never will, one that is over stays as it is. Raises NotFound."""
    before = await _locked(conn, silence_id, key_id)
    if before.state(now) == "expired":
        return before
    after = msgspec.structs.replace(before, starts_at=min(before.starts_at, now), ends_at=now, updated_at=now)
    await conn.execute(
        "UPDATE silences SET starts_at = $2, ends_at = $3, updated_at = $4 WHERE id = $1",
        after.id, after.starts_at, after.ends_at, after.updated_at,
    )  # fmt: skip
    await _record(conn, after, "silence.ended", by, now)
    return after


async def extend(
    conn: asyncpg.Connection, silence_id: uuid.UUID, *, by: str, longer: timedelta, now: datetime
) -> Silence:
    """Moves the end later; owner and reason stay. Raises NotFound, and Invalid for one that is over."""
    before = await _locked(conn, silence_id, None)
    if before.state(now) == "expired":
        raise Invalid(f"{before.label} is over. Make a new one, with what is true now as its reason.", field="hours")
    if longer <= timedelta(0):
        raise Invalid("A silence can only be extended; end it to make it shorter.", field="ends_at")
    after = msgspec.structs.replace(before, ends_at=before.ends_at + longer, updated_at=now)
    await conn.execute(
        "UPDATE silences SET ends_at = $2, updated_at = $3 WHERE id = $1", after.id, after.ends_at, after.updated_at
    )
    await _record(conn, after, "silence.extended", by, now)
    return after


async def get(conn: asyncpg.Connection, silence_id: uuid.UUID, *, key_id: int | None = None) -> Silence | None:
    """The silence. With `key_id`, only one of that scope: others do not exist for the holder of a key."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM silences WHERE id = $1 AND ($2::bigint IS NULL OR key_id = $2)", silence_id, key_id
    )
    return _silence(row) if row else None


async def list_all(
    conn: asyncpg.Connection, now: datetime, *, key_id: int | None = None, ended_after: datetime | None = None
) -> list[Silence]:
    """In force first (next to end first), then pending (next to begin first), then over (latest first).

    `ended_after` leaves out those that ended before; `key_id` gives only those of that scope.
    """
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM silences WHERE ($1::bigint IS NULL OR key_id = $1)"
        " AND ($2::timestamptz IS NULL OR ends_at > $2)",
        key_id, ended_after,
    )  # fmt: skip
    return in_order([_silence(row) for row in rows], now)


def in_order(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    def rank(silence: Silence) -> tuple[int, float]:
        state = silence.state(now)
        edge = silence.starts_at if state == "pending" else silence.ends_at
        return _ORDER[state], -edge.timestamp() if state == "expired" else edge.timestamp()

    return sorted(silences, key=rank)


async def in_force(conn: asyncpg.Connection, now: datetime) -> tuple[Silence, ...]:
    """The silences that are active at `now`, whatever their scope."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM silences WHERE ends_at > $1 AND starts_at <= $1 ORDER BY starts_at, id", now
    )
    return tuple(_silence(row) for row in rows)


def _checked(silence: Silence, now: datetime) -> Silence:
    """Raises Invalid when it breaks a rule."""
    check_matchers(silence.matchers)
    if not silence.comment:
        raise Invalid("A silence needs a comment: why may these alerts be quiet?", field="comment")
    if not silence.created_by:
        raise Invalid("A silence needs an owner: who made it?", field="createdBy")
    if len(silence.comment) > LONGEST_COMMENT or len(silence.created_by) > LONGEST_OWNER:
        raise Invalid(f"A comment has at most {LONGEST_COMMENT} characters, an owner {LONGEST_OWNER}.", field="comment")
    texts = [silence.comment, silence.created_by, *(text for m in silence.matchers for text in (m.name, m.value))]
    if any("\0" in text for text in texts):
        raise Invalid("A silence cannot hold the character NUL.")
    if silence.ends_at <= silence.starts_at:
        if silence.ends_at <= now:
            raise Invalid("The end of a silence cannot be in the past.", field="endsAt")
        raise Invalid("A silence must end after it starts.", field="endsAt")
    return silence


def check_matchers(matchers: Sequence[Matcher]) -> None:
    """Raises Invalid for matchers that would silence everything: at least one must need a label to be there."""
    if not matchers:
        raise Invalid("A silence needs at least one matcher.", field="matchers")
    if len(matchers) > MOST_MATCHERS:
        raise Invalid(f"A silence has at most {MOST_MATCHERS} matchers.", field="matchers")
    if all(matcher.matches({}) for matcher in matchers):
        raise Invalid("At least one matcher must not match the empty string.", field="matchers")


async def _locked(conn: asyncpg.Connection, silence_id: uuid.UUID, key_id: int | None) -> Silence:
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM silences WHERE id = $1 AND ($2::bigint IS NULL OR key_id = $2) FOR UPDATE",
        silence_id, key_id,
    )  # fmt: skip
    if row is None:
        raise NotFound("There is no such silence.")
    return _silence(row)


def _silence(row: asyncpg.Record) -> Silence:
    return msgspec.convert(dict(row), Silence)


async def _record(conn: asyncpg.Connection, silence: Silence, action: str, actor: str, now: datetime) -> None:
    data = {
        "matchers": [str(matcher) for matcher in silence.matchers],
        "until": silence.ends_at,
        "owner": silence.created_by,
        "comment": silence.comment,
        "key": silence.key_id,
    }
    await audit.record(conn, actor=actor, action=action, subject=f"silence:{silence.id}", data=data, now=now)
