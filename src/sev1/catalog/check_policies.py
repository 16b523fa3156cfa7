"""What must hold inside an escalation policy beside its references: a step that can never be taken is refused. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import time

from sev1.catalog.model import Catalog, EscalationPolicy, Restriction, Step, TeamTarget, When
from sev1.catalog.problems import Finding, Path

Refer = Callable[[tuple[str, str], Path, str, str, str], Iterator[Finding]]
"""(owner, path, verb, kind, name) -> a finding when nothing has that name; see `check`."""

_KIND = "escalation-policy"


def policies(catalog: Catalog, refer: Refer) -> Iterator[Finding]:
    for policy in catalog.policies.values():
        for at, step in enumerate(policy.steps):
            yield from _step(policy, at, step, catalog, refer)
        if policy.hold:
            yield from _windows(policy, ("hold", "hours"), policy.hold.hours)
        if all(step.when for step in policy.steps):
            message = (
                f'escalation-policy "{policy.name}" has a condition on every step: a page that meets none wakes nobody.'
            )
            fix = "Leave one step without `when`."
            yield Finding(kind=_KIND, name=policy.name, path=("steps",), message=message, fix=fix, warning=True)
        if policy.pause_s and not policy.repeat:
            message = f'escalation-policy "{policy.name}" pauses between rounds and has only one.'
            fix = "Give `repeat`, or remove `pause_s`."
            yield Finding(kind=_KIND, name=policy.name, path=("pause_s",), message=message, fix=fix, warning=True)


def _step(policy: EscalationPolicy, at: int, step: Step, catalog: Catalog, refer: Refer) -> Iterator[Finding]:
    path: Path = ("steps", at)
    if step.when:
        yield from _condition(policy, at, step.when, refer)
    if step.round_robin and len(step.targets) == 1 and not _several(step, catalog):
        message = f'escalation-policy "{policy.name}" takes turns in step {at + 1}, which has one target.'
        fix = "Add targets, name a team of several people, or remove `round_robin`."
        yield Finding(kind=_KIND, name=policy.name, path=(*path, "round_robin"), message=message, fix=fix)
    for severity in _severities_with_a_wait(step):
        verb = f"waits in step {at + 1} by its own time for"
        yield from refer((_KIND, policy.name), (*path, "wait_s_by_severity", severity), verb, "severity", severity)


def _several(step: Step, catalog: Catalog) -> bool:
    target = step.targets[0]
    team = catalog.teams.get(target.name) if isinstance(target, TeamTarget) else None
    # A team that does not exist is told elsewhere.
    return isinstance(target, TeamTarget) and (team is None or len(set(team.members)) > 1)


def _severities_with_a_wait(step: Step) -> list[str]:
    waits = step.wait_s_by_severity
    return [f"sev-{n}" for n in range(6) if waits and getattr(waits, f"sev_{n}") is not None]


def _condition(policy: EscalationPolicy, at: int, when: When, refer: Refer) -> Iterator[Finding]:
    path: Path = ("steps", at, "when")
    owner = (_KIND, policy.name)
    least, most = when.severity_at_least, when.severity_at_most
    for field, severity in (("severity_at_least", least), ("severity_at_most", most)):
        if severity:
            yield from refer(owner, (*path, field), f"asks in step {at + 1} about", "severity", severity)
    if least and most and most > least:
        message = (
            f'escalation-policy "{policy.name}" has a condition in step {at + 1} that never holds: '
            f"no severity is both {least} or worse and {most} or milder."
        )
        fix = f"Exchange them: `severity_at_least: {most}`, `severity_at_most: {least}`."
        yield Finding(kind=_KIND, name=policy.name, path=(*path, "severity_at_most"), message=message, fix=fix)
    if not (least or most or when.hours):
        message = f'escalation-policy "{policy.name}" has an empty condition in step {at + 1}.'
        fix = "Name a severity or hours, or remove `when`."
        yield Finding(kind=_KIND, name=policy.name, path=path, message=message, fix=fix, warning=True)
    yield from _windows(policy, (*path, "hours"), when.hours)


def _windows(policy: EscalationPolicy, path: Path, windows: Sequence[Restriction]) -> Iterator[Finding]:
    """Both times left out is a whole day; the same time written twice is a slip."""
    for nth, window in enumerate(windows):
        if window.start == window.end and window.start != time(0, 0):
            message = f'escalation-policy "{policy.name}" has a window from {window.start:%H:%M} to {window.end:%H:%M}, which has no length.'
            fix = "Correct `end`; for whole days leave out both times."
            yield Finding(kind=_KIND, name=policy.name, path=(*path, nth, "end"), message=message, fix=fix)
