"""Paging meets the world: who is on call is looked up before a decision, pages are opened for groups of alerts."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
from msgspec.structs import replace

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.engine import event_log
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import TRIAGE, Actor
from sev1.engine.errors import Invalid
from sev1.oncall import store as oncall_store
from sev1.oncall.resolve import resolve
from sev1.oncall.schedule import Exceptions
from sev1.paging import model as m

NEEDS_PEOPLE = (m.Open, m.JoinAlerts, m.EscalationDue, m.UnattendedDue, m.SnoozeDue, m.ReportUnreachable, m.EscalateTo)


class PreparePage:
    """Adds to a command the people of each step as of now, and refuses people who do not exist."""

    def __init__(self, catalogs: CatalogCache) -> None:
        self._catalogs = catalogs

    async def __call__(
        self, conn: asyncpg.Connection, state: m.Page, command: m.PageCommand, now: datetime
    ) -> m.PageCommand:
        if isinstance(command, m.Escalate):
            command = m.EscalateTo()
        if isinstance(command, m.Reassign):
            catalog = await self._catalogs.current(conn)
            if command.person not in catalog.people:
                raise Invalid(f"Nobody in the catalog is called {command.person!r}. Choose a person's short name.")
        if not isinstance(command, NEEDS_PEOPLE):
            return command
        if isinstance(command, m.JoinAlerts) and not command.severity:
            return command
        policy = command.policy if isinstance(command, m.Open) else state.policy
        if policy is None:
            return command
        catalog = await self._catalogs.current(conn)
        overrides = await oncall_store.overrides_at(conn, now)
        return replace(command, who=people_of_steps(policy, catalog, now, overrides))


def people_of_steps(
    policy: EscalationPolicy, catalog: Catalog, now: datetime, overrides: Mapping[str, Exceptions]
) -> m.Who:
    """The people of every step of `policy` at `now`, each with the reason why it is them."""
    return tuple(
        tuple(
            m.Paged(person=recipient.person, because=recipient.because)
            for recipient in resolve(
                step.targets, catalog, now, overrides, named_in=f"step {number} of {policy.title}"
            ).recipients
        )
        for number, step in enumerate(policy.steps, 1)
    )


async def open_page(
    commands: Commands, conn: asyncpg.Connection, command: m.Open, *, by: Actor = TRIAGE
) -> Change[m.Page]:
    """Opens the next page (P-n) in the caller's transaction. The caller made sure that the group has none open."""
    (change,) = await open_pages(commands, conn, [command], by=by)
    return change


async def open_pages(
    commands: Commands, conn: asyncpg.Connection, wanted: Sequence[m.Open], *, by: Actor = TRIAGE
) -> list[Change[m.Page]]:
    """The same for several at once; the changes are in the order of `wanted`."""
    if not wanted:
        return []
    last = await event_log.next_number(conn, "page", count=len(wanted))
    keys = [f"P-{number}" for number in range(last - len(wanted) + 1, last + 1)]
    return await commands.run_many_in(conn, "page", dict(zip(keys, wanted, strict=True)), by=by)
