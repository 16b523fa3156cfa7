"""The stages of triage, in order. Each is a pure function of the alert, what is known, and what was found so far;
each answers with a word and a sentence, so that every verdict can be explained (book ch. 5).

    dedup -> silence -> inhibit -> tier -> route -> group

A held alert goes through all of them as well: its page then says what would have happened.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.matchers import all_match
from sev1.catalog.model import Catalog, Tier
from sev1.triage.model import OpenAlert, OpenPage, Silence, Source, Stage, StageName, Subject, Verdict, alert_key
from sev1.triage.phrases import instant, listed, span
from sev1.triage.rules import CompiledInhibit, Rules, group_key_of, group_labels_of, stands_alone
from sev1.triage.tiers import incident_severity, tier_of

STILL_FIRING_AFTER = timedelta(hours=1)
"""A problem that goes on so long after somebody resolved its page is paged again."""


class Context(Struct, frozen=True, kw_only=True):
    """All that the stages may look at: a snapshot, taken once a batch."""

    now: datetime
    rules: Rules
    silences: tuple[Silence, ...] = ()
    """Those in force."""
    sources: Mapping[str, Mapping[tuple[str, ...], tuple[Source, ...]]] = {}
    """Inhibit rule -> values of its `equal` labels -> the firing alerts that match its source side."""
    open_pages: Mapping[str, OpenPage] = {}
    """By group key."""


class Finding(NamedTuple):
    outcome: str
    reason: str
    adds: Mapping[str, Any] = {}
    """Fields of the verdict that this stage decides."""


Decide = Callable[[Subject, Context, Verdict], Finding]


def dedup(alert: Subject, context: Context, so_far: Verdict) -> Finding:  # noqa: ARG001 - the signature of every stage
    outcome = known(alert.before, alert.labels, context.now)
    before = alert.before
    if before is None:
        return Finding(outcome, "New: nothing with this fingerprint is firing.")
    same = f"Same problem as {alert_key(before.id)}"
    if alert.again:
        return Finding("again", f"{same}. {alert.again}")
    match outcome:
        case "over":
            return Finding("new", f"New: {before.page}, the page of {alert_key(before.id)}, was resolved before.")
        case "again":
            assert before.page_resolved_at is not None
            after = span((context.now - before.page_resolved_at).total_seconds())
            return Finding("again", f"{same}; it still fires {after} after {before.page} was resolved.")
        case "changed":
            return Finding("again", f"{same}, but {_difference(before.labels, alert.labels)}; looked at again.")
    since = instant(before.starts_at, context.now)
    return Finding("same", f"{same}, which is firing since {since}; counted, nothing new.")


def known(before: OpenAlert | None, labels: Mapping[str, str], now: datetime) -> str:
    """What a signal means for the alert that is open for the same key and fingerprint.

    `new` there is none; `same` it is counted; `changed` its labels are others now, so its tier may be, too;
    `over` its page was resolved and its sender has no other way to end it, so this is the next problem;
    `again` its page was resolved long ago and it goes on.
    """
    if before is None:
        return "new"
    if before.page_resolved_at and before.held is None:
        if before.expires_at is None:
            return "over"
        if now - before.page_resolved_at >= STILL_FIRING_AFTER:
            return "again"
    return "same" if before.labels == labels else "changed"


def silence(alert: Subject, context: Context, so_far: Verdict) -> Finding:  # noqa: ARG001
    covering = [s for s in context.silences if s.covers(alert.key_id, alert.labels)]
    if not covering:
        return Finding("passed", "Not silenced.")
    longest = max(covering, key=lambda s: (s.ends_at, s.id))
    return Finding(
        "silenced", f"{silenced_by(longest, context.now)}.", {"held": "silenced", "held_by": str(longest.id)}
    )


def silenced_by(by: Silence, now: datetime) -> str:
    """`Silenced by S-1a2b (Ana: planned migration) until 14:00 UTC`, without a full stop."""
    return f"Silenced by {by.label} ({by.created_by}: {by.comment}) until {instant(by.ends_at, now)}"


def inhibit(alert: Subject, context: Context, so_far: Verdict) -> Finding:
    for rule in context.rules.inhibitors_of(alert.labels):
        source = _source(alert, rule, context)
        if source is None:
            continue
        same = f": labels {listed(rule.equal)} are the same" if rule.equal else ""
        reason = f"Inhibited by {alert_key(source.id)} (rule {rule.name}){same}."
        if so_far.held:
            return Finding("inhibited", reason)
        return Finding("inhibited", reason, {"held": "inhibited", "held_by": alert_key(source.id)})
    return Finding("passed", "Not inhibited.")


def _source(alert: Subject, rule: CompiledInhibit, context: Context) -> Source | None:
    """A firing alert that keeps this one quiet.

    As Alertmanager has it: no alert inhibits itself, and where both match both sides of the rule, neither inhibits.
    """
    is_source_too = all_match(rule.source, alert.labels)
    for source in context.sources.get(rule.name, {}).get(rule.equals_of(alert.labels), ()):
        if source.id == alert.id or (is_source_too and all_match(rule.target, source.labels)):
            continue
        return source
    return None


def tier(alert: Subject, context: Context, so_far: Verdict) -> Finding:  # noqa: ARG001
    route = context.rules.route_for(alert.labels)
    word = alert.labels.get("severity", "").strip()
    adds = {
        "route": route.name if route else None,
        "severity": (route.severity if route else None) or incident_severity(word),
    }
    if route and route.tier:
        return _tier(route.tier, f"route {route.name} says so.", {**adds, "tier_from": "route"})
    by_word = tier_of(word)
    if by_word:
        return _tier(by_word, f"severity={word}.", {**adds, "tier_from": "severity"})
    unknown = f"severity={word} means nothing here" if word else "it carries no severity"
    reason = f"to be safe: {unknown}, so the worst is assumed. It belongs to no tier by itself."
    return _tier("page", reason, {**adds, "tier_from": "nothing"})


_TITLES: dict[Tier, str] = {"page": "Page", "ticket": "Ticket", "fyi": "FYI"}


def _tier(found: Tier, because: str, adds: dict[str, Any]) -> Finding:
    comma = "," if because.startswith("to be safe") else ":"
    return Finding(found, f"{_TITLES[found]}{comma} {because}", {**adds, "tier": found})


def route(alert: Subject, context: Context, so_far: Verdict) -> Finding:
    """Whose it is: the route's policy, else the service's, else the organisation's fallback."""
    catalog = context.rules.catalog
    service, asked = context.rules.service_of(alert.labels)
    way = catalog.routes.get(so_far.route or "")
    whose = f"service {service}" if service else _no_service(asked)
    if way and way.policy in catalog.policies:
        return _goes_to(catalog, way.policy, f"route {way.name}; {whose}", service)
    policy = catalog.services[service].policy if service else None
    if policy in catalog.policies:
        return _goes_to(catalog, policy, whose, service)
    fallback = catalog.organisation.fallback_policy
    if fallback in catalog.policies:
        gap = f"service {service} has no policy" if service else whose
        return _goes_to(catalog, fallback, f"the fallback, because {gap}", service, outcome="fallback")
    reason = (
        f"Nobody to page: {whose}, and no route, service or fallback policy says who. "
        "Set fallback_policy in the organisation."
    )
    return Finding("nobody", reason, {"service": service})


