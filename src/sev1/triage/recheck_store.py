"""Which alerts have to be looked at again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from sev1.triage.fold import Episode
from sev1.triage.model import OpenAlert, Silence


async def released(conn: asyncpg.Connection, now: datetime, windows: Sequence[str], limit: int) -> dict[int, str]:
    """Alerts that fire and which nothing holds any more, each with what happened as a sentence.

    A cause found by the dependency graph holds only while somebody is awake for it, so not when it is held itself.
    `windows` are the maintenance windows in force, as `held_by` names them.
    """
    rows = await conn.fetch(
        """
        SELECT a.id, a.held, a.held_by FROM alerts a
        LEFT JOIN silences s ON a.held = 'silenced' AND s.id::text = a.held_by AND s.starts_at <= $1 AND s.ends_at > $1
        LEFT JOIN alerts source ON a.held = 'inhibited' AND source.status = 'firing'
             AND source.id = substring(a.held_by FROM '^A-([0-9]+)$')::bigint
             AND (source.held IS NULL
                  OR NOT a.verdict -> 'stages' @> '[{"name": "inhibit", "outcome": "depends"}]')
        WHERE a.status = 'firing' AND a.held IS NOT NULL AND s.id IS NULL AND source.id IS NULL
          AND NOT (a.held_by = ANY($3::text[]))
          AND CASE WHEN a.held_by LIKE 'flapping:%' THEN substring(a.held_by FROM 10)::timestamptz <= $1 ELSE true END
        ORDER BY a.id LIMIT $2
        """,
        now, limit, list(windows),
    )  # fmt: skip
    return {row["id"]: _release(row["held"], row["held_by"]) for row in rows}


def _release(held: str, held_by: str) -> str:
    kind, _, name = held_by.partition(":")
    if kind == "maintenance":
        return f"Maintenance {name}, which held it, has ended."
    if kind == "flapping":
        return "It was flapping and is calm now."
    if held == "silenced":
        return f"S-{held_by[:4]}, which silenced it, has ended."
    return f"{held_by}, which inhibited it, is over."


async def covered(conn: asyncpg.Connection, silence: Silence, limit: int) -> list[int]:
    """Alerts that fire, are not held back yet, and that the silence is about."""
    exact = {matcher.name: matcher.value for matcher in silence.matchers if matcher.op == "=" and matcher.value}
    found: list[int] = []
    # A cursor: the equality that PostgreSQL looks at may leave many, of which the other matchers leave few.
    async for row in conn.cursor(
        """
        SELECT id, key_id, labels FROM alerts
        WHERE status = 'firing' AND held IS NULL AND labels @> $1::jsonb AND ($2::bigint IS NULL OR key_id = $2)
        ORDER BY id
        """,
        exact, silence.key_id, prefetch=500,
    ):  # fmt: skip
        if silence.covers(row["key_id"], row["labels"]):
            found.append(row["id"])
            if len(found) == limit:
                break
    return found


async def waiting_for_the_catalog(conn: asyncpg.Connection) -> list[int]:
    """Alerts that fire and would have another verdict with another catalog: nobody was paged, or a rule inhibits them."""
    rows = await conn.fetch(
        """
        SELECT id FROM alerts
        WHERE status = 'firing' AND (held = 'inhibited' OR (held IS NULL AND tier = 'page' AND page IS NULL))
        ORDER BY id
        """
    )
    return [row["id"] for row in rows]


async def ended_with_their_page(conn: asyncpg.Connection, limit: int) -> dict[int, tuple[datetime, str]]:
    """Alerts that fire although their page was resolved and nothing will ever end them: when, and which page."""
    rows = await conn.fetch(
        """
        SELECT a.id, p.resolved_at, p.id AS page FROM alerts a JOIN pages p ON p.id = a.page
        WHERE a.status = 'firing' AND a.expires_at IS NULL AND a.held IS NULL AND p.status = 'resolved'
        ORDER BY a.id LIMIT $1
        """,
        limit,
    )
    return {row["id"]: (row["resolved_at"], row["page"]) for row in rows}


async def episodes(conn: asyncpg.Connection, again: Mapping[int, str]) -> list[Episode]:
    """The alerts as episodes to be judged again, for the given reasons; those that have ended since are left out."""
    if not again:
        return []
    rows = await conn.fetch(
        """
        SELECT a.*, p.resolved_at AS page_resolved_at FROM alerts a LEFT JOIN pages p ON p.id = a.page
        WHERE a.id = ANY($1::bigint[]) AND a.status = 'firing' ORDER BY a.id
        """,
        list(again),
    )
    return [
        msgspec.convert(
            {
                **row,
                "before": msgspec.convert(dict(row), OpenAlert),
                "writer": row["payload_writer"] or 0,
                "row": row["payload_id"] or 0,
                "resolved_at": None,
                "judge": True,
                "again": again[row["id"]],
                "verdict": {},
            },
            Episode,
        )
        for row in rows
    ]
