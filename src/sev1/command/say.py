"""From a typed line to a recorded command: who speaks, what it would record, what is pointed out."""

from datetime import datetime

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command import store
from sev1.command.decide import IncidentAggregate
from sev1.command.grammar.complete import Candidate, complete
from sev1.command.grammar.parse import parse, usage_of
from sev1.command.grammar.reading import Speaker
from sev1.command.react import PrepareIncident
from sev1.command.terms import NameOf
from sev1.command.timeline import Entry, render
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import NotFound, Sev1Error


class Draft(Struct, frozen=True, kw_only=True):
    """A line that somebody is typing: how it may go on, and what it would record."""

    candidates: list[Candidate]
    records: list[Entry]
    """What would be added to the timeline, exactly; nothing while it is unfinished."""
    problem: str = ""
    """Why it cannot be recorded as it is."""
    usage: str = ""
    """How the command is written, once it is known which."""


def speaker(catalog: Catalog, incident: m.Incident | None, by: Actor, now: datetime) -> Speaker:
    person = catalog.people.get(by.id)
    return Speaker(
        me=by.id,
        now=now,
        zone=person.time_zone if person else "UTC",
        people={name: one.full_name for name, one in catalog.people.items()},
        severities=tuple(severity.name for severity in catalog.severities_worst_first()),
        incident=incident,
        audiences=tuple(one.name for one in catalog.organisation.audiences),
        runbooks={name: catalog.runbooks[name].title for name in runbooks_first(catalog, incident)},
    )


def runbooks_first(catalog: Catalog, incident: m.Incident | None) -> list[str]:
    """The names of all runbooks: those that fit first, then the others by name."""
    own = runbooks_that_fit(catalog, incident) if incident else []
    return list(dict.fromkeys((*own, *sorted(catalog.runbooks))))


def runbooks_that_fit(catalog: Catalog, incident: m.Incident) -> list[str]:
    """The names of the runbooks of the affected services, in their order, each once; of a restricted incident those that
    responders and security work through together before them (mission 3.3).
    """
    services = [catalog.services[name] for name in incident.services if name in catalog.services]
    together = catalog.organisation.security_runbooks if incident.privacy.restricted else ()
    wanted = (*together, *(service.runbook for service in services if service.runbook))
    return list(dict.fromkeys(name for name in wanted if name in catalog.runbooks))


async def understand(
    conn: asyncpg.Connection, catalog: Catalog, key: str, line: str, *, by: Actor, now: datetime
) -> m.ResponderCommand:
    """The command that `line` means in the incident `key`. Raises NotFound, or Invalid with how to write it."""
    incident = await store.get(conn, key)
    if incident is None:
        raise NotFound(f"There is no incident {key}.")
    return parse(line, speaker(catalog, incident, by, now))


async def preview(
    conn: asyncpg.Connection,
    prepare: PrepareIncident,
    catalog: Catalog,
    key: str,
    line: str,
    *,
    by: Actor,
    now: datetime,
    name_of: NameOf,
) -> Draft:
    """What would happen if `line` were sent now: the same rules decide, nothing is written."""
    found = await store.get_with_version(conn, key)
    if found is None:
        raise NotFound(f"There is no incident {key}.")
    incident, version = found
    here = speaker(catalog, incident, by, now)
    candidates = complete(line, here)
    try:
        command = parse(line, here)
        informed = await prepare(conn, incident, command, now)
        events = IncidentAggregate().decide(incident, informed, now, by)
    except Sev1Error as refusal:
        return Draft(candidates=candidates, records=[], problem=refusal.message, usage=usage_of(line))
    facts = [Fact(version=version + n, at=now, by=by, event=event) for n, event in enumerate(events, start=1)]
    return Draft(candidates=candidates, records=render(facts, name_of), usage=usage_of(line))
