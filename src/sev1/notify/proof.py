"""A test page on demand: one notice over each way in which a person is reached, so that they know which work.

Each way gets a delivery of its own that fails over to nothing. Its receipt says that the next system took it; the person
says that it arrived.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog.contact import ContactMethod
from sev1.catalog.model import Person
from sev1.engine.errors import TooMany
from sev1.notify import store
from sev1.notify.contacts import URGENCIES, Contacts
from sev1.notify.model import Attempt, Notice, kind_of, masked

EVERY = timedelta(seconds=60)
"""A test costs money and sleep: a person gets at most one in this time."""
COUNTS_FOR = timedelta(hours=1)
"""How long an answer may take to count for a test."""
TELLS_FOR = timedelta(days=30)
"""A success or a failure longer ago says nothing about today."""
CONFIRMED = "confirmed: it arrived"


class Proof(Struct, frozen=True, kw_only=True):
    """What is known of one way of reaching a person, from the last attempt over it."""

    kind: str
    to: str
    """Masked."""
    works: bool | None
    """None: nothing went out over it lately."""
    at: datetime | None
    text: str
    confirmed: bool
    """The person said that it arrived."""


def about(person: str) -> str:
    """What the deliveries of a test are about."""
    return f"test of {person}"


async def send(
    conn: asyncpg.Connection, person: Person, reach: Contacts, url: str, now: datetime, *, why: str
) -> list[ContactMethod]:
    """Queues the test over each of the person's contact methods; returns those. Raises TooMany within a minute."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('deliveries to ' || $1, 0))", person.name)
    last = await conn.fetchval("SELECT max(created_at) FROM deliveries WHERE about = $1", about(person.name))
    if last is not None and now - last < EVERY:
        wait_s = int((EVERY - (now - last)).total_seconds()) + 1
        raise TooMany(f"A test page went out just now. The next may go out in {wait_s} s.", retry_after_s=wait_s)
    methods = methods_of(person, reach)
    notice = Notice(
        kind="test",
        about=about(person.name),
        title="sev1 can reach you here",
        url=f"{url}/settings/contact",
        body="This is a test page: nothing is broken. Open the link and say that it arrived.",
        why=why,
    )
    queued = [
        store.Queued(about=about(person.name), person=person.name, methods=(method,), notice=notice)
        for method in methods
    ]
    await store.enqueue_many(conn, queued, now)
    return methods


def methods_of(person: Person, reach: Contacts) -> list[ContactMethod]:
    """Every way in which the person may be reached, each once."""
    return list(dict.fromkeys(method for urgency in URGENCIES for method in reach.of(person, urgency)))


async def confirm(conn: asyncpg.Connection, person: str, kind: str, now: datetime) -> bool:
    """The person says that the last test over this kind of contact method arrived; False when there was none lately."""
    status: str = await conn.execute(
        """
        UPDATE deliveries SET log = log || jsonb_build_array(jsonb_build_object('at', $3::timestamptz, 'method', method,
            'outcome', 'sent', 'kind', $2::text, 'text', $4::text))
        WHERE about = $1 AND methods -> 0 ->> 'kind' = $2 AND created_at >= $5
            AND state = 'sent' AND log -> -1 ->> 'text' <> $4
        """,
        about(person), kind, now, CONFIRMED, now - COUNTS_FOR,
    )  # fmt: skip
    return status != "UPDATE 0"


async def proofs(
    conn: asyncpg.Connection, person: str, methods: Sequence[ContactMethod], now: datetime
) -> dict[ContactMethod, Proof]:
    """What the last attempts over each method tell: of tests and of what was real alike."""
    rows = await conn.fetch(
        """
        SELECT methods -> (entry ->> 'method')::int AS method, entry
        FROM (SELECT methods, log FROM deliveries
            WHERE person = $1 AND state IN ('sent', 'failed') AND finished_at > $2
            ORDER BY finished_at DESC LIMIT 200) AS latest, jsonb_array_elements(log) AS entry
        WHERE entry ->> 'outcome' IN ('sent', 'temporary', 'permanent')
        ORDER BY entry ->> 'at' DESC
        """,
        person, now - TELLS_FOR,
    )  # fmt: skip
    found: dict[ContactMethod, Proof] = {}
    for method in methods:
        mine: list[Attempt] = [
            msgspec.convert(row["entry"], Attempt) for row in rows if row["method"] == msgspec.to_builtins(method)
        ]
        last = mine[0] if mine else None
        works = None if last is None else last.outcome == "sent"
        found[method] = Proof(
            kind=kind_of(method),
            to=masked(method),
            works=works,
            at=last.at if last else None,
            text=last.text if last else "",
            confirmed=bool(works) and any(entry.text == CONFIRMED for entry in mine),
        )
    return found
