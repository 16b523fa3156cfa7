"""An alert as a mini-playbook: the five questions of whoever is woken first, then why triage did what it did. Pure."""

from msgspec import Struct

from sev1.catalog.model import Catalog, Link, Runbook, Service
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
    impact: str
    verify: tuple[Link, ...]
    first: str
    runbook: Runbook | None
    runbook_url: str
    team: str
    team_name: str
    policy: str
    """Title of the escalation policy."""
    conclusion: str
    stages: tuple[tuple[str, Stage], ...]
    tier: str
    answered: int
    """How many of the five questions are answered by the alert and its service together."""


def alert_screen(alert: AlertRow, catalog: Catalog) -> AlertScreen:
    service = catalog.services.get(alert.service or "")
    runbook = catalog.runbooks.get(service.runbook or "") if service else None
    team = catalog.teams.get(service.owner) if service else None
    policy = catalog.policies.get(alert.verdict.policy or "")
    links = {link.url: Link(title=link.title, url=link.url) for link in alert.links if link.title != RUNBOOK}
    for link in service.links if service else ():
        links.setdefault(link.url, link)
    impact = said(alert, "impact", "description") or (service.impact if service else "")
    first = said(alert, "first", "action", "first_step") or (runbook.first_step if runbook else "")
    channel = f" in {team.channel}" if team and team.channel else ""
    whom = bool(team or policy)
    return AlertScreen(
        alert=alert,
        service=service,
        where=tuple(
            part
            for part in (service.title if service else alert.labels.get("service", ""), alert.labels.get("env", ""))
            if part
        ),
        suggested=alert.verdict.severity,
        impact=impact,
        verify=tuple(links.values())[:5],
        first=first,
        runbook=runbook,
        runbook_url=next((link.url for link in alert.links if link.title == RUNBOOK), ""),
        team=f"{team.title}{channel}" if team else "",
        team_name=team.name if team else "",
        policy=policy.title if policy else "",
        conclusion=alert.verdict.conclusion,
        stages=tuple((STAGE_TITLES[stage.name], stage) for stage in alert.verdict.stages),
        tier=TIER_WORDS.get(alert.tier or "", "in no tier: nobody said what it asks for"),
        answered=sum((bool(alert.summary), bool(impact), bool(links), bool(first), whom)),
    )


def said(alert: AlertRow, *names: str) -> str:
    """The first of these annotations that says something other than the summary; the names are those of a page's brief."""
    for name in names:
        text = " ".join(alert.annotations.get(name, "").split())
        if text and text != alert.summary:
            return text
    return ""


def other_labels(alert: AlertRow) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in alert.labels.items() if name not in NOISE)
