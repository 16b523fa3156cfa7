"""`/alerts`: what came in, why it did or did not wake somebody, and its raw payload."""

from datetime import timedelta
from typing import Annotated, Literal

import asyncpg
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter
from litestar.response import Template
from msgspec import Struct

from sev1.access.declare import needs
from sev1.catalog.model import Tier
from sev1.command.sight import withheld
from sev1.command.withhold import alert_without, page_without
from sev1.engine.errors import NotFound
from sev1.intake import changes
from sev1.intake.inbox_reader import read_row
from sev1.measure.alert_history import DAYS, RuleSeen, history_of, rules_seen
from sev1.paging import store as pages
from sev1.surfaces.injected import Db
from sev1.surfaces.web import alert_view as view
from sev1.surfaces.web.visit import Here, show
from sev1.triage import alerts as alerts_store
from sev1.triage import silences
from sev1.triage.alerts import AlertList
from sev1.triage.five_questions import Score
from sev1.triage.model import AlertRow, rule_of

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)]
FIRING_SHOWN = 200
PAGE = 50
A_WEEK = timedelta(days=7)
A_HOUR = timedelta(hours=1)
LATELY = timedelta(hours=24)
"""How long before an alert began a change of its service may have to do with it."""
CHANGES_SHOWN = 10


@get("/alerts", opt=needs("read"), include_in_schema=False)
async def list_alerts(
    db: Db,
    visit: Here,
    status: FromQuery[Literal["firing", "resolved", ""]] = "",
    tier: FromQuery[Literal["page", "ticket", "fyi", ""]] = "",
    service: FromQuery[str] = "",
    only: FromQuery[Literal["unrouted", "no-tier", ""]] = "",
    before: Before = None,
) -> Template:
    """Firing first, then those that are over, newest first; `before` pages through the latter."""
    async with db.connection() as conn:
        if only:
            find = alerts_store.nobody_routes if only == "unrouted" else alerts_store.without_tier
            firing, over = await find(conn), AlertList(alerts=[])
        else:
            firing, over = await _both(conn, status, tier or None, service or None, before)
        loose = await alerts_store.loose_ends(conn)
        rules = await alerts_store.untiered_by_rule(conn, visit.now - A_WEEK) if only == "no-tier" else []
        in_force = await silences.in_force(conn, visit.now)
        hidden = await withheld(conn, visit.sight)
    owner = visit.catalog.teams.get(visit.catalog.organisation.fallback_owner or "")
    return show(
        visit,
        "alerts.html",
        section="alerts",
        firing=[alert_without(alert, hidden) for alert in firing],
        over=[alert_without(alert, hidden) for alert in over.alerts],
        older=over.before,
        chosen={"status": status, "tier": tier, "service": service, "only": only},
        before=before,
        lost=loose.nobody_routes,
        untiered=loose.without_tier,
        rules=rules,
        owner=owner.title if owner else "",
        held_back=loose.fyi_held_back,
        ending=sum(1 for silence in in_force if silence.ends_at <= visit.now + A_HOUR),
    )


async def _both(
    conn: asyncpg.Connection, status: str, tier: Tier | None, service: str | None, before: int | None
) -> tuple[list[AlertRow], AlertList]:
    firing: list[AlertRow] = []
    over = AlertList(alerts=[])
    if status != "resolved" and before is None:
        found = await alerts_store.list_alerts(
            conn, status="firing", tier=tier, service=service, limit=FIRING_SHOWN, hold_back_fyi=tier != "fyi"
        )
        firing = found.alerts
    if status != "firing":
        over = await alerts_store.list_alerts(
            conn, status="resolved", tier=tier, service=service, limit=PAGE, before=before
        )
    return firing, over


@get("/alerts/{number:int}", opt=needs("read"), include_in_schema=False)
async def show_alert(number: Number, db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        alert = await _alert(conn, number)
        transitions = await alerts_store.transitions(conn, number)
        page = await pages.get(conn, alert.page) if alert.page else None
        service = alert.service or alert.labels.get("service")
        lately = (
            await changes.list_changes(
                conn,
                service=service,
                since=alert.starts_at - LATELY,
                until=alert.resolved_at or visit.now,
                limit=CHANGES_SHOWN,
            )
            if service
            else []
        )
        past = await history_of(conn, rule_of(alert), alert.service, visit.now, visit.sight)
        hidden = await withheld(conn, visit.sight)
    alert, page = alert_without(alert, hidden), page and page_without(page, hidden)
    return show(
        visit,
        "alert.html",
        section="alerts",
        screen=view.alert_screen(alert, visit.catalog),
        alert=alert,
        page=page,
        past=past,
        transitions=transitions,
        words=view.TRANSITION_WORDS,
        labels=view.other_labels(alert),
        changes=lately,
    )


class RuleRow(Struct, frozen=True, kw_only=True):
    seen: RuleSeen
    score: Score


@get("/alerts/rules", opt=needs("read"), include_in_schema=False)
async def list_rules(db: Db, visit: Here) -> Template:
    """Each rule that fired in the last 90 days with its score on the first five questions, worst first."""
    async with db.connection() as conn:
        seen = await rules_seen(conn, visit.now - timedelta(days=DAYS))
        latest = await alerts_store.by_number(conn, [rule.last_id for rule in seen])
    rows = [RuleRow(seen=rule, score=view.score_of(latest[rule.last_id], visit.catalog)) for rule in seen]
    rows.sort(key=lambda row: (row.score.points, -row.seen.alerts, row.seen.rule))
    return show(visit, "alert_rules.html", section="alerts", rows=rows)


@get("/alerts/{number:int}/payload", opt=needs("read"), include_in_schema=False)
async def show_payload(number: Number, db: Db) -> Response[bytes]:
    """What the sender sent, byte for byte, as a file of plain text: it may hold anything, so it is never shown as a page."""
    async with db.connection() as conn:
        alert = await _alert(conn, number)
        row = None
        if alert.payload_writer is not None and alert.payload_id is not None:
            row = await read_row(conn, alert.payload_writer, alert.payload_id)
    if row is None:
        raise NotFound("The payload is no longer kept.")
    return raw(bytes(row.raw), f"A-{number}.txt")


def raw(body: bytes, name: str) -> Response[bytes]:
    return Response(
        body,
        media_type="text/plain",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _alert(conn: asyncpg.Connection, number: int) -> AlertRow:
    alert = await alerts_store.get_alert(conn, number)
    if alert is None:
        raise NotFound(f"There is no alert A-{number}.")
    return alert


ROUTES: list[HTTPRouteHandler] = [list_alerts, show_alert, list_rules, show_payload]
