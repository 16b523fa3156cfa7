"""A simulated world around the real rules: schedules, policies, paging, retries, breakers. One seed makes all of it.

The rules are the product's own pure functions. Around them stands a small model of what the database promises: a
command is one transaction; a timer or a delivery is claimed under a lease; whoever holds a lease may stall or die at
any point. Flaky channels, sleepy people, problems that end by themselves or grow worse. `Judge` looks at every commit.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct, structs

from sev1.catalog.model import Catalog, EscalationPolicy, Override
from sev1.engine.decider import SYSTEM, TIMER, TRIAGE, Actor, Fact, fold
from sev1.notify import breaker, retry
from sev1.notify.model import Attempt, Delivery, Notice, kind_of
from sev1.oncall.model import Away
from sev1.oncall.schedule import Exceptions
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import Absent, eligible
from sev1.paging.fix import Firing, FixDidNotHelp, FixDue, FixHelped, WatchFix
from sev1.paging.turns import REMEMBERED
from tests.simulation.judge import Circumstances, Judge
from tests.simulation.organisation import PEOPLE, SCHEDULES, SEVERITIES, organisation

START = datetime(2026, 1, 5, tzinfo=UTC)
YEAR_S = 365 * 86_400.0
LEASE_S = 30.0
BETWEEN_PROBLEMS_S = 150_000
"""Some two hundred pages a year."""
NOTICE = Notice(kind="page", about="", title="t", url="u")
ANSWERS = (m.PageAcknowledged, m.PageSnoozed, m.PageResolved, m.PageReassigned)
NEED_PEOPLE = (m.Open, m.JoinAlerts, m.EscalationDue, m.UnattendedDue, m.SnoozeDue, m.ReportUnreachable, m.EscalateTo)


class Row(Struct):
    """A delivery as the outbox keeps it."""

    delivery: Delivery
    state: str
    due_at: datetime
    claim: int = 0
    lease_until: datetime | None = None
    cancelled_at: datetime | None = None
    started: list[datetime] = []
    """When attempts were handed to a channel."""
    arrived: list[bool] = []
    """For each arrival: was it marked as a repeat?"""
    cut_off: int = 0


class Claim(Struct):
    due: datetime
    lease_until: datetime | None = None


class World:
    """`World(seed).run()` raises AssertionError at the first thing that is wrong; what it says names the seed."""

    def __init__(self, seed: int, seconds: float = YEAR_S, pages: Any = None) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.pages = pages or PageAggregate()
        self.now = START
        self.end_s = seconds
        self._now_s = 0.0
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self.catalog: Catalog = organisation(self.rng)
        self.facts: dict[str, list[Fact[Any]]] = {}
        self.states: dict[str, m.Page] = {}
        self.timers: dict[str, dict[str, Claim]] = {}
        self.outbox: dict[str, list[Row]] = {}
        self.circuits: dict[str, breaker.Circuit] = {}
        self.broken_until: dict[str, datetime] = {}
        self.exceptions: dict[str, Exceptions] = dict.fromkeys(SCHEDULES, ())
        self.leave: list[Away] = []
        self.failed_at: dict[str, datetime] = {}
        self.firing: dict[str, tuple[Firing, ...]] = {}
        """What of a page's alerts goes on; what never ends by itself does when it is signalled again."""
        self.signalled: dict[str, datetime] = {}
        """When an alert of the page was signalled again, last."""
        self.taken: dict[tuple[str, int], dict[str, int]] = {}
        self.judge = Judge(self.catalog, START + timedelta(seconds=seconds, days=30))
        self.seen: Counter[str] = Counter()
        """What happened how often: pages, faults, answers."""

    # --- time ---------------------------------------------------------------------------------------------------------

    def after(self, seconds: float, action: Callable[..., None], *args: Any) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self._now_s + seconds, self._order, action, args))

    def _seconds_to(self, at: datetime) -> float:
        return max(0.0, (at - self.now).total_seconds())

    def run(self) -> "World":
        """Problems arise until the end; then the world goes on until nothing is left to happen."""
        self._again(BETWEEN_PROBLEMS_S, self._problem)
        self._again(400_000, self._outage)
        self._again(600_000, self._override)
        self._again(900_000, self._absence)
        try:
            while self._queue:
                self._now_s, _, action, args = heapq.heappop(self._queue)
                self.now = START + timedelta(seconds=self._now_s)
                action(*args)
            self._all_is_told()
        except AssertionError as wrong:
            raise AssertionError(f"seed {self.seed}: {wrong}") from wrong
        return self

    def _again(self, mean_s: float, action: Callable[[], None]) -> None:
        wait_s = self.rng.expovariate(1 / mean_s)
        if self._now_s + wait_s < self.end_s:
            self.after(wait_s, action)

    # --- what the database promises -----------------------------------------------------------------------------------

    def command(self, key: str, command: m.PageCommand, by: Actor) -> None:
        """One transaction: decide, append, replace timers, queue and cancel deliveries, remember turns."""
        state = self.states.get(key) or self.pages.initial(key)
        exceptions, leave, silent = self.exceptions, self._on_leave(), self._silent()
        if isinstance(command, NEED_PEOPLE):
            command = structs.replace(command, who=self._who(state, command, leave, silent))
        if isinstance(command, WatchFix | FixDue):
            command = structs.replace(command, alerts=self.firing.get(key, ()))
        log = self.facts.setdefault(key, [])
        events = self.pages.decide(state, command, self.now, by)
        for event in events:
            fact = Fact(version=len(log) + 1, at=self.now, by=by, event=event)
            log.append(fact)
            state = self.pages.evolve(state, fact)
            self._react(key, state, event)
        self.states[key] = state
        wanted = self.pages.timers(state)
        self._replace_timers(key, wanted)
        lasts = any(alert.ends for alert in self.firing.get(key, ()))
        seen = Circumstances(self.now, exceptions, list(leave), silent, wanted, lasts, self.signalled.get(key))
        self.judge.commit(key, command, events, seen)
        if state.status == "resolved" and events:
            assert fold(self.pages, key, log) == state, f"{key}: what is projected is not what is recorded"

    def _who(self, state: m.Page, command: Any, leave: dict[str, str], silent: Sequence[str]) -> tuple[m.Eligible, ...]:
        policy: EscalationPolicy = command.policy if isinstance(command, m.Open) else state.policy
        severity = command.severity if isinstance(command, m.Open) else state.severity
        if isinstance(command, m.JoinAlerts) and command.severity:
            severity = min(command.severity, severity or "~")
        absent = Absent(away=leave, unreachable=frozenset(silent))
        return eligible(policy, self.catalog, self.now, self.exceptions, severity, self.taken, absent)

    def _on_leave(self) -> dict[str, str]:
        return {away.person: "on leave" for away in self.leave if away.start <= self.now < away.end}

    def _silent(self) -> list[str]:
        return [person for person, at in self.failed_at.items() if at > self.now - REMEMBERED]

    def _react(self, key: str, state: m.Page, event: m.PageEvent) -> None:
        if isinstance(event, ANSWERS):
            self.cancel(key)
        if isinstance(event, FixHelped | FixDidNotHelp) and state.fix:
            self.seen["fixes that helped" if isinstance(event, FixHelped) else "fixes that did not help"] += 1
            by = Actor(id=state.fix.by, name=state.fix.by, via="web")
            self.after(self.rng.expovariate(1 / 600), self._fix, key, by)
        if isinstance(event, m.StepStarted):
            assert state.policy is not None
            if state.policy.steps[event.step].round_robin:
                turns = self.taken.setdefault((state.policy.name, event.step), {})
                turns[event.people[0].person] = self._order = self._order + 1
            for paged in event.people:
                self.enqueue(key, paged.person)
        elif isinstance(event, m.PageReassigned):
            self.enqueue(key, event.person)

    def cancel(self, key: str) -> None:
        for row in self.outbox.get(key, ()):
            if row.state in {"queued", "sending"}:
                row.state, row.cancelled_at = "cancelled", self.now

    def enqueue(self, key: str, person: str) -> None:
        rows = self.outbox.setdefault(key, [])
        delivery = Delivery(
            id=UUID(int=len(rows) + 1),
            about=key,
            person=person,
            methods=self.catalog.people[person].contact,
            method=0,
            notice=NOTICE,
            attempts=0,
            repeat=False,
            created_at=self.now,
        )
        row = Row(delivery=delivery, state="queued", due_at=self.now)
        rows.append(row)
        self.seen["deliveries"] += 1
        self.after(self._delay(), self._claim_delivery, row)

    def _replace_timers(self, key: str, wanted: Any) -> None:
        held = self.timers.setdefault(key, {})
        for kind in [kind for kind in held if kind not in wanted]:
            del held[kind]
        for kind, due in wanted.items():
            if kind not in held or held[kind].due != due:
                held[kind] = Claim(due=due)
                self.after(self._seconds_to(due) + self._delay(), self._claim_timer, key, kind, due)

    # --- workers: late, stalled, killed -------------------------------------------------------------------------------

    def _delay(self) -> float:
        """Mostly at once, now and then minutes: a garbage collection, a suspended machine, a restart."""
        if self.rng.random() < 0.03:
            self.seen["stalls"] += 1
            return self.rng.uniform(10, 400)
        return self.rng.random()

    def _dies(self) -> bool:
        dies = self.rng.random() < 0.02
        self.seen["deaths"] += dies
        return dies

    def _claim_timer(self, key: str, kind: str, due: datetime) -> None:
        claim = self.timers[key].get(kind)
        if claim is None or claim.due != due:
            return
        if claim.lease_until and claim.lease_until > self.now:
            self.after(self._seconds_to(claim.lease_until), self._claim_timer, key, kind, due)
            return
        claim.lease_until = self.now + timedelta(seconds=LEASE_S)
        # Whatever becomes of this worker, another looks again when the lease ends.
        self.after(LEASE_S + self._delay(), self._claim_timer, key, kind, due)
        if not self._dies():
            self.after(self._delay(), self._fire, key, kind, due)

    def _fire(self, key: str, kind: str, due: datetime) -> None:
        """May run although the lease is long lost: then the command decides nothing, or decides what is right."""
        self.command(key, self.pages.timer_command(kind, due), TIMER)
        claim = self.timers[key].get(kind)
        if claim and claim.due == due:
            del self.timers[key][kind]

    def _claim_delivery(self, row: Row) -> None:
        if row.state not in {"queued", "sending"} or row.due_at > self.now:
            return
        if row.state == "sending":
            assert row.lease_until is not None
            if row.lease_until > self.now:
                self.after(self._seconds_to(row.lease_until), self._claim_delivery, row)
                return
            row.cut_off += 1
            row.delivery = structs.replace(row.delivery, repeat=True)
        row.claim += 1
        row.state, row.lease_until = "sending", self.now + timedelta(seconds=LEASE_S)
        row.delivery = structs.replace(row.delivery, attempts=row.delivery.attempts + 1)
        self.after(LEASE_S + self._delay(), self._claim_delivery, row)
        if not self._dies():
            self.after(self._delay(), self._attempt, row, row.claim)

    def _still_ours(self, row: Row, claim: int) -> bool:
        return row.claim == claim and row.state == "sending"

    def _attempt(self, row: Row, claim: int) -> None:
        if not self._still_ours(row, claim):
            return
        names = [breaker.circuit_of(method) for method in row.delivery.methods]
        circuits = {name: self.circuits.setdefault(name, breaker.Circuit(channel=name)) for name in names}
        plan = retry.choose(row.delivery, circuits, self.now)
        if isinstance(plan, retry.GiveUp):
            self._give_up(row, plan.error)
            return
        row.delivery = structs.replace(row.delivery, method=plan.method)
        if isinstance(plan, retry.Later):
            self._later(row, plan.due_at)
            return
        assert row.lease_until is not None
        if row.lease_until <= self.now + timedelta(seconds=LEASE_S / 2):
            return  # too little of the lease is left for an attempt; it runs out and the next worker begins anew
        row.started.append(self.now)
        broken = self.broken_until.get(kind_of(row.delivery.contact), START) > self.now
        outcome = "temporary" if broken or self.rng.random() < 0.05 else "sent"
        if outcome == "temporary" and self.rng.random() < 0.1:
            outcome = "permanent"
        self.seen["failed attempts"] += outcome != "sent"
        if outcome == "sent":
            row.arrived.append(row.delivery.repeat)
            self._wake_person(row.delivery)
        if self._dies():
            return  # after the channel, before the record: the outcome is unknown
        self.after(self.rng.uniform(0, 10), self._record, row, claim, outcome)

    def _record(self, row: Row, claim: int, outcome: Any) -> None:
        if not self._still_ours(row, claim):
            return
        name = breaker.circuit_of(row.delivery.contact)
        result: Any = {"sent": "success", "temporary": "failure", "permanent": "refusal"}[outcome]
        self.circuits[name] = breaker.tally(self.circuits[name], result, self.now, "e")
        entry = Attempt(at=self.now, method=row.delivery.method, outcome=outcome, kind="x", to="y", text="z")
        row.delivery = structs.replace(row.delivery, log=(*row.delivery.log, entry))
        if outcome == "sent":
            row.state = "sent"
            report = m.ReportSent(person=row.delivery.person or "", method="email", receipt="250")
            self.command(row.delivery.about, report, SYSTEM)
            return
        plan = retry.after_failure(row.delivery, self.now, self.rng)
        if isinstance(plan, retry.GiveUp):
            self._give_up(row, plan.error)
        else:
            row.delivery = structs.replace(row.delivery, method=plan.method)
            self._later(row, plan.due_at)

    def _later(self, row: Row, due_at: datetime) -> None:
        row.state, row.due_at = "queued", due_at
        self.after(self._seconds_to(due_at) + self._delay(), self._claim_delivery, row)

    def _give_up(self, row: Row, error: str) -> None:
        row.state = "failed"
        person = row.delivery.person or ""
        self.failed_at[person] = self.now
        self.seen["unreachable"] += 1
        self.command(row.delivery.about, m.ReportUnreachable(person=person, error=error), SYSTEM)

    # --- problems, people, outages ------------------------------------------------------------------------------------

    def _problem(self) -> None:
        self._again(BETWEEN_PROBLEMS_S, self._problem)
        key = f"P-{len(self.states) + 1}"
        policy = self.catalog.policies[self.rng.choice(("first", "second"))]
        severity = self.rng.choice((*SEVERITIES, None))
        self.seen["pages"] += 1
        self.command(key, m.Open(title="t", group_key=key, policy=policy, why="r", severity=severity), TRIAGE)
        if self.rng.random() < 0.3:
            self.after(self.rng.expovariate(1 / 3000), self._resolve, key)
        if self.rng.random() < 0.15:
            self.after(self.rng.expovariate(1 / 1500), self._worse, key)

    def _resolve(self, key: str) -> None:
        self.command(key, m.Resolve(reason="All alerts resolved."), TRIAGE)

    def _worse(self, key: str) -> None:
        self.command(key, m.JoinAlerts(count=1, summary="s", severity=self.rng.choice(SEVERITIES[:4])), TRIAGE)

    def _wake_person(self, delivery: Delivery) -> None:
        """One sleeps on, one answers within seconds, one exactly when the escalation is due, one twice."""
        person, key = delivery.person or "", delivery.about
        kind = self.rng.random()
        if kind < 0.4:
            self.seen["slept on"] += 1
            return
        reaction = self.rng.expovariate(1 / 90)
        if kind < 0.6:
            due = self.states[key].next_at
            reaction = self._seconds_to(due) + self.rng.choice((-0.1, 0.0, 0.1, 1.0)) if due else 300.0
        self.after(max(reaction, 0.0), self._answer, key, person)
        if kind > 0.95:
            self.after(reaction + self.rng.uniform(0, 10), self._answer, key, person)

    def _answer(self, key: str, person: str) -> None:
        state = self.states[key]
        if not state.is_open:
            return
        self.seen["answers"] += 1
        by = Actor(id=person, name=person, via="web")
        kind = self.rng.random()
        if kind < 0.72:
            self.command(key, m.Acknowledge(), by)
        elif kind < 0.8:
            self.command(key, m.Snooze(until=self.now + timedelta(minutes=self.rng.randint(5, 240))), by)
        elif kind < 0.88:
            self.command(key, m.Reassign(person=self.rng.choice(PEOPLE)), by)
        elif kind < 0.95 and (state.pending or state.step + 1 < len(state.policy.steps if state.policy else ())):
            self.command(key, m.EscalateTo(), by)
        else:
            self.command(key, m.LinkIncident(incident="INC-1"), by)
        if self.rng.random() < 0.8:  # else they fell asleep over it
            self.after(self.rng.expovariate(1 / 4000), self._fix, key, by)

    def _fix(self, key: str, by: Actor) -> None:
        page = self.states[key]
        helped = page.fix is not None and page.fix.outcome == "helped"
        if page.is_open and not helped and self.rng.random() < 0.4:
            self._tries(key, by)
        elif page.status == "acknowledged":
            self.command(key, m.Resolve(reason="fixed"), by)

    def _tries(self, key: str, by: Actor) -> None:
        """Something is changed, and watched; now and then the same click comes twice, or a second fix before the first is known."""
        times = max((alert.times for alert in self.firing.get(key, ())), default=1)
        self.firing[key] = (Firing(alert=1, summary="s", times=times, ends=False),)
        self.command(key, WatchFix(), by)
        if self.rng.random() < 0.1:
            self.after(self.rng.uniform(0, 400), self._says_again, key, by)
        if self.rng.random() < 0.5:
            self.after(self.rng.uniform(0, 400), self._fires_on, key)

    def _says_again(self, key: str, by: Actor) -> None:
        if self.states[key].is_open:
            self.command(key, WatchFix(note="another"), by)

    def _fires_on(self, key: str) -> None:
        times = 1 + max((alert.times for alert in self.firing.get(key, ())), default=0)
        self.firing[key] = (Firing(alert=1, summary="s", times=times, ends=self.rng.random() < 0.5),)
        self.signalled[key] = self.now

    def _outage(self) -> None:
        self.seen["outages"] += 1
        kind = self.rng.choice(("email", "webhook"))
        self.broken_until[kind] = self.now + timedelta(seconds=self.rng.expovariate(1 / 1800))
        self._again(400_000, self._outage)

    def _override(self) -> None:
        start = self.now + timedelta(hours=self.rng.randint(-5, 48))
        override = Override(
            person=self.rng.choice(PEOPLE), start=start, end=start + timedelta(hours=self.rng.randint(1, 72))
        )
        self._except(override, (self.rng.choice(SCHEDULES),))
        self._again(600_000, self._override)

    def _absence(self) -> None:
        start = self.now + timedelta(hours=self.rng.randint(0, 100))
        away = Away(person=self.rng.choice(PEOPLE), start=start, end=start + timedelta(hours=self.rng.randint(8, 400)))
        self.leave = [*(a for a in self.leave if a.end > self.now), away]
        self._except(away, SCHEDULES)
        self._again(900_000, self._absence)

    def _except(self, exception: Override | Away, schedules: Sequence[str]) -> None:
        self.seen["schedule changes"] += 1
        exceptions = dict(self.exceptions)
        for name in schedules:
            exceptions[name] = (*(e for e in exceptions[name] if e.end > self.now), exception)
        self.exceptions = exceptions

    # --- when all is over ---------------------------------------------------------------------------------------------

    def _all_is_told(self) -> None:
        for key, page in self.states.items():
            if page.is_open:
                assert page.exhausted or page.incident or page.status == "acknowledged", f"{key} is forgotten"
                assert fold(self.pages, key, self.facts[key]) == page, f"{key}: what is projected is not recorded"
            for row in self.outbox.get(key, ()):
                self._judge_row(key, row)
            self._each_start_told_everybody_once(key)

    def _judge_row(self, key: str, row: Row) -> None:
        said = f"{key} to {row.delivery.person} ({row.state})"
        assert row.state in {"sent", "failed", "cancelled"}, f"{said}: neither sent nor failed nor taken back"
        assert row.state != "sent" or row.arrived, f"{said}: it never arrived"
        assert row.state != "failed" or row.delivery.log, f"{said}: nobody tried"
        assert len(row.arrived) <= 1 + row.cut_off, f"{said}: arrived {len(row.arrived)} times"
        assert all(row.arrived[1:]), f"{said}: a repeat was not marked"
        if row.cancelled_at is not None:
            assert all(at <= row.cancelled_at for at in row.started), f"{said}: sent after it was taken back"

    def _each_start_told_everybody_once(self, key: str) -> None:
        """One notice for each person whom an event asks, made at that instant, and none beside those; an answer leaves none."""
        wanted: Counter[tuple[str, datetime]] = Counter()
        answered: list[datetime] = []
        for fact in self.facts[key]:
            if isinstance(fact.event, m.StepStarted):
                wanted.update((paged.person, fact.at) for paged in fact.event.people)
            elif isinstance(fact.event, m.PageReassigned):
                wanted[fact.event.person, fact.at] += 1
            if isinstance(fact.event, ANSWERS):
                answered.append(fact.at)
        rows = self.outbox.get(key, [])
        made = Counter((row.delivery.person or "", row.delivery.created_at) for row in rows)
        assert made == wanted, f"{key}: notices {made - wanted} too many, {wanted - made} missing"
        for row in rows:
            first = next((at for at in answered if at > row.delivery.created_at), None)
            assert first is None or all(at <= first for at in row.started), (
                f"{key} to {row.delivery.person}: sent after the answer of {first}"
            )
