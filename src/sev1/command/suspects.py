"""Looks up the running incidents that one about to be declared may be the same as (mission 3.2)."""

import asyncpg

from sev1.catalog.model import Catalog
from sev1.command import store
from sev1.command.sight import Sight
from sev1.command.similar import Similar, Sought, similar


async def suspects(
    conn: asyncpg.Connection,
    catalog: Catalog,
    sight: Sight,
    *,
    title: str,
    services: tuple[str, ...] = (),
    alerts: tuple[int, ...] = (),
    page: str | None = None,
    but: str = "",
) -> list[Similar]:
    """Of those that `sight` sees; `but` is the one just declared."""
    rows = await conn.fetch(
        "SELECT DISTINCT service, incident FROM alerts WHERE id = ANY($1::bigint[]) OR page = $2", list(alerts), page
    )
    of_alerts = [row["service"] for row in rows if row["service"]]
    sought = Sought(
        title=title,
        services=tuple(dict.fromkeys((*services, *of_alerts))),
        alerts=alerts,
        page=page,
        belongs_to=tuple(row["incident"] for row in rows if row["incident"]),
    )
    running = [incident for incident in await store.open_incidents(conn, sight) if incident.key != but]
    return similar(sought, running, catalog)
