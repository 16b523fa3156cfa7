"""Looks up what the gate wants to know of the world: alerts of affected services and of those that depend on them (11.1)."""

from datetime import datetime

import asyncpg

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.gate import Around, Firing

MOST = 100
"""Services that are looked at."""
NAMED = 5
"""Alerts named for each service."""


def affected(catalog: Catalog, services: tuple[str, ...]) -> dict[str, bool]:
    """The affected services and all that depend on them, directly or not, nearest first: whether it is an affected one."""
    found = dict.fromkeys(services, True)
    edge = list(services)
    while edge and len(found) < MOST:
        dependents = [s.name for s in catalog.services.values() if not set(s.depends_on).isdisjoint(edge)]
        edge = [name for name in dependents if name not in found]
        found.update(dict.fromkeys(edge, False))
    return dict(list(found.items())[:MOST])


async def look_around(conn: asyncpg.Connection, catalog: Catalog, incident: m.Incident, now: datetime) -> Around:
    services = affected(catalog, incident.services)
    rows = await conn.fetch(
        "SELECT service, count(*) AS count, (array_agg(id ORDER BY id))[1:$3] AS ids FROM alerts"
        " WHERE status = 'firing' AND service = ANY($1::text[]) AND incident IS DISTINCT FROM $2 GROUP BY service",
        list(services), incident.key, NAMED,
    )  # fmt: skip
    by_service = {row["service"]: row for row in rows}
    linked = await conn.fetch(
        "SELECT id FROM alerts WHERE incident = $1 AND status = 'firing' ORDER BY id LIMIT 100", incident.key
    )
    silences = await conn.fetch(
        "SELECT created_by, comment FROM silences WHERE starts_at >= $1 AND ends_at > $2 ORDER BY starts_at LIMIT 20",
        incident.declared_at, now,
    )  # fmt: skip
    return Around(
        linked=tuple(row["id"] for row in linked),
        services=tuple(
            Firing(
                service=name,
                title=_title(catalog, name),
                direct=direct,
                alerts=tuple(by_service[name]["ids"]),
                count=by_service[name]["count"],
            )
            for name, direct in services.items()
            if name in by_service
        ),
        checked=tuple(_title(catalog, name) for name in services),
        silences=tuple(f"by {row['created_by']}: {row['comment']}" for row in silences),
    )


def _title(catalog: Catalog, name: str) -> str:
    return catalog.services[name].title if name in catalog.services else name
