"""Paging meets the world: who is on call is looked up before a decision, pages are opened for groups of alerts."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime

import asyncpg
from msgspec.structs import replace

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.catalog.problems import listed
from sev1.engine import event_log
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import TRIAGE, Actor
from sev1.engine.errors import Invalid
from sev1.oncall import store as oncall_store
from sev1.oncall.resolve import resolve
from sev1.oncall.schedule import Exceptions
from sev1.paging import diagnostic_store, turns
from sev1.paging import model as m
from sev1.paging.diagnostics import RunDiagnostic, StartDiagnostic, on_offer
from sev1.paging.eligible import Absent, Taken, eligible
from sev1.paging.fix import Firing, FixDue, ReportFix, WatchFix
from sev1.paging.plan import Planned, plan_of

PLANNED_AHEAD = 4
"""Entries of a plan that a message has room for."""
NEEDS_PEOPLE = (m.Open, m.JoinAlerts, m.EscalationDue, m.UnattendedDue, m.SnoozeDue, m.ReportUnreachable, m.EscalateTo)


FiringOf = Callable[[asyncpg.Connection, Collection[str]], Awaitable[Mapping[str, tuple[Firing, ...]]]]
"""(connection, pages) -> their alerts that are not over. Paging knows nothing of alerts: triage's port answers it."""


async def _no_alerts(_: asyncpg.Connection, __: Collection[str]) -> Mapping[str, tuple[Firing, ...]]:
    return {}


class PreparePage:
    """Adds to a command the people of each step as of now, or what fires; refuses people who do not exist."""

    def __init__(self, catalogs: CatalogCache, *, firing: FiringOf = _no_alerts) -> None:
        self._catalogs = catalogs
        self._firing = firing

    async def __call__(
        self, conn: asyncpg.Connection, asked: Sequence[tuple[m.Page, m.PageCommand]], now: datetime
    ) -> list[m.PageCommand]:
        catalog = await self._catalogs.current(conn)
        people: StepPeople | None = None
        if any(_needs_people(command) for _, command in asked):
            people = await StepPeople.read(conn, catalog, now, in_turn=_policies_in_turn(asked))
        about_fixes = [state.key for state, command in asked if isinstance(command, ReportFix | FixDue)]
        firing = await self._firing(conn, about_fixes) if about_fixes else {}
        ready: list[m.PageCommand] = []
        for state, given in asked:
            command = _looked_up(given, firing.get(state.key, ()))
            if isinstance(command, m.Reassign) and command.person not in catalog.people:
                raise Invalid(f"Nobody in the catalog is called {command.person!r}. Choose a person's short name.")
            if isinstance(command, RunDiagnostic):
                command = await _found(conn, catalog, state, command)
            policy = _policy_of(state, command)
            if policy is not None and people is not None and _needs_people(command):
                command = replace(command, who=people.take(policy, _severity_of(state, command)))
            ready.append(command)
        return ready


async def _found(conn: asyncpg.Connection, catalog: Catalog, page: m.Page, asked: RunDiagnostic) -> m.PageCommand:
    """Raises Invalid when the page's service declares no such diagnostic. A page that is over is left to the rules."""
    known = {one.name: one for one, _ in on_offer(catalog, page.service)}
    if not page.is_open:
        return asked
    if asked.diagnostic not in known:
        there = f"It has {listed(known)}." if known else "It has none: they are declared on the service in the catalog."
        raise Invalid(f"{page.key} has no diagnostic {asked.diagnostic!r}. {there}", field="diagnostic")
    last_at = await diagnostic_store.last_asked(conn, page.service or "", asked.diagnostic)
    return StartDiagnostic(service=page.service or "", diagnostic=known[asked.diagnostic], last_at=last_at)


def _looked_up(command: m.PageCommand, firing: tuple[Firing, ...]) -> m.PageCommand:
    match command:
        case m.Escalate():
            return m.EscalateTo()
        case ReportFix(note=note):
            return WatchFix(note=note, alerts=firing)
        case FixDue():
            return replace(command, alerts=firing)
        case _:
            return command


def _needs_people(command: m.PageCommand) -> bool:
    if isinstance(command, m.JoinAlerts):
        return bool(command.severity)
    return isinstance(command, (*NEEDS_PEOPLE, m.Escalate))


def _policy_of(state: m.Page, command: m.PageCommand) -> EscalationPolicy | None:
    return command.policy if isinstance(command, m.Open) else state.policy


def _severity_of(state: m.Page, command: m.PageCommand) -> str | None:
    """The severity that the page will have when the command decides."""
    if isinstance(command, m.Open):
        return command.severity
    if isinstance(command, m.JoinAlerts) and command.severity:
        return min(command.severity, state.severity or "~")
    return state.severity


