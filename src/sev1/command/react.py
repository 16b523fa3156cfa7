"""Incident command meets the world: what the rules need is looked up first, pages and alerts follow afterwards."""

import difflib
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from msgspec.structs import replace

from sev1.catalog.audience import INTERNAL
from sev1.catalog.cache import CatalogCache
from sev1.catalog.checklist import checklist_of
from sev1.catalog.model import Catalog
from sev1.command import kin, people
from sev1.command import model as m
from sev1.command.around import look_around
from sev1.command.decide import rank
from sev1.command.gate import Around, prechecks
from sev1.command.intake_record import on_record
from sev1.command.parts import reach
from sev1.command.parts.clocks import Promise
from sev1.command.parts.merging import TookIn
from sev1.command.parts.pace import CheckPace
from sev1.command.parts.privacy import Admit, Remove
from sev1.command.parts.runs import Checklist, StartRun
from sev1.command.undo import LOOKED_AT
from sev1.command.withhold import OVER
from sev1.engine import event_log
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid, NotFound
from sev1.oncall import store as oncall_store
from sev1.paging import model as paging
from sev1.paging import store as pages
from sev1.paging.react import people_of_steps

DEFAULT_RHYTHM_MIN = 30
REVIEW_WITHIN_DAYS = 5
"""Working days from the all-clear to the review that it proposes."""
SATURDAY = 5


class PrepareIncident:
    """Checks names against the catalog and adds what is known: rhythm, linked page, firing alerts."""

    def __init__(self, catalogs: CatalogCache, *, tries: bool = False) -> None:
        """`tries`: what is decided will not be recorded, so nothing is taken, not even a number."""
        self._catalogs = catalogs
        self._tries = tries

    async def __call__(
        self,
        conn: asyncpg.Connection,
        state: m.Incident,
        command: m.IncidentCommand,
        now: datetime,
    ) -> m.Informed:
        catalog = await self._catalogs.current(conn)
        await _check_names(conn, command, catalog)
        severities = [s.name for s in catalog.severities_worst_first()]
        # SEV-0 is for whoever sees a catastrophe; unknown impact starts at the worst of the everyday ones.
        worst = next((name for name in severities if rank(name) >= 1), "sev-1")
        known = m.Known(worst_severity=worst)
        if isinstance(command, m.Declare):
            known = await _known_of_sources(conn, command, known, catalog, now)
            severity = command.severity or worst
        else:
            severity = command.severity if isinstance(command, m.SetSeverity) else state.severity
        if isinstance(command, m.LinkAlerts | m.LinkPage):
            known = await _known_of_links(conn, state, command, known, catalog, now)
        if isinstance(command, m.ConfirmCriterion) and command.criterion == "stable":
            known = replace(known, firing=await _firing(conn, state))
        if isinstance(command, reach.CheckReach | reach.TakeCommand):
            known = replace(
                known,
                call_answered=await _call_answered(conn, state),
                on_call=tuple(one.person for one in await people.on_call_for(conn, catalog, state.services, now)),
                programs=tuple(name for name in state.insiders if name not in catalog.people),
            )
        if isinstance(command, m.ConfirmCriterion):
            known = replace(known, findings=await _findings(conn, catalog, state, command, now))
        if isinstance(command, m.GiveAllClear):
            commander = catalog.people.get(state.commander)
            known = replace(known, review_at=working_days_ahead(now, commander.time_zone if commander else "UTC"))
        if isinstance(command, CheckPace):
            known = replace(
                known,
                conditions=await people.conditions(conn, catalog, state.pace.stints, now),
                fresh=await people.fresh_ones(conn, state, catalog, now),
            )
        known = await _known_of_named(conn, state, command, known, catalog)
        known = replace(known, kin=await kin.kin_of(conn, state, command, allocate=not self._tries))
        how_bad = catalog.severities.get(severity)
        rhythm = how_bad.update_every_min if how_bad else DEFAULT_RHYTHM_MIN
        promises = tuple(
            Promise(
                audience=one.name,
                every_min=one.every_min(severity, rhythm),
                from_start=one.promised_from_start(severity),
            )
            for one in catalog.organisation.audiences
        )
        if how_bad:
            known = replace(
                known,
                answer_within_s=how_bad.respond_within_s,
                command_h=how_bad.command_hours,
                break_every_h=how_bad.break_every_h,
            )
        return m.Informed(command=command, known=replace(known, update_every_min=rhythm, promises=promises))


