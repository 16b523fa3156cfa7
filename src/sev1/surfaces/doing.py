"""How a responder's command is done, from every surface: recorded, or for what is said in confidence kept beside the record."""

from datetime import datetime

import asyncpg

from sev1.catalog.model import Catalog
from sev1.command import concerns, restricted, store
from sev1.command import model as m
from sev1.command.advice import Advice, advise
from sev1.command.sight import unknown
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import Actor
from sev1.engine.errors import Refused
from sev1.notify.incident_notices import tell_commander
from sev1.surfaces.actor import name_of


async def do(
    commands: Commands, catalog: Catalog, url: str, key: str, command: m.ResponderCommand, *, by: Actor
) -> tuple[Change[m.Incident], list[Advice]]:
    """What it changed, and what is pointed out to whoever did it. `url` is the server's own address.

    Raises what the rules refuse with.
    """
    if isinstance(command, m.SayUnsure):
        async with commands.db.transaction() as conn:
            change = await _say(conn, catalog, url, key, command, by, commands.clock.now())
        commands.news.tell(change.stream)
        read_by = "Everybody here reads" if command.openly else f"Only {name_of(catalog, change.after.commander)} reads"
        return change, [Advice(kind="unsure", message=f"{read_by} this. It is in no record and no report.")]
    change = await commands.run("incident", key, command, by=by)
    return change, advise(change.after, change.facts, lambda who: name_of(catalog, who))


async def _say(
    conn: asyncpg.Connection, catalog: Catalog, url: str, key: str, command: m.SayUnsure, by: Actor, now: datetime
) -> Change[m.Incident]:
    found = await store.get_with_version(conn, key)
    if found is None:
        raise unknown(key)
    incident, version = found
    restricted.check(incident, command, by)
    if not incident.is_open:
        raise Refused(f"{key} is over. Talk to {name_of(catalog, incident.commander)}, who commanded.")
    await concerns.say(conn, key, by.id, command.text, openly=command.openly, now=now)
    if by.id != incident.commander:
        await tell_commander(conn, catalog, incident, url, now)
    return Change(kind="incident", key=key, before=incident, after=incident, facts=[], version=version, now=now)
