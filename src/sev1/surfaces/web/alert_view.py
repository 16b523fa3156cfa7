"""An alert as a mini-playbook: the five questions of whoever is woken first, then why triage did what it did. Pure."""

from msgspec import Struct

from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    Link,
    PersonTarget,
    ScheduleTarget,
    Service,
    Target,
    TeamTarget,
)
from sev1.catalog.response_plans import plan_for
from sev1.paging.model import Brief
from sev1.paging.playbook import MOST_LINKS, Playbook, playbook
from sev1.triage.five_questions import FIRST, IMPACT, Score, known_of, said, score
from sev1.triage.model import AlertRow, Stage

RUNBOOK = "Runbook"
STAGE_TITLES = {
    "dedup": "Dedup",
    "silence": "Silence",
    "inhibit": "Inhibit",
    "tier": "Tier",
    "route": "Route",
    "group": "Group",
}
TIER_WORDS = {"page": "page: wakes somebody", "ticket": "ticket: can wait for the day", "fyi": "FYI: only to know"}
TRANSITION_WORDS = {
    "fired": "Fired",
    "resolved": "Resolved by its sender",
    "expired": "Over: its sender no longer says that it fires",
    "acknowledged": "Acknowledged at its sender",
    "silenced": "Silenced",
    "inhibited": "Inhibited",
    "looked-at-again": "Looked at again",
    "noted": "Note of the sender",
}
NOISE = frozenset({"alertname", "service", "severity", "env"})
"""Labels that the head of the page shows already."""


class AlertScreen(Struct, frozen=True, kw_only=True):
    alert: AlertRow
    service: Service | None
    where: tuple[str, ...]
    suggested: str | None
    """The severity suggested for an incident."""
    book: Playbook
    runbook_url: str
    team_name: str
    policy: str
    """Title of the escalation policy."""
    path: tuple[str, ...]
    """The policy's steps in words."""
    conclusion: str
    stages: tuple[tuple[str, Stage], ...]
    tier: str
    score: Score


def alert_screen(alert: AlertRow, catalog: Catalog) -> AlertScreen:
    service = catalog.services.get(alert.service or "")
    policy = catalog.policies.get(alert.verdict.policy or "")
    brief = brief_of_alert(alert, catalog)
    return AlertScreen(
        alert=alert,
        service=service,
        where=tuple(
            part
            for part in (service.title if service else alert.labels.get("service", ""), alert.labels.get("env", ""))
            if part
        ),
        suggested=alert.verdict.severity,
        book=playbook(brief, service, catalog),
        runbook_url=brief.runbook_url,
        team_name=service.owner if service and service.owner in catalog.teams else "",
        policy=policy.title if policy else "",
        path=_path(policy, catalog),
        conclusion=alert.verdict.conclusion,
        stages=tuple((STAGE_TITLES[stage.name], stage) for stage in alert.verdict.stages),
        tier=TIER_WORDS.get(alert.tier or "", "in no tier: nobody said what it asks for"),
        score=score_of(alert, catalog),
    )


def brief_of_alert(alert: AlertRow, catalog: Catalog) -> Brief:
    """What the sender wrote, as the brief of a page has it, so that both show the same playbook."""
    plan = plan_for(catalog, alert.labels)
    links = [Link(title=link.title, url=link.url) for link in alert.links]
    return Brief(
        since=alert.starts_at,
        impact=said(alert.annotations, IMPACT, but=alert.summary),
        first=said(alert.annotations, FIRST, but=alert.summary),
        verify=tuple(link for link in links if link.title != RUNBOOK)[:MOST_LINKS],
        runbook_url=next((link.url for link in links if link.title == RUNBOOK), ""),
        plan=plan.name if plan else "",
    )


def score_of(alert: AlertRow, catalog: Catalog) -> Score:
    """How many of the five questions are answered by the alert, its service and its response plan together."""
    known = known_of(catalog, alert.labels, alert.service, alert.verdict.policy)
    links = [(link.title, link.url) for link in alert.links]
    return score(alert.labels, alert.annotations, known, summary=alert.summary, links=links)


def _path(policy: EscalationPolicy | None, catalog: Catalog) -> tuple[str, ...]:
    """`Payments on-call, then after 3 min …`: who would be asked, by the targets' own titles."""
    if policy is None:
        return ()
    found, waited = [], 0
    for step in policy.steps:
        names = ", ".join(_target(target, catalog) for target in step.targets)
        found.append(f"after {waited // 60} min: {names}" if waited else f"at once: {names}")
        waited += step.wait_s
    return tuple(found)


def _target(target: Target, catalog: Catalog) -> str:
    match target:
        case PersonTarget(name=name):
            return catalog.people[name].full_name if name in catalog.people else name
        case ScheduleTarget(name=name):
            return catalog.schedules[name].title if name in catalog.schedules else name
        case TeamTarget(name=name):
            return f"everybody in {catalog.teams[name].title if name in catalog.teams else name}"


def other_labels(alert: AlertRow) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in alert.labels.items() if name not in NOISE)
