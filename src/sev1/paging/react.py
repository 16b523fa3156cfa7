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
        self, conn: asyncpg.Connection, asked: Sequence[tuple[m.Page, m.PageCommand]], now: datetime
    ) -> list[m.PageCommand]:
        catalog = await self._catalogs.current(conn)
        people: StepPeople | None = None
        ready: list[m.PageCommand] = []
        for state, given in asked:
            command = m.EscalateTo() if isinstance(given, m.Escalate) else given
            if isinstance(command, m.Reassign) and command.person not in catalog.people:
                raise Invalid(f"Nobody in the catalog is called {command.person!r}. Choose a person's short name.")
            policy = command.policy if isinstance(command, m.Open) else state.policy
            if policy is not None and _needs_people(command):
                people = people or await StepPeople.read(conn, catalog, now)
                command = replace(command, who=people.of(policy))
            ready.append(command)
        return ready


def _needs_people(command: m.PageCommand) -> bool:
    return isinstance(command, NEEDS_PEOPLE) and (not isinstance(command, m.JoinAlerts) or bool(command.severity))


class StepPeople:
    """Whom each step of a policy would page at one instant: looked up once, however many pages ask."""

    def __init__(self, catalog: Catalog, now: datetime, exceptions: Mapping[str, Exceptions]) -> None:
        self._catalog = catalog
        self._now = now
        self._exceptions = exceptions
        self._found: dict[EscalationPolicy, m.Who] = {}

    @classmethod
    async def read(cls, conn: asyncpg.Connection, catalog: Catalog, now: datetime) -> "StepPeople":
        return cls(catalog, now, await oncall_store.overrides_at(conn, now))

    def of(self, policy: EscalationPolicy) -> m.Who:
        if policy not in self._found:
            self._found[policy] = people_of_steps(policy, self._catalog, self._now, self._exceptions)
        return self._found[policy]


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
