"""The catalog in words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    PersonTarget,
    Runbook,
    ScheduleTarget,
    Service,
    Step,
    Target,
    Team,
    TeamTarget,
    When,
)
from sev1.oncall.schedule import Exceptions
from sev1.paging.hours import in_words
from sev1.paging.react import people_of_steps
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.moments import MINUTE_S


class ServiceScreen(Struct, frozen=True, kw_only=True):
    owner: Team | None
    runbook: Runbook | None
    needs: tuple[Service, ...]
    """What it depends on directly."""
    needed_by: tuple[Service, ...]
    """What depends on it directly."""
    reach: tuple[Service, ...]
    """Everything that breaks with it further on, without the direct ones."""
    policy: EscalationPolicy | None
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    """Each step of the policy in words, and who that is now."""


def service_screen(
    service: Service, catalog: Catalog, overrides: Mapping[str, Exceptions], now: datetime
) -> ServiceScreen:
    direct = dependents(service.name, catalog)
    policy = catalog.policies.get(service.policy or "")
    people = people_of_steps(policy, catalog, now, {k: list(v) for k, v in overrides.items()}) if policy else ()
    lines = policy_lines(policy, catalog) if policy else ()
    return ServiceScreen(
        owner=catalog.teams.get(service.owner),
        runbook=catalog.runbooks.get(service.runbook or ""),
        needs=_sorted(catalog.services[n] for n in service.depends_on if n in catalog.services),
        needed_by=_sorted(catalog.services[n] for n in direct),
        reach=_sorted(catalog.services[n] for n in blast_radius(service.name, catalog) - direct),
        policy=policy,
        answers=tuple(
            (line, tuple(name_of(catalog, paged.person) for paged in step))
            for line, step in zip(lines, people, strict=True)
        ),
    )


def dependents(name: str, catalog: Catalog) -> set[str]:
    return {other.name for other in catalog.services.values() if name in other.depends_on}


def blast_radius(name: str, catalog: Catalog) -> set[str]:
    """Everything that depends on it, directly or through others."""
    found: set[str] = set()
    edge = {name}
    while edge:
        edge = {n for one in edge for n in dependents(one, catalog)} - found - {name}
        found |= edge
    return found


def policy_lines(policy: EscalationPolicy, catalog: Catalog) -> tuple[str, ...]:
    """`Payments on-call; after 3 min the next step`."""
    last = len(policy.steps) - 1
    again = f", then from the start, {policy.repeat} times" if policy.repeat else ""
    if policy.repeat and policy.pause_s:
        again += f" after a pause of {_wait(policy.pause_s)}"
    return tuple(
        f"{_asked(step, policy, catalog)}, {_waits(step)}{' until the next step' if n < last else again}"
        for n, step in enumerate(policy.steps)
    )


def _asked(step: Step, policy: EscalationPolicy, catalog: Catalog) -> str:
    """`One of Ana and Bo in turn, for SEV-2 and worse`."""
    text = " and ".join(_target(t, catalog) for t in step.targets)
    if step.round_robin:
        text = f"one in turn of {text}"
    if step.prefer == "awake":
        text += ", whoever is awake first"
    return ", ".join([text, *(_conditions(step.when, policy) if step.when else ())])


def _conditions(when: When, policy: EscalationPolicy) -> Iterator[str]:
    if when.severity_at_least:
        yield f"for {when.severity_at_least.upper()} and worse"
    if when.severity_at_most:
        yield f"for {when.severity_at_most.upper()} and milder"
    if when.hours:
        yield f"{in_words(when.hours)} {policy.time_zone if when.hours_of == 'policy' else 'by their own clock'}"


def _waits(step: Step) -> str:
    names = [severity for severity in (f"sev-{n}" for n in range(6)) if step.wait_for(severity) != step.wait_s]
    own = ", ".join(f"{_wait(step.wait_for(severity))} for {severity.upper()}" for severity in names)
    return f"{_wait(step.wait_s)} ({own})" if own else _wait(step.wait_s)


def _target(target: Target, catalog: Catalog) -> str:
    match target:
        case PersonTarget(name=name):
            return name_of(catalog, name)
        case ScheduleTarget(name=name):
            return catalog.schedules[name].title if name in catalog.schedules else name
        case TeamTarget(name=name):
            return f"everybody in {catalog.teams[name].title}" if name in catalog.teams else name


def _wait(seconds: int) -> str:
    return f"{seconds // MINUTE_S} min" if seconds % MINUTE_S == 0 else f"{seconds} s"


def _sorted(services: Iterable[Service]) -> tuple[Service, ...]:
    return tuple(sorted(services, key=lambda s: (s.tier, s.title)))
