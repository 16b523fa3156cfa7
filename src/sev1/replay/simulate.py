"""History through a catalog, under a clock that history sets. Pure: the real stages, schedules and paging rules decide.

`Simulation` takes alerts in the order in which they came, and keeps only what is open: memory grows with how much fires
at once, not with how long the history is. What it leaves out is written in `model.MODEL`.
"""

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from sev1.catalog.matchers import all_match
from sev1.catalog.model import Catalog, EscalationPolicy
from sev1.engine.decider import SYSTEM, TIMER, Actor, Fact
from sev1.oncall.schedule import Exceptions
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import eligible
from sev1.replay.model import Answers, Past, Tally
from sev1.triage.flapping import LONGEST_WINDOW, History
from sev1.triage.model import OpenAlert, OpenPage, Silence, Source, Subject, Verdict, alert_key
from sev1.triage.pipeline import Context, judge, without_page
from sev1.triage.rules import compiled, maintenance_in_force

Overrides = Mapping[str, Exceptions]
SOMEBODY = Actor(id="somebody", name="Somebody", via="system")
FORGET_EVERY = 1_000
"""Changes of state after which problems that were quiet for longer than any window are forgotten."""
_pages = PageAggregate()


class _Live(Struct, kw_only=True):
    """An alert that fires."""

    past: Past
    verdict: Verdict = field(default_factory=Verdict)
    page: str | None = None


class _Page(Struct, kw_only=True):
    state: m.Page
    alerts: set[int] = field(default_factory=set)
    answer_after: timedelta | None
    version: int = 0


