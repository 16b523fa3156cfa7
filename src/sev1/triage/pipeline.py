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
from sev1.catalog.model import Catalog, Flapping, Route, Tier
from sev1.triage.dependencies import causes_of, common_upstream, path_in_words
from sev1.triage.flapping import History, changes_within, damped_until
from sev1.triage.model import (
    InMaintenance,
    OpenAlert,
    OpenPage,
    Silence,
    Source,
    Stage,
    StageName,
    Subject,
    Verdict,
    alert_key,
)
from sev1.triage.phrases import instant, listed, span
from sev1.triage.rules import CompiledInhibit, Rules, group_key_of, group_labels_of, stands_alone
from sev1.triage.slo import slo_state, slo_tier
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
    maintenance: tuple[InMaintenance, ...] = ()
    """The windows in force."""
    causes: Mapping[str, Source] = {}
    """Service -> a firing alert of it that pages: what may hold the alerts of its dependents."""
    history: Mapping[tuple[int, str], History] = {}
    """Key and fingerprint -> what the problem did lately."""
    incidents: Mapping[str, str] = {}
    """Service -> its open incident."""


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
        return _maintained(alert, context)
    longest = max(covering, key=lambda s: (s.ends_at, s.id))
    return Finding(
        "silenced", f"{silenced_by(longest, context.now)}.", {"held": "silenced", "held_by": str(longest.id)}
    )


def _maintained(alert: Subject, context: Context) -> Finding:
    service, _ = context.rules.service_of(alert.labels) if context.maintenance else (None, "")
    windows = [w for w in context.maintenance if _is_about(w, service, alert.labels)]
    if not windows:
        return Finding("passed", "Not silenced.")
    longest = max(windows, key=lambda w: (w.until, w.name))
    until = instant(longest.until, context.now)
    reason = f"Held by maintenance {longest.title} ({longest.owner}: {longest.reason}) until {until}."
    return Finding("maintenance", reason, {"held": "silenced", "held_by": longest.held_by})


def _is_about(window: InMaintenance, service: str | None, labels: Mapping[str, str]) -> bool:
    if window.services and service not in window.services:
        return False
    return all_match(window.matchers, labels)


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
    return _caused(alert, context, so_far)


def _caused(alert: Subject, context: Context, so_far: Verdict) -> Finding:
    """By the dependency graph: a service that this one depends on is down already, and somebody was woken for it."""
    free = Finding("passed", "Not inhibited.")
    service, _ = context.rules.service_of(alert.labels) if context.causes else (None, "")
    if service is None:
        return free
    catalog = context.rules.catalog
    found = [
        (path, context.causes[name])
        for name, path in causes_of(catalog, service).items()
        if name in context.causes and context.causes[name].id != alert.id
    ]
    if not found:
        return free
    path, cause = found[0]
    why = f"{path_in_words(path)}, which {alert_key(cause.id)} says is down"
    if not catalog.organisation.inhibit_worst and (exempt := _too_bad_to_hold(alert, context, service)):
        return Finding("passed", f"Not inhibited although {why}: {exempt}.")
    reason = f"Held: {why}."
    if so_far.held:
        return Finding("depends", reason)
    return Finding("depends", reason, {"held": "inhibited", "held_by": alert_key(cause.id)})


def _too_bad_to_hold(alert: Subject, context: Context, service: str) -> str:
    if context.rules.catalog.services[service].tier == 1:
        return f"{service} is tier 1"
    route = context.rules.route_for(alert.labels)
    severity = (route.severity if route else None) or incident_severity(alert.labels.get("severity", ""))
    return f"it suggests {severity.upper()}" if severity in {"sev-0", "sev-1"} else ""


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
    """The route's word, else the alert's label `tier`, else its objective, else its severity."""
    route = context.rules.route_for(alert.labels)
    word = alert.labels.get("severity", "").strip()
    severity = (route.severity if route else None) or incident_severity(word)
    adds = {
        "route": route.name if route else None,
        "channel": route.channel if route else None,
        "severity": severity,
        "tier_from": "severity",
    }
    if route and route.tier:
        more = {**adds, "tier_from": "route", "tier_by": f"route {route.name}"}
        return _tier(route.tier, f"route {route.name} says so.", more, alert, context)
    asked = alert.labels.get("tier", "").strip().lower()
    if asked in _TITLES:
        return _tier(asked, f"its label tier={asked}.", {**adds, "tier_by": "label tier"}, alert, context)
    slo = slo_state(alert.labels, alert.annotations)
    # Whoever says SEV-0 or SEV-1 outright knows more than the budget does.
    if slo and severity not in {"sev-0", "sev-1"}:
        found, why = slo_tier(slo)
        return _tier(found, why, {**adds, "tier_by": "slo"}, alert, context)
    by_word = tier_of(word)
    if by_word:
        return _tier(by_word, f"severity={word}.", {**adds, "tier_by": "severity"}, alert, context)
    unknown = f"severity={word} means nothing here" if word else "it carries no severity"
    reason = f"to be safe: {unknown}, so the worst is assumed. It belongs to no tier by itself."
    return _tier("page", reason, {**adds, "tier_from": "nothing", "tier_by": f"nothing: {unknown}"}, alert, context)


_TITLES: dict[Tier, str] = {"page": "Page", "ticket": "Ticket", "fyi": "FYI"}


EXPECTS: dict[Tier, str] = {
    "page": "Act now: acknowledge, look, and declare an incident when users feel it.",
    "ticket": "Plan the work: it can wait for working hours.",
    "fyi": "Do nothing: it is only to know.",
}


