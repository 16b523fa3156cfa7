"""Declaration policies at work: a page that a policy holds for is suggested as an incident, or declared (mission 3.1).

A page waits in a table until it was looked at, so a node that dies in between forgets nothing. Looked at is outside of the
page's transaction: expressions run in a process of their own.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from msgspec.structs import replace
from prometheus_client import Counter

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog, DeclarationPolicy
from sev1.command import model as m
from sev1.command.react import declare, who_would_command
from sev1.engine.cel import CelFailed, CelInvalid, Evaluator
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import SYSTEM
from sev1.engine.errors import Unavailable
from sev1.paging import model as p
from sev1.paging import store as pages
from sev1.paging.suggestion import SuggestIncident
from sev1.triage.alerts import alerts_of_page

log = logging.getLogger(__name__)

ALERTS_SHOWN = 50
"""Alerts of a page that expressions see."""
TRIES = 5
CHECKED = Counter("sev1_declaration_policies_total", "Pages that declaration policies were asked about", ["outcome"])


class QueueDeclarations:
    """A reaction: a page that opened, or that alerts joined, waits to be looked at."""

    def __init__(self, catalogs: CatalogCache) -> None:
        self._catalogs = catalogs

    async def __call__(self, conn: asyncpg.Connection, changes: Sequence[Change[p.Page]]) -> None:
        keys = [
            change.key
            for change in changes
            if any(isinstance(fact.event, p.PageOpened | p.AlertsJoined) for fact in change.facts)
            and change.after.alert_count
            and not change.after.incident
        ]
        if keys and (await self._catalogs.current(conn)).declaration_policies:
            # Always a new row: an update would wait for whoever looks at the page, who may wait for this page.
            await conn.execute("INSERT INTO declaration_checks (page) SELECT unnest($1::text[])", keys)


class DeclarationStep:
    """`await step()` looks at one page; True when there was one."""

    def __init__(self, commands: Commands, catalogs: CatalogCache, cel: Evaluator) -> None:
        self._commands = commands
        self._catalogs = catalogs
        self._cel = cel

    async def __call__(self) -> bool:
        async with self._commands.db.connection() as conn:
            row = await conn.fetchrow(
                "SELECT page, max(id) AS upto FROM declaration_checks GROUP BY page ORDER BY min(tries), min(id) LIMIT 1"
            )
            if row is None:
                return False
            catalog = await self._catalogs.current(conn)
            page = await pages.get(conn, row["page"])
            try:
                policy = await self._holds(conn, catalog, page) if page and page.is_open else None
            except Unavailable:  # too many expressions wait; it is the next one's turn
                return not await self._put_off(row["page"])
        async with self._commands.db.transaction() as conn:
            done = await conn.fetch(
                "DELETE FROM declaration_checks WHERE page = $1 AND id <= $2 RETURNING id", row["page"], row["upto"]
            )
            changes: list[Change[Any]] = []
            if page and policy and done:  # nothing done: another node was first
                changes = await self._follow(conn, catalog, page, policy)
        self._commands.tell(*changes)
        return True

    async def _put_off(self, page: str) -> bool:
        """Whether it is tried again."""
        async with self._commands.db.transaction() as conn:
            await conn.execute("UPDATE declaration_checks SET tries = tries + 1 WHERE page = $1", page)
            given_up = await conn.fetch(
                "DELETE FROM declaration_checks WHERE page = $1 AND tries >= $2 RETURNING id", page, TRIES
            )
        return not given_up

    async def _holds(self, conn: asyncpg.Connection, catalog: Catalog, page: p.Page) -> DeclarationPolicy | None:
        """The first policy that holds for the page."""
        now = self._commands.clock.now()
        for policy in sorted(catalog.declaration_policies.values(), key=lambda one: (one.order, one.name)):
            known = await variables(conn, catalog, page, policy.window_min, now)
            try:
                [found] = await self._cel.evaluate({"when": policy.when}, known)
            except (CelFailed, CelInvalid) as error:
                CHECKED.labels("failed").inc()
                log.warning("declaration policy %s came to nothing for %s: %s", policy.name, page.key, error.message)
                continue
            if found["when"] is True:
                return policy
        CHECKED.labels("none").inc()
        return None

    async def _follow(
        self, conn: asyncpg.Connection, catalog: Catalog, page: p.Page, policy: DeclarationPolicy
    ) -> list[Change[Any]]:
        if page.incident:
            return []
        severity = policy.severity or (page.severity if page.severity in catalog.severities else None)
        if policy.action == "open":
            if running := await _running(conn, page, restricted=policy.restricted):
                CHECKED.labels("joined").inc()
                return [await self._commands.run_in(conn, "incident", running, m.LinkPage(page=page.key), by=SYSTEM)]
            declaring = m.Declare(
                title=page.title[:300],
                severity=severity,
                page=page.key,
                restricted=policy.restricted,
                services=(page.service,) if page.service in catalog.services else (),
            )
            commander = await who_would_command(conn, catalog, declaring, self._commands.clock.now())
            if commander is not None:
                CHECKED.labels("opened").inc()
                declaring = replace(declaring, commander=commander)
                declared = await declare(self._commands, conn, self._catalogs, declaring, by=SYSTEM, commands_it=False)
                why = m.AddNote(text=f"Declared by the policy {policy.name}: {policy.title}")
                return [declared, await self._commands.run_in(conn, "incident", declared.key, why, by=SYSTEM)]
        # Nobody is on call who could command: then people decide.
        CHECKED.labels("suggested").inc()
        suggest = SuggestIncident(
            policy=policy.name, title=policy.title, severity=severity, restricted=policy.restricted
        )
        return [await self._commands.run_in(conn, "page", page.key, suggest, by=SYSTEM)]


async def _running(conn: asyncpg.Connection, page: p.Page, *, restricted: bool) -> str | None:
    """An open incident of the page's service, as secret as the policy wants it: a storm is one incident, not fifty."""
    if page.service is None:
        return None
    key: str | None = await conn.fetchval(
        "SELECT id FROM incidents WHERE status = 'open' AND restricted = $2 AND $1 = ANY (services) ORDER BY number LIMIT 1",
        page.service, restricted,
    )  # fmt: skip
    return key


