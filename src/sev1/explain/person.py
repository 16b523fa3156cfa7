"""Why was I (not) paged? Pure: the pages of a window and who was on call then, as a tree of sentences.

Policies are those that the pages ran. Schedules are those of the catalog in force now, with the overrides of then: an
apply meanwhile that changed a rotation shows in the answer, and each sentence says whom a step really asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.engine.decider import Fact
from sev1.explain.model import Because, PageFacts, listed_names
from sev1.explain.page import asked_by, name_of, stopped
from sev1.oncall.resolve import resolve
from sev1.oncall.schedule import Exceptions
from sev1.paging import model as m
from sev1.triage.model import AlertRow
from sev1.triage.phrases import instant

Overrides = Mapping[str, Exceptions]
Asked = tuple[Fact[m.PageEvent], m.Paged]


def explain_person(
    person: str,
    pages: Iterable[PageFacts],
    held: Iterable[AlertRow],
    catalog: Catalog,
    overrides: Overrides,
    since: datetime,
    now: datetime,
) -> Because:
    """`held` are alerts of the page tier that opened or joined no page; those that would not have asked `person` are left
    out.
    """
    found = [_page(person, known, catalog, overrides, now) for known in pages]
    quiet = [h for alert in held if (h := _held(person, alert, catalog, overrides, now))]
    paged = sum(node.kind == "paged" for node in found)
    name = name_of(catalog, person)
    sentence = f"{name} was paged for {paged} of {len(found)} pages since {instant(since, now)}."
    if quiet:
        sentence += f" {len(quiet)} more would have paged them, but were held or had nobody."
    data = {"person": person, "paged": paged, "pages": len(found), "held": len(quiet)}
    return Because(kind="person", sentence=sentence, data=data, then=(*found, *quiet))


def _page(person: str, known: PageFacts, catalog: Catalog, overrides: Overrides, now: datetime) -> Because:
    page = known.page
    times = list(_asked(person, known.facts))
    if times:
        first = times[0][0].at
        return Because(
            kind="paged",
            at=first,
            sentence=f"{page.key} {page.title}: paged at {instant(first, now)}, because they were {times[0][1].because}.",
            data={"page": page.key, "times": len(times)},
            then=(
                *(replace(asked_by(fact, who, known, catalog), at=fact.at) for fact, who in times),
                *_own_answers(person, known.facts),
                stopped(page, known.facts, catalog, now),
            ),
        )
    at = page.opened_at or now
    why, data = _why_not(person, known, catalog, overrides, at, now)
    return Because(
        kind="not-paged",
        at=at,
        sentence=f"{page.key} {page.title}: not paged. {why}",
        data={"page": page.key, **data},
    )


def _asked(person: str, facts: Iterable[Fact[m.PageEvent]]) -> Iterator[Asked]:
    for fact in facts:
        match fact.event:
            case m.StepStarted(people=people):
                yield from ((fact, paged) for paged in people if paged.person == person)
            case m.PageReassigned(person=who) if who == person:
                yield fact, m.Paged(person=person, because=f"asked for by {fact.by.name}")


def _own_answers(person: str, facts: Iterable[Fact[m.PageEvent]]) -> Iterator[Because]:
    for fact in facts:
        if fact.by.id == person and isinstance(fact.event, m.PageAcknowledged | m.PageSnoozed | m.PageResolved):
            word = {m.PageAcknowledged: "Acknowledged", m.PageSnoozed: "Snoozed", m.PageResolved: "Resolved"}
            yield Because(kind="answer", at=fact.at, sentence=f"{word[type(fact.event)]} it ({fact.by.via}).")


def _why_not(
    person: str, known: PageFacts, catalog: Catalog, overrides: Overrides, at: datetime, now: datetime
) -> tuple[str, dict[str, object]]:
    page = known.page
    if page.policy is None:
        return "It ran no policy.", {"reason": "no-policy"}
    if (step := step_of(person, page.policy, catalog, at, overrides)) is not None:
        number, because = step
        end = _ended_before(known, catalog, now)
        return (
            f"Step {number} would have asked them ({because}); it was not reached: {end}",
            {"reason": "step-not-reached", "step": number},
        )
    without = replace(catalog, schedules={n: replace(s, overrides=()) for n, s in catalog.schedules.items()})
    if (step := step_of(person, page.policy, without, at, {})) is not None:
        number, because = step
        now_asked = resolve(page.policy.steps[number - 1].targets, catalog, at, overrides)
        covers = listed_names(f"{name_of(catalog, r.person)} ({r.because})" for r in now_asked.recipients)
        return (
            f"They would have been {because}, but that was overridden: step {number} asks {covers}.",
            {"reason": "overridden", "step": number},
        )
    who = _first_asked(known.facts, catalog)
    return f"No step of {page.policy.title} had them at that time. {who}".rstrip(), {"reason": "not-on-call"}


def step_of(
    person: str, policy: EscalationPolicy, catalog: Catalog, at: datetime, overrides: Overrides
) -> tuple[int, str] | None:
    """(number of the first step that asks `person` at that instant, why them), or None."""
    for number, step in enumerate(policy.steps, 1):
        found = resolve(step.targets, catalog, at, overrides, named_in=f"step {number} of {policy.title}")
        for recipient in found.recipients:
            if recipient.person == person:
                return number, recipient.because
    return None


def _ended_before(known: PageFacts, catalog: Catalog, now: datetime) -> str:
    """What came before that step: the first answer, the end, or that it is not due yet."""
    for fact in known.facts:
        name = name_of(catalog, fact.by.id)
        match fact.event:
            case m.PageAcknowledged():
                return f"{name} acknowledged it at {instant(fact.at, now)}."
            case m.PageSnoozed():
                return f"{name} snoozed it at {instant(fact.at, now)}."
            case m.PageReassigned(person=who):
                return f"{name} had {name_of(catalog, who)} asked instead at {instant(fact.at, now)}."
            case m.PageResolved(reason=reason):
                return f"it was over at {instant(fact.at, now)} ({reason.rstrip('.')})."
    if known.page.next_at:
        return f"the step before it has time until {instant(known.page.next_at, now)}."
    return "the escalation stopped before."


def _first_asked(facts: Iterable[Fact[m.PageEvent]], catalog: Catalog) -> str:
    for fact in facts:
        if isinstance(fact.event, m.StepStarted):
            who = listed_names(f"{name_of(catalog, p.person)} ({p.because})" for p in fact.event.people)
            return f"Step {fact.event.step + 1} asked {who}."
    return "It asked nobody."


def _held(person: str, alert: AlertRow, catalog: Catalog, overrides: Overrides, now: datetime) -> Because | None:
    policy = catalog.policies.get(alert.verdict.policy or "")
    if policy is None or step_of(person, policy, catalog, alert.received_at, overrides) is None:
        return None
    return Because(
        kind="held",
        at=alert.received_at,
        sentence=f"{alert.key} {alert.summary}: paged nobody at {instant(alert.received_at, now)}. {alert.verdict.conclusion}",
        data={"alert": alert.key, "held": alert.held, "held_by": alert.held_by},
    )
