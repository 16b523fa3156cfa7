"""The first five seconds: what broke, what impact, where to verify, what to try first, whom to call (mission 5.7). Pure.

One function scores an alert on its page and an alerting rule in the linter, so both say the same. What the catalog knows
about the service answers as well as what the sender wrote.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from sev1.catalog.model import Catalog, ResponsePlan, Runbook, Service
from sev1.catalog.response_plans import plan_for

QuestionName = Literal["broke", "impact", "verify", "first", "call"]

IMPACT = ("impact", "description")
FIRST = ("first", "action", "first_step")
SUMMARY = ("summary", "title", "description", "message")
RUNBOOK_URL = ("runbook_url", "runbook")
DASHBOARD_URL = ("dashboard_url", "dashboard", "panel_url", "__dashboardUid__")
OWNER = ("owner", "team", "contact")
"""Annotations, or labels, by the names that rule authors commonly use; the first that says something counts."""

TITLES: dict[QuestionName, str] = {
    "broke": "What broke",
    "impact": "What impact",
    "verify": "Where to verify",
    "first": "What to try first",
    "call": "Whom to call",
}


class Known(Struct, frozen=True, kw_only=True):
    """What the catalog knows beside the alert."""

    service: Service | None = None
    runbook: Runbook | None = None
    plan: ResponsePlan | None = None
    policy: str = ""
    """Title of the escalation policy that it goes to."""


class Question(Struct, frozen=True, kw_only=True):
    name: QuestionName
    title: str
    answer: str
    """Empty when nobody answered it."""
    add: str
    """What to add, and where; empty for a question that is answered."""


class Score(Struct, frozen=True, kw_only=True):
    points: int
    """0 to 5: how many of the five are answered."""
    questions: tuple[Question, ...]

    @property
    def missing(self) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if not q.answer)


def known_of(
    catalog: Catalog, labels: Mapping[str, str], service: str | None = None, policy: str | None = None
) -> Known:
    """What `catalog` knows about an alert with these labels; `service` and `policy` are names, as its verdict has them."""
    found = catalog.services.get(service or "")
    way = catalog.policies.get(policy or (found.policy if found else None) or "")
    return Known(
        service=found,
        runbook=catalog.runbooks.get(found.runbook or "") if found else None,
        plan=plan_for(catalog, labels),
        policy=way.title if way else "",
    )


def score(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    known: Known,
    *,
    summary: str = "",
    links: Iterable[tuple[str, str]] = (),
) -> Score:
    """How many of the five are answered, and what to add for the others.

    `summary` is the line that the alert is called by; without it the annotations' own. `links` are (title, url) pairs
    that came with the alert.
    """
    summary = summary or said(annotations, SUMMARY)
    service, plan = known.service, known.plan
    urls = {title: url for title, url in links if title not in {"Runbook", "Source"}}
    answers: dict[QuestionName, str] = {
        "broke": "" if summary == labels.get("alertname", "") else summary,
        "impact": said(annotations, IMPACT, but=summary) or (service.impact if service else ""),
        "verify": next(iter(urls.values()), "")
        or said(annotations, DASHBOARD_URL)
        or (service.links[0].url if service and service.links else "")
        or (plan.dashboards[0].url if plan and plan.dashboards else ""),
        "first": said(annotations, FIRST)
        or (plan.check_first[0] if plan and plan.check_first else "")
        or (known.runbook.first_step if known.runbook else "")
        or said(annotations, RUNBOOK_URL)
        or next((url for title, url in links if title == "Runbook"), ""),
        "call": (service.owner if service else "") or known.policy or said(labels, OWNER) or said(annotations, OWNER),
    }
    questions = tuple(
        Question(name=name, title=TITLES[name], answer=answer, add="" if answer else _add(name, service, labels))
        for name, answer in answers.items()
    )
    return Score(points=sum(bool(q.answer) for q in questions), questions=questions)


def said(texts: Mapping[str, str], names: Iterable[str], *, but: str = "") -> str:
    """The first of these that says something other than `but`, on one line."""
    for name in names:
        text = " ".join(texts.get(name, "").split())
        if text and text != but:
            return text
    return ""


def _add(name: QuestionName, service: Service | None, labels: Mapping[str, str]) -> str:
    """What to add where."""
    in_catalog = f"service {service.name} in the catalog" if service else ""
    match name:
        case "broke":
            alertname = labels.get("alertname") or "the alert"
            return f"Add the annotation `summary` to the rule: one line that says more than {alertname}."
        case "impact":
            return f"Add the annotation `impact` to the rule{f', or `impact` to {in_catalog}' if in_catalog else ''}."
        case "verify":
            return f"Add the annotation `dashboard_url` to the rule{f', or `links` to {in_catalog}' if in_catalog else ''}."
        case "first":
            either = f", or `runbook` to {in_catalog}" if in_catalog else ""
            return f"Add the annotation `action` or `runbook_url` to the rule{either}."
        case "call":
            return "Add the label `service`, with a service of the catalog, to the rule; its owner is then known."
