"""Alerts in the database, written a part of a batch at a time: one statement for each kind of change.

Encoding a statement's rows keeps the event loop busy, and intake answers on the same loop: so a part is small, about
2 ms, which costs less than a tenth more than one statement for all.

What changes alerts by their number asks whether they are over by `resolved_at`: asked for `status`, a planner without
statistics, as in the storm after a quiet month, reads all that fires by one of the indexes of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from sev1.triage import alerts
from sev1.triage.fold import Episode, Who
from sev1.triage.model import OpenAlert, OpenPage, Transition, Verdict

TRIAGE_LOCK = 0x5E_0003
"""Key of the advisory lock under which one transaction at a time, of all nodes, changes alerts."""
STALLED_AFTER = "15s"
"""A node that stops in the middle of a transaction loses it after this, and another node goes on."""

PART = 100
"""Alerts a statement that writes."""
LOOKED_UP = 500
"""Problems a statement that looks for them: in parts of 100 each costs twice as much, here and in PostgreSQL."""

T = TypeVar("T")

_json = msgspec.json.Encoder(enc_hook=str).encode


async def begin(conn: asyncpg.Connection) -> None:
    """Queues behind whoever else changes alerts, until the transaction ends.

    Two nodes that triaged at once could both find a problem new, or both open a page for it.
    """
    # A plan kept from when the table was small reads all of it for each batch of the storm that follows.
    await conn.execute(
        f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED_AFTER}';"
        "SET LOCAL plan_cache_mode = force_custom_plan;"
        f"SELECT pg_advisory_xact_lock({TRIAGE_LOCK})"
    )


async def firing(conn: asyncpg.Connection, whose: Iterable[Who]) -> dict[Who, OpenAlert]:
    """The alerts that fire for these keys and fingerprints, with the state of their pages."""
    found: dict[Who, OpenAlert] = {}
    for part in _parts(list(whose), LOOKED_UP):
        found |= await _firing(conn, part)
    return found


async def _firing(conn: asyncpg.Connection, pairs: Sequence[Who]) -> dict[Who, OpenAlert]:
    rows = await conn.fetch(
        """
        SELECT a.id, a.key_id, a.fingerprint, a.labels, a.starts_at, a.expires_at, a.received_at, a.held, a.held_by,
               a.tier, a.page, a.payload_writer, a.payload_id, p.resolved_at AS page_resolved_at
        FROM unnest($1::bigint[], $2::text[]) AS wanted (key_id, fingerprint)
        -- Lateral and limited: else the planner, whose statistics are those before the storm, reads all that fires.
        CROSS JOIN LATERAL (
            SELECT * FROM alerts a
            WHERE a.key_id = wanted.key_id AND a.fingerprint = wanted.fingerprint AND a.status = 'firing' LIMIT 1
        ) a
        LEFT JOIN pages p ON p.id = a.page
        """,
        [key_id for key_id, _ in pairs], [fingerprint for _, fingerprint in pairs],
    )  # fmt: skip
    return {(row["key_id"], row["fingerprint"]): msgspec.convert(dict(row), OpenAlert) for row in rows}


async def services_of_keys(conn: asyncpg.Connection, key_ids: Iterable[int]) -> dict[int, str]:
    """The services that integration keys stand for."""
    rows = await conn.fetch(
        "SELECT id, service FROM integration_keys WHERE id = ANY($1::bigint[]) AND service IS NOT NULL", list(key_ids)
    )
    return {row["id"]: row["service"] for row in rows}


async def names_of_keys(conn: asyncpg.Connection, key_ids: Iterable[int]) -> dict[int, str]:
    rows = await conn.fetch("SELECT id, name FROM integration_keys WHERE id = ANY($1::bigint[])", list(key_ids))
    return {row["id"]: row["name"] for row in rows}


async def new_ids(conn: asyncpg.Connection, count: int) -> list[int]:
    """Numbers for new alerts, ascending. They are given out before the rows are written: reasons name them."""
    if not count:
        return []
    rows = await conn.fetch(
        # The name is looked up once, not for each number: that cost more than the number.
        "WITH numbers AS MATERIALIZED (SELECT pg_get_serial_sequence('alerts', 'id')::regclass AS name)"
        " SELECT nextval((SELECT name FROM numbers)) AS id FROM generate_series(1, $1)",
        count,
    )
    return [row["id"] for row in rows]


async def open_pages(conn: asyncpg.Connection) -> dict[str, OpenPage]:
    """Group key -> the page that is open for it."""
    rows = await conn.fetch(
        """
        SELECT group_key, id AS key, incident, service, state -> 'policy' ->> 'name' AS policy,
               state ->> 'severity' AS severity, coalesce((state ->> 'alert_count')::int, 0) AS alert_count
        FROM pages WHERE status <> 'resolved' ORDER BY number
        """
    )
    return {row["group_key"]: msgspec.convert(dict(row), OpenPage) for row in rows}


async def open_incidents(conn: asyncpg.Connection) -> dict[str, str]:
    """Service -> its open incident; of several the one declared last. A restricted one is nobody's reason: it would be told."""
    rows = await conn.fetch(
        "SELECT id, unnest(services) AS service FROM incidents WHERE resolved_at IS NULL"
        " AND NOT restricted ORDER BY declared_at, number"
    )
    return {row["service"]: row["id"] for row in rows}


