"""Somebody is woken for an incident by name: a responder who is asked for, a commander who does not answer, who is next in line."""

import asyncpg

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import EscalationPolicy, PersonTarget, Step
from sev1.command import model as m
from sev1.command.parts import reach
from sev1.command.withhold import ASKED_FOR, SIGN_IN
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import SYSTEM, Actor
from sev1.paging import model as paging
from sev1.paging.react import open_page

ASKED_AGAIN_S = 300
"""How long somebody who is asked for by name has before they are asked again."""
CALLED_AGAIN_S = 60
"""The same for whoever commands: nobody decides meanwhile."""
ASKED_TIMES = 3


class WakeByName:
    """A reaction: pages whoever is asked for, and stops when it is known who commands."""

    def __init__(self, commands: Commands, catalogs: CatalogCache) -> None:
        self._commands = commands
        self._catalogs = catalogs

    async def __call__(self, conn: asyncpg.Connection, change: Change[m.Incident]) -> None:
        incident = change.after
        if change.before.reach.call and not incident.reach.call:
            await self._stop_calling(conn, incident)
        for fact in change.facts:
            match fact.event:
                case m.ResponderPaged(person=person, ask=ask):
                    asked = "asked" if incident.privacy.restricted else incident.key
                    group = f"{asked}/{person}/{change.now:%Y%m%dT%H%M%S%f}.{fact.version}"
                    await self._wake(conn, incident, person, ask, group, fact.by)
                case reach.CommanderCalled(person=person, ask=ask):
                    why = ask or "You command, and somebody needs you."
                    group = reach.call_group(person, change.now)
                    await self._wake(conn, incident, person, why, group, fact.by, again_s=CALLED_AGAIN_S)
                case reach.TakeoverOffered(person=person):
                    call = incident.reach.call
                    why = f"Take command: {call.person if call else incident.commander} does not answer."
                    group = f"take/{person}/{change.now:%Y%m%dT%H%M%S%f}"
                    await self._wake(conn, incident, person, why, group, fact.by)

    async def _wake(
        self,
        conn: asyncpg.Connection,
        incident: m.Incident,
        person: str,
        ask: str,
        group: str,
        by: Actor,
        *,
        again_s: int = ASKED_AGAIN_S,
    ) -> None:
        """Somebody asked for by name gets a page of their own, repeated until they answer.

        Out of a restricted incident it does not say what for: it goes over phones and mail, and everybody may open it.
        Who is not in the catalog, an account, has no methods to be woken by.
        """
        if person not in (await self._catalogs.current(conn)).people:
            return
        restricted = incident.privacy.restricted
        policy = EscalationPolicy(
            name="ask",
            title=f"Asked for by {by.name}",
            steps=(Step(targets=(PersonTarget(name=person),), wait_s=again_s),),
            repeat=ASKED_TIMES - 1,
            unattended_after_s=0,
        )
        page = await open_page(
            self._commands,
            conn,
            paging.Open(
                title=ASKED_FOR if restricted else f"{incident.key}: {ask}",
                group_key=group,
                policy=policy,
                why=SIGN_IN if restricted else f"{by.name} asks for you in {incident.key}: {incident.title}",
                service=incident.services[0] if incident.services and not restricted else None,
                severity=incident.severity,
                alert_count=0,
            ),
            by=by,
        )
        await self._commands.run_in(conn, "page", page.key, paging.LinkIncident(incident=incident.key), by=by)

    async def _stop_calling(self, conn: asyncpg.Connection, incident: m.Incident) -> None:
        """The commander is there or somebody else commands: nobody is woken for that any more."""
        rows = await conn.fetch(
            "SELECT id FROM pages WHERE incident = $1 AND status <> 'resolved'"
            " AND (group_key LIKE 'call/%' OR group_key LIKE 'take/%') ORDER BY id",
            incident.key,
        )
        for row in rows:
            done = paging.Resolve(reason="It is known who commands.")
            await self._commands.run_in(conn, "page", row["id"], done, by=SYSTEM)
