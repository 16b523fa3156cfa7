"""Reads the facts that an explanation is made of, and makes it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from sev1.catalog.model import Catalog
from sev1.catalog.problems import did_you_mean
from sev1.command.sight import Sight, withheld
from sev1.command.withhold import alert_without, page_facts_without, page_without
from sev1.engine import event_log
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, NotFound
from sev1.explain.alert import explain_alert
from sev1.explain.model import AlertFacts, Because, PageFacts
from sev1.explain.page import explain_page
from sev1.explain.person import explain_person
from sev1.intake.reports import REPORT_KEY
from sev1.notify.model import DeliveryView
from sev1.notify.store import deliveries_about
from sev1.oncall import store as oncall_store
from sev1.paging import store as pages
from sev1.paging.model import Page, PageEvent
from sev1.triage import alerts
from sev1.triage.model import AlertRow
from sev1.watch.step import WATCH_KEY

LONGEST = timedelta(days=31)
MOST_PAGES = 200
MOST_HELD = 200
_OURS = {key.id: key.name for key in (REPORT_KEY, WATCH_KEY)}
"""Keys that are no rows: what people report, and what sev1 finds by itself."""
_KEY_NAME = "SELECT name FROM integration_keys WHERE id = $1"
_ALERT, _PAGE = re.compile(r"A-([0-9]{1,18})", re.IGNORECASE), re.compile(r"P-([0-9]{1,18})", re.IGNORECASE)


async def explain(conn: asyncpg.Connection, about: str, catalog: Catalog, now: datetime, sight: Sight) -> Because:
    """`about` is an alert (`A-12`), a page (`P-3`), or an alert's fingerprint, whose latest alert is meant.

    Raises NotFound.
    """
    about = about.strip()
    if found := _ALERT.fullmatch(about):
        return await of_alert(conn, int(found[1]), catalog, now, sight)
    if found := _PAGE.fullmatch(about):
        return await of_page(conn, f"P-{int(found[1])}", catalog, now, sight)
    number = await _latest_of(conn, about[:1000])
    if number is None:
        raise NotFound("There is no such alert or page. Name it as A-12 or P-3, or by an alert's fingerprint.")
    return await of_alert(conn, number, catalog, now, sight)


async def _latest_of(conn: asyncpg.Connection, fingerprint: str) -> int | None:
    """The latest alert with this fingerprint, whatever its key: one look for each key into the indexes of problems, so that
    it takes as long as there are keys and not as there are alerts.
    """
    number: int | None = await conn.fetchval(
        """
        WITH keys AS (SELECT id FROM integration_keys UNION ALL SELECT unnest($2::bigint[]))
        SELECT max(greatest(
            (SELECT max(a.id) FROM alerts a WHERE a.key_id = k.id AND a.fingerprint = $1 AND a.status = 'firing'),
            (SELECT a.id FROM alerts a WHERE a.key_id = k.id AND a.fingerprint = $1 AND a.status = 'resolved'
             ORDER BY a.id DESC LIMIT 1)
        )) FROM keys k
        """,
        fingerprint, list(_OURS),
    )  # fmt: skip
    return number


async def of_alert(conn: asyncpg.Connection, number: int, catalog: Catalog, now: datetime, sight: Sight) -> Because:
    """Raises NotFound."""
    alert = await alerts.get_alert(conn, number)
    if alert is None:
        raise NotFound(f"There is no alert A-{number}.")
    key = _OURS.get(alert.key_id) or await conn.fetchval(_KEY_NAME, alert.key_id) or ""
    transitions = await alerts.transitions(conn, number)
    page = await _page_facts(conn, alert.page) if alert.page else None
    hidden = await withheld(conn, sight)
    facts = AlertFacts(
        alert=alert_without(alert, hidden),
        key=key,
        transitions=transitions,
        page=_without(page, hidden) if page else None,
    )
    return explain_alert(facts, catalog, now)


async def of_page(conn: asyncpg.Connection, key: str, catalog: Catalog, now: datetime, sight: Sight) -> Because:
    """Raises NotFound."""
    facts = await _page_facts(conn, key)
    if facts is None:
        raise NotFound(f"There is no page {key}.")
    return explain_page(_without(facts, await withheld(conn, sight)), catalog, now)


async def of_person(
    conn: asyncpg.Connection, person: str, since: datetime, catalog: Catalog, now: datetime, sight: Sight
) -> Because:
    """Raises NotFound for somebody whom the catalog does not know, Invalid for a window longer than 31 days."""
    if person not in catalog.people:
        raise NotFound(f'There is no person "{person}". {did_you_mean(person, catalog.people)}'.rstrip())
    if since < now - LONGEST or since >= now:
        raise Invalid("Ask for a window that begins in the last 31 days.", field="since")
    facts = await _pages_since(conn, since, person)
    rows = await conn.fetch(
        f"SELECT {alerts.COLUMNS} FROM alerts WHERE received_at >= $1 AND tier = 'page' AND page IS NULL "
        "ORDER BY id DESC LIMIT $2",
        since, MOST_HELD,
    )  # fmt: skip
    overrides = await oncall_store.overrides_since(conn, since - oncall_store.LOOK_BACK)
    hidden = await withheld(conn, sight)
    facts = [_without(page, hidden) for page in facts]
    held = [alert_without(msgspec.convert(dict(row), AlertRow), hidden) for row in rows]
    return explain_person(person, facts, held, catalog, overrides, since, now)


def _without(page: PageFacts, hidden: frozenset[str]) -> PageFacts:
    return PageFacts(
        page=page_without(page.page, hidden),
        facts=page_facts_without(page.facts, hidden),
        deliveries=page.deliveries,
    )


async def _page_facts(conn: asyncpg.Connection, key: str) -> PageFacts | None:
    page = await pages.get(conn, key)
    if page is None:
        return None
    facts: Sequence[Fact[Any]] = await event_log.read(conn, event_log.stream_name("page", key), PageEvent)
    return PageFacts(page=page, facts=facts, deliveries=await deliveries_about(conn, key))


async def _pages_since(conn: asyncpg.Connection, since: datetime, person: str) -> list[PageFacts]:
    """The latest 200 pages that were open in the window, newest first."""
    rows = await conn.fetch(
        "SELECT id, state FROM pages WHERE opened_at >= $1 OR status <> 'resolved' ORDER BY number DESC LIMIT $2",
        since, MOST_PAGES,
    )  # fmt: skip
    streams = {row["id"]: event_log.stream_name("page", row["id"]) for row in rows}
    facts = await event_log.read_many(conn, list(streams.values()), PageEvent)
    found = []
    for row in rows:
        page = msgspec.convert(row["state"], Page)
        sent: list[DeliveryView] = await deliveries_about(conn, page.key) if person in page.paged else []
        found.append(PageFacts(page=page, facts=facts.get(streams[page.key], []), deliveries=sent))
    return found