async def variables(
    conn: asyncpg.Connection, catalog: Catalog, page: p.Page, window_min: int, now: datetime
) -> dict[str, Any]:
    """What the expression of a policy knows."""
    alerts = await alerts_of_page(conn, page.key, limit=ALERTS_SHOWN)
    service = catalog.services.get(page.service or "")
    since = now - timedelta(minutes=window_min)
    counted = await conn.fetchrow(
        "SELECT count(*) AS alerts, count(DISTINCT service) AS services FROM alerts"
        " WHERE status = 'firing' AND received_at >= $1 AND received_at <= $2",
        since, now,
    )  # fmt: skip
    opened = await conn.fetchval("SELECT count(*) FROM pages WHERE opened_at >= $1 AND opened_at <= $2", since, now)
    return {
        "page": {
            "key": page.key,
            "title": page.title,
            "severity": page.severity or "",
            "service": page.service or "",
            "alerts": page.alert_count,
            "age_min": int((now - page.opened_at).total_seconds() // 60) if page.opened_at else 0,
        },
        "alerts": [
            {
                "summary": one.summary,
                "labels": one.labels,
                "severity": one.verdict.severity or "",
                "tier": one.tier or "",
                "service": one.service or "",
                "source": one.source,
                "firing": one.status == "firing",
            }
            for one in alerts
        ],
        "service": {
            "name": service.name if service else "",
            "tier": service.tier if service else 0,
            "owner": service.owner if service else "",
            "depends_on": list(service.depends_on) if service else [],
            "needed_by": [one.name for one in catalog.services.values() if service and service.name in one.depends_on],
        },
        "window": {"alerts": counted["alerts"], "services": counted["services"], "pages": opened},
        "incidents": await conn.fetchval("SELECT count(*) FROM incidents WHERE status = 'open'"),
    }