async def _check_names(conn: asyncpg.Connection, command: m.IncidentCommand, catalog: Catalog) -> None:
    """Refuses a severity, service, page, alert or person that does not exist, naming it and the choices."""
    severity = getattr(command, "severity", None)
    if severity is not None and severity not in catalog.severities:
        choices = ", ".join(s.label for s in catalog.severities_worst_first())
        raise Invalid(f"{severity.upper()} is not in use here. Choose one of {choices}.", field="severity")
    for service in getattr(command, "services", ()):
        if service not in catalog.services:
            raise Invalid(f"The catalog has no service {service!r}. Check the name, or leave it out.", field="services")
    for field in ("commander", "person", "owner", "lead"):
        person = getattr(command, field, None)
        if person is not None and person not in catalog.people and not isinstance(command, Remove):
            known = not isinstance(command, m.PageResponder) and await _is_account(conn, person)
            known = known or (isinstance(command, Admit) and await _is_token(conn, person))
            if not known:
                raise Invalid(f"Nobody here is called {person!r}. Choose a person from the catalog.", field=field)
    _check_audience(getattr(command, "audience", INTERNAL), catalog)
    _check_people(getattr(command, "people", ()), catalog)
    page = getattr(command, "page", None)
    if page is not None and await pages.get(conn, page) is None:
        raise NotFound(f"There is no page {page}.")
    if alerts := getattr(command, "alerts", ()):
        found = {row["id"] for row in await conn.fetch("SELECT id FROM alerts WHERE id = ANY($1::bigint[])", alerts)}
        if missing := [a for a in alerts if a not in found]:
            raise NotFound(f"There is no alert A-{missing[0]}.")


def _check_people(people: tuple[str, ...], catalog: Catalog) -> None:
    if unknown := next((name for name in people if name not in catalog.people), None):
        raise Invalid(f"Nobody here is called {unknown!r}. Choose people from the catalog.", field="people")


def _check_audience(audience: str, catalog: Catalog) -> None:
    names = [INTERNAL, *(one.name for one in catalog.organisation.audiences)]
    if audience not in names:
        raise Invalid(f"There is no audience {audience!r}. Choose one of {', '.join(names)}.", field="audience")


async def _is_account(conn: asyncpg.Connection, email: str) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM users WHERE email_key = $1 AND NOT disabled)"
    return bool(await conn.fetchval(query, email.casefold()))


async def _is_token(conn: asyncpg.Connection, name: str) -> bool:
    """A program may be let into a restricted incident by its token's name."""
    query = "SELECT EXISTS (SELECT 1 FROM api_tokens WHERE name = $1 AND revoked_at IS NULL)"
    return bool(await conn.fetchval(query, name))


async def _known_of_links(
    conn: asyncpg.Connection,
    state: m.Incident,
    command: m.LinkAlerts | m.LinkPage,
    known: m.Known,
    catalog: Catalog,
    now: datetime,
) -> m.Known:
    """The services of alerts that are linked, and what the record says with them."""
    if isinstance(command, m.LinkAlerts):
        alerts = list(command.alerts)
    else:
        rows = await conn.fetch("SELECT id FROM alerts WHERE page = $1 AND incident IS NULL LIMIT 200", command.page)
        alerts = [row["id"] for row in rows]
    services = await _services_of(conn, alerts)
    began = await conn.fetchval(
        "SELECT min(starts_at) FROM alerts WHERE id = ANY($1::bigint[]) OR incident = $2", alerts, state.key
    )
    if "began" in state.intake and state.started_at:  # what began it is not later because more is known
        began = min(began or state.started_at, state.started_at)
    affected = tuple(dict.fromkeys((*state.services, *services)))
    found = await on_record(conn, catalog, services=affected, began=began, now=now)
    return replace(known, services=services, found=found)


