"""What an alerting rule lacks, before it wakes somebody (missions 5.5, 5.7). Pure."""

from collections.abc import Iterator

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.lint.rule_file import Rule
from sev1.triage.five_questions import DASHBOARD_URL, OWNER, RUNBOOK_URL, Score, known_of, said, score
from sev1.triage.pipeline import EXPECTS
from sev1.triage.tiers import tier_of

PLACE = {"broke": "annotations.summary", "impact": "annotations", "verify": "annotations", "first": "annotations"}
NO_WAIT = frozenset({"", "0", "0s", "0m"})


class Lack(Struct, frozen=True, kw_only=True):
    """One thing to add. `code` is what programs know it by."""

    line: int
    code: str
    message: str
    fix: str


class Judged(Struct, frozen=True, kw_only=True):
    rule: Rule
    score: Score
    tier: str
    """`page`, `ticket`, `fyi`; empty when its severity belongs to none."""
    expects: str
    """What it asks of whoever sees it; empty without a tier."""
    lacks: tuple[Lack, ...]


def judge_rule(rule: Rule, catalog: Catalog) -> Judged:
    """Scores a rule. An empty catalog knows nothing: then the rule has to say everything itself."""
    labels = {"alertname": rule.name, **rule.labels}
    service = labels.get("service", "")
    points = score(labels, rule.annotations, known_of(catalog, labels, service))
    tier = tier_of(labels.get("severity", "")) or ""
    lacks = (*_questions(rule, points), *_labels(rule, labels, catalog), *_annotations(rule), *_waits(rule))
    return Judged(rule=rule, score=points, tier=tier, expects=EXPECTS[tier] if tier else "", lacks=lacks)


def _questions(rule: Rule, points: Score) -> Iterator[Lack]:
    for question in points.missing:
        line = rule.line_at(PLACE.get(question.name, "labels"))
        yield Lack(line=line, code=question.name, message=f"{question.title}: not answered.", fix=question.add)


def _labels(rule: Rule, labels: dict[str, str], catalog: Catalog) -> Iterator[Lack]:
    word, service = labels.get("severity", ""), labels.get("service", "")
    templated = "{{" in word
    if not word:
        fix = "Add the label `severity`: critical pages, warning is a ticket, info is only to know."
        yield Lack(line=rule.line_at("labels"), code="severity", message="It has no severity, so no tier.", fix=fix)
    elif not templated and tier_of(word) is None:
        message = f'severity "{word}" belongs to no tier: it would page, to be safe.'
        fix = "Use critical, warning or info, or sev-0 … sev-5."
        yield Lack(line=rule.line_at("labels.severity"), code="tier", message=message, fix=fix)
    if not service:
        fix = "Add the label `service`, unless every series of the expression carries it."
        yield Lack(line=rule.line_at("labels"), code="service", message="It names no service.", fix=fix)
    elif catalog.services and "{{" not in service and service not in catalog.services:
        fix = "Correct the label, or add the service."
        message = f'The catalog has no service "{service}".'
        yield Lack(line=rule.line_at("labels.service"), code="service", message=message, fix=fix)
    if service not in catalog.services and not (said(labels, OWNER) or said(rule.annotations, OWNER)):
        fix = "Add the label `team` or `owner`, or a service whose owner the catalog knows."
        yield Lack(line=rule.line_at("labels"), code="owner", message="It has no owner.", fix=fix)


def _annotations(rule: Rule) -> Iterator[Lack]:
    for code, names in (("runbook", RUNBOOK_URL), ("dashboard", DASHBOARD_URL)):
        if not said(rule.annotations, names):
            yield Lack(
                line=rule.line_at("annotations"),
                code=code,
                message=f"It has no {code}.",
                fix=f"Add the annotation `{names[0]}`.",
            )


def _waits(rule: Rule) -> Iterator[Lack]:
    if (rule.waits or "").strip() in NO_WAIT:
        message = "It fires at the first bad sample: `for` is missing."
        fix = "Add `for: 5m`, or as long as it may last before somebody must act."
        yield Lack(line=rule.line_at("for"), code="for", message=message, fix=fix)
