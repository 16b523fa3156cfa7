"""Everything the incident's landing page is rendered from, read at one moment. Used by the page and by its stream."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import concerns, kin, store
from sev1.command import model as m
from sev1.command.advice import Advice
from sev1.command.concerns import Concern
from sev1.command.decide import IncidentAggregate
from sev1.command.prompts import prompts
from sev1.command.terms import EntryKind
from sev1.command.timeline import Entry, entry, render
from sev1.command.vocabulary import in_other_words
from sev1.engine import event_log
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound
from sev1.notify.store import LatestDeliveries, latest_about
from sev1.paging import store as pages
from sev1.paging.model import Page
from sev1.risk import risks
from sev1.risk.acceptance import Risk
from sev1.surfaces.people_view import at_work
from sev1.surfaces.said import warnings
from sev1.surfaces.web import incident_view as view
from sev1.surfaces.web.board_view import Line, board_view
from sev1.surfaces.web.bridge_view import bridge_view
from sev1.surfaces.web.clocks_view import clocks_view
from sev1.surfaces.web.command_view import command_view
from sev1.surfaces.web.concerns import concern_rows
from sev1.surfaces.web.decisions_view import decision_rows
from sev1.surfaces.web.ending import step_rows
from sev1.surfaces.web.family_view import family_view
from sev1.surfaces.web.intake_view import intake_view
from sev1.surfaces.web.live_parts import FINGERPRINT_MARK
from sev1.surfaces.web.page_view import receipts
from sev1.surfaces.web.people_rows import people_rows
from sev1.surfaces.web.priority_view import priority_view
from sev1.surfaces.web.privacy_view import insiders
from sev1.surfaces.web.runs_view import runs_view
from sev1.surfaces.web.timeline_view import FILTERS, PAGE, timeline_view
from sev1.surfaces.web.visit import Typed, Visit, context_of
from sev1.surfaces.web.work_view import work_view

ALERTS_SHOWN = 8
VISIBLE = frozenset(get_args(EntryKind)) - {"hidden"}
CHUNK = 500
"""How much of the record is read at once while looking for entries of one kind."""

BAR: tuple[tuple[str, str], ...] = (("line", "Say"), ("update", "Update"), ("decision", "Decision"))
"""The forms of the command bar and the words on their tabs."""
FOLDS: dict[str, str] = {
    "all-clear": "All clear",
    "severity": "Change the severity",
    "priority": "Change the priority",
    "role": "Give somebody a role",
    "responder": "Page somebody for this",
    "handover": "Hand over command",
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
    pages: Sequence[Page]
    alerts: Sequence[LinkedAlert]
    alert_count: int
    deliveries: LatestDeliveries
    """Announcements and the like: what went out about it."""
    around: Sequence[m.Incident]
    """Its parent and everything under it."""
    risks: Sequence[Risk]
    """Accepted for the affected services."""
    concerns: Sequence[Concern]
    """What was said in confidence: to be shown to those who may read it only."""
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
        rows = await conn.fetch(
            "SELECT id, summary, status, starts_at FROM alerts WHERE incident = $1"
            " ORDER BY status, starts_at DESC, id DESC LIMIT $2",
            key, ALERTS_SHOWN,
        )  # fmt: skip
        count = await conn.fetchval("SELECT count(*) FROM alerts WHERE incident = $1", key)
        linked = await pages.of_incident(conn, key)
        deliveries = await latest_about(conn, key)
        family = incident.family
        around = await kin.around(conn, key, family.parent) if family.parent or family.children else []
        said = await concerns.of_incident(conn, key)
        accepted = await risks.of_services(conn, incident.services) if incident.services else []
        mark = await read_mark(conn, key)
    return IncidentPage(
        incident=incident,
        version=version,
        facts=facts,
        pages=linked,
        alerts=[LinkedAlert(**dict(row)) for row in rows],
        alert_count=count,
        deliveries=deliveries,
        around=around,
        concerns=said,
        risks=accepted,
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
        " (SELECT count(*) + count(heard_at) FROM concerns WHERE incident = i.id) AS concerns,"
        " (SELECT coalesce(sum(version), 0) FROM incidents WHERE parent = i.id"
        "  OR parent IN (SELECT id FROM incidents WHERE parent = i.id)) AS below,"
        " (SELECT coalesce(sum(version), 0) FROM incidents WHERE id = i.parent) AS above"
        " FROM incidents i WHERE i.id = $1",
        key,
    )
    if row is None:
        raise NotFound(f"There is no incident {key}.")
    return ".".join(str(number) for number in row)


def mark_of(page: IncidentPage, catalog: Catalog, now: datetime) -> str:
    """The mark of the page with what its holders of roles are asked: that changes with the time alone."""
    asked = prompts(page.incident, now, view.rhythm_of(page.incident, catalog))
    return "~".join((page.mark, *(one.kind for one in asked.values())))


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
    """What `incident/incident.html` shows; `said` is the version of what this visitor just wrote.

    Its fingerprint is put in by `live_parts.with_fingerprint` once it is rendered.
    """
    return {
        **parts(page, visit),
        "fingerprint": FINGERPRINT_MARK,
        "typed": typed,
        "begun": begun,
        "advice": advice,
        "timeline": timeline_view(entries(page, page.facts, visit), kind=kind, before=before),
        "filters": [(name, label) for name, (label, _) in FILTERS.items()],
        "bar": BAR,
        "bar_ids": [name for name, _ in BAR],
        "form_ids": FORMS,
        "worth": [hint for f in page.facts if f.version == said for hint in warnings(f.event, visit.catalog)],
        "oob": False,
    }


def parts(page: IncidentPage, visit: Visit, shared: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the parts show that change while the page is open: all of it but the timeline and the bar.

    `shared` is what `same_for_all` gave for this page, when that is known already.
    """
    incident, catalog = page.incident, visit.catalog
    return context_of(
        visit,
        section="incidents",
        band=view.band(incident, catalog, visit.me, visit.now),
        work=work_view(incident, catalog, visit.me),
        people=people_rows(at_work(incident, catalog, visit.me, visit.now), visit.me, incident.commander),
        concerns=concern_rows(page.concerns, catalog, visit.me, incident.commander),
        command_view=command_view(incident, catalog, visit.me, visit.now),
        roles=view.role_rows(incident, catalog, visit.me),
        **(same_for_all(page, catalog, visit.now) if shared is None else shared),
    )