class Simulation:
    """`take(alert)` in order, then `finish(until)`. `on_over(alert, verdict, paged)` is told once of each alert.

    `median_s` is how long an answer took in the middle, for pages that nobody had then; None: nobody answers those.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        silences: Sequence[Silence] = (),
        overrides: Overrides | None = None,
        answers: Answers = "as-recorded",
        median_s: float | None = None,
        on_over: Callable[[Past, Verdict, bool], None] = lambda *_: None,
    ) -> None:
        self.tally = Tally()
        self._catalog = catalog
        self._rules = compiled(catalog)
        self._silences = sorted(silences, key=lambda s: s.starts_at)
        self._overrides = overrides or {}
        self._answers = answers
        self._median = None if median_s is None else timedelta(seconds=median_s)
        self._on_over = on_over
        self._now: datetime | None = None
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._live: dict[int, _Live] = {}
        self._held_by: dict[str, set[int]] = {}
        self._sources: dict[str, dict[tuple[str, ...], tuple[Source, ...]]] = {}
        self._causes: dict[str, Source] = {}
        self._pages: dict[str, _Page] = {}
        self._open_pages: dict[str, OpenPage] = {}
        self._history: dict[tuple[int, str], History] = {}
        self._changes = 0
        self._known_until: datetime | None = None
        self._silent: tuple[Silence, ...] = ()
        self._windows: Any = ()

    def take(self, past: Past) -> None:
        """The next alert. One that is stored with an earlier time than the last counts as coming with it."""
        at = past.received_at if self._now is None else max(past.received_at, self._now)
        self._until(at)
        self._now = at
        live = _Live(past=past)
        self._live[past.id] = live
        self._changed(past, at)
        self._add_source(past)
        self._judge(live, at)
        self._count(live.verdict)
        if past.resolved_at is not None:
            self._at(max(past.resolved_at, at), lambda: self._over(past.id))

    def finish(self, until: datetime) -> None:
        """Lets the time until then pass, and tells of what still fires."""
        self._until(until)
        for live in list(self._live.values()):
            self._on_over(live.past, live.verdict, live.page is not None)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _at(self, at: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), what))

    def _until(self, at: datetime) -> None:
        while self._due and self._due[0][0] <= at:
            self._now, _, what = heapq.heappop(self._due)
            what()

    # --- triage -------------------------------------------------------------------------------------------------------

    def _judge(self, live: _Live, at: datetime, *, again: str = "") -> None:
        past = live.past
        before = None
        if again:
            before = OpenAlert(
                id=past.id, key_id=past.key_id, fingerprint=past.fingerprint, labels=past.labels,
                starts_at=past.starts_at, expires_at=None, received_at=past.received_at,
                held=live.verdict.held, held_by=live.verdict.held_by,
            )  # fmt: skip
        subject = Subject(
            id=past.id, key_id=past.key_id, fingerprint=past.fingerprint, labels=past.labels,
            annotations=past.annotations, before=before, again=again,
        )  # fmt: skip
        verdict = judge(subject, self._context(past, at))
        outcome = verdict.stages[-1].outcome
        if outcome in {"opens", "joins"} and past.resolved_at is not None and past.resolved_at <= at:
            verdict = without_page(verdict, (past.resolved_at - past.starts_at).total_seconds())
            outcome = "over"
        live.verdict = verdict
        if verdict.held_by:
            self._wait(past.id, verdict, at)
        elif outcome == "opens":
            self._open(live, at)
        elif outcome == "joins":
            self._join(live, at)

    def _context(self, past: Past, at: datetime) -> Context:
        if self._known_until is None or at >= self._known_until:
            # What depends on the time alone is looked up once a minute; silences begin and end to the minute then.
            self._known_until = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
            self._silent = tuple(s for s in self._silences if s.starts_at <= at < s.ends_at)
            self._windows = maintenance_in_force(self._catalog, at)
        who = (past.key_id, past.fingerprint)
        return Context(
            now=at,
            rules=self._rules,
            silences=self._silent,
            sources=self._sources,
            open_pages=self._open_pages,
            maintenance=self._windows,
            causes=self._causes,
            history={who: self._history[who]},
        )

    def _wait(self, number: int, verdict: Verdict, at: datetime) -> None:
        """What is held is looked at again when that ends."""
        held_by = verdict.held_by or ""
        kind, _, rest = held_by.partition(":")
        until: datetime | None = None
        if kind == "flapping":
            until = datetime.fromisoformat(rest)
        elif kind == "maintenance":
            until = next((w.until for w in self._windows if w.held_by == held_by), None)
        elif verdict.held == "silenced":
            until = next((s.ends_at for s in self._silent if str(s.id) == held_by), None)
        else:
            self._held_by.setdefault(held_by, set()).add(number)
        if until is not None and until > at:
            self._at(until, lambda: self._look_again(number, "What held it is over."))

    def _look_again(self, number: int, why: str) -> None:
        live = self._live.get(number)
        if live is None or live.page is not None or self._now is None:
            return
        self._known_until = None
        self._judge(live, self._now, again=why)

    def _over(self, number: int) -> None:
        live = self._live.pop(number)
        assert self._now is not None
        self._changed(live.past, self._now, paged=live.page is not None)
        self._remove_source(live.past)
        if live.verdict.service and self._causes.get(live.verdict.service, Source(id=0, labels={})).id == number:
            del self._causes[live.verdict.service]
        self._on_over(live.past, live.verdict, live.page is not None)
        if live.page is not None:
            self._leave(live.page, number)
        for waiting in sorted(self._held_by.pop(alert_key(number), ())):
            self._look_again(waiting, f"{alert_key(number)}, which inhibited it, is over.")

    def _changed(self, past: Past, at: datetime, *, paged: bool = False) -> None:
        who = (past.key_id, past.fingerprint)
        before = self._history.get(who, History())
        kept = tuple(change for change in before.changes if change > at - LONGEST_WINDOW)
        self._history[who] = History(changes=(*kept, at), paged=(before.paged and bool(kept)) or paged)
        self._changes += 1
        if self._changes % FORGET_EVERY == 0:
            self._history = {w: h for w, h in self._history.items() if h.changes[-1] > at - LONGEST_WINDOW}

    def _add_source(self, past: Past) -> None:
        for rule in self._rules.inhibit:
            if all_match(rule.source, past.labels):
                found = self._sources.setdefault(rule.name, {})
                values = rule.equals_of(past.labels)
                found[values] = (*found.get(values, ()), Source(id=past.id, labels=past.labels))

    def _remove_source(self, past: Past) -> None:
        for rule in self._rules.inhibit:
            found = self._sources.get(rule.name, {})
            values = rule.equals_of(past.labels)
            if values in found:
                found[values] = tuple(s for s in found[values] if s.id != past.id)
                if not found[values]:
                    del found[values]

    def _count(self, verdict: Verdict) -> None:
        if verdict.tier:
            self.tally.tiers[verdict.tier] = self.tally.tiers.get(verdict.tier, 0) + 1
        self.tally.held += bool(verdict.held)

    # --- paging -------------------------------------------------------------------------------------------------------

    def _open(self, live: _Live, at: datetime) -> None:
        verdict, key = live.verdict, f"P-{next(self._numbers)}"
        policy = self._catalog.policies[verdict.policy or ""]
        group = verdict.group_key or ""
        page = _Page(state=_pages.initial(key), answer_after=self._answer_after(live.past))
        self._pages[key] = page
        self._open_pages[group] = OpenPage(
            key=key, group_key=group, service=verdict.service, policy=verdict.policy, severity=verdict.severity,
        )  # fmt: skip
        self.tally.pages += 1
        self._belongs(live, page, key)
        self._run(page, m.Open(
            title=live.past.summary, group_key=group, policy=policy, why="", service=verdict.service,
            severity=verdict.severity, who=self._who(policy, verdict.severity, at),
        ), at)  # fmt: skip

    def _join(self, live: _Live, at: datetime) -> None:
        page = self._pages[live.verdict.page or ""]
        self._belongs(live, page, page.state.key)
        assert page.state.policy is not None
        self._run(page, m.JoinAlerts(
            count=1, summary=live.past.summary, severity=live.verdict.severity, who=self._who(page.state.policy, live.verdict.severity, at),
        ), at)  # fmt: skip
        known = self._open_pages[page.state.group_key]
        self._open_pages[page.state.group_key] = replace(known, alert_count=page.state.alert_count)

    def _belongs(self, live: _Live, page: _Page, key: str) -> None:
        live.page = key
        page.alerts.add(live.past.id)
        if live.verdict.service:
            self._causes.setdefault(live.verdict.service, Source(id=live.past.id, labels=live.past.labels))

    def _leave(self, key: str, number: int) -> None:
        """A page ends with the last of its alerts."""
        page = self._pages[key]
        page.alerts.discard(number)
        if not page.alerts:
            del self._pages[key]
            del self._open_pages[page.state.group_key]

    def _run(self, page: _Page, command: m.PageCommand, at: datetime, by: Actor = SYSTEM) -> None:
        key = page.state.key
        for event in _pages.decide(page.state, command, at, by):
            page.version += 1
            page.state = _pages.evolve(page.state, Fact(version=page.version, at=at, by=by, event=event))
            if isinstance(event, m.StepStarted):
                for paged in event.people:
                    self.tally.ask(paged.person, at, self._catalog)
                if (event.step == 0 and event.round == 0) or isinstance(command, m.JoinAlerts):
                    self._answer_later(page, at)
            if isinstance(event, m.PolicyExhausted):
                self.tally.unanswered += 1
        due = _pages.timers(page.state).get("escalate")
        if due is not None:
            self._at(due, lambda: self._escalate(key, due))

    def _escalate(self, key: str, due: datetime) -> None:
        page = self._pages.get(key)
        if page is None or page.state.policy is None or page.state.next_at != due:
            return
        self._run(
            page, m.EscalationDue(due=due, who=self._who(page.state.policy, page.state.severity, due)), due, TIMER
        )

    def _answer_later(self, page: _Page, at: datetime) -> None:
        if page.answer_after is not None:
            key = page.state.key
            self._at(at + page.answer_after, lambda: self._answer(key))

    def _answer(self, key: str) -> None:
        page = self._pages.get(key)
        if page is not None and page.state.status == "triggered" and self._now is not None:
            self._run(page, m.Acknowledge(), self._now, SOMEBODY)

    def _answer_after(self, past: Past) -> timedelta | None:
        if self._answers == "nobody":
            return None
        if past.answered_after_s is not None:
            return timedelta(seconds=past.answered_after_s)
        return None if past.page else self._median

    def _who(self, policy: EscalationPolicy, severity: str | None, at: datetime) -> tuple[m.Eligible, ...]:
        return eligible(policy, self._catalog, at, self._overrides, severity)
