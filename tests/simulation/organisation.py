"""A random organisation: people over the world, schedules in zones with odd clocks, policies with everything they have."""

import random
from datetime import date, time

from sev1.catalog.contact import EmailMethod, WebhookMethod
from sev1.catalog.model import (
    Awake,
    Catalog,
    EscalationPolicy,
    Hold,
    Person,
    PersonTarget,
    Restriction,
    Rotation,
    Schedule,
    ScheduleTarget,
    Step,
    Target,
    Team,
    TeamTarget,
    WaitBySeverity,
    When,
)

PEOPLE = ("ana", "bo", "cem", "dee", "eve", "fay")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "UTC",
)
SCHEDULES = ("primary", "secondary")
SEVERITIES = ("sev-0", "sev-1", "sev-2", "sev-3", "sev-4", "sev-5")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def organisation(rng: random.Random) -> Catalog:
    people = {name: _person(name, rng) for name in PEOPLE}
    order = list(PEOPLE)
    rng.shuffle(order)
    schedules = {
        name: Schedule(
            name=name,
            title=name,
            time_zone=rng.choice(ZONES),
            rotation=Rotation(
                people=tuple(order[2 * n : 2 * n + 3]),
                every=rng.choice(("day", "week")),
                hand_over_at=time(rng.choice((0, 2, 9, 17)), rng.choice((0, 30))),
                hand_over_on=rng.choice(WEEKDAYS),
                starts=date(2025, 12, 1),
            ),
            on_leave=rng.choice(("next", "next", "gap")),
        )
        for n, name in enumerate(SCHEDULES)
    }
    teams = {"team": Team(name="team", title="Team", members=tuple(order[:4]))}
    policies = {name: _policy(name, rng) for name in ("first", "second")}
    return Catalog(people=people, schedules=schedules, teams=teams, policies=policies)


def _person(name: str, rng: random.Random) -> Person:
    mail = EmailMethod(address=f"{name}@example.org")
    push = WebhookMethod(url=f"https://push.example/{name}")
    return Person(
        name=name,
        full_name=name.title(),
        email=mail.address,
        time_zone=rng.choice(ZONES),
        awake=rng.choice((Awake(), Awake(), Awake(start=time(20, 0), end=time(6, 30)))),
        contact=(mail, push)[: rng.choice((1, 2, 2))],
    )


def _policy(name: str, rng: random.Random) -> EscalationPolicy:
    return EscalationPolicy(
        name=name,
        title=name,
        time_zone=rng.choice(ZONES),
        steps=tuple(_step(rng) for _ in range(rng.randint(1, 4))),
        repeat=rng.randint(0, 2),
        pause_s=rng.choice((0, 0, 600)),
        hold=Hold(severity_at_most=rng.choice(("sev-2", "sev-3"))) if rng.random() < 0.4 else None,
        unattended_after_s=rng.choice((0, 1800, 1800)),
    )


def _step(rng: random.Random) -> Step:
    in_turn = rng.random() < 0.3
    targets = _targets(rng, at_least=2 if in_turn else 1)
    return Step(
        targets=targets,
        wait_s=rng.choice((60, 300, 301, 900)),
        wait_s_by_severity=WaitBySeverity(sev_1=30, sev_4=1200) if rng.random() < 0.3 else None,
        when=_when(rng) if rng.random() < 0.4 else None,
        round_robin=in_turn,
        prefer="awake" if rng.random() < 0.4 else None,
    )


def _targets(rng: random.Random, *, at_least: int) -> tuple[Target, ...]:
    possible: list[Target] = [ScheduleTarget(name=name) for name in SCHEDULES]
    possible += [PersonTarget(name=name) for name in rng.sample(PEOPLE, 3)]
    possible.append(TeamTarget(name="team"))
    return tuple(rng.sample(possible, rng.randint(at_least, 3)))


def _when(rng: random.Random) -> When:
    kind = rng.random()
    if kind < 0.3:
        return When(severity_at_least=rng.choice(SEVERITIES[1:4]))
    if kind < 0.5:
        return When(severity_at_most=rng.choice(SEVERITIES[2:5]))
    first = rng.randrange(7)
    days = tuple(WEEKDAYS[(first + n) % 7] for n in range(rng.randint(3, 7)))
    start, end = time(rng.randrange(24), 0), time(rng.randrange(24), 30)
    return When(hours=(Restriction(days=days, start=start, end=end),), hours_of=rng.choice(("policy", "person")))
