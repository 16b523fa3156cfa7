"""What the screen of a page shows to whoever was woken a minute ago. Pure (missions 5.6, 5.7; design: a page, on the phone)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from sev1.catalog.model import Catalog, Link, Runbook, Service
from sev1.engine.decider import Fact
from sev1.notify.model import DeliveryView
from sev1.notify.page_notices import page_notice
from sev1.paging import model as p
from sev1.paging.diagnostics import DiagnosticAnswered, DiagnosticAsked
from sev1.paging.fix import FixDidNotHelp, FixHelped, FixReported, counted
from sev1.paging.plan import Planned
from sev1.paging.steps import ahead
from sev1.paging.suggestion import IncidentSuggested
from sev1.surfaces.actor import name_of
from sev1.surfaces.offers import OUTCOMES, Offer, offers
from sev1.surfaces.web.moments import clock
from sev1.triage.model import AlertRow

MOST_AHEAD = 8
"""How much of what is to come is shown; the API has all of it."""
MOST_LINES = 3
"""Of a diagnostic's answer in the history; the latest stands in full beside its button."""
SNOOZES: tuple[tuple[int, str], ...] = ((15, "15 min"), (60, "1 h"), (240, "4 h"))
STATUS_WORDS: dict[p.Status, str] = {
    "none": "",
    "triggered": "waits for an answer",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "resolved": "over",
}


class Helper(Struct, frozen=True, kw_only=True):
    """Whom to call when stuck."""

    name: str
    email: str
    because: str


class PageScreen(Struct, frozen=True, kw_only=True):
    page: p.Page
    is_mine: bool
    """It waits for the visitor's answer."""
    where: tuple[str, ...]
    """Service and environments."""
    since: datetime
    impact: str
    verify: tuple[Link, ...]
    first: str
    known: tuple[str, ...]
    """What may explain it, from the response plan."""
    runbook: Runbook | None
    service: Service | None
    stuck: tuple[Helper, ...]
    team: str
    standing: str
    """Who has it, or for whom it waits: one sentence."""
    next_people: str
    """Who is paged next; empty when nobody is."""
    why: str
    """Why the visitor, or why anybody."""
    diagnostics: tuple[Offer, ...]
    fix: str
    """What became of the latest fix, or how long it is watched; empty when there was none, or the page is over."""
    watch: str
    """How long a fix is watched."""
    can_escalate: bool
    """Whether the policy has a step left."""
    ahead: tuple["Ahead", ...]
    """What happens when nobody answers, after what is told first."""


class Ahead(Struct, frozen=True, kw_only=True):
    """One thing that will happen when nobody answers."""

    at: datetime
    text: str
    details: tuple[str, ...] = ()


def page_screen(
    page: p.Page,
    alerts: Sequence[AlertRow],
    catalog: Catalog,
    who: p.Who,
    me: str,
    now: datetime,
    plan: Sequence[Planned],
) -> PageScreen:
    """`who`: the people of each step of the policy as of now; `plan`: what happens when nobody answers."""
    mine = next((paged for paged in page.people if paged.person == me), None)
    notice = page_notice(page, mine or p.Paged(person=me, because=""), catalog, who, (), "")
    service = catalog.services.get(page.service or "")
    team = catalog.teams.get(service.owner) if service else None
    environments = sorted({alert.labels["env"] for alert in alerts if alert.labels.get("env")})
    return PageScreen(
        page=page,
        is_mine=mine is not None and page.status == "triggered",
        where=tuple(part for part in (service.title if service else page.service or "", *environments) if part),
        since=notice.since or page.opened_at or now,
        impact=notice.impact,
        verify=notice.verify,
        first=notice.first,
        known=notice.known,
        runbook=catalog.runbooks.get(service.runbook or "") if service else None,
        service=service,
        stuck=_helpers(page, who, catalog, me),
        team=f"{team.title}{f' in {team.channel}' if team.channel else ''}" if team else "",
        standing=standing(page, catalog, me, now),
        next_people=_next(page, plan, catalog),
        why=_why(page, mine),
        diagnostics=offers(page, catalog),
        watch=_minutes(page.policy.watch_fix_s) if page.policy else "",
        fix=_fix(page, catalog, me, now),
        can_escalate=page.policy is not None and ahead(page) is not None,
        ahead=tuple(_ahead(planned, catalog, now) for planned in plan[:MOST_AHEAD]),
    )