def _tier(found: Tier, because: str, adds: dict[str, Any], alert: Subject, context: Context) -> Finding:
    comma = "," if because.startswith("to be safe") else ":"
    reason = f"{_TITLES[found]}{comma} {because}"
    adds = {**adds, "tier": found, "expects": EXPECTS[found]}
    if found == "fyi" and context.incidents:
        service, _ = context.rules.service_of(alert.labels)
        if incident := context.incidents.get(service or ""):
            reason = f"{reason} Held back while {incident} is open on {service}."
            adds["during"] = incident
    return Finding(found, reason, adds)


def route(alert: Subject, context: Context, so_far: Verdict) -> Finding:
    """Whose it is: the route's policy, else the service's, else the organisation's fallback."""
    catalog = context.rules.catalog
    service, asked = context.rules.service_of(alert.labels)
    way = catalog.routes.get(so_far.route or "")
    channel = f", in {way.channel}" if way and way.channel else ""
    whose = f"service {service}" if service else _no_service(asked)
    if way and way.policy in catalog.policies:
        return _goes_to(catalog, way.policy, f"route {way.name}; {whose}", service, channel=channel)
    policy = catalog.services[service].policy if service else None
    if policy in catalog.policies:
        return _goes_to(catalog, policy, whose, service, channel=channel)
    fallback = catalog.organisation.fallback_policy
    if fallback in catalog.policies:
        gap = f"service {service} has no policy" if service else whose
        team = catalog.teams.get(catalog.organisation.fallback_owner or "")
        kept = f"; {team.title} keeps what nobody routes" if team else ""
        because = f"the fallback, because {gap}{kept}"
        return _goes_to(catalog, fallback, because, service, outcome="fallback", channel=channel)
    reason = (
        f"Nobody to page: {whose}, and no route, service or fallback policy says who. "
        "Set fallback_policy in the organisation."
    )
    return Finding("nobody", reason, {"service": service})


def _no_service(asked: str) -> str:
    return f'the catalog has no service "{asked}"' if asked else "it names no service"


def _goes_to(
    catalog: Catalog,
    policy: str | None,
    because: str,
    service: str | None,
    *,
    outcome: str = "routed",
    channel: str = "",
) -> Finding:
    assert policy is not None
    title = catalog.policies[policy].title
    return Finding(outcome, f"Goes to {title}{channel} ({because}).", {"service": service, "policy": policy})


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
    restless = _restless(alert, context, way)
    adds["flapping"] = bool(restless)
    if so_far.tier != "page":
        return Finding("none", "Pages nobody.", adds)
    if so_far.held:
        return Finding("held", f"Pages nobody while it is {so_far.held}.", adds)
    if so_far.policy is None:
        return Finding("none", "No page: there is nobody to send it to.", adds)
    if page := context.open_pages.get(key):
        return _joins(page, f"{_sameness(group_labels, alone)}{restless}", way, adds)
    if near := _near_page(context, way, so_far):
        page, common = near
        return _joins(page, f"{so_far.service} and {page.service} share {common}", way, adds)
    if damped := _damped(alert, context, way, adds):
        return damped
    return Finding("opens", f"Opens a page: {_sameness(group_labels, alone)}.", adds)


def _restless(alert: Subject, context: Context, way: Route | None) -> str:
    """Of what flaps, how often it changed, to end a sentence with; else nothing."""
    rule = way.flapping if way else Flapping()
    problem = context.history.get((alert.key_id, alert.fingerprint), History())
    count = changes_within(problem, rule, context.now)
    return f"; it is flapping, {count} changes in {rule.window_min} min" if count > rule.changes else ""


def _damped(alert: Subject, context: Context, way: Route | None, adds: dict[str, Any]) -> Finding | None:
    """What flaps opens no page until it is calm; None for everything else."""
    rule = way.flapping if way else Flapping()
    problem = context.history.get((alert.key_id, alert.fingerprint), History())
    until = damped_until(problem, rule, context.now)
    if until is None:
        return None
    reason = (
        f"Held: it is flapping, {changes_within(problem, rule, context.now)} changes in {rule.window_min} min. "
        f"It pages when it still fires at {instant(until, context.now)} without another change."
    )
    held = {"held": "inhibited", "held_by": f"flapping:{until.isoformat()}"}
    return Finding("flapping", reason, {**adds, **held})


def _joins(page: OpenPage, why: str, way: Route | None, adds: dict[str, Any]) -> Finding:
    """A page that the batch is about to open has no name yet: who joins it shares its group key."""
    if not page.key:
        return Finding("opens", f"Opens a page: {why}.", {**adds, "group_key": page.group_key})
    limit = way.group_limit if way else None
    many = ""
    if limit and page.alert_count + 1 > limit:
        many = f" The page holds {page.alert_count} alerts already, more than its limit of {limit} shows one by one."
    return Finding("joins", f"Joins {page.key}: {why}.{many}", {**adds, "page": page.key})


def _near_page(context: Context, way: Route | None, so_far: Verdict) -> tuple[OpenPage, str] | None:
    """The open page of a service near by in the dependency graph, for the same policy: others wake somebody else."""
    if way is None or not way.group_by_dependency or so_far.service is None:
        return None
    nearby: dict[str, OpenPage] = {}
    for page in context.open_pages.values():
        if page.service and page.service != so_far.service and page.policy == so_far.policy:
            nearby.setdefault(page.service, page)
    for service, page in nearby.items():
        if common := common_upstream(context.rules.catalog, so_far.service, service, way.group_hops):
            return page, common
    return None


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