async def _known_of_sources(
    conn: asyncpg.Connection, command: m.Declare, known: m.Known, catalog: Catalog, now: datetime
) -> m.Known:
    """When an incident is declared from alerts or a page, they tell when it began, was seen and was answered."""
    alerts = list(command.alerts)
    page = await pages.get(conn, command.page) if command.page else None
    if page:
        alerts += [row["id"] for row in await conn.fetch("SELECT id FROM alerts WHERE page = $1 LIMIT 200", page.key)]
    row = await conn.fetchrow(
        "SELECT min(starts_at) AS started, min(received_at) AS detected FROM alerts WHERE id = ANY($1::bigint[])",
        alerts,
    )
    services = tuple(s for s in await _services_of(conn, alerts) if s in catalog.services)
    affected = tuple(dict.fromkeys((*command.services, *services)))
    began = command.started_at or row["started"]
    return replace(
        known,
        found=await on_record(conn, catalog, services=affected, began=began, now=now),
        started_at=row["started"],
        detected_at=row["detected"],
        page_acknowledged_at=page.acknowledged_at if page else None,
        services=services,
        commander=command.commander,
    )


async def _services_of(conn: asyncpg.Connection, alerts: list[int] | tuple[int, ...]) -> tuple[str, ...]:
    rows = await conn.fetch(
        "SELECT DISTINCT service FROM alerts WHERE id = ANY($1::bigint[]) AND service IS NOT NULL ORDER BY service",
        list(alerts),
    )
    return tuple(row["service"] for row in rows)


async def _findings(
    conn: asyncpg.Connection, catalog: Catalog, state: m.Incident, command: m.ConfirmCriterion, now: datetime
) -> tuple[str, ...]:
    """What is known to speak against a criterion."""
    around = await look_around(conn, catalog, state, now) if command.criterion == "restored" else Around()
    return next(one.findings for one in prechecks(state, around) if one.criterion == command.criterion)


def working_days_ahead(now: datetime, zone: str, days: int = REVIEW_WITHIN_DAYS) -> datetime:
    """Ten in the morning, `days` working days after `now`, on the clock of `zone`."""
    day = now.astimezone(ZoneInfo(zone)).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < SATURDAY
    return datetime.combine(day, time(10), ZoneInfo(zone)).astimezone(UTC)


async def _known_of_named(
    conn: asyncpg.Connection, state: m.Incident, command: m.IncidentCommand, known: m.Known, catalog: Catalog
) -> m.Known:
    """The entry or the runbook that a command names."""
    match command:
        case m.Undo(entry=entry):
            return replace(known, record=await _record(conn, state.key, entry))
        case StartRun(runbook=runbook):
            return replace(known, checklist=_checklist(catalog, runbook))
        case _:
            return known


def _checklist(catalog: Catalog, name: str) -> Checklist:
    """The runbook as it is now. Raises NotFound, naming what sounds alike."""
    runbook = catalog.runbooks.get(name)
    if runbook is None:
        near = difflib.get_close_matches(name, list(catalog.runbooks), n=2, cutoff=0.5)
        guess = f" Did you mean {' or '.join(near)}?" if near else " The catalog lists them."
        raise NotFound(f"There is no runbook {name!r}.{guess}")
    return Checklist(runbook=name, title=runbook.title, steps=checklist_of(runbook.body))


async def _record(conn: asyncpg.Connection, key: str, entry: int | None) -> tuple[Fact[Any], ...]:
    """What `command/undo.py` looks at: an entry with the one after it, or the end of the record."""
    stream = event_log.stream_name("incident", key)
    before, limit = (entry + 2, 2) if entry else (None, LOOKED_AT)
    return tuple(await event_log.read_back(conn, stream, m.IncidentEvent, before=before, limit=limit))


