"""The catalog in words. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    PersonTarget,
    Runbook,
    ScheduleTarget,
    Service,
    Target,
    Team,
    TeamTarget,
)
from sev1.oncall.schedule import Exceptions
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
    return tuple(
        f"{' and '.join(_target(t, catalog) for t in step.targets)}, {_wait(step.wait_s)}"
        + (
            " until the next step"
            if n < last
            else f", then from the start, {policy.repeat} times"
            if policy.repeat
            else ""
        )
        for n, step in enumerate(policy.steps)
    )


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
