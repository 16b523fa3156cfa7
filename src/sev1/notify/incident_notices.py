"""What is said about an incident: to the organisation, and to whoever is asked for something.

Missions 3.2, 3.3, 9.1, 10.4, 11.3. Of a restricted incident only those who see it are told, from the first second.
"""

from datetime import datetime
from typing import Literal

import asyncpg

from sev1.catalog.audience import INTERNAL
from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.decide import contributors
from sev1.command.on_the_bridge import asked_to_write
from sev1.command.parts.bridge import BridgeAsked, BridgeOpened
from sev1.command.parts.clocks import UpdateLate, UpdateReminded
from sev1.command.parts.family import NeedAccepted, ParentSet
from sev1.command.parts.handover import CommandDeclined, CommandHandedOver, CommandOffered, OfferExpired
from sev1.command.parts.merging import MergedInto, TookIn
from sev1.command.parts.mitigations import MitigationOverdue
from sev1.command.parts.needs import NeedRaised, NeedTaken
from sev1.command.parts.pace import BreakEnded, BreakProposed, BreakTaken, HandoverProposed
from sev1.command.parts.privacy import IncidentRestricted, PersonAdmitted, PersonRemoved
from sev1.command.parts.reach import CommandTaken
from sev1.command.parts.recovery import STEPS, RecoveryAssigned, RecoveryReminded, ReviewPlanned, ReviewReminded
from sev1.command.parts.tasks import TaskAskedAfter, TaskCarried, TaskGiven, TaskTaken
from sev1.command.terms import spoken
from sev1.engine.commands import Change
from sev1.engine.decider import Fact
from sev1.notify import contacts, store
from sev1.notify.model import Notice, one_line

TITLE_MAX = 100


class IncidentNotices:
    """A reaction that announces to `organisation.announce`; the all-clear also goes to every responder.

    While the incident is restricted nothing goes to `organisation.announce`: those who see it get it by name instead.
    """

    def __init__(self, catalogs: CatalogCache, url: str) -> None:
        self._catalogs = catalogs
        self._url = url

    async def __call__(self, conn: asyncpg.Connection, change: Change[m.Incident]) -> None:
        restricted = change.after.privacy.restricted
        for fact in change.facts:
            if isinstance(fact.event, IncidentRestricted | PersonRemoved) and change.before.status != "none":
                keep = change.after.insiders
                await store.call_back(conn, about=change.key, keep=keep, now=change.now, reason="It is restricted.")
            if asked := asked_of(change.after, fact):
                await self._ask(conn, change, *asked)
            for person, asked_for in called(change, fact):
                await self._ask(conn, change, person, asked_for)
            await self._tell_outside(conn, change, fact.event)
            words = announcement(change.after, fact.event)
            if words is None:
                continue
            title, body = words
            catalog = await self._catalogs.current(conn)
            all_clear = isinstance(fact.event, m.AllClearGiven | m.ClosedAsFalseAlarm)
            notice = Notice(
                kind="all-clear" if all_clear else "announcement",
                about=change.key,
                title=title,
                url=f"{self._url}/incidents/{change.key}",
                severity=change.after.severity,
                service=", ".join(_titles(change.after, catalog)) or None,
                body=body,
            )
            for method in () if restricted else catalog.organisation.announce:
                await store.enqueue(
                    conn, about=change.key, person=None, methods=(method,), notice=notice, now=change.now
                )
            if restricted or all_clear:
                people = list(change.after.insiders) if restricted else list(contributors(change.after))
                await self._tell(conn, change, notice, catalog, people)

    async def _tell_outside(self, conn: asyncpg.Connection, change: Change[m.Incident], event: m.IncidentEvent) -> None:
        """The audiences outside the response, over their own channels and in words of their own."""
        for audience, title, body in outside(change.after, event):
            catalog = await self._catalogs.current(conn)
            known = next((one for one in catalog.organisation.audiences if one.name == audience), None)
            kind: Literal["announcement", "all-clear"] = "all-clear" if change.after.all_clear_at else "announcement"
            notice = Notice(kind=kind, about=change.key, title=title, url="", body=body)
            for method in known.announce if known else ():
                await store.enqueue(
                    conn, about=change.key, person=None, methods=(method,), notice=notice, now=change.now
                )

    async def _ask(self, conn: asyncpg.Connection, change: Change[m.Incident], person: str, title: str) -> None:
        """One message to one person, of low urgency: they are at work already, or it can wait until they look."""
        catalog = await self._catalogs.current(conn)
        if change.after.privacy.restricted and person not in change.after.insiders:
            person = change.after.commander  # who was removed is not told what their task was
        if (known := catalog.people.get(person)) is None:
            return
        notice = Notice(
            kind="task",
            about=change.key,
            title=f"{change.key}: {title}",
            url=f"{self._url}/incidents/{change.key}",
            severity=change.after.severity,
            body=change.after.title,
        )
        reach = await contacts.read(conn, [person])
        methods = reach.of(known, notice.urgency)
        await store.enqueue(conn, about=change.key, person=person, methods=methods, notice=notice, now=change.now)

    async def _tell(
        self, conn: asyncpg.Connection, change: Change[m.Incident], notice: Notice, catalog: Catalog, people: list[str]
    ) -> None:
        """People by name: at the end everybody who held a role, that they may go; while restricted all who see it."""
        reach = await contacts.read(conn, people)
        for name in people:
            if person := catalog.people.get(name):
                methods = reach.of(person, notice.urgency)
                await store.enqueue(conn, about=change.key, person=name, methods=methods, notice=notice, now=change.now)


