"""Everything the incident's landing page is rendered from, read at one moment. Used by the page and by its stream."""

from collections.abc import Sequence
from typing import Any, get_args

import asyncpg
from msgspec import Struct

from sev1.command import kin, store
from sev1.command import model as m
from sev1.command.advice import Advice
from sev1.command.decide import IncidentAggregate
from sev1.command.terms import EntryKind
from sev1.command.timeline import Entry, entry, render
from sev1.engine import event_log
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound
from sev1.notify.model import DeliveryView
from sev1.notify.store import deliveries_about
from sev1.paging import store as pages
from sev1.paging.model import Page
from sev1.surfaces.said import warnings
from sev1.surfaces.web import incident_view as view
from sev1.surfaces.web.board_view import board_view
from sev1.surfaces.web.clocks_view import clocks_view
from sev1.surfaces.web.decisions_view import decision_rows
from sev1.surfaces.web.family_view import family_view
from sev1.surfaces.web.page_view import receipts
from sev1.surfaces.web.privacy_view import insiders
from sev1.surfaces.web.timeline_view import FILTERS, PAGE, timeline_view
from sev1.surfaces.web.visit import Typed, Visit, context_of
from sev1.surfaces.web.work_view import work_view

ALERTS_SHOWN = 8
DECISIONS_SHOWN = 5
VISIBLE = frozenset(get_args(EntryKind)) - {"hidden"}
CHUNK = 500
"""How much of the record is read at once while looking for entries of one kind."""

BAR: tuple[tuple[str, str], ...] = (("line", "Say"), ("update", "Update"), ("decision", "Decision"))
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
    "restrict": "Restrict who may see it",
    "admit": "Admit somebody",
    "unrestrict": "Lift the restriction",
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
    version: int
    facts: Sequence[Fact[m.IncidentEvent]]
    """The end of the record, as far as it is shown; oldest first."""
    decisions: Sequence[Fact[m.IncidentEvent]]
    """The latest, oldest first."""
    pages: Sequence[Page]
    alerts: Sequence[LinkedAlert]
    alert_count: int
    deliveries: Sequence[DeliveryView]
    """Announcements and the like: what went out about it."""
    around: Sequence[m.Incident]
    """Its parent and everything under it."""
    mark: str
    """Changes whenever something that the page shows does; see `read_mark`."""


