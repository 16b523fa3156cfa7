"""What is known when somebody confirms a criterion of the end: named before it, and never believed instead of a person.

Pure (missions 11.1, 11.2). The alerts are looked up in `command/around.py`.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from sev1.command import model as m
from sev1.command.parts.recovery import Step


class Firing(Struct, frozen=True, kw_only=True):
    """Alerts of one service that fire now."""

    service: str
    title: str
    direct: bool
    """False: it depends on an affected one."""
    alerts: tuple[int, ...]
    count: int
    """Of all of them; `alerts` names the first."""


class Around(Struct, frozen=True, kw_only=True):
    """What was looked up beside the incident."""

    linked: tuple[int, ...] = ()
    """Alerts of the incident that still fire."""
    services: tuple[Firing, ...] = ()
    """The affected services, and those that depend on them, with alerts that fire and are not linked."""
    checked: tuple[str, ...] = ()
    """Titles of all the services that were looked at."""
    silences: tuple[str, ...] = ()
    """Silences made since it was declared that still hold: by whom, and why."""


class Precheck(Struct, frozen=True, kw_only=True):
    criterion: str
    sentence: str
    mark: m.Mark | None
    holds_up: tuple[str, ...]
    """Why confirming it is refused."""
    findings: tuple[str, ...]
    """What speaks against it and is left to whoever confirms."""


def prechecks(incident: m.Incident, around: Around) -> list[Precheck]:
    """The four criteria with what is known about each."""
    findings: dict[m.Criterion, list[str]] = {
        "restored": [in_words(firing) for firing in around.services],
        "impact_ended": [] if incident.mitigated_at else ["Nobody has said that the impact is mitigated"],
        "stable": [],
        "no_residual": list(_left(incident)),
    }
    held_up = {"stable": [_alerts(around.linked, len(around.linked), "this incident")] if around.linked else []}
    return [
        Precheck(
            criterion=criterion,
            sentence=sentence,
            mark=incident.gate.get(criterion),
            holds_up=tuple(held_up.get(criterion, ())),
            findings=tuple(findings[criterion]),
        )
        for criterion, sentence in m.CRITERIA.items()
    ]


def recovery_findings(incident: m.Incident, around: Around) -> dict[Step, tuple[str, ...]]:
    """What is known about the steps of the recovery."""
    temporary = [one for one in incident.mitigations.values() if one.is_open]
    return {
        "services": tuple(in_words(firing) for firing in around.services),
        "mitigations": tuple(f"{one.ref} {one.text} (@{one.owner})" for one in temporary),
        "monitoring": tuple(f"Silence {one}" for one in around.silences),
        "alerts": (_alerts(around.linked, len(around.linked), "this incident"),) if around.linked else (),
    }


def in_words(firing: Firing) -> str:
    whose = firing.title if firing.direct else f"{firing.title}, which depends on it,"
    return _alerts(firing.alerts, firing.count, whose)


def _left(incident: m.Incident) -> Iterable[str]:
    for work, singular, plural in (
        (incident.tasks, "task", "tasks"),
        (incident.needs, "need", "needs"),
    ):
        refs = [one.ref for one in work.values() if one.is_open]
        if refs:
            yield f"{len(refs)} open {singular if len(refs) == 1 else plural}: {_listed(refs)}"
    blockers = [item.ref for item in incident.board.values() if item.kind == "blocker" and not item.outcome]
    if blockers:
        yield f"Still blocked: {_listed(blockers)}"
    temporary = [one.ref for one in incident.mitigations.values() if one.is_open]
    if temporary:
        yield f"Temporary and still in place: {_listed(temporary)}"


def _listed(refs: Sequence[str]) -> str:
    return ", ".join(refs[:8]) + (f" and {len(refs) - 8} more" if len(refs) > 8 else "")


def _alerts(numbers: Sequence[int], count: int, whose: str) -> str:
    shown = ", ".join(f"A-{number}" for number in numbers[:3])
    more = count - min(len(numbers), 3)
    return f"{shown}{f' and {more} more' if more else ''} of {whose} {'fires' if count == 1 else 'fire'}"