def standing(page: p.Page, catalog: Catalog, me: str, now: datetime) -> str:
    """Who has it or for whom it waits."""
    by = "You" if page.acknowledged_by == me else name_of(catalog, page.acknowledged_by or "")
    match page.status:
        case "none":
            return ""
        case "resolved":
            return f"Over: {page.resolution.rstrip('.')}."
        case "acknowledged":
            at = f" since {clock(page.acknowledged_at, now)}" if page.acknowledged_at else ""
            return f"{by} {'have' if by == 'You' else 'has'} it{at}."
        case "snoozed":
            until = f" until {clock(page.snoozed_until, now)}" if page.snoozed_until else ""
            return f"{by} snoozed it{until}."
        case "triggered":
            if page.exhausted:
                return "Nobody answered, and there is nobody left to page. Take it, or reassign it by name."
            if page.pending and not page.people:
                return f"Waits. {page.pending.reason}"
            if any(paged.person == me for paged in page.people):
                others = _names((q for q in page.people if q.person != me), catalog)
                return f"Waits for you{f' and {others}' if others else ''}."
            return f"Waits for {_names(page.people, catalog)}."
        case _:
            assert_never(page.status)


def _fix(page: p.Page, catalog: Catalog, me: str, now: datetime) -> str:
    fix = page.fix
    if fix is None or not page.is_open:
        return ""
    whose = "your fix" if fix.by == me else f"{name_of(catalog, fix.by)}’s fix"
    match fix.outcome:
        case "watched":
            return f"Watching until {clock(fix.until, now)} whether {whose} helps."
        case "helped":
            return f"Quiet since {whose} at {clock(fix.at, now)}. If users are well too, resolve the page."
        case "did-not-help":
            return f"{whose[0].upper()}{whose[1:]} at {clock(fix.at, now)} did not help: {counted(fix.firing)}."


def _why(page: p.Page, mine: p.Paged | None) -> str:
    if mine:
        return f"You are {_sentence(mine.because)} {page.why}".strip()
    return page.why


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _names(people: Iterable[p.Paged], catalog: Catalog) -> str:
    names = [name_of(catalog, paged.person) for paged in people]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _next(page: p.Page, plan: Sequence[Planned], catalog: Catalog) -> str:
    """Whom the page asks next, those first who are not asked yet; empty when nobody is due."""
    first = next((planned for planned in plan if planned.kind != "skips"), None)
    if first is None or first.kind != "asks" or page.status != "triggered":
        return ""
    asked = {paged.person for paged in page.people}
    return _names([q for q in first.people if q.person not in asked] or first.people, catalog)


def _ahead(planned: Planned, catalog: Catalog, now: datetime) -> Ahead:
    details = tuple(_because(q, catalog) for q in planned.people) + _passed_over(planned.passed_over, catalog)
    match planned.kind:
        case "asks":
            text = f"asks {_names(planned.people, catalog)}"
        case "skips":
            text = f"skips step {(planned.step or 0) + 1}. {planned.reason}"
        case "holds":
            text = f"waits until {clock(planned.until or planned.at, now)}. {planned.reason}"
        case "ends":
            text = planned.reason
        case _:
            assert_never(planned.kind)
    return Ahead(at=planned.at, text=text, details=details)


def _because(paged: p.Paged, catalog: Catalog) -> str:
    return f"{name_of(catalog, paged.person)}: {paged.because}"


def _passed_over(people: Iterable[p.Paged], catalog: Catalog) -> tuple[str, ...]:
    return tuple(f"{name_of(catalog, q.person)} passed over: {q.because}" for q in people)


def _helpers(page: p.Page, who: p.Who, catalog: Catalog, me: str) -> tuple[Helper, ...]:
    """The people of the later steps, once each, without whoever looks."""
    found: dict[str, Helper] = {}
    for people in who[page.step + 1 :] or who:
        for paged in people:
            person = catalog.people.get(paged.person)
            if person and person.name != me:
                helper = Helper(name=person.full_name, email=person.email, because=paged.because)
                found.setdefault(person.name, helper)
    return tuple(found.values())[:4]


class Line(Struct, frozen=True, kw_only=True):
    """One line of a history."""

    version: int
    at: datetime
    sign: str
    text: str
    details: tuple[str, ...] = ()


def history(facts: Iterable[Fact[p.PageEvent]], catalog: Catalog) -> list[Line]:
    """What happened to the page, in words, the newest first."""
    lines = [_line(fact, catalog) for fact in facts]
    return lines[::-1]


def _line(fact: Fact[p.PageEvent], catalog: Catalog) -> Line:
    sign, text, details = _words(fact, catalog)
    return Line(version=fact.version, at=fact.at, sign=sign, text=text, details=tuple(d for d in details if d))


