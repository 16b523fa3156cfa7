"""A simulated world around the real rules: schedules, paging, retries, breakers. Everything random comes from one seed.

The rules are the product's own pure functions. Around them stands a small model of what the database promises: a
command is one transaction; a timer or a delivery is claimed under a lease; whoever holds a lease may stall or die at
any point. Two nodes, flaky channels, sleepy people, problems that end by themselves.
"""

import heapq
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct, structs

from sev1.catalog.model import (
    Catalog,
    EmailMethod,
    EscalationPolicy,
    Override,
    Person,
    PersonTarget,
    Rotation,
    Schedule,
    ScheduleTarget,
    Step,
    WebhookMethod,
)
from sev1.engine.decider import SYSTEM, TIMER, TRIAGE, Actor, Fact, fold
from sev1.notify import breaker, retry
from sev1.notify.model import Attempt, Delivery, Notice, kind_of
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import eligible

START = datetime(2026, 1, 5, tzinfo=UTC)
LEASE_S = 30.0
PEOPLE = ("ana", "bo", "cem", "dee", "eve")
PAGES = PageAggregate()


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
    holder: int = 0


class World:
    def __init__(self, seed: int, weeks: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.now = START
        self.end = START + timedelta(weeks=weeks)
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = 0
        self.facts: dict[str, list[Fact[Any]]] = {}
        self.states: dict[str, m.Page] = {}
        self.timers: dict[tuple[str, str], Claim] = {}
        self.outbox: list[Row] = []
        self.circuits: dict[str, breaker.Circuit] = {}
        self.broken_until: dict[str, datetime] = {}
        self.catalog = self._make_catalog()
        self.overrides: dict[str, list[Override]] = {"primary": [], "secondary": []}
        self.lateness: list[float] = []

    def _make_catalog(self) -> Catalog:
        people = {
            name: Person(
                name=name,
                full_name=name.title(),
                email=f"{name}@example.org",
                contact=(
                    EmailMethod(address=f"{name}@example.org"),
                    WebhookMethod(url=f"https://push.example/{name}"),
                )[: self.rng.choice((1, 2, 2))],
            )
            for name in PEOPLE
        }
        order = list(PEOPLE)
        self.rng.shuffle(order)
        schedules = {
            name: Schedule(
                name=name,
                title=name,
                time_zone=self.rng.choice(("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")),
                rotation=Rotation(
                    people=tuple(order[i:] + order[:i]), every=every, hand_over_at=time(9), starts=date(2025, 12, 1)
                ),
            )
            for i, (name, every) in enumerate((("primary", "week"), ("secondary", "day")))
        }
        steps = (
            Step(targets=(ScheduleTarget(name="primary"),), wait_s=300),
            Step(targets=(ScheduleTarget(name="primary"), ScheduleTarget(name="secondary")), wait_s=300),
            Step(targets=(PersonTarget(name=order[-1]),), wait_s=600),
        )
        policy = EscalationPolicy(name="p", title="P", steps=steps, repeat=2, unattended_after_s=1800)
        return Catalog(people=people, schedules=schedules, policies={"p": policy})

    # --- time ---------------------------------------------------------------------------------------------------------

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now + timedelta(seconds=seconds), self._order, action))

    def run(self) -> None:
        """Problems arise until `end`; then the world goes on until nothing is left to happen."""
        self.after(self.rng.expovariate(1 / 50_000), self._problem)
        self.after(self.rng.expovariate(1 / 400_000), self._outage)
        self.after(self.rng.expovariate(1 / 600_000), self._override)
        while self._queue:
            self.now, _, action = heapq.heappop(self._queue)
            action()

    # --- what the database promises -----------------------------------------------------------------------------------

    def command(self, key: str, command: m.PageCommand, by: Actor) -> None:
        """One transaction: decide, append, replace timers, queue and cancel deliveries."""
        state = self.states.get(key) or PAGES.initial(key)
        policy = command.policy if isinstance(command, m.Open) else state.policy
        if policy and hasattr(command, "who"):
            severity = command.severity if isinstance(command, m.Open) else self.states[key].severity
            who = eligible(policy, self.catalog, self.now, self.overrides, severity)
            command = structs.replace(command, who=who)
        log = self.facts.setdefault(key, [])
        for event in PAGES.decide(state, command, self.now, by):
            fact = Fact(version=len(log) + 1, at=self.now, by=by, event=event)
            log.append(fact)
            state = PAGES.evolve(state, fact)
            self._react(key, state, event)
        self.states[key] = state
        wanted = PAGES.timers(state)
        for kind in ("escalate", "unattended", "snooze"):
            if kind not in wanted:
                self.timers.pop((key, kind), None)
            elif self.timers.get((key, kind), Claim(due=START)).due != wanted[kind]:
                self.timers[key, kind] = Claim(due=wanted[kind])
                self._wake_for_timer(key, kind, wanted[kind])

    def _react(self, key: str, state: m.Page, event: m.PageEvent) -> None:
        if isinstance(event, m.PageAcknowledged | m.PageSnoozed | m.PageResolved | m.PageReassigned):
            for row in self.outbox:
                if row.delivery.about == key and row.state in {"queued", "sending"}:
                    row.state, row.cancelled_at = "cancelled", self.now
        if isinstance(event, m.StepStarted | m.PageReassigned):
            for paged in state.people:
                self._enqueue(key, paged.person)

    def _enqueue(self, key: str, person: str) -> None:
        delivery = Delivery(
            id=UUID(int=len(self.outbox) + 1),
            about=key,
            person=person,
            methods=self.catalog.people[person].contact,
            method=0,
            notice=Notice(kind="page", about=key, title="t", url="u"),
            attempts=0,
            repeat=False,
            created_at=self.now,
            log=(),
        )
        row = Row(delivery=delivery, state="queued", due_at=self.now)
        self.outbox.append(row)
        self._wake_for_delivery(row)

    # --- workers: late, stalled, killed -------------------------------------------------------------------------------

    def _delay(self) -> float:
        """Mostly at once, now and then minutes: a garbage collection, a suspended machine, a restart."""
        return self.rng.uniform(10, 400) if self.rng.random() < 0.03 else self.rng.uniform(0, 1)

    def _dies(self) -> bool:
        return self.rng.random() < 0.02

    def _wake_for_timer(self, key: str, kind: str, due: datetime) -> None:
        wait = max(0.0, (due - self.now).total_seconds())
        self.after(wait + self._delay(), lambda: self._claim_timer(key, kind, due))

    def _claim_timer(self, key: str, kind: str, due: datetime) -> None:
        claim = self.timers.get((key, kind))
        if claim is None or claim.due != due:
            return
        if claim.lease_until and claim.lease_until > self.now:
            self.after((claim.lease_until - self.now).total_seconds(), lambda: self._claim_timer(key, kind, due))
            return
        claim.holder += 1
        claim.lease_until = self.now + timedelta(seconds=LEASE_S)
        # Whatever becomes of this worker, another looks again when the lease ends.
        self.after(LEASE_S + self._delay(), lambda: self._claim_timer(key, kind, due))
        if not self._dies():
            self.after(self._delay(), lambda: self._fire(key, kind, due))

    def _fire(self, key: str, kind: str, due: datetime) -> None:
        """May run although the lease is long lost: then the command decides nothing, or decides what is right."""
        self.lateness.append((self.now - due).total_seconds())
        self.command(key, PAGES.timer_command(kind, due), TIMER)
        claim = self.timers.get((key, kind))
        if claim and claim.due == due:
            del self.timers[key, kind]

    def _wake_for_delivery(self, row: Row) -> None:
        wait = max(0.0, (row.due_at - self.now).total_seconds())
        self.after(wait + self._delay(), lambda: self._claim_delivery(row))

    def _claim_delivery(self, row: Row) -> None:
        if row.state not in {"queued", "sending"} or row.due_at > self.now:
            return
        if row.state == "sending":
            assert row.lease_until is not None
            if row.lease_until > self.now:
                self.after((row.lease_until - self.now).total_seconds(), lambda: self._claim_delivery(row))
                return
            row.cut_off += 1
            row.delivery = structs.replace(row.delivery, repeat=True)
        row.claim += 1
        row.state, row.lease_until = "sending", self.now + timedelta(seconds=LEASE_S)
        row.delivery = structs.replace(row.delivery, attempts=row.delivery.attempts + 1)
        claim = row.claim
        self.after(LEASE_S + self._delay(), lambda: self._claim_delivery(row))
        if not self._dies():
            self.after(self._delay(), lambda: self._attempt(row, claim))

    def _still_ours(self, row: Row, claim: int) -> bool:
        return row.claim == claim and row.state == "sending"

    def _circuits(self, row: Row) -> dict[str, breaker.Circuit]:
        names = [breaker.circuit_of(method) for method in row.delivery.methods]
        return {name: self.circuits.setdefault(name, breaker.Circuit(channel=name)) for name in names}

    def _attempt(self, row: Row, claim: int) -> None:
        if not self._still_ours(row, claim):
            return
        plan = retry.choose(row.delivery, self._circuits(row), self.now)
        if isinstance(plan, retry.GiveUp):
            self._give_up(row, plan.error)
            return
        if isinstance(plan, retry.Later):
            row.delivery = structs.replace(row.delivery, method=plan.method)
            row.state, row.due_at = "queued", plan.due_at
            self._wake_for_delivery(row)
            return
        row.delivery = structs.replace(row.delivery, method=plan.method)
        assert row.lease_until is not None
        if row.lease_until <= self.now + timedelta(seconds=LEASE_S / 2):
            return  # too little of the lease is left for an attempt; it runs out and the next worker begins anew
        row.started.append(self.now)
        broken = self.broken_until.get(kind_of(row.delivery.contact), START) > self.now
        outcome = "temporary" if broken or self.rng.random() < 0.05 else "sent"
        if outcome == "temporary" and self.rng.random() < 0.1:
            outcome = "permanent"
        if outcome == "sent":
            row.arrived.append(row.delivery.repeat)
            self._wake_person(row.delivery)
        if self._dies():
            return  # after the channel, before the record: the outcome is unknown
        self.after(self.rng.uniform(0, 10), lambda: self._record(row, claim, outcome))

    def _record(self, row: Row, claim: int, outcome: str) -> None:
        if not self._still_ours(row, claim):
            return
        name = breaker.circuit_of(row.delivery.contact)
        result = {"sent": "success", "temporary": "failure", "permanent": "refusal"}[outcome]
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
            row.state, row.due_at = "queued", plan.due_at
            self._wake_for_delivery(row)

    def _give_up(self, row: Row, error: str) -> None:
        row.state = "failed"
        self.command(row.delivery.about, m.ReportUnreachable(person=row.delivery.person or "", error=error), SYSTEM)

    # --- problems, people, outages ------------------------------------------------------------------------------------

    def _problem(self) -> None:
        if self.now < self.end:
            self.after(self.rng.expovariate(1 / 50_000), self._problem)
        else:
            return
        key = f"P-{len(self.facts) + 1}"
        policy = self.catalog.policies["p"]
        self.command(key, m.Open(title="t", group_key=key, policy=policy, why="r"), TRIAGE)
        if self.rng.random() < 0.3:
            self.after(self.rng.expovariate(1 / 3000), lambda: self._resolve(key))

    def _resolve(self, key: str) -> None:
        self.command(key, m.Resolve(reason="All alerts resolved."), TRIAGE)

    def _wake_person(self, delivery: Delivery) -> None:
        """One sleeps on, one answers within seconds, one exactly when the escalation is due."""
        person, key = delivery.person or "", delivery.about
        kind = self.rng.random()
        if kind < 0.35:
            return
        reaction = self.rng.choice((299.0, 299.9, 300.0, 300.1, 301.0)) if kind < 0.55 else self.rng.expovariate(1 / 90)
        self.after(reaction, lambda: self._answer(key, person))

    def _answer(self, key: str, person: str) -> None:
        state = self.states[key]
        if not state.is_open:
            return
        by = Actor(id=person, name=person, via="web")
        kind = self.rng.random()
        if kind < 0.75:
            self.command(key, m.Acknowledge(), by)
        elif kind < 0.85:
            self.command(key, m.Snooze(until=self.now + timedelta(minutes=self.rng.randint(5, 240))), by)
        elif kind < 0.95:
            self.command(key, m.Reassign(person=self.rng.choice(PEOPLE)), by)
        else:
            self.command(key, m.LinkIncident(incident="INC-1"), by)
        if self.rng.random() < 0.8:  # else they fell asleep over it
            self.after(self.rng.expovariate(1 / 4000), lambda: self._fix(key, by))

    def _fix(self, key: str, by: Actor) -> None:
        if self.states[key].status == "acknowledged":
            self.command(key, m.Resolve(reason="fixed"), by)

    def _outage(self) -> None:
        if self.now < self.end:
            kind = self.rng.choice(("email", "webhook"))
            self.broken_until[kind] = self.now + timedelta(seconds=self.rng.expovariate(1 / 1800))
            self.after(self.rng.expovariate(1 / 400_000), self._outage)

    def _override(self) -> None:
        if self.now < self.end:
            start = self.now + timedelta(hours=self.rng.randint(-5, 48))
            end = start + timedelta(hours=self.rng.randint(1, 72))
            schedule = self.rng.choice(("primary", "secondary"))
            override = Override(person=self.rng.choice(PEOPLE), start=start, end=end)
            self.overrides[schedule] = [*self.overrides[schedule], override][-20:]
            self.after(self.rng.expovariate(1 / 600_000), self._override)

    # --- what must hold -----------------------------------------------------------------------------------------------

    def replayed(self, key: str) -> m.Page:
        return fold(PAGES, key, self.facts[key])
