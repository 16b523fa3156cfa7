"""Storm control in the outbox: what a person got lately, what waits for them, and taking it all at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from sev1.notify.bundle import MOST, TOGETHER, WITHIN, WORST_HELD, Recent
from sev1.notify.model import Delivery
from sev1.notify.store import CUT_OFF

_ALIKE = f"""person = $1 AND notice ->> 'kind' = $2 AND NOT coalesce((notice -> 'drill')::boolean, false)
    AND priority >= {WORST_HELD}"""
"""What may come in one bundle, with the index that has the person first."""


async def lock_person(conn: asyncpg.Connection, person: str) -> None:
    """Until the transaction ends, no other worker decides what goes out to this person."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('deliveries to ' || $1, 0))", person)


async def decides(conn: asyncpg.Connection, delivery: Delivery, holder: str) -> bool:
    """Notes that this claim goes out, alone or with others; False when another worker took it into its bundle meanwhile.

    Under `lock_person`: a claim without the note is one that its worker still waits to decide about.
    """
    status: str = await conn.execute(
        "UPDATE deliveries SET bundle = id "
        "WHERE id = $1 AND holder = $2 AND attempts = $3 AND state = 'sending' AND bundle IS NULL",
        delivery.id, holder, delivery.attempts,
    )  # fmt: skip
    return status == "UPDATE 1"


async def recent(conn: asyncpg.Connection, delivery: Delivery, now: datetime) -> Recent:
    """The messages of the same kind that went to the same person within the last minute, or are on their way. What was
    claimed and not decided about is none yet: two workers would each wait for the other's.
    """
    row = await conn.fetchrow(
        f"""
        SELECT count(DISTINCT coalesce(bundle, id)) AS messages, max(coalesce(finished_at, $3)) AS last_at
        FROM deliveries
        WHERE person = $1 AND notice ->> 'kind' = $2 AND id <> $4
            AND ((state = 'sent' AND finished_at > $5) OR (state = 'sending' AND lease_until > $3
                AND (bundle IS NOT NULL OR NOT ({_ALIKE}))))
        """,
        delivery.person, delivery.notice.kind, now, delivery.id, now - WITHIN,
    )  # fmt: skip
    return Recent(messages=row["messages"], last_at=row["last_at"])


async def hold(conn: asyncpg.Connection, delivery: Delivery, holder: str, until: datetime, now: datetime) -> None:
    """Puts it back until `until`, with all others for the same person that would be held too. Counts as no attempt."""
    await conn.execute(
        f"""
        UPDATE deliveries SET state = 'queued', due_at = greatest(due_at, $3), holder = NULL, lease_until = NULL,
            attempts = CASE WHEN state = 'sending' THEN attempts - 1 ELSE attempts END,
            log = CASE WHEN log -> -1 ->> 'outcome' = 'waiting' THEN log ELSE log || jsonb_build_array(jsonb_build_object(
                'at', $4::timestamptz, 'method', method, 'outcome', 'waiting', 'text', $5::text)) END
        WHERE (state = 'queued' AND due_at < $3 AND {_ALIKE})
            OR (id = $6 AND holder = $7 AND attempts = $8 AND state = 'sending' AND bundle IS NULL)
        """,
        delivery.person, delivery.notice.kind, until, now,
        f"several messages came within a minute: it comes with others at {until:%H:%M:%S} UTC",
        delivery.id, holder, delivery.attempts,
    )  # fmt: skip


async def gather(
    conn: asyncpg.Connection,
    leader: Delivery,
    holder: str,
    *,
    stored_method: int,
    now: datetime,
    lease_s: float,
    least: int = TOGETHER - 1,
) -> list[Delivery]:
    """Claims what is due for the same person over the same contact methods, if it is `least`; else nothing.

    Also what other workers of this node claimed and have not decided about: they find it taken. What a
    bundle held whose worker died and whose lease ended goes again together, as a repeat.

    `stored_method` is the contact method that they wait for; they go out over the leader's.
    """
    rows = await conn.fetch(
        f"""
        WITH more AS (
            SELECT id FROM deliveries
            WHERE {_ALIKE} AND (state = 'queued'
                    OR (state = 'sending' AND (lease_until <= $3 OR (holder = $7 AND bundle IS NULL))))
                AND due_at <= $3 AND id <> $4 AND methods = $5::jsonb AND method = $6
            ORDER BY priority, due_at LIMIT {MOST - 1} FOR UPDATE SKIP LOCKED
        )
        UPDATE deliveries d SET state = 'sending', holder = $7, lease_until = $8,
            attempts = CASE WHEN state = 'sending' AND lease_until > $3 THEN attempts ELSE attempts + 1 END,
            method = $9, bundle = $4, repeat = repeat OR (state = 'sending' AND lease_until <= $3),
            log = CASE WHEN state = 'sending' AND lease_until <= $3 THEN log || {CUT_OFF.format(now="$3::timestamptz")} ELSE log END
        FROM more WHERE d.id = more.id AND (SELECT count(*) FROM more) >= $10
        RETURNING d.id, about, person, methods, method, notice, attempts, repeat, created_at, log, bundle
        """,
        leader.person, leader.notice.kind, now, leader.id, leader.methods, stored_method,
        holder, now + timedelta(seconds=lease_s), leader.method, least,
    )  # fmt: skip
    return [msgspec.convert(dict(row), Delivery) for row in rows]


async def still_wanted(
    conn: asyncpg.Connection, deliveries: Sequence[Delivery], holder: str, now: datetime, *, need_s: float
) -> list[Delivery]:
    """Those that may be handed to the channel now: neither cancelled nor taken over, and `need_s` of lease left.

    Read from the committed state, directly before the hand-over. A cancellation committed later finds the attempt
    started: that is the one moment at which the two are put in order.
    """
    rows = await conn.fetch(
        """
        SELECT d.id FROM deliveries d JOIN unnest($1::uuid[], $3::int[]) AS ours (id, attempts)
            ON d.id = ours.id AND d.attempts = ours.attempts
        WHERE d.holder = $2 AND d.state = 'sending' AND d.lease_until > $4
        """,
        [d.id for d in deliveries], holder, [d.attempts for d in deliveries], now + timedelta(seconds=need_s),
    )  # fmt: skip
    wanted: set[UUID] = {row["id"] for row in rows}
    return [delivery for delivery in deliveries if delivery.id in wanted]
