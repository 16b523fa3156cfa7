"""The outbox in the database: what has to go out, who holds it, and what became of each attempt.

A delivery is written in the transaction of the events that cause it, so it exists exactly when they do. A worker
claims one row under a lease. Whatever it writes afterwards is compare-and-set on its claim (holder and the number of
the attempt): a worker that lost its lease, or whose delivery was cancelled, changes nothing.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog.contact import ContactMethod
from sev1.notify import retry as plan
from sev1.notify.model import Attempt, Delivery, DeliveryView, Notice, kind_of, masked

_json = msgspec.json.Encoder(enc_hook=str).encode

_CLAIMED = "d.id, about, person, methods, method, notice, attempts, repeat, created_at, log"

_OURS = "id = $1 AND holder = $2 AND attempts = $3 AND state = 'sending'"

CUT_OFF = """jsonb_build_array(jsonb_build_object(
    'at', {now}, 'method', method, 'outcome', 'cut-off', 'kind', coalesce(methods -> method ->> 'kind', ''),
    'text', 'its worker stopped before the outcome was known'))"""


class Queued(Struct, frozen=True, kw_only=True):
    """A delivery to be added; `methods` in the order in which they are to be tried."""

    about: str
    person: str | None
    methods: Sequence[ContactMethod]
    notice: Notice


async def enqueue(
    conn: asyncpg.Connection,
    *,
    about: str,
    person: str | None,
    methods: Sequence[ContactMethod],
    notice: Notice,
    now: datetime,
) -> UUID:
    """Adds a delivery in the caller's transaction, due at once."""
    queued = Queued(about=about, person=person, methods=methods, notice=notice)
    (id_,) = await enqueue_many(conn, [queued], now)
    return id_


async def enqueue_many(conn: asyncpg.Connection, queued: Sequence[Queued], now: datetime) -> list[UUID]:
    """The same for several; their ids in the same order."""
    if not queued:
        return []
    ids = [uuid4() for _ in queued]
    await conn.execute(
        """
        INSERT INTO deliveries (id, about, person, methods, notice, due_at, created_at, priority)
        SELECT id, about, person, methods::jsonb, notice::jsonb, $6, $6, priority
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $7::smallint[])
            AS new (id, about, person, methods, notice, priority)
        """,
        ids,
        [one.about for one in queued],
        [one.person for one in queued],
        [_json(one.methods).decode() for one in queued],
        [_json(one.notice).decode() for one in queued],
        now,
        [one.notice.priority for one in queued],
    )
    return ids


async def call_back(conn: asyncpg.Connection, *, about: str, keep: Sequence[str], now: datetime, reason: str) -> None:
    """Stops whatever is still to go out about `about` to anybody but the people of `keep`, in the caller's transaction."""
    await conn.execute(
        """
        UPDATE deliveries SET state = 'cancelled', finished_at = $2, error = $4,
            log = log || jsonb_build_array(
                jsonb_build_object('at', $2::timestamptz, 'method', method, 'outcome', 'cancelled', 'text', $4::text))
        WHERE about = $1 AND state IN ('queued', 'sending') AND (person IS NULL OR person <> ALL($3::text[]))
        """,
        about, now, list(keep), reason,
    )  # fmt: skip


async def cancel(
    conn: asyncpg.Connection, *, about: str, now: datetime, kinds: Sequence[str] = ("page", "ask"), reason: str
) -> int:
    """Stops what is still to go out about `about`, in the caller's transaction; says how many deliveries.

    Once that transaction is committed no further attempt starts. One that is on its way cannot be called back: its
    row keeps its holder, so that the record can still say that it arrived.
    """
    status: str = await conn.execute(
        """
        UPDATE deliveries SET state = 'cancelled', finished_at = $2, error = $4,
            log = log || jsonb_build_array(
                jsonb_build_object('at', $2::timestamptz, 'method', method, 'outcome', 'cancelled', 'text', $4::text))
        WHERE about = $1 AND state IN ('queued', 'sending') AND notice ->> 'kind' = ANY($3::text[])
        """,
        about, now, list(kinds), reason,
    )  # fmt: skip
    return int(status.rpartition(" ")[2])


async def claim_one(conn: asyncpg.Connection, holder: str, now: datetime, lease_s: float) -> Delivery | None:
    """Takes the most urgent of the due deliveries, until `now + lease_s`; None when nothing is due.

    Of those that are equally urgent, the one that is due longest.

    A row whose holder let its lease run out was cut off: it may have gone out, so it goes again as a repeat.
    """
    row = await conn.fetchrow(
        f"""
        WITH due AS (
            SELECT id FROM deliveries
            WHERE state IN ('queued', 'sending') AND due_at <= $2 AND (state = 'queued' OR lease_until <= $2)
            ORDER BY priority, due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        UPDATE deliveries d SET state = 'sending', holder = $1, lease_until = $3, attempts = attempts + 1,
            repeat = repeat OR state = 'sending', bundle = NULL,
            log = CASE WHEN state = 'sending' THEN log || {CUT_OFF.format(now="$2::timestamptz")} ELSE log END
        FROM due WHERE d.id = due.id
        RETURNING {_CLAIMED}
        """,
        holder, now, now + timedelta(seconds=lease_s),
    )  # fmt: skip
    return None if row is None else msgspec.convert(dict(row), Delivery)