def _policies_in_turn(asked: Sequence[tuple[m.Page, m.PageCommand]]) -> set[str]:
    """The policies of a batch in which somebody's turn may be taken."""
    policies = [_policy_of(state, command) for state, command in asked if _needs_people(command)]
    return {policy.name for policy in policies if policy is not None and turns.takes_turns(policy)}


class StepPeople:
    """Whom each step of a policy would page at one instant: looked up once, however many pages ask."""

    def __init__(
        self,
        catalog: Catalog,
        now: datetime,
        exceptions: Mapping[str, Exceptions],
        taken: Taken | None = None,
        absent: Absent | None = None,
    ) -> None:
        self._catalog = catalog
        self._now = now
        self._exceptions = exceptions
        self._taken = {place: dict(turns) for place, turns in (taken or {}).items()}
        self._absent = absent
        self._everybody: dict[EscalationPolicy, m.Who] = {}
        self._found: dict[tuple[EscalationPolicy, str | None], tuple[m.Eligible, ...]] = {}
        self._ahead: dict[tuple[EscalationPolicy, str | None, int, int], tuple[Planned, ...]] = {}

    @classmethod
    async def read(
        cls,
        conn: asyncpg.Connection,
        catalog: Catalog,
        now: datetime,
        *,
        in_turn: Collection[str] = (),
        to_look: bool = False,
    ) -> "StepPeople":
        """`in_turn` are the policies whose turns are to be taken; until the transaction ends nobody else takes them.

        Unless it is only `to_look`.
        """
        exceptions = await oncall_store.overrides_at(conn, now)
        if not in_turn:
            return cls(catalog, now, exceptions)
        if not to_look:
            await turns.lock(conn, in_turn)
        taken = await turns.read(conn, in_turn)
        return cls(catalog, now, exceptions, taken, await turns.read_absent(conn, catalog, now))

    def of(self, policy: EscalationPolicy) -> m.Who:
        """Everybody whom each step may ask, whatever the severity."""
        if policy not in self._everybody:
            self._everybody[policy] = people_of_steps(policy, self._catalog, self._now, self._exceptions)
        return self._everybody[policy]

    def take(self, policy: EscalationPolicy, severity: str | None) -> tuple[m.Eligible, ...]:
        """Whom each step would ask now. Whoever asks next in the batch finds the next in turn."""
        if not turns.takes_turns(policy):
            key = (policy, severity)
            if key not in self._found:
                self._found[key] = self._eligible(policy, severity)
            return self._found[key]
        who = self._eligible(policy, severity)
        # Which step starts, if any, is known only after the decision: the turn counts as taken in all of them. What is
        # kept is what was really taken (`turns.remember`), and whoever missed a turn by this is the next.
        for step, here in enumerate(who):
            if policy.steps[step].round_robin and here.people:
                mine = self._taken.setdefault((policy.name, step), {})
                mine[here.people[0].person] = 1 + max(mine.values(), default=0)
        return who

    def ahead(self, page: m.Page) -> tuple[Planned, ...]:
        """What happens to `page` from now on when nobody answers; pages that stand at the same step share it."""
        if page.policy is None:
            return ()
        key = (page.policy, page.severity, page.step, page.round)
        if key not in self._ahead:
            self._ahead[key] = plan_of(
                page.policy,
                self._catalog,
                self._now,
                self._exceptions,
                page.severity,
                page=page,
                taken=self._taken,
                absent=self._absent,
                most=PLANNED_AHEAD,
            )
        return self._ahead[key]

    def _eligible(self, policy: EscalationPolicy, severity: str | None) -> tuple[m.Eligible, ...]:
        return eligible(policy, self._catalog, self._now, self._exceptions, severity, self._taken, self._absent)


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


async def plan_now(
    conn: asyncpg.Connection,
    catalog: Catalog,
    now: datetime,
    policy: EscalationPolicy,
    severity: str | None,
    page: m.Page | None = None,
) -> tuple[Planned, ...]:
    """What will happen when nobody answers, by the schedules and turns as they are now (see `plan.plan_of`)."""
    exceptions = await oncall_store.overrides_at(conn, now)
    if not turns.takes_turns(policy):
        return plan_of(policy, catalog, now, exceptions, severity, page=page)
    taken = await turns.read(conn, [policy.name])
    absent = await turns.read_absent(conn, catalog, now)
    return plan_of(policy, catalog, now, exceptions, severity, page=page, taken=taken, absent=absent)


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
    # Before the number, not after it: see `turns.lock`.
    await turns.lock(conn, {command.policy.name for command in wanted if turns.takes_turns(command.policy)})
    last = await event_log.next_number(conn, "page", count=len(wanted))
    keys = [f"P-{number}" for number in range(last - len(wanted) + 1, last + 1)]
    return await commands.run_many_in(conn, "page", dict(zip(keys, wanted, strict=True)), by=by)
