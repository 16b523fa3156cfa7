"""What a silence would hide: now, and in the week before, had it been there; and whether that is too much (mission 5.4)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from sev1.catalog.matchers import Matcher, all_match
from sev1.catalog.model import Catalog

LOOK_BACK = timedelta(days=7)
MOST_NAMES = 20
MOST_ROWS = 50_000
"""Alerts that one preview looks through; past that it says that it saw only the newest."""
FEW_SERVICES = 3
"""Up to here no share of the services is called too much: small catalogs have few."""
_PROBE = "no-such-value-7f3e"


class Hidden(Struct, frozen=True, kw_only=True):
    """Alerts that match, counted and named."""

    alerts: int
    names: tuple[tuple[str, int], ...]
    """What they are called and how many of each, the most frequent first; at most 20."""
    services: tuple[str, ...]
    pages: tuple[str, ...]
    """The pages that they were on, oldest first."""


class Preview(Struct, frozen=True, kw_only=True):
    now: Hidden
    """What fires at this moment."""
    week: Hidden
    """What came in the last 7 days, that which fires included."""
    warnings: tuple[str, ...]
    """Why it is over-broad, as sentences; it then needs a confirmation."""
    partial: bool = False
    """There were more than 50,000 alerts; only the newest were looked at."""


async def preview(
    conn: asyncpg.Connection, matchers: Sequence[Matcher], catalog: Catalog, now: datetime, *, key_id: int | None = None
) -> Preview:
    """Looks through the alerts of a week. `key_id`: only those that came through that key."""
    exact = {matcher.name: matcher.value for matcher in matchers if matcher.op == "=" and matcher.value}
    firing: list[asyncpg.Record] = []
    week: list[asyncpg.Record] = []
    seen = 0
    async with conn.transaction():
        async for row in conn.cursor(
            f"""
            SELECT id, status, labels, summary, service, page FROM alerts
            WHERE (status = 'firing' OR received_at > $1) AND labels @> $2::jsonb
              AND ($3::bigint IS NULL OR key_id = $3)
            ORDER BY id DESC LIMIT {MOST_ROWS}
            """,
            now - LOOK_BACK, exact, key_id, prefetch=500,
        ):  # fmt: skip
            seen += 1
            if all_match(matchers, row["labels"]):
                week.append(row)
                if row["status"] == "firing":
                    firing.append(row)
    hidden = _hidden(week)
    return Preview(
        now=_hidden(firing),
        week=hidden,
        warnings=tuple(over_broad(matchers, hidden.services, catalog)),
        partial=seen == MOST_ROWS,
    )


def over_broad(matchers: Sequence[Matcher], services: Sequence[str], catalog: Catalog) -> list[str]:
    """Why these matchers hide too much; nothing when they do not. `services`: those that they hid in the last week."""
    found = []
    if all(matcher.matches({}) for matcher in matchers):
        found.append("It needs no label to be there: only negative or empty matchers, so nearly everything matches.")
    elif all(matcher.matches({matcher.name: _PROBE}) for matcher in matchers):
        found.append("Its matchers hold for whatever value the labels have, so nearly everything matches.")
    total, percent = len(catalog.services), catalog.organisation.silence_warns_from_percent
    hit = len([name for name in services if name in catalog.services])
    if hit > FEW_SERVICES and hit * 100 >= total * percent:
        found.append(f"It would have hidden alerts of {hit} of {total} services in the last 7 days.")
    return found


def _hidden(rows: Sequence[asyncpg.Record]) -> Hidden:
    names = Counter(row["labels"].get("alertname") or row["summary"] for row in rows)
    pages = {row["page"] for row in rows if row["page"]}
    return Hidden(
        alerts=len(rows),
        names=tuple(sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_NAMES]),
        services=tuple(sorted({row["service"] for row in rows if row["service"]})),
        pages=tuple(sorted(pages, key=lambda page: (len(page), page))),
    )
