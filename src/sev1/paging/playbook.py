"""What to do about a problem, as far as it is written down: for the page, the mail and the webhook alike. Pure (mission 5.6).

The sender's words come first, then the service's and the runbook's, then the response plan's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog, Link, ResponsePlan, Runbook, Service
from sev1.catalog.runbook import RunbookStep, steps_of
from sev1.paging.diagnostics import on_offer
from sev1.paging.model import Brief
from sev1.paging.plan import Planned

MOST_LINKS = 5
MOST_STEPS = 6
"""A message has the first steps; the page has the whole runbook."""
MOST_KNOWN = 2
MOST_DIAGNOSTICS = 3


class Playbook(Struct, frozen=True, kw_only=True):
    impact: str
    verify: tuple[Link, ...]
    """Dashboards and the sender's own pages and pictures; links only, nothing is fetched."""
    first: str
    steps: tuple[RunbookStep, ...]
    """Of the runbook, with the questions whose answers say what comes next."""
    runbook: Runbook | None
    plan: ResponsePlan | None
    known: tuple[str, ...]
    """Of the response plan, what may explain it: known issues, and past false alarms."""
    owner: str
    """`Payments in #payments`."""
    channel: str
    diagnostics: tuple[str, ...] = ()
    """What may be asked by a button on the page."""


def playbook(brief: Brief, service: Service | None, catalog: Catalog) -> Playbook:
    runbook = catalog.runbooks.get(service.runbook or "") if service else None
    plan = catalog.response_plans.get(brief.plan)
    team = catalog.teams.get(service.owner) if service else None
    channel = (team.channel or "") if team else ""
    return Playbook(
        impact=brief.impact or (service.impact if service else ""),
        verify=_links(brief, service, plan),
        first=brief.first
        or (runbook.first_step if runbook else "")
        or (plan.check_first[0] if plan and plan.check_first else ""),
        steps=steps_of(runbook.body)[:MOST_STEPS] if runbook else (),
        runbook=runbook,
        plan=plan,
        known=(*plan.known_issues, *plan.false_positives)[:MOST_KNOWN] if plan else (),
        owner=f"{team.title}{f' in {channel}' if channel else ''}" if team else "",
        channel=channel,
        diagnostics=tuple(
            one.title for one, _ in on_offer(catalog, service.name if service else None)[:MOST_DIAGNOSTICS]
        ),
    )


def _links(brief: Brief, service: Service | None, plan: ResponsePlan | None) -> tuple[Link, ...]:
    links = [*brief.verify, *(plan.dashboards if plan else ()), *(service.links if service else ())]
    kept = {link.url: link for link in reversed(links)}
    first = tuple(kept.values())[::-1][:MOST_LINKS]
    if not brief.runbook_url:
        return first
    return (*first[: MOST_LINKS - 1], Link(title="Runbook", url=brief.runbook_url))


def escalates(ahead: Sequence[Planned], now: datetime, names: Mapping[str, str]) -> tuple[str, ...]:
    """Who is asked after `now` when nobody answers, once through the policy: `after 3 min Ana Ribeiro`."""
    found: list[str] = []
    for planned in ahead:
        if planned.kind == "ends" or (planned.round and planned.round != ahead[0].round):
            break
        if planned.kind == "asks" and planned.at > now:
            wait_s = int((planned.at - now).total_seconds())
            after = f"{wait_s // 60} min" if wait_s >= 60 else f"{wait_s} s"
            found.append(f"after {after} {', '.join(names.get(p.person, p.person) for p in planned.people)}")
    return tuple(found)