def _words(fact: Fact[p.PageEvent], catalog: Catalog) -> tuple[str, str, tuple[str, ...]]:  # noqa: C901, PLR0912 - one case an event
    event, by = fact.event, name_of(catalog, fact.by.id) if fact.by.id != "sev1" else "sev1"
    match event:
        case p.PageOpened():
            return "⚠️", f"Opened: {event.title}", (event.why,)
        case p.AlertsJoined():
            return "", f"{event.count} more alert{'s' * (event.count > 1)} joined: {event.summary}", ()
        case p.StepStarted():
            names = _names(event.people, catalog)
            round_ = f", round {event.round + 1}" if event.round else ""
            because = tuple(_because(q, catalog) for q in event.people)
            later = tuple(f"{_because(q, catalog)}; asked if nobody answers before" for q in event.later)
            details = because + later + _passed_over(event.passed_over, catalog)
            asked = "also asked" if event.widens else "asked"
            return "📣", f"Step {event.step + 1}{round_}: {asked} {names}. {event.reason}", details
        case p.StepSkipped():
            passed = _passed_over(event.passed_over, catalog)
            return "", f"Step {event.step + 1} skipped. {event.reason}", passed
        case p.PageHeld():
            return "", f"Waits until {clock(event.until, fact.at)}. {event.reason}", ()
        case p.PolicyExhausted():
            return "⚠️", "Nobody answered any step of any round.", ()
        case p.PageAcknowledged():
            return "✅", f"{by} has it.", ()
        case p.PageUnattended():
            return "⚠️", f"Acknowledged, then nothing for {_minutes(event.after_s)}: paged again.", ()
        case p.PageSnoozed():
            return "", f"{by} snoozed it until {clock(event.until, fact.at)}.", ()
        case p.SnoozeEnded():
            return "", "The snooze is over: paged again.", ()
        case p.PageReassigned():
            return "", f"{by} reassigned it to {name_of(catalog, event.person)}.", ()
        case p.NoticeSent():
            again = " again (the first may not have arrived)" if event.repeat else ""
            return (
                "",
                f"{event.method.capitalize()} to {name_of(catalog, event.person)} handed over{again}.",
                (event.receipt,),
            )
        case p.PersonUnreachable():
            return "⚠️", f"{name_of(catalog, event.person)} could not be reached.", (event.error,)
        case p.IncidentLinked():
            return "", f"Belongs to {event.incident}.", ()
        case IncidentSuggested():
            return "⚠️", f"This looks like an incident: {event.title}.", (f"policy {event.policy}",)
        case DiagnosticAsked():
            return "🔍", f"{by} runs: {event.title}.", ()
        case DiagnosticAnswered():
            return "🔍", f"{event.title} {OUTCOMES[event.outcome]}.", tuple(event.text.split("\n")[:MOST_LINES])
        case FixReported():
            return "🔧", f"{by} says that the fix is in. Watched until {clock(event.until, fact.at)}.", (event.note,)
        case FixHelped():
            return "✅", f"Quiet for {_minutes(event.after_s)} since the fix.", ()
        case FixDidNotHelp():
            said = f"The fix did not help: {counted(event.firing)} after {_minutes(event.after_s)}."
            return "⚠️", said, event.examples
        case p.PageResolved():
            return "✅", f"Over: {event.reason.rstrip('.')}.", ()
        case _:
            assert_never(event)


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


class Receipt(Struct, frozen=True, kw_only=True):
    """One message that went out, or did not."""

    who: str
    how: str
    state: str
    failed: bool
    at: datetime
    details: tuple[str, ...]


_STATES = {
    "queued": "on its way",
    "sending": "on its way",
    "sent": "handed over",
    "failed": "not delivered",
    "cancelled": "taken back before it went out",
}
_METHODS = {"email": "mail", "webhook": "webhook"}


def receipts(deliveries: Iterable[DeliveryView], catalog: Catalog) -> list[Receipt]:
    """What went out about something, in the order given; what failed says why."""
    return [
        Receipt(
            who=name_of(catalog, d.person) if d.person else "Announcement",
            how=f"{_METHODS.get(d.method_kind, d.method_kind)} to {d.to}".strip() if d.method_kind else "",
            state=_STATES[d.state] + (f" after {d.attempts} attempts" if d.attempts > 1 else ""),
            failed=d.state == "failed",
            at=d.finished_at or d.created_at,
            details=tuple(text for text in (d.error if d.state != "sent" else "", d.receipt) if text),
        )
        for d in deliveries
    ]