async def tell_commander(
    conn: asyncpg.Connection, catalog: Catalog, incident: m.Incident, url: str, now: datetime
) -> None:
    """That somebody said something in confidence: neither who nor what, that is for the page."""
    if (commander := catalog.people.get(incident.commander)) is None:
        return
    notice = Notice(
        kind="task",
        about=incident.key,
        title=f"{incident.key}: somebody needs a word with you. Open it to read",
        url=f"{url}/incidents/{incident.key}",
        severity=incident.severity,
    )
    methods = (await contacts.read(conn, [commander.name])).of(commander, notice.urgency)
    await store.enqueue(conn, about=incident.key, person=commander.name, methods=methods, notice=notice, now=now)


def asked_of(  # noqa: C901, PLR0912 - one case an event
    incident: m.Incident, fact: Fact[m.IncidentEvent]
) -> tuple[str, str] | None:
    """Whom an event asks for something, and what; None where nobody but who did it is concerned."""
    match fact.event:
        case TaskGiven(owner=str(owner)) as task if owner != fact.by.id:
            return owner, f"{fact.by.name} asks you to: {task.text} (report by {spoken(task.due_at)})"
        case TaskTaken(owner=owner, number=number) if owner != fact.by.id:
            task_now = incident.tasks[number]
            return (
                owner,
                f"{fact.by.name} gives you {task_now.ref}: {task_now.text} (report by {spoken(task_now.due_at)})",
            )
        case TaskAskedAfter(owner=owner, text=text):
            who = owner or incident.commander
            return who, f"Due now, how does it stand? {text}" if owner else f"Nobody has taken this yet: {text}"
        case NeedRaised(owner=str(owner), text=text) | NeedTaken(owner=owner, text=text) if owner != fact.by.id:
            return owner, f"{fact.by.name} needs your help: {text}"
        case PersonAdmitted(person=person) if person != fact.by.id:
            return (
                person,
                f"{fact.by.name} lets you see it. It is restricted: speak of it only with those who are in it",
            )
        case ParentSet(parent=parent, title=title) if incident.commander != fact.by.id:
            return (
                incident.commander,
                f"{fact.by.name} put it under {parent} ({title}); you command it: {incident.title}",
            )
        case TookIn(other=other, title=title) if incident.commander != fact.by.id:
            return incident.commander, f"{other} is the same and was merged into this: {title}"
        case NeedAccepted(child=child, text=text) if incident.commander != fact.by.id:
            return incident.commander, f"{child} cannot meet this by itself: {text}"
        case UpdateReminded(audience=audience, due_at=due_at):
            holder = next(iter(incident.roles.get("comms", ())), incident.commander)
            return holder, f"{_update_for(audience)} is due by {spoken(due_at)}. Post it, or promise another time."
        case UpdateLate(audience=audience, due_at=due_at):
            return incident.commander, f"{_update_for(audience)} promised by {spoken(due_at)} is late."
        case TaskCarried(owner=owner, text=text, due_at=due_at) if owner != fact.by.id:
            return owner, f"A follow-up for you, by {spoken(due_at)}: {text}"
        case BridgeAsked():
            return asked_to_write(incident), "What was decided on the bridge? Write it down, or say that nothing was."
        case MitigationOverdue(owner=owner, text=text):
            return owner, f"Temporary and should be gone by now: {text}"
        case _:
            return _of_command(incident, fact) or _of_rest(incident, fact) or _of_recovery(incident, fact)


