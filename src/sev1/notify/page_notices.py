"""From what happens to a page to the notices that go out: a reaction in the page's own transaction.

A step that starts queues one notice a person; an answer takes back what has not gone out yet.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog, Person, Service
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import SYSTEM, Fact
from sev1.notify import contacts, store
from sev1.notify.contacts import Contacts
from sev1.notify.deliver import AfterCommit
from sev1.notify.model import Delivery, Notice
from sev1.paging import model as m
from sev1.paging.fix import FixDidNotHelp, FixHelped, FixReported, counted
from sev1.paging.playbook import escalates, playbook
from sev1.paging.react import StepPeople
from sev1.paging.turns import takes_turns


class PageNotices:
    """`url` is the public address of this server, without a trailing slash."""

    def __init__(self, catalogs: CatalogCache, url: str) -> None:
        self._catalogs = catalogs
        self._url = url

    async def __call__(self, conn: asyncpg.Connection, changes: Sequence[Change[m.Page]]) -> None:
        if not any(isinstance(fact.event, _TOLD) for change in changes for fact in change.facts):
            return
        catalog = await self._catalogs.current(conn)
        policies = {change.after.policy for change in changes if change.after.policy is not None}
        in_turn = [policy.name for policy in policies if takes_turns(policy)]
        people = await StepPeople.read(conn, catalog, changes[0].now, in_turn=in_turn, to_look=True)
        # Whoever was ever asked may be told that it is over; an organisation's other choices are not read for it.
        fixers = {change.after.fix.by for change in changes if change.after.fix}
        reach = await contacts.read(conn, fixers | {name for change in changes for name in change.after.paged})
        queued: list[store.Queued] = []
        for change in changes:
            page = change.after
            for fact in change.facts:
                if isinstance(fact.event, m.StepStarted):
                    queued += self._ask(page, fact.event.people, catalog, people, reach, change.now)
                elif isinstance(fact.event, m.PolicyExhausted):
                    queued += self._nobody_answers(page, catalog)
                elif isinstance(fact.event, FixHelped | FixDidNotHelp):
                    queued += self._fix_judged(page, fact.event, catalog, reach)
                elif isinstance(fact.event, _TOLD):
                    why, kinds = _why_taken_back(fact), _taken_back(fact)
                    await store.cancel(conn, about=page.key, now=change.now, kinds=kinds, reason=why)
                    if isinstance(fact.event, m.PageReassigned):
                        queued += self._ask(page, page.people, catalog, people, reach, change.now)
                    if isinstance(fact.event, m.PageResolved):
                        reached = await store.people_reached(conn, page.key)
                        queued += self._over(page, fact.event.reason, reached, catalog, reach, but=fact.by.id)
        await store.enqueue_many(conn, queued, changes[0].now)

    def _ask(
        self,
        page: m.Page,
        people: Sequence[m.Paged],
        catalog: Catalog,
        steps: StepPeople,
        reach: Contacts,
        now: datetime,
    ) -> Iterator[store.Queued]:
        who = steps.of(page.policy) if page.policy else ()
        names = {person.name: person.full_name for person in catalog.people.values()}
        next_ = escalates(steps.ahead(page), now, names)
        for paged in people:
            person = catalog.people.get(paged.person)
            if person is None:
                continue  # left the catalog since; the escalation goes on to somebody who is in it
            notice = page_notice(page, paged, catalog, who, next_, self._url)
            methods = reach.of(person, notice.urgency)
            yield store.Queued(about=page.key, person=person.name, methods=methods, notice=notice)

    def _over(
        self, page: m.Page, reason: str, reached: Sequence[str], catalog: Catalog, reach: Contacts, *, but: str
    ) -> Iterator[store.Queued]:
        """Whoever was woken learns that it is over, unless they said so themselves; nobody has to look."""
        notice = Notice(
            kind="page-resolved",
            about=page.key,
            title=page.title,
            url=f"{self._url}/pages/{page.key}",
            severity=page.severity,
            service=page.service,
            body=f"Over: {reason}",
        )
        for name in reached:
            person = catalog.people.get(name)
            if person and name != but:
                methods = reach.of(person, notice.urgency)
                yield store.Queued(about=page.key, person=person.name, methods=methods, notice=notice)

    def _fix_judged(
        self, page: m.Page, event: FixHelped | FixDidNotHelp, catalog: Catalog, reach: Contacts
    ) -> Iterator[store.Queued]:
        """Whoever said that the fix is in hears whether it helped; that it did not as urgently as the page itself."""
        person = catalog.people.get(page.fix.by) if page.fix else None
        if person is None:
            return
        minutes = max(1, event.after_s // 60)
        if isinstance(event, FixHelped):
            body = f"Nothing fired in the {minutes} min since your fix. If users are well too, resolve the page."
        else:
            named = "".join(f"\n- {one}" for one in event.examples)
            body = f"{minutes} min after your fix {counted(event.firing)}:{named}\nYou still have the page."
        notice = Notice(
            kind="fix-helped" if isinstance(event, FixHelped) else "fix-failed",
            about=page.key,
            title=page.title,
            url=f"{self._url}/pages/{page.key}",
            severity=page.severity,
            service=page.service,
            body=body,
            why="You said that the fix is in.",
        )
        yield store.Queued(about=page.key, person=person.name, methods=reach.of(person, notice.urgency), notice=notice)

    def _nobody_answers(self, page: m.Page, catalog: Catalog) -> Iterator[store.Queued]:
        notice = Notice(
            kind="announcement",
            about=page.key,
            title=f"Nobody answers {page.key}: {page.title}",
            url=f"{self._url}/pages/{page.key}",
            severity=page.severity,
            service=page.service,
            body="Every step of the escalation policy was paged. Somebody has to take this now.",
        )
        for method in catalog.organisation.announce:
            yield store.Queued(about=page.key, person=None, methods=(method,), notice=notice)


_TOLD = (
    m.StepStarted,
    m.PageReassigned,
    m.PageAcknowledged,
    m.PageSnoozed,
    m.PageResolved,
    m.PolicyExhausted,
    FixReported,
    FixHelped,
    FixDidNotHelp,
)
"""What somebody is told about, or what takes back what has not gone out yet."""


def _taken_back(fact: Fact[Any]) -> tuple[str, ...]:
    """Kinds of notice that mean nothing any more. What became of a fix does, until the page or the next fix."""
    fixes = ("fix-failed", "fix-helped")
    match fact.event:
        case FixReported():
            return fixes
        case m.PageResolved():
            return ("page", "ask", *fixes)
    return ("page", "ask")


def _why_taken_back(fact: Fact[Any]) -> str:
    match fact.event:
        case m.PageReassigned():
            return "Reassigned."
        case m.PageResolved(reason=reason):
            return reason
        case m.PageSnoozed():
            return f"Snoozed by {fact.by.name}."
        case FixReported():
            return f"{fact.by.name} reported the next fix."
    return f"Acknowledged by {fact.by.name}."


def page_notice(page: m.Page, paged: m.Paged, catalog: Catalog, who: m.Who, next_: tuple[str, ...], url: str) -> Notice:
    """The message that wakes `paged`: what broke, impact, where to verify, what to try first, whom to call."""
    service = catalog.services.get(page.service or "")
    book = playbook(page.brief, service, catalog)
    return Notice(
        kind="page",
        about=page.key,
        title=page.title,
        url=f"{url}/pages/{page.key}",
        severity=page.severity,
        service=service.title if service else page.service,
        impact=book.impact,
        verify=book.verify,
        first=book.first,
        steps=book.steps,
        known=book.known,
        diagnostics=book.diagnostics,
        stuck=_stuck(page, paged, catalog, who, service),
        owner=book.owner,
        escalates=next_,
        since=page.brief.since or page.opened_at,
        why=f"You are {paged.because}. {page.why}".strip(),
    )


def _stuck(page: m.Page, paged: m.Paged, catalog: Catalog, who: m.Who, service: Service | None) -> tuple[str, ...]:
    """Whom to call when stuck: the people of the later steps, then the owning team."""
    lines: list[str] = []
    for people in who[page.step + 1 :]:
        for other in people:
            person = catalog.people.get(other.person)
            if person and other.person != paged.person:
                lines.append(_contact_line(person))
    team = catalog.teams.get(service.owner) if service else None
    if team:
        lines.append(f"{team.title}{f' in {team.channel}' if team.channel else ''}")
    return tuple(dict.fromkeys(lines))[:4]


def _contact_line(person: Person) -> str:
    return f"{person.full_name} <{person.email}>"


class DeliveryOutcomes:
    """What became of a notice is told to the page it was about, in the transaction that records the outcome."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def sent(
        self, conn: asyncpg.Connection, deliveries: Sequence[Delivery], receipt: str, method: str
    ) -> AfterCommit | None:
        reports = {
            one.about: m.ReportSent(person=one.person, method=method, receipt=receipt, repeat=one.repeat)
            for one in deliveries
            if one.person and one.notice.kind == "page"
        }
        if not reports:
            return None
        changes = await self._commands.run_many_in(conn, "page", reports, by=SYSTEM)

        def tell() -> None:
            for change in changes:
                self._commands.tell(change)

        return tell

    async def failed(self, conn: asyncpg.Connection, delivery: Delivery, error: str) -> AfterCommit | None:
        if not delivery.person or delivery.notice.kind != "page":
            return None
        report = m.ReportUnreachable(person=delivery.person, error=error)
        change = await self._commands.run_in(conn, "page", delivery.about, report, by=SYSTEM)
        return lambda: self._commands.tell(change)