async def _firing(conn: asyncpg.Connection, state: m.Incident) -> tuple[int, ...]:
    rows = await conn.fetch(
        "SELECT id FROM alerts WHERE incident = $1 AND status = 'firing' ORDER BY id LIMIT 100", state.key
    )
    return tuple(row["id"] for row in rows)


async def _call_answered(conn: asyncpg.Connection, state: m.Incident) -> bool:
    """Whether the commander answered the page that calls them. It is looked up when it matters: the page does not tell
    the incident by itself, so that neither ever waits for the other's lock.
    """
    call = state.reach.call
    if call is None:
        return False
    by = await conn.fetchval(
        "SELECT state->>'acknowledged_by' FROM pages WHERE incident = $1 AND group_key = $2", state.key, call.group
    )
    return bool(by == call.person)


class IncidentEffects:
    """A reaction: alerts and pages learn of their incident, and of its end."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def __call__(self, conn: asyncpg.Connection, change: Change[m.Incident]) -> None:
        incident = change.after
        for fact in change.facts:
            match fact.event:
                case m.PageLinked(page=page):
                    await self._link_page(conn, incident.key, page, fact.by)
                case m.AlertsLinked(alerts=alerts):
                    await conn.execute(
                        "UPDATE alerts SET incident = $1 WHERE id = ANY($2::bigint[])", incident.key, list(alerts)
                    )
                case TookIn(other=other):
                    await conn.execute("UPDATE alerts SET incident = $1 WHERE incident = $2", incident.key, other)
                case m.AllClearGiven() | m.ClosedAsFalseAlarm():
                    for page in sorted(incident.pages):
                        done = paging.Resolve(
                            reason=OVER if incident.privacy.restricted else f"{incident.key} is over."
                        )
                        await self._commands.run_in(conn, "page", page, done, by=fact.by)

    async def _link_page(self, conn: asyncpg.Connection, incident: str, page: str, by: Actor) -> None:
        await self._commands.run_in(conn, "page", page, paging.LinkIncident(incident=incident), by=by)
        await conn.execute("UPDATE alerts SET incident = $1 WHERE page = $2 AND incident IS NULL", incident, page)


async def declare(
    commands: Commands,
    conn: asyncpg.Connection,
    catalogs: CatalogCache,
    command: m.Declare,
    *,
    by: Actor,
    commands_it: bool,
) -> Change[m.Incident]:
    """Declares the next incident (INC-n) in the caller's transaction.

    Who declares commands for now, if they can (`commands_it`). A program or an onlooker cannot: then it is whoever has
    the page or is on call, if anybody is, so that command is never without a person who can be reached.
    """
    if not commands_it and command.commander is None:
        person = await who_would_command(conn, await catalogs.current(conn), command, commands.clock.now())
        command = replace(command, commander=person)
    if command.parent:
        # Before the number is taken: everybody takes families first, so that two never wait for each other.
        await kin.lock(conn, command.parent, command)
    key = f"INC-{await event_log.next_number(conn, 'incident')}"
    return await commands.run_in(conn, "incident", key, command, by=by)


async def who_would_command(
    conn: asyncpg.Connection, catalog: Catalog, command: m.Declare, now: datetime
) -> str | None:
    """Who has the page, else who is asked, else who is on call for the services, else for everything."""
    services = (*command.services, *await _services_of(conn, command.alerts))
    page = await pages.get(conn, command.page) if command.page else None
    if page:
        asked = [page.acknowledged_by or "", *(paged.person for paged in page.people)]
        if person := next((name for name in asked if name in catalog.people), None):
            return person
    policies = [catalog.services[name].policy for name in services if name in catalog.services]
    policies.append(catalog.organisation.fallback_policy)
    overrides = await oncall_store.overrides_at(conn, now)
    for policy in (catalog.policies[name] for name in policies if name in catalog.policies):
        for asked_there in people_of_steps(policy, catalog, now, overrides):
            if asked_there:
                return asked_there[0].person
    return None