def _of_command(incident: m.Incident, fact: Fact[m.IncidentEvent]) -> tuple[str, str] | None:
    """Who is told what when command is about to change hands, or did."""
    match fact.event:
        case CommandOffered(person=person, until=until) if person != fact.by.id:
            return person, f"{fact.by.name} offers you command. Read the briefing and answer by {spoken(until)}"
        case CommandDeclined(reason=reason) if incident.commander != fact.by.id:
            return incident.commander, f"{fact.by.name} cannot take command: {reason}. Ask somebody else"
        case OfferExpired(person=person):
            return incident.commander, f"{person} did not answer. You still command: ask somebody else"
        case CommandHandedOver(previous=previous):
            return previous, f"{fact.by.name} commands now. Thank you: you are free"
        case CommandTaken(previous=previous, person=person, reason=reason) if previous != fact.by.id:
            return previous, f"{person} took command: {reason}"
        case _:
            return None


def _of_rest(incident: m.Incident, fact: Fact[m.IncidentEvent]) -> tuple[str, str] | None:
    """What is said of breaks and of being tired: to the commander, and to whoever it is about."""
    match fact.event:
        case BreakProposed(person=person, worked_min=minutes):
            span = f"{minutes // 60} h {minutes % 60:02} min"
            if person == incident.commander:
                return person, f"You have worked {span} without a break. Take one: /break cover @…"
            return incident.commander, f"{person} has worked {span} without a break. Propose one: /break @{person}"
        case HandoverProposed(person=person, because=because, successors=found, past=past):
            who = (
                "; ".join(f"{one.person} ({one.because})" for one in found)
                or "nobody comes into question, page somebody"
            )
            return person, f"{'Hand command over now' if past else 'Hand command over soon'}: {because}. To whom: {who}"
        case BreakTaken(person=person, until=until, cover=cover) if cover and cover != fact.by.id:
            return cover, f"You cover for {person} until {spoken(until)}"
        case BreakEnded(person=person) if person != fact.by.id:
            return person, "Your break is over. Read the latest update before you go on"
        case _:
            return None


def _of_recovery(incident: m.Incident, fact: Fact[m.IncidentEvent]) -> tuple[str, str] | None:
    """What is left to do after the end, and the review."""
    match fact.event:
        case RecoveryReminded(missing=missing):
            left = "; ".join(STEPS[step].lower() for step in STEPS if step in missing)
            return incident.commander, f"Recovery is not through: {left}"
        case RecoveryAssigned(owner=owner, step=step) if owner != fact.by.id:
            return owner, f"{fact.by.name} asks you to see to it: {STEPS[step].lower()}"
        case ReviewPlanned(owner=owner, at=at, proposed=proposed) if owner != fact.by.id or proposed:
            asks = "Does it suit you? Plan another time by /review @… by TIME" if proposed else "You lead it"
            return owner, f"The review is {'proposed' if proposed else 'planned'} for {spoken(at)}. {asks}"
        case ReviewReminded(owner=owner, at=at):
            return owner, f"You lead the review on {spoken(at)}"
        case _:
            return None