async def histories(
    conn: asyncpg.Connection, whose: Iterable[Who], since: datetime
) -> dict[Who, tuple[list[datetime], bool]]:
    """What these problems did since then and is over: when they changed, and whether one of the episodes was on a page."""
    found: dict[Who, tuple[list[datetime], bool]] = {}
    for part in _parts(list(whose), LOOKED_UP):
        rows = await conn.fetch(
            """
            SELECT a.key_id, a.fingerprint, a.received_at, a.resolved_at, a.page
            FROM unnest($1::bigint[], $2::text[]) AS wanted (key_id, fingerprint)
            CROSS JOIN LATERAL (
                SELECT * FROM alerts a
                WHERE a.key_id = wanted.key_id AND a.fingerprint = wanted.fingerprint AND a.status = 'resolved'
                ORDER BY a.id DESC LIMIT 200
            ) a
            WHERE a.received_at > $3 OR a.resolved_at > $3
            """,
            [key_id for key_id, _ in part], [fingerprint for _, fingerprint in part], since,
        )  # fmt: skip
        for row in rows:
            changes, paged = found.get((row["key_id"], row["fingerprint"]), ([], False))
            changes += [at for at in (row["received_at"], row["resolved_at"]) if at > since]
            found[row["key_id"], row["fingerprint"]] = (changes, paged or row["page"] is not None)
    return found


async def paging_of_services(conn: asyncpg.Connection, services: Iterable[str]) -> dict[str, OpenAlert]:
    """Service -> the oldest firing alert of it that is on a page and not held."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (service) service, id, key_id, fingerprint, labels, starts_at, expires_at, received_at FROM alerts
        WHERE status = 'firing' AND tier = 'page' AND held IS NULL AND page IS NOT NULL AND service = ANY($1::text[])
        ORDER BY service, id
        """,
        list(services),
    )
    return {row["service"]: msgspec.convert(dict(row), OpenAlert) for row in rows}


async def insert(conn: asyncpg.Connection, episodes: Sequence[Episode], incidents: Mapping[str, str]) -> None:
    """Adds new alerts. `incidents`: page -> the incident that it belongs to; its alerts do so as well.

    A verdict that several of them share is one object, as `Alike` made it, and is stored once.
    """
    shared = await _share(conn, episodes)
    for part in _parts(episodes):
        await _insert(conn, part, incidents, shared)


class _Shared(NamedTuple):
    verdict: Verdict
    first_alert: int
    gist: dict[str, Any]
    """What stands with each alert: what queries ask of it, and `of`, where the whole is."""


async def _share(conn: asyncpg.Connection, episodes: Sequence[Episode]) -> Mapping[int, _Shared]:
    """Stores the verdicts that more than one alert has; by the identity of the object."""
    first: dict[int, int] = {}
    shared: dict[int, _Shared] = {}
    for episode in episodes:
        verdict = episode.verdict
        first_alert = first.setdefault(id(verdict), episode.id)
        if first_alert != episode.id and id(verdict) not in shared:
            shared[id(verdict)] = _Shared(verdict, first_alert, {"of": first_alert, **verdict.gist})
    for part in _parts(list(shared.values())):
        await conn.copy_records_to_table(
            "shared_verdicts",
            columns=("first_alert", "verdict"),
            records=[(one.first_alert, one.verdict) for one in part],
        )
    return shared


_NEW = [
    "id",
    "key_id",
    "fingerprint",
    "source",
    "status",
    "held",
    "held_by",
    "tier",
    "service",
    "severity",
    "summary",
    "labels",
    "annotations",
    "links",
    "starts_at",
    "expires_at",
    "resolved_at",
    "received_at",
    "updated_at",
    "times",
    "verdict",
    "route",
    "group_key",
    "page",
    "incident",
    "payload_writer",
    "payload_id",
]


async def _insert(
    conn: asyncpg.Connection, episodes: Sequence[Episode], incidents: Mapping[str, str], shared: Mapping[int, _Shared]
) -> None:
    """By COPY: half of what a statement with an array for each column costs, here and in PostgreSQL."""
    records = [_new_row(e, incidents, shared.get(id(e.verdict))) for e in episodes]
    await conn.copy_records_to_table("alerts", columns=_NEW, records=records)


def _new_row(e: Episode, incidents: Mapping[str, str], shared: _Shared | None) -> tuple[Any, ...]:
    v = e.verdict
    verdict = shared.gist if shared else v
    return (
        e.id, e.key_id, e.fingerprint, e.source, "resolved" if e.resolved_at else "firing", v.held, v.held_by, v.tier,
        v.service, e.labels.get("severity"), e.summary, e.labels, e.annotations, e.links, e.starts_at, e.expires_at,
        e.resolved_at, e.received_at, e.resolved_at or e.received_at, e.signals, verdict, v.route, v.group_key, v.page,
        incidents.get(v.page or ""), e.writer, e.row,
    )  # fmt: skip


