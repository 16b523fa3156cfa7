"""Why a page woke whom, what went out, who answered and why it stopped. Pure: stored facts in, a tree of sentences out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

from sev1.catalog.model import Catalog
from sev1.engine.decider import Fact
from sev1.explain.model import Because, PageFacts, listed_names
from sev1.notify.model import Attempt, DeliveryView
from sev1.paging import model as m
from sev1.paging.diagnostics import DiagnosticAnswered, DiagnosticAsked
from sev1.paging.fix import FixDidNotHelp, FixHelped, FixReported, counted
from sev1.paging.suggestion import IncidentSuggested
from sev1.triage.phrases import instant, span

OUTCOMES = {
    "sent": "handed over",
    "temporary": "failed for now",
    "permanent": "failed for good",
    "skipped": "not tried, because the channel is down; the next method's turn",
    "waiting": "waits, because the channel is down",
    "cut-off": "cut off: it may have arrived",
    "cancelled": "taken back",
}
RUN_OUTCOMES = {"ok": "answered", "failed": "failed", "cut-off": "was cut off"}
STATES = {
    "queued": "on its way",
    "sending": "on its way",
    "sent": "handed over",
    "failed": "not delivered",
    "cancelled": "taken back before it went out",
}


def explain_page(known: PageFacts, catalog: Catalog, now: datetime) -> Because:
    """Opened because of what; each step, who and because what; each attempt to tell them; the answers; why it stopped."""
    page = known.page
    policy = page.policy.title if page.policy else "no policy"
    return Because(
        kind="page",
        at=page.opened_at,
        sentence=f"{page.key} opened: {page.title}. {page.why} It ran {policy}.",
        data={"page": page.key, "status": page.status, "policy": page.policy.name if page.policy else None},
        then=(
            *(found for fact in known.facts if (found := _event(fact, known, catalog, now))),
            *_also_sent(known, catalog),
            stopped(page, known.facts, catalog, now),
        ),
    )


def _event(  # noqa: C901, PLR0912 - one case an event
    fact: Fact[m.PageEvent], known: PageFacts, catalog: Catalog, now: datetime
) -> Because | None:
    event = fact.event
    by, via = name_of(catalog, fact.by.id), fact.by.via
    who = {"by": fact.by.id, "via": via}

    def said(kind: str, sentence: str, **data: object) -> Because:
        return Because(kind=kind, at=fact.at, sentence=sentence, data=data)

    match event:
        case m.PageOpened() | m.NoticeSent():
            return None  # the root says the first, the deliveries say the second with more
        case m.StepStarted():
            round_ = f", round {event.round + 1}" if event.round else ""
            names = listed_names(name_of(catalog, p.person) for p in event.people)
            return Because(
                kind="step",
                at=fact.at,
                sentence=f"Step {event.step + 1}{round_} asked {names}. {event.reason}",
                data={"step": event.step + 1, "round": event.round + 1, "people": [p.person for p in event.people]},
                then=tuple(asked_by(fact, p, known, catalog) for p in event.people),
            )
        case m.PageReassigned():
            paged = m.Paged(person=event.person, because=f"asked for by {by}")
            return Because(
                kind="step",
                at=fact.at,
                sentence=f"{by} had {name_of(catalog, event.person)} asked instead.",
                data={"people": [event.person], **who},
                then=(asked_by(fact, paged, known, catalog),),
            )
        case m.AlertsJoined():
            return said("joined", f"{event.count} more joined: {event.summary}", count=event.count)
        case m.StepSkipped():
            return said("skipped", f"Step {event.step + 1} was skipped. {event.reason}", step=event.step + 1)
        case m.PageHeld():
            return said("held", f"It waits until {instant(event.until, now)}. {event.reason}", until=event.until)
        case m.PolicyExhausted():
            return said("exhausted", "No step was left, and nobody had answered.")
        case m.PageAcknowledged():
            return said("answer", f"{by} acknowledged it ({via}).", answer="acknowledged", **who)
        case m.PageUnattended():
            return said("unattended", f"It was acknowledged, then nothing happened for {span(event.after_s)}.")
        case m.PageSnoozed():
            until = instant(event.until, now)
            return said("answer", f"{by} snoozed it until {until} ({via}).", answer="snoozed", **who)
        case m.SnoozeEnded():
            return said("snooze-ended", "The snooze was over.")
        case m.PersonUnreachable():
            name = name_of(catalog, event.person)
            return said("unreachable", f"{name} could not be reached: {event.error}", person=event.person)
        case m.IncidentLinked():
            return said("incident", f"It belongs to {event.incident}.", incident=event.incident)
        case DiagnosticAsked():
            return said("diagnostic", f"{by} ran the diagnostic {event.title} ({via}).", name=event.name, **who)
        case DiagnosticAnswered():
            line = event.text.partition("\n")[0]
            return said(
                "diagnostic",
                f"{event.title} {RUN_OUTCOMES[event.outcome]}: {line}",
                name=event.name,
                outcome=event.outcome,
                text=event.text,
            )
        case IncidentSuggested():
            severity = f" as {event.severity.upper()}" if event.severity else ""
            sentence = f"The declaration policy {event.policy} suggested an incident{severity}: {event.title}."
            return said("suggestion", sentence, policy=event.policy, severity=event.severity)
        case FixReported():
            note = f": {event.note}" if event.note else ""
            until = instant(event.until, now)
            return said("fix", f"{by} said that the fix is in{note} ({via}). Watched until {until}.", **who)
        case FixHelped():
            return said("fix", f"The fix helped: nothing fired for {span(event.after_s)}.", helped=True)
        case FixDidNotHelp():
            named = f": {'; '.join(event.examples)}" if event.examples else ""
            return said(
                "fix",
                f"The fix did not help: {counted(event.firing)} after {span(event.after_s)}{named}.",
                helped=False,
                firing=event.firing,
            )
        case m.PageResolved():
            return said("answer", f"It was resolved: {event.reason.rstrip('.')}.", answer="resolved", **who)
        case _:
            assert_never(event)


def asked_by(fact: Fact[m.PageEvent], paged: m.Paged, known: PageFacts, catalog: Catalog) -> Because:
    """`asked` for one of the people whom this fact asks."""
    earlier = sum(f.version < fact.version and f.at == fact.at and _asks(f.event, paged.person) for f in known.facts)
    return asked(paged, fact.at, known.deliveries, catalog, earlier)


def _asks(event: m.PageEvent, person: str) -> bool:
    match event:
        case m.StepStarted(people=people):
            return any(p.person == person for p in people)
        case m.PageReassigned(person=who):
            return who == person
    return False


def asked(paged: m.Paged, at: datetime, deliveries: Iterable[DeliveryView], catalog: Catalog, nth: int = 0) -> Because:
    """A person who was asked: why them, and what went out to them at that moment.

    A step of whom nobody can be reached hands over within the same instant: `nth` says how often this person was asked
    at `at` before.
    """
    own = [d for d in deliveries if d.person == paged.person and d.kind == "page" and d.created_at == at]
    own = sorted(own, key=lambda d: (d.finished_at is None, d.finished_at or at))[nth : nth + 1]
    return Because(
        kind="person",
        sentence=f"{name_of(catalog, paged.person)}, because they are {paged.because}.",
        data={"person": paged.person, "because": paged.because},
        then=tuple(delivery(d) for d in own),
    )


def delivery(view: DeliveryView) -> Because:
    how = f"{view.method_kind} to {view.to}" if view.method_kind else "no contact method"
    more = view.error if view.state in {"failed", "cancelled", "queued"} and view.error else view.receipt
    return Because(
        kind="delivery",
        at=view.finished_at or view.created_at,
        sentence=f"{how.capitalize()}: {STATES[view.state]}{f' ({more})' if more else ''}.",
        data={"id": str(view.id), "state": view.state, "receipt": view.receipt, "attempts": view.attempts},
        then=tuple(_attempt(number, attempt) for number, attempt in enumerate(view.log, 1)),
    )


def _attempt(number: int, attempt: Attempt) -> Because:
    where = f"{attempt.kind} to {attempt.to}" if attempt.to else attempt.kind or "a contact method"
    said = f": {attempt.text}" if attempt.text else ""
    return Because(
        kind="attempt",
        at=attempt.at,
        sentence=f"Attempt {number}, {where}, {OUTCOMES[attempt.outcome]}{said}.",
        data={"channel": attempt.kind, "outcome": attempt.outcome, "text": attempt.text},
    )


def _also_sent(known: PageFacts, catalog: Catalog) -> Iterable[Because]:
    """Announcements, and word that it is over."""
    others = [d for d in known.deliveries if d.kind != "page"]
    if not others:
        return
    told = {name_of(catalog, d.person) if d.person else "an announcement address": None for d in others}
    yield Because(
        kind="told",
        sentence=f"Also told: {listed_names(told)}.",
        then=tuple(delivery(d) for d in others),
    )


def stopped(page: m.Page, facts: Sequence[Fact[m.PageEvent]], catalog: Catalog, now: datetime) -> Because:
    """Why the escalation stopped, or what it waits for."""
    left = _steps_left(page)
    match page.status:
        case "resolved":
            sentence = f"Over since {_at(page.resolved_at, now)}: {page.resolution.rstrip('.')}."
        case "acknowledged":
            last = next(f for f in reversed(facts) if isinstance(f.event, m.PageAcknowledged))
            name = name_of(catalog, last.by.id)
            sentence = f"The escalation stopped because {name} acknowledged it at {instant(last.at, now)}.{left}"
        case "snoozed":
            sentence = f"It waits until {_at(page.snoozed_until, now)}, because it is snoozed.{left}"
        case "triggered" if page.exhausted:
            sentence = "It stopped because no step is left; somebody has to take it."
        case _:
            sentence = f"It still runs: the next step is due at {_at(page.next_at, now)}."
    return Because(kind="stopped", sentence=sentence, data={"status": page.status})


def _steps_left(page: m.Page) -> str:
    if page.policy is None or page.step + 1 >= len(page.policy.steps):
        return ""
    first, last = page.step + 2, len(page.policy.steps)
    return f" Step {first} was not reached." if first == last else f" Steps {first} to {last} were not reached."


def _at(at: datetime | None, now: datetime) -> str:
    return instant(at, now) if at else "an unknown time"


def name_of(catalog: Catalog, identity: str) -> str:
    person = catalog.people.get(identity) or catalog.person_by_email(identity)
    return person.full_name if person else identity