def called(change: Change[m.Incident], fact: Fact[m.IncidentEvent]) -> list[tuple[str, str]]:
    """Whom an event calls somewhere else, and what they are told; not whoever did it, nor who may not see it."""
    match fact.event:
        case MergedInto(into=into):
            people: tuple[str, ...] = contributors(change.before)
            title = f"This is {into} now: go on there"
        case BridgeOpened(url=url, called=people):
            title = f"{fact.by.name} asks you onto the bridge: {url}"
        case _:
            return []
    incident = change.after
    may = incident.insiders if incident.privacy.restricted else people
    return [(person, title) for person in people if person in may and person != fact.by.id]


def _update_for(audience: str) -> str:
    return "The update" if audience == INTERNAL else f"The update for {audience}"


def outside(incident: m.Incident, event: m.IncidentEvent) -> list[tuple[str, str, str]]:
    """Audience, title and text of what goes to those outside the response: updates for them, and the end to whom
    an update went before.
    """
    match event:
        case m.UpdatePosted(audience=audience) if audience != INTERNAL:
            due = f"Next update by {event.next_update_at:%H:%M} UTC." if event.next_update_at else ""
            text = "\n\n".join(part for part in (event.condition, event.actions, event.needs, due) if part)
            return [(audience, f"Update: {one_line(event.condition, TITLE_MAX)}", text)]
        case m.AllClearGiven(message=message):
            text = message or "It is over."
            told = [name for name, clock in incident.clocks.items() if name != INTERNAL and clock.posted_at]
            return [(name, f"All clear: {one_line(text, TITLE_MAX)}", text) for name in told]
        case _:
            return []


def announcement(incident: m.Incident, event: m.IncidentEvent) -> tuple[str, str] | None:
    """Title and text of what is announced; None for what stays in the incident."""
    head = f"{incident.key} {incident.severity.upper()}"
    match event:
        case m.UpdatePosted(audience=audience) if audience != INTERNAL:
            return None
        case m.IncidentDeclared():
            return f"{head} declared: {incident.title}", f"Incident Commander: {event.commander} (temporary)."
        case m.SeverityChanged() if event.new != event.old:
            return f"{head} (was {event.old.upper()}): {incident.title}", event.reason
        case m.UpdatePosted():
            parts = (("Condition", event.condition), ("Actions", event.actions), ("Needs", event.needs))
            due = f"\n\nNext update by {event.next_update_at:%H:%M} UTC." if event.next_update_at else ""
            body = "\n\n".join(f"{label}: {text}" for label, text in parts if text) + due
            return f"{head} update: {incident.title}", body
        case m.IncidentResolved():
            return f"{head} resolved: {incident.title}", "All four criteria hold. Recovery has begun."
        case m.AllClearGiven(message=message):
            thanks = "Thank you, all of you. Everybody is stood down; follow-ups and the review are next."
            return f"All clear: {head} {incident.title}", f"{message}\n\n{thanks}".strip()
        case m.ClosedAsFalseAlarm(note=note):
            return (
                f"False alarm: {head} {incident.title}",
                f"{note}\n\nDeclaring was right. Everybody is stood down.".strip(),
            )
        case m.IncidentReopened(reason=reason):
            return f"{head} reopened: {incident.title}", reason
        case _:
            return None


def _titles(incident: m.Incident, catalog: Catalog) -> list[str]:
    return [catalog.services[name].title if name in catalog.services else name for name in incident.services]