async def repeat(conn: asyncpg.Connection, episodes: Sequence[Episode], now: datetime) -> None:
    """Counts signals of alerts that fire already, and takes over their newest words."""
    for part in _parts(episodes):
        await _repeat(conn, part, now)


async def _repeat(conn: asyncpg.Connection, episodes: Sequence[Episode], now: datetime) -> None:
    await conn.execute(
        """
        UPDATE alerts a SET times = a.times + new.signals, updated_at = $7, expires_at = new.expires_at,
            summary = new.summary, annotations = new.annotations::jsonb, links = new.links::jsonb
        FROM unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
            AS new (id, signals, expires_at, summary, annotations, links)
        WHERE a.id = new.id AND a.resolved_at IS NULL
        """,
        [e.id for e in episodes],
        [e.signals for e in episodes],
        [e.expires_at for e in episodes],
        [e.summary for e in episodes],
        _jsons(e.annotations for e in episodes),
        _jsons(e.links for e in episodes),
        now,
    )


async def rejudge(
    conn: asyncpg.Connection, episodes: Sequence[Episode], incidents: Mapping[str, str], now: datetime
) -> None:
    """Gives alerts that fire already a new verdict, with the labels that it was found for. History keeps the first one."""
    for part in _parts(episodes):
        await _keep_beginnings(conn, [e.id for e in part])
        await _rejudge(conn, part, incidents, now)


async def _keep_beginnings(conn: asyncpg.Connection, alert_ids: Sequence[int]) -> None:
    """Writes down the first line of the history of those that have it only in their verdict."""
    rows = await conn.fetch(
        "SELECT alert_id FROM alert_transitions WHERE what = 'fired' AND alert_id = ANY($1::bigint[])", alert_ids
    )
    kept = {row["alert_id"] for row in rows}
    await add_transitions(conn, await alerts.beginnings(conn, [one for one in alert_ids if one not in kept]))


async def _rejudge(
    conn: asyncpg.Connection, episodes: Sequence[Episode], incidents: Mapping[str, str], now: datetime
) -> None:
    verdicts = [e.verdict for e in episodes]
    await conn.execute(
        """
        UPDATE alerts a SET labels = new.labels::jsonb, severity = new.severity, held = new.held,
            held_by = new.held_by, tier = new.tier, service = new.service, verdict = new.verdict::jsonb,
            route = new.route, group_key = new.group_key, page = coalesce(new.page, a.page),
            incident = coalesce(a.incident, new.incident), updated_at = $13
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::text[], $11::text[], $12::text[])
            AS new (id, labels, severity, held, held_by, tier, service, verdict, route, group_key, page, incident)
        WHERE a.id = new.id AND a.resolved_at IS NULL
        """,
        [e.id for e in episodes],
        _jsons(e.labels for e in episodes),
        [e.labels.get("severity") for e in episodes],
        [v.held for v in verdicts],
        [v.held_by for v in verdicts],
        [v.tier for v in verdicts],
        [v.service for v in verdicts],
        _jsons(verdicts),
        [v.route for v in verdicts],
        [v.group_key for v in verdicts],
        [v.page for v in verdicts],
        [incidents.get(v.page or "") for v in verdicts],
        now,
    )


async def resolve(conn: asyncpg.Connection, ended: Mapping[int, datetime], now: datetime) -> None:
    """Ends alerts, each at its own instant."""
    if not ended:
        return
    await conn.execute(
        """
        UPDATE alerts a SET status = 'resolved', resolved_at = over.at, updated_at = $3
        FROM unnest($1::bigint[], $2::timestamptz[]) AS over (id, at)
        WHERE a.id = over.id AND a.resolved_at IS NULL
        """,
        list(ended), list(ended.values()), now,
    )  # fmt: skip


async def add_transitions(conn: asyncpg.Connection, transitions: Sequence[Transition]) -> None:
    for part in _parts(transitions):
        await conn.copy_records_to_table(
            "alert_transitions",
            columns=("alert_id", "at", "what", "reason"),
            records=[(t.alert_id, t.at, t.what, t.reason) for t in part],
        )


async def quiet_pages(conn: asyncpg.Connection, pages: Iterable[str]) -> dict[str, str | None]:
    """Those of `pages` on which nothing is left that should keep somebody awake.

    The value is what holds the alerts that still fire there (the id of a silence, or an alert), None when all are over.
    """
    rows = await conn.fetch(
        """
        SELECT p.id, (SELECT min(a.held_by) FROM alerts a WHERE a.page = p.id AND a.status = 'firing') AS held_by
        FROM unnest($1::text[]) AS p (id)
        WHERE NOT EXISTS (SELECT 1 FROM alerts a WHERE a.page = p.id AND a.status = 'firing' AND a.held IS NULL)
        """,
        list(pages),
    )
    return {row["id"]: row["held_by"] for row in rows}


def _parts(items: Sequence[T], size: int = PART) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _jsons(values: Iterable[Any]) -> list[str]:
    """JSON as text, cast by the statement: asyncpg would take a list inside a list for another dimension."""
    return [_json(value).decode() for value in values]
