"""Everything the incident's landing page is rendered from, read at one moment. Used by the page and by its stream."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from msgspec import Struct

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.timeline import Entry, render
from sev1.engine.commands import Commands
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound
from sev1.notify.model import DeliveryView
from sev1.notify.store import deliveries_about
from sev1.paging import store as pages
from sev1.paging.model import Page
from sev1.surfaces.said import warnings
from sev1.surfaces.web import incident_view as view
from sev1.surfaces.web.page_view import receipts
from sev1.surfaces.web.timeline_view import FILTERS, timeline_view
from sev1.surfaces.web.visit import Typed, Visit, context_of

ALERTS_SHOWN = 8

BAR: tuple[tuple[str, str], ...] = (("update", "Update"), ("decision", "Decision"), ("note", "Note"))
"""The forms of the command bar and the words on their tabs."""
FOLDS: dict[str, str] = {
    "all-clear": "All clear",
    "severity": "Change the severity",
    "role": "Give somebody a role",
    "responder": "Page somebody for this",
    "override": "Override a criterion",
    "withdraw": "Take back a confirmation",
    "link": "Link a page or an alert",
    "times": "Correct the times",
    "false-alarm": "Close as a false alarm",
    "reopen": "Reopen",
}
FORMS = frozenset({*FOLDS, *(name for name, _ in BAR)})


class LinkedAlert(Struct, frozen=True, kw_only=True):
    id: int
    summary: str
    status: str
    starts_at: Any

    @property
    def key(self) -> str:
        return f"A-{self.id}"


class IncidentPage(Struct, frozen=True, kw_only=True):
    incident: m.Incident
    facts: Sequence[Fact[m.IncidentEvent]]
    pages: Sequence[Page]
    alerts: Sequence[LinkedAlert]
    alert_count: int
    deliveries: Sequence[DeliveryView]
    """Announcements and the like: what went out about it."""
    mark: str
    """Changes whenever something that the page shows does; see `read_mark`."""

    @property
    def version(self) -> int:
        return self.facts[-1].version if self.facts else 0


async def read(conn: asyncpg.Connection, commands: Commands, key: str) -> IncidentPage:
    """Raises NotFound for an incident that was never declared."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        incident, facts = await commands.load(conn, IncidentAggregate.kind, key)
        if incident.status == "none":
            raise NotFound(f"There is no incident {key}.")
        rows = await conn.fetch(
            "SELECT id, summary, status, starts_at FROM alerts WHERE incident = $1"
            " ORDER BY status, starts_at DESC, id DESC LIMIT $2",
            key, ALERTS_SHOWN,
        )  # fmt: skip
        count = await conn.fetchval("SELECT count(*) FROM alerts WHERE incident = $1", key)
        linked = await pages.of_incident(conn, key)
        deliveries = await deliveries_about(conn, key)
        mark = await read_mark(conn, key)
    return IncidentPage(
        incident=incident,
        facts=facts,
        pages=linked,
        alerts=[LinkedAlert(**dict(row)) for row in rows],
        alert_count=count,
        deliveries=deliveries,
        mark=mark,
    )


async def read_mark(conn: asyncpg.Connection, key: str) -> str:
    """A small query whose answer changes with the incident, its pages and its alerts. Begins with the version."""
    row = await conn.fetchrow(
        "SELECT i.version,"
        " (SELECT coalesce(sum(version), 0) FROM pages WHERE incident = i.id) AS pages,"
        " (SELECT count(*) FROM alerts WHERE incident = i.id) AS alerts,"
        " (SELECT count(*) FROM alerts WHERE incident = i.id AND status = 'firing') AS firing,"
        " (SELECT count(*) FROM deliveries WHERE about = i.id AND finished_at IS NOT NULL) AS deliveries"
        " FROM incidents i WHERE i.id = $1",
        key,
    )
    return ".".join(str(number) for number in row)


def context(
    page: IncidentPage,
    visit: Visit,
    *,
    kind: str = "",
    before: int | None = None,
    typed: Typed | None = None,
    said: int | None = None,
) -> dict[str, Any]:
    """What `incident/incident.html` and its parts show; `said` is the version of what this visitor just wrote."""
    incident, catalog = page.incident, visit.catalog
    decisions = {f.version: f.event for f in page.facts if isinstance(f.event, m.DecisionRecorded)}
    severity = catalog.severities.get(incident.severity)
    return context_of(
        visit,
        section="incidents",
        typed=typed,
        incident=incident,
        version=page.version,
        mark=page.mark,
        band=view.band(incident, catalog, visit.me, visit.now),
        picture=view.picture(incident, decisions, catalog),
        roles=view.role_rows(incident, catalog, visit.me),
        gate=view.gate_rows(incident, catalog),
        severities=view.severity_choices(catalog, incident.severity),
        settable=view.SETTABLE_STAGES,
        rhythm=severity.update_every_min if severity else 30,
        timeline=timeline_view(entries(page.facts, visit), kind=kind, before=before),
        filters=[(name, label) for name, (label, _) in FILTERS.items()],
        receipts=receipts(page.deliveries, catalog),
        linked_pages=page.pages,
        linked_alerts=page.alerts,
        alerts_more=page.alert_count - len(page.alerts),
        actions=[(name, FOLDS[name]) for name in offered(incident)],
        bar=BAR,
        bar_ids=[name for name, _ in BAR],
        form_ids=FORMS,
        worth=[hint for f in page.facts if f.version == said for hint in warnings(f.event, catalog)],
        oob=False,
    )


def entries(facts: Sequence[Fact[m.IncidentEvent]], visit: Visit) -> list[Entry]:
    return render(facts, visit.name_of)


def offered(incident: m.Incident) -> list[str]:
    """The forms that make sense in the incident's state, the likeliest first."""
    match incident.status:
        case "open":
            gate = (["override"] if incident.missing else []) + (["withdraw"] if incident.gate else [])
            return ["role", "severity", "responder", *gate, "link", "times", "false-alarm"]
        case "resolved":
            return ["all-clear", "role", "link", "times", "reopen"]
        case _:
            return ["link", "times", "reopen"]