def same_for_all(page: IncidentPage, catalog: Catalog, now: datetime) -> dict[str, Any]:
    """What does not depend on who looks."""
    incident = page.incident
    return {
        "incident": incident,
        "version": page.version,
        "risks": page.risks,
        "picture": view.picture(incident, catalog),
        "board": board_view(incident.board, catalog),
        "family": family_view(incident, page.around, catalog, now),
        "runs": runs_view(incident, catalog),
        "decisions": decision_rows(incident.decisions),
        "bridge": bridge_view(incident, catalog),
        "intake": intake_view(incident, catalog),
        "clocks": clocks_view(incident, catalog, now),
        "gate": view.gate_rows(incident, catalog),
        "earlier_ends": view.earlier_ends(incident, catalog),
        "steps": step_rows(incident, catalog),
        "in_other_words": in_other_words(incident.stage),
        "priority": priority_view(incident, catalog),
        "review_lines": [Line(label="plan", line="/review @")],
        "severities": view.severity_choices(catalog, incident.severity),
        "settable": view.SETTABLE_STAGES,
        "rhythm": view.rhythm_of(incident, catalog),
        "receipts": receipts(page.deliveries.shown, catalog),
        "receipts_before": page.deliveries.before,
        "linked_pages": page.pages,
        "linked_alerts": page.alerts,
        "alerts_more": page.alert_count - len(page.alerts),
        "actions": [(name, FOLDS[name]) for name in offered(incident)],
        "insiders": insiders(incident, catalog),
    }


def entries(page: IncidentPage, facts: Sequence[Fact[m.IncidentEvent]], visit: Visit) -> list[Entry]:
    return render(facts, visit.name_of, page.incident.entries)


def offered(incident: m.Incident) -> list[str]:
    """The forms that make sense in the incident's state, the likeliest first."""
    privacy = ["admit", "unrestrict"] if incident.privacy.restricted else ["restrict"]
    match incident.status:
        case "open":
            gate = (["override"] if incident.missing else []) + (["withdraw"] if incident.gate else [])
            return [
                "role",
                "handover",
                "severity",
                "priority",
                "responder",
                *gate,
                "link",
                "times",
                *privacy,
                "false-alarm",
            ]
        case "resolved":
            return ["all-clear", "role", "link", "times", *privacy, "reopen"]
        case _:
            return ["link", "times", *privacy, "reopen"]