async def use_method(
    conn: asyncpg.Connection, delivery: Delivery, holder: str, method: int, entry: Attempt | None
) -> Delivery | None:
    """The same claim over another contact method, with the reason in the log; None when it is no longer ours."""
    if not await _update(conn, delivery, holder, "method = $5", entry, method):
        return None
    log = delivery.log if entry is None else (*delivery.log, entry)
    return msgspec.structs.replace(delivery, method=method, log=log)


async def sent(
    conn: asyncpg.Connection, delivery: Delivery, holder: str, receipt: str, now: datetime, entry: Attempt
) -> bool:
    """The channel took it over: done. Like the following, says False and changes nothing when it is not ours."""
    return await _update(
        conn,
        delivery,
        holder,
        "state = 'sent', receipt = $5, error = NULL, finished_at = $6, holder = NULL, lease_until = NULL",
        entry,
        receipt,
        now,
    )


async def retry(
    conn: asyncpg.Connection,
    delivery: Delivery,
    holder: str,
    *,
    method: int,
    due_at: datetime,
    repeat: bool,
    entry: Attempt,
) -> bool:
    """Puts it back to be tried again at `due_at`, over the same or the next contact method."""
    return await _update(
        conn,
        delivery,
        holder,
        "state = 'queued', method = $5, due_at = $6, repeat = repeat OR $7, error = $8, "
        "holder = NULL, lease_until = NULL",
        entry,
        method,
        due_at,
        repeat,
        entry.text,
    )


async def wait(
    conn: asyncpg.Connection, delivery: Delivery, holder: str, *, method: int, due_at: datetime, entry: Attempt | None
) -> bool:
    """Puts it back untried, because the circuit breaker is open: the claim does not count as an attempt."""
    return await _update(
        conn,
        delivery,
        holder,
        "state = 'queued', method = $5, due_at = $6, attempts = attempts - 1, holder = NULL, lease_until = NULL",
        entry,
        method,
        due_at,
    )


async def failed(
    conn: asyncpg.Connection, delivery: Delivery, holder: str, error: str, now: datetime, entry: Attempt | None
) -> bool:
    """No contact method is left: it will not go out."""
    return await _update(
        conn,
        delivery,
        holder,
        "state = 'failed', error = $5, finished_at = $6, holder = NULL, lease_until = NULL",
        entry,
        error,
        now,
    )


async def note_late(conn: asyncpg.Connection, delivery: Delivery, holder: str, entry: Attempt) -> None:
    """Adds the outcome of an attempt that was under way when its delivery was cancelled. The state stays."""
    await conn.execute(
        "UPDATE deliveries SET log = log || $4::jsonb, receipt = CASE WHEN $5 THEN $6 ELSE receipt END "
        "WHERE id = $1 AND holder = $2 AND attempts = $3 AND state = 'cancelled'",
        delivery.id, holder, delivery.attempts, [entry], entry.outcome == "sent", entry.text,
    )  # fmt: skip


async def release(conn: asyncpg.Connection, holder: str, now: datetime) -> int:
    """Gives back what `holder` held before it died, as repeats; called by the same node when it starts again."""
    status: str = await conn.execute(
        f"""
        UPDATE deliveries SET state = 'queued', repeat = true, holder = NULL, lease_until = NULL,
            log = log || {CUT_OFF.format(now="$2::timestamptz")}
        WHERE holder = $1 AND state = 'sending'
        """,
        holder, now,
    )  # fmt: skip
    return int(status.rpartition(" ")[2])


async def _update(
    conn: asyncpg.Connection, delivery: Delivery, holder: str, assignments: str, entry: Attempt | None, *values: Any
) -> bool:
    """Compare-and-set on our claim; `assignments` use $5 and up. Appends `entry` to the log."""
    status: str = await conn.execute(
        f"UPDATE deliveries SET {assignments}, log = log || $4::jsonb WHERE {_OURS}",
        delivery.id, holder, delivery.attempts, [] if entry is None else [entry], *values,
    )  # fmt: skip
    return status == "UPDATE 1"


async def deliveries_about(conn: asyncpg.Connection, about: str) -> list[DeliveryView]:
    """Everything that went out, or should have, about `P-1` or `INC-1`; oldest first."""
    rows = await conn.fetch("SELECT * FROM deliveries WHERE about = $1 ORDER BY created_at, person, id", about)
    return [_view(row) for row in rows]


class LatestDeliveries(Struct, frozen=True, kw_only=True):
    """The newest first, and how many there were before them."""

    shown: Sequence[DeliveryView]
    before: int