def _no_service(asked: str) -> str:
    return f'the catalog has no service "{asked}"' if asked else "it names no service"


def _goes_to(
    catalog: Catalog, policy: str | None, because: str, service: str | None, *, outcome: str = "routed"
) -> Finding:
    assert policy is not None
    title = catalog.policies[policy].title
    return Finding(outcome, f"Goes to {title} ({because}).", {"service": service, "policy": policy})


def group(alert: Subject, context: Context, so_far: Verdict) -> Finding:
    """One problem, one page: which open page it joins, or whether it opens one."""
    way = context.rules.catalog.routes.get(so_far.route or "")
    labels = alert.labels if so_far.service is None else {**alert.labels, "service": so_far.service}
    group_labels = group_labels_of(way, labels)
    alone = (f"#{alert.key_id}/{alert.fingerprint}",) if stands_alone(way, group_labels) else ()
    key = group_key_of(way, group_labels, alone)
    adds: dict[str, Any] = {"group_key": key, "group_labels": group_labels}
    if alert.before and alert.before.page_is_open:
        return Finding("stays", f"Stays on {alert.before.page}.", {**adds, "page": alert.before.page})
    if so_far.tier != "page":
        return Finding("none", "Pages nobody.", adds)
    if so_far.held:
        return Finding("held", f"Pages nobody while it is {so_far.held}.", adds)
    if so_far.policy is None:
        return Finding("none", "No page: there is nobody to send it to.", adds)
    if page := context.open_pages.get(key):
        return Finding("joins", f"Joins {page.key}: {_sameness(group_labels, alone)}.", {**adds, "page": page.key})
    return Finding("opens", f"Opens a page: {_sameness(group_labels, alone)}.", adds)


def _sameness(group_labels: Mapping[str, str], alone: tuple[str, ...]) -> str:
    if alone:
        return "it carries no label to group it by"
    return f"same {listed(group_labels)}" if group_labels else "everything of this route is one problem"


STAGES: tuple[tuple[StageName, Decide], ...] = (
    ("dedup", dedup),
    ("silence", silence),
    ("inhibit", inhibit),
    ("tier", tier),
    ("route", route),
    ("group", group),
)


def judge(alert: Subject, context: Context) -> Verdict:
    """Runs the stages in order; a repeated signal ends at the first."""
    verdict = Verdict()
    for name, decide in STAGES:
        outcome, reason, adds = decide(alert, context, verdict)
        stage = Stage(name=name, outcome=outcome, reason=reason)
        verdict = replace(verdict, stages=(*verdict.stages, stage), **adds)
        if outcome == "same":
            break
    return verdict


def with_page(verdict: Verdict, page: str, *, opened: bool) -> Verdict:
    """The verdict once the page has its name; `opened` for the alert that opened it, else it joins."""
    if opened:
        return _with_group(verdict, "opens", f"Opens {page}.", page)
    _, _, why = verdict.stages[-1].reason.partition(": ")
    return _with_group(verdict, "joins", f"Joins {page}: {why}", page)


def without_page(verdict: Verdict, lasted_s: float) -> Verdict:
    """The verdict of an alert that was over before triage could page anybody."""
    reason = f"Pages nobody: it was over after {span(lasted_s)}, before anybody could be paged."
    return _with_group(verdict, "over", reason, None)


def _with_group(verdict: Verdict, outcome: str, reason: str, page: str | None) -> Verdict:
    stage = Stage(name="group", outcome=outcome, reason=reason)
    return replace(verdict, stages=(*verdict.stages[:-1], stage), page=page)


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """`severity is critical, was warning`; at most three labels."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    changes = [f"{name} is {after.get(name) or 'gone'}, was {before.get(name) or 'missing'}" for name in names[:3]]
    return "; ".join(changes) + ("; …" if len(names) > len(changes) else "")