async def read(
    conn: asyncpg.Connection, key: str, *, kind: str = "", before: int | None = None, after: int | None = None
) -> IncidentPage:
    """The state as it is projected, and of the record what one page of the timeline shows: however long it is, the
    page costs the same. With `after`, instead all that came after that version.

    Raises NotFound for an incident that was never declared.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        found = await store.get_with_version(conn, key)
        if found is None:
            raise NotFound(f"There is no incident {key}.")
        incident, version = found
        stream = event_log.stream_name(IncidentAggregate.kind, key)
        if after is not None:
            facts = await event_log.read(conn, stream, m.IncidentEvent, after=after)
        else:
            facts = await _facts_of_a_page(conn, stream, kind, before)
        decisions = await _decisions(conn, stream)
        rows = await conn.fetch(
            "SELECT id, summary, status, starts_at FROM alerts WHERE incident = $1"
            " ORDER BY status, starts_at DESC, id DESC LIMIT $2",
            key, ALERTS_SHOWN,
        )  # fmt: skip
        count = await conn.fetchval("SELECT count(*) FROM alerts WHERE incident = $1", key)
        linked = await pages.of_incident(conn, key)
        deliveries = await deliveries_about(conn, key)
        family = incident.family
        around = await kin.around(conn, key, family.parent) if family.parent or family.children else []
        mark = await read_mark(conn, key)
    return IncidentPage(
        incident=incident,
        version=version,
        facts=facts,
        decisions=decisions,
        pages=linked,
        alerts=[LinkedAlert(**dict(row)) for row in rows],
        alert_count=count,
        deliveries=deliveries,
        around=around,
        mark=mark,
    )


async def _facts_of_a_page(
    conn: asyncpg.Connection, stream: str, kind: str, before: int | None
) -> list[Fact[m.IncidentEvent]]:
    """Enough of the record for one page of the timeline and to know whether there is more, read from its end."""
    wanted = FILTERS[kind][1] if kind in FILTERS else VISIBLE
    chunk = CHUNK if kind in FILTERS else PAGE + 1
    found: list[Fact[m.IncidentEvent]] = []
    while len(found) <= PAGE:
        part = await event_log.read_back(conn, stream, m.IncidentEvent, before=before, limit=chunk)
        found[:0] = [fact for fact in part if entry(fact, str).kind in wanted]
        if len(part) < chunk:
            break
        before = part[0].version
    return found


async def _decisions(conn: asyncpg.Connection, stream: str) -> list[Fact[m.IncidentEvent]]:
    versions = await conn.fetch(
        "SELECT version FROM events WHERE stream = $1 AND event->>'type' = 'decision_recorded'"
        " ORDER BY version DESC LIMIT $2",
        stream, DECISIONS_SHOWN,
    )  # fmt: skip
    return [
        fact
        for row in reversed(versions)
        for fact in await event_log.read_back(conn, stream, m.IncidentEvent, before=row["version"] + 1, limit=1)
    ]


async def read_mark(conn: asyncpg.Connection, key: str) -> str:
    """A small query whose answer changes with the incident, its pages and alerts, the incident above and those under
    it. Begins with the version.

    Raises NotFound for an incident that was never declared.
    """
    row = await conn.fetchrow(
        "SELECT i.version,"
        " (SELECT coalesce(sum(version), 0) FROM pages WHERE incident = i.id) AS pages,"
        " (SELECT count(*) FROM alerts WHERE incident = i.id) AS alerts,"
        " (SELECT count(*) FROM alerts WHERE incident = i.id AND status = 'firing') AS firing,"
        " (SELECT count(*) FROM deliveries WHERE about = i.id AND finished_at IS NOT NULL) AS deliveries,"
        " (SELECT coalesce(sum(version), 0) FROM incidents WHERE parent = i.id"
        "  OR parent IN (SELECT id FROM incidents WHERE parent = i.id)) AS below,"
        " (SELECT coalesce(sum(version), 0) FROM incidents WHERE id = i.parent) AS above"
        " FROM incidents i WHERE i.id = $1",
        key,
    )
    if row is None:
        raise NotFound(f"There is no incident {key}.")
    return ".".join(str(number) for number in row)


def context(
    page: IncidentPage,
    visit: Visit,
    *,
    kind: str = "",
    before: int | None = None,
    typed: Typed | None = None,
    begun: str = "",
    advice: Sequence[Advice] = (),
    said: int | None = None,
) -> dict[str, Any]:
    """What `incident/incident.html` and its parts show; `said` is the version of what this visitor just wrote."""
    incident, catalog = page.incident, visit.catalog
    decisions = {f.version: f.event for f in page.decisions if isinstance(f.event, m.DecisionRecorded)}
    severity = catalog.severities.get(incident.severity)
    return context_of(
        visit,
        section="incidents",
        typed=typed,
        incident=incident,
        version=page.version,
        mark=page.mark,
        band=view.band(incident, catalog, visit.me, visit.now),
        picture=view.picture(incident, catalog),
        board=board_view(incident.board, catalog),
        work=work_view(incident, catalog, visit.me),
        family=family_view(incident, page.around, catalog, visit.now),
        decisions=decision_rows(decisions, incident.decisions),
        clocks=clocks_view(incident, catalog, visit.now),
        begun=begun,
        advice=advice,
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
        insiders=insiders(incident, catalog),
    )


def entries(facts: Sequence[Fact[m.IncidentEvent]], visit: Visit) -> list[Entry]:
    return render(facts, visit.name_of)


def offered(incident: m.Incident) -> list[str]:
    """The forms that make sense in the incident's state, the likeliest first."""
    privacy = ["admit", "unrestrict"] if incident.privacy.restricted else ["restrict"]
    match incident.status:
        case "open":
            gate = (["override"] if incident.missing else []) + (["withdraw"] if incident.gate else [])
            return ["role", "severity", "responder", *gate, "link", "times", *privacy, "false-alarm"]
        case "resolved":
            return ["all-clear", "role", "link", "times", *privacy, "reopen"]
        case _:
            return ["link", "times", *privacy, "reopen"]