async def latest_about(conn: asyncpg.Connection, about: str, limit: int = 8) -> LatestDeliveries:
    """The end of `deliveries_about`, for a screen: a long incident has thousands."""
    rows = await conn.fetch(
        "SELECT *, count(*) OVER () AS of FROM deliveries WHERE about = $1"
        " ORDER BY created_at DESC, person DESC NULLS FIRST, id DESC LIMIT $2",
        about, limit,
    )  # fmt: skip
    return LatestDeliveries(shown=[_view(row) for row in rows], before=rows[0]["of"] - len(rows) if rows else 0)


def _view(row: asyncpg.Record) -> DeliveryView:
    methods = msgspec.convert(row["methods"], tuple[ContactMethod, ...])
    contact = methods[row["method"]] if methods else None
    return DeliveryView(
        id=row["id"],
        about=row["about"],
        person=row["person"],
        kind=row["notice"]["kind"],
        state=row["state"],
        method_kind=kind_of(contact) if contact else "",
        to=masked(contact) if contact else "",
        attempts=row["attempts"],
        repeat=row["repeat"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        finished_at=row["finished_at"],
        receipt=row["receipt"],
        error=row["error"],
        log=msgspec.convert(row["log"], tuple[Attempt, ...]),
    )


async def people_reached(conn: asyncpg.Connection, about: str) -> list[str]:
    """Whom a page about `about` reached, or may have: sent, cut off, or under way when it was cancelled. Oldest first."""
    rows = await conn.fetch(
        "SELECT person FROM deliveries WHERE about = $1 AND person IS NOT NULL AND notice ->> 'kind' = 'page' "
        "AND (receipt IS NOT NULL OR repeat OR holder IS NOT NULL) GROUP BY person ORDER BY min(created_at), person",
        about,
    )
    return [row["person"] for row in rows]


async def pages_told(conn: asyncpg.Connection, person: str) -> list[str]:
    """The pages that wait for an answer and that `person` was told about, oldest first."""
    rows = await conn.fetch(
        """
        SELECT p.id FROM pages p WHERE p.status = 'triggered' AND EXISTS (
            SELECT FROM deliveries d WHERE d.about = p.id AND d.person = $1 AND d.notice ->> 'kind' = 'page'
                AND (d.receipt IS NOT NULL OR d.repeat OR d.holder IS NOT NULL))
        ORDER BY p.number
        """,
        person,
    )
    return [row["id"] for row in rows]


async def in_message(conn: asyncpg.Connection, id_: UUID) -> list[DeliveryView]:
    """The delivery, and with a bundle all that went out in its message."""
    rows = await conn.fetch("SELECT * FROM deliveries WHERE id = $1 OR bundle = $1 ORDER BY priority, about", id_)
    return [_view(row) for row in rows]


async def arrived(conn: asyncpg.Connection, id_: UUID, text: str, now: datetime) -> None:
    """Adds to the log what was learned of a message after its channel took it over."""
    await conn.execute(
        """
        UPDATE deliveries SET log = log || jsonb_build_array(jsonb_build_object('at', $2::timestamptz, 'method', method,
            'outcome', 'sent', 'kind', coalesce(methods -> method ->> 'kind', ''), 'text', $3::text))
        WHERE (id = $1 OR bundle = $1) AND receipt IS NOT NULL AND jsonb_array_length(log) < 100
        """,
        id_, now, text,
    )  # fmt: skip


async def not_arrived(conn: asyncpg.Connection, id_: UUID, error: str, now: datetime) -> int:
    """A channel took it over and says now that it did not arrive: it goes on with the next contact method.

    Unless the page was answered meanwhile: then that is only noted. Returns how many deliveries go on.
    """
    rows = await conn.fetch(
        f"SELECT {_CLAIMED} FROM deliveries d WHERE (id = $1 OR bundle = $1) AND state = 'sent' FOR UPDATE", id_
    )
    going_on = 0
    for row in rows:
        delivery = msgspec.convert(dict(row), Delivery)
        entry = delivery.attempt("permanent", error, now)
        left = plan.after_failure(
            msgspec.structs.replace(delivery, log=(*delivery.log, entry)),
            now,
            random.Random(0),  # noqa: S311 - no delay here
        )
        goes_on: bool = await conn.fetchval(
            """
            UPDATE deliveries SET log = log || $2::jsonb, state = next.state, method = $3, error = $4,
                receipt = CASE WHEN next.state = 'sent' THEN receipt END, due_at = $5, bundle = NULL,
                finished_at = CASE WHEN next.state = 'sent' THEN finished_at END
            FROM (SELECT CASE WHEN EXISTS (SELECT FROM pages WHERE id = $6 AND status <> 'triggered') THEN 'sent'
                ELSE 'queued' END AS state) AS next
            WHERE deliveries.id = $1 RETURNING next.state = 'queued'
            """,
            delivery.id, [entry], left.method if isinstance(left, plan.Later) else delivery.method, error, now,
            delivery.about,
        )  # fmt: skip
        going_on += goes_on
    return going_on
