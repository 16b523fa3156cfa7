"""What must hold between the objects of a catalog. Pure: a catalog in, findings out.

A finding is an error unless it says `warning`: errors would leave an alert without an owner or a page without a
recipient, warnings are what a tidy catalog would not have (mission 4.2, 4.4, 5.2).
"""

import functools
import itertools
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from sev1.catalog import audience, glossary, maintenance
from sev1.catalog.check_declaration import declaration
from sev1.catalog.check_diagnostics import diagnostics
from sev1.catalog.check_policies import policies
from sev1.catalog.check_signals import signals
from sev1.catalog.cycles import cycles
from sev1.catalog.matchers import MatcherInvalid, parse
from sev1.catalog.model import (
    KINDS,
    CalendarFeed,
    Catalog,
    EscalationPolicy,
    InhibitRule,
    Layer,
    Rotation,
    Route,
    Schedule,
)
from sev1.catalog.problems import CatalogInvalid, Finding, Path, Problem, did_you_mean, listed
from sev1.catalog.regions import is_region, nearest_to

Names = Mapping[str, AbstractSet[str]]
"""By kind, the names that may be referred to."""


def check(catalog: Catalog, unread: Names | None = None) -> list[Finding]:
    """Everything wrong or untidy in `catalog`.

    `unread`, when the catalog is only the readable part of what was written, names the objects that are missing:
    references to them are not called dangling, and rules on the whole are left out, so one slip does not look like ten.
    """
    names = _names(catalog, unread or {})
    found = [
        *_organisation(catalog, names),
        *_people(catalog),
        *_teams(catalog, names),
        *_services(catalog, names),
        *_severities(catalog),
        *_schedules(catalog, names),
        *_policies(catalog, names),
        *policies(catalog, functools.partial(_reference, names=names)),
        *_routes(catalog, names),
        *_inhibit_rules(catalog),
        *_maintenance(catalog, names),
        *_runbooks(catalog),
        *_response_plans(catalog, names),
        *_route_tests(catalog, names),
        *glossary.faults(catalog),
        *diagnostics(catalog),
        *declaration(catalog),
        *signals(catalog, functools.partial(_reference, names=names)),
    ]
    if unread is None:
        found += [*_reaches_somebody(catalog), *_shadowed_routes(catalog), *_tier_one(catalog)]
    return found


def require_valid(catalog: Catalog) -> None:
    """Raises `CatalogInvalid` with every error of a catalog that did not come from files."""
    errors = [finding for finding in check(catalog) if not finding.warning]
    if errors:
        raise CatalogInvalid([Problem(file="", line=0, message=e.message, fix=e.fix) for e in errors])


def _names(catalog: Catalog, unread: Names) -> Names:
    names = {kind: set(unread.get(kind, ())) for kind in KINDS}
    for kind, (attribute, _) in KINDS.items():
        if kind != "organisation":
            names[kind] |= getattr(catalog, attribute).keys()
    return names


def _reference(
    owner: tuple[str, str], path: Path, verb: str, kind: str, wanted: str, names: Names
) -> Iterator[Finding]:
    """At most one finding, such as: service "checkout" is owned by team "payment", which does not exist."""
    if wanted in names[kind]:
        return
    message = f'{owner[0]} "{owner[1]}" {verb} {kind} "{wanted}", which does not exist.'
    fix = did_you_mean(wanted, names[kind]) or _how_to_add(kind, wanted)
    yield Finding(kind=owner[0], name=owner[1], path=path, message=message, fix=fix)


def _how_to_add(kind: str, name: str) -> str:
    return (
        f"Add runbooks/{name}.md."
        if kind == "runbook"
        else f"Add it (`kind: {kind}`, `name: {name}`) or correct the name."
    )


def _organisation(catalog: Catalog, names: Names) -> Iterator[Finding]:
    organisation = catalog.organisation
    owner = ("organisation", organisation.name)
    if organisation.fallback_policy is not None:
        wanted = organisation.fallback_policy
        yield from _reference(owner, ("fallback_policy",), "falls back to", "escalation-policy", wanted, names)
    if organisation.fallback_owner is not None:
        wanted = organisation.fallback_owner
        yield from _reference(owner, ("fallback_owner",), "gives what nobody routes to", "team", wanted, names)
    for position, wanted in enumerate(organisation.security_runbooks):
        place = ("security_runbooks", position)
        yield from _reference(owner, place, "offers restricted incidents", "runbook", wanted, names)
    yield from audience.faults(organisation.name, organisation.audiences, names["severity"])


def _people(catalog: Catalog) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for person in catalog.people.values():
        yield from _time_zone("person", person.name, person.time_zone)
        if person.holidays is not None and not is_region(person.holidays):
            message = f'person "{person.name}" has the holidays of "{person.holidays}", which nobody knows.'
            fix = nearest_to(person.holidays)
            yield Finding(kind="person", name=person.name, path=("holidays",), message=message, fix=fix)
        yield from _calendars("person", person.name, "leave_calendars", person.leave_calendars)
        other = seen.setdefault(person.email.casefold(), person.name)
        if other != person.name:
            message = f'person "{person.name}" has the same mail address as person "{other}".'
            fix = "Sign-in goes by this address: give each their own."
            yield Finding(kind="person", name=person.name, path=("email",), message=message, fix=fix)


def _teams(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for team in catalog.teams.values():
        for at, member in enumerate(team.members):
            yield from _reference(("team", team.name), ("members", at), "has as member", "person", member, names)
        yield from _repeated("team", team.name, ("members",), team.members)


def _services(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for service in catalog.services.values():
        owner = ("service", service.name)
        yield from _reference(owner, ("owner",), "is owned by", "team", service.owner, names)
        for at, upstream in enumerate(service.depends_on):
            yield from _reference(owner, ("depends_on", at), "depends on", "service", upstream, names)
        yield from _repeated("service", service.name, ("depends_on",), service.depends_on)
        if service.policy is not None:
            yield from _reference(owner, ("policy",), "pages by", "escalation-policy", service.policy, names)
        if service.runbook is not None:
            yield from _reference(owner, ("runbook",), "is repaired by", "runbook", service.runbook, names)
    graph = {service.name: service.depends_on for service in catalog.services.values()}
    for path in cycles(graph):
        yield Finding(
            kind="service",
            name=path[0],
            path=("depends_on", graph[path[0]].index(path[1])),
            message=f'service "{path[0]}" depends on itself: {" → ".join(path)}.',
            fix="Remove one of these dependencies: a service breaks when what it depends on breaks, not the other way round.",
        )


def _severities(catalog: Catalog) -> Iterator[Finding]:
    ordered = catalog.severities_worst_first()
    for worse, milder in itertools.pairwise(ordered):
        # None is "monitor only": slower than any number.
        if worse.respond_within_s is None and milder.respond_within_s is None:
            continue
        if worse.respond_within_s is None or (
            milder.respond_within_s is not None and worse.respond_within_s > milder.respond_within_s
        ):
            message = f'severity "{worse.name}" is worse than "{milder.name}" but has the slower response target.'
            yield Finding(
                kind="severity",
                name=worse.name,
                path=("respond_within_s",),
                message=message,
                fix="Check both.",
                warning=True,
            )


def _schedules(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for schedule in catalog.schedules.values():
        owner = ("schedule", schedule.name)
        yield from _time_zone(*owner, schedule.time_zone)
        yield from _calendars("schedule", schedule.name, "holiday_calendars", schedule.holiday_calendars)
        yield from _turns(schedule, names)
        yield from _overrides(schedule, names)


def _calendars(kind: str, name: str, field: str, calendars: Iterable[CalendarFeed]) -> Iterator[Finding]:
    titles: set[str] = set()
    for at, calendar in enumerate(calendars):
        if calendar.title in titles:
            message = f'{kind} "{name}" has two calendars called "{calendar.title}".'
            fix = "Give each its own title: it is what says why somebody is away."
            yield Finding(kind=kind, name=name, path=(field, at, "title"), message=message, fix=fix)
        titles.add(calendar.title)


def _turns(schedule: Schedule, names: Names) -> Iterator[Finding]:
    owner = ("schedule", schedule.name)
    rotations: list[tuple[Path, Rotation]] = [(("layers", n), layer) for n, layer in enumerate(schedule.layers)]
    if schedule.rotation:
        rotations = [(("rotation",), schedule.rotation)]
    for path, rotation in rotations:
        for at, person in enumerate(rotation.people):
            yield from _reference(owner, (*path, "people", at), "rotates through", "person", person, names)
        if isinstance(rotation, Layer):
            if rotation.time_zone is not None:
                yield from _time_zone(*owner, rotation.time_zone)
            if rotation.ends is not None and rotation.ends <= rotation.starts:
                message = f'schedule "{schedule.name}" has a layer that ends ({rotation.ends}) before it starts.'
                fix = f"Let it end after {rotation.starts}."
                yield Finding(kind="schedule", name=schedule.name, path=(*path, "ends"), message=message, fix=fix)


def _overrides(schedule: Schedule, names: Names) -> Iterator[Finding]:
    owner = ("schedule", schedule.name)
    for at, override in enumerate(schedule.overrides):
        path = ("overrides", at)
        yield from _reference(owner, (*path, "person"), "is covered by", "person", override.person, names)
        if override.end <= override.start:
            message = f'schedule "{schedule.name}" has an override that ends ({override.end:%Y-%m-%d %H:%M} UTC) before it starts.'
            fix = f"Let it end after {override.start:%Y-%m-%d %H:%M} UTC."
            yield Finding(kind="schedule", name=schedule.name, path=(*path, "end"), message=message, fix=fix)


def _policies(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for policy in catalog.policies.values():
        owner = ("escalation-policy", policy.name)
        yield from _time_zone(*owner, policy.time_zone)
        for at, step in enumerate(policy.steps):
            for nth, target in enumerate(step.targets):
                kind = str(target.__struct_config__.tag)
                path = ("steps", at, "targets", nth, "name")
                yield from _reference(owner, path, f"pages in step {at + 1}", kind, target.name, names)
                yield from _nobody(policy, path, kind, target.name, catalog)


def _nobody(policy: EscalationPolicy, path: Path, kind: str, name: str, catalog: Catalog) -> Iterator[Finding]:
    """The types ask for one person at least; a catalog built by a program may still hold an empty list."""
    if kind == "schedule" and name in catalog.schedules:
        somebody = catalog.schedules[name].people
    elif kind == "team" and name in catalog.teams:
        somebody = catalog.teams[name].members
    else:
        return
    if not somebody:
        message = f'escalation-policy "{policy.name}" pages {kind} "{name}", which has nobody in it.'
        yield Finding(
            kind="escalation-policy",
            name=policy.name,
            path=path,
            message=message,
            fix=f"Add a person to {kind} {name}.",
        )


def _routes(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for route in catalog.routes.values():
        owner = ("route", route.name)
        yield from _matchers("route", route.name, "match", route.match)
        yield from _labels("route", route.name, "group_by", route.group_by)
        if route.policy is not None:
            yield from _reference(owner, ("policy",), "pages by", "escalation-policy", route.policy, names)
        if route.severity is not None:
            yield from _reference(owner, ("severity",), "suggests", "severity", route.severity, names)


def _inhibit_rules(catalog: Catalog) -> Iterator[Finding]:
    for rule in catalog.inhibit_rules.values():
        yield from _matchers("inhibit-rule", rule.name, "source", rule.source)
        yield from _matchers("inhibit-rule", rule.name, "target", rule.target)
        yield from _labels("inhibit-rule", rule.name, "equal", rule.equal)
        yield from _silences_everything(rule)


def _silences_everything(rule: InhibitRule) -> Iterator[Finding]:
    if any(texts and not any(text.strip("{} ") for text in texts) for texts in (rule.source, rule.target)):
        message = f'inhibit-rule "{rule.name}" matches every alert on one side.'
        fix = "Name at least one label in `source` and in `target`."
        yield Finding(kind="inhibit-rule", name=rule.name, path=("source",), message=message, fix=fix)


def _maintenance(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for planned in catalog.maintenance.values():
        owner = ("maintenance", planned.name)
        yield from _reference(owner, ("owner",), "is owned by", "team", planned.owner, names)
        for at, service in enumerate(planned.services):
            yield from _reference(owner, ("services", at), "is about", "service", service, names)
        yield from _matchers("maintenance", planned.name, "match", planned.match)
        yield from _time_zone("maintenance", planned.name, planned.time_zone)
        for field, message, fix in maintenance.faults(planned):
            text = f'maintenance "{planned.name}" {message}'
            yield Finding(kind="maintenance", name=planned.name, path=(field,), message=text, fix=fix)


def _runbooks(catalog: Catalog) -> Iterator[Finding]:
    for runbook in catalog.runbooks.values():
        if not runbook.first_step:
            message = f'runbook "{runbook.name}" has no list item, so a page cannot say what to try first.'
            fix = "Begin it with `- [ ] …`: what to try first."
            yield Finding(kind="runbook", name=runbook.name, path=(), message=message, fix=fix, warning=True)


def _response_plans(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for plan in catalog.response_plans.values():
        owner = ("response-plan", plan.name)
        yield from _matchers(*owner, "match", plan.match)
        for at, person in enumerate(plan.experts):
            yield from _reference(owner, ("experts", at), "names as expert", "person", person, names)


def _route_tests(catalog: Catalog, names: Names) -> Iterator[Finding]:
    for test in catalog.route_tests.values():
        owner = ("route-test", test.name)
        for field, kind in (("service", "service"), ("route", "route"), ("policy", "escalation-policy")):
            # A test of something that does not exist fails when it is run, with the reason; here it is only a hint.
            if wanted := getattr(test.expect, field):
                found = _reference(owner, ("expect", field), "expects", kind, wanted, names)
                yield from (replace(finding, warning=True) for finding in found)
        if test.expect.people is not None and test.at is None:
            message = f'route-test "{test.name}" expects people without saying when: whoever is on call changes.'
            fix = 'Add `at`, such as "2026-03-02T03:00:00Z".'
            yield Finding(kind="route-test", name=test.name, path=("expect", "people"), message=message, fix=fix)
        if all(getattr(test.expect, field) is None for field in test.expect.__struct_fields__):
            message = f'route-test "{test.name}" expects nothing.'
            fix = "Add `tier`, `policy`, `service`, `route`, `group`, `silenced` or `people`."
            yield Finding(kind="route-test", name=test.name, path=("expect",), message=message, fix=fix)


def _reaches_somebody(catalog: Catalog) -> Iterator[Finding]:
    """Without a fallback, everything that may page needs a policy of its own."""
    if catalog.organisation.fallback_policy is not None:
        return
    fix = "Give it a `policy`, or the organisation a `fallback_policy`."
    for route in catalog.routes.values():
        if route.policy is None and route.tier in {None, "page"}:
            message = f'route "{route.name}" can page, but names no policy: nobody would be woken.'
            yield Finding(kind="route", name=route.name, path=("policy",), message=message, fix=fix)
    # A catalog without a single policy is one that does not page yet; that is for a warning.
    pages = bool(catalog.policies or catalog.routes)
    for service in catalog.services.values():
        if service.policy is None:
            message = f'service "{service.name}" has no policy: nobody would be woken for it.'
            yield Finding(
                kind="service", name=service.name, path=("policy",), message=message, fix=fix, warning=not pages
            )


def _shadowed_routes(catalog: Catalog) -> Iterator[Finding]:
    ordered: list[Route] = sorted(catalog.routes.values(), key=lambda route: (route.order, route.name))
    catch_all = next((route for route in ordered if not any(text.strip("{} ") for text in route.match)), None)
    if catch_all is None:
        if ordered and catalog.organisation.fallback_policy is None:
            last = ordered[-1]
            message = "No route matches every alert: what no route matches is shown as unrouted and pages nobody."
            fix = "Add a last route without `match`, or the organisation's `fallback_policy`."
            yield Finding(kind="route", name=last.name, path=(), message=message, fix=fix, warning=True)
        return
    for route in ordered[ordered.index(catch_all) + 1 :]:
        message = f'route "{route.name}" is never reached: "{catch_all.name}" before it matches every alert.'
        fix = f"Give it an `order` below {catch_all.order}."
        yield Finding(kind="route", name=route.name, path=("order",), message=message, fix=fix, warning=True)


def _tier_one(catalog: Catalog) -> Iterator[Finding]:
    wanted = {
        "runbook": "who is woken for it has nothing to try first",
        "policy": "only the route or the fallback says who is woken",
        "impact": "its pages cannot say what users feel",
    }
    for service in catalog.services.values():
        for field, why in wanted.items():
            if service.tier == 1 and not getattr(service, field):
                message = f'service "{service.name}" is tier 1 and has no `{field}`: {why}.'
                yield Finding(
                    kind="service",
                    name=service.name,
                    path=(field,),
                    message=message,
                    fix=f"Add `{field}`.",
                    warning=True,
                )


def _matchers(kind: str, name: str, field: str, texts: Iterable[str]) -> Iterator[Finding]:
    for at, text in enumerate(texts):
        try:
            parse(text)
        except MatcherInvalid as error:
            message = f'{kind} "{name}" has a matcher that cannot be read: {error.message}'
            fix = """Write it like `severity="critical"` or `env=~"prod|live"`."""
            yield Finding(kind=kind, name=name, path=(field, at), message=message, fix=fix)


def _labels(kind: str, name: str, field: str, labels: Iterable[str]) -> Iterator[Finding]:
    for at, label in enumerate(labels):
        if not label:
            message = f'{kind} "{name}" names an empty label in `{field}`.'
            yield Finding(
                kind=kind, name=name, path=(field, at), message=message, fix="Name a label or remove the entry."
            )


def _repeated(kind: str, name: str, path: Path, values: tuple[str, ...]) -> Iterator[Finding]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        message = f'{kind} "{name}" lists {listed(twice)} more than once.'
        yield Finding(kind=kind, name=name, path=path, message=message, fix="Keep one.", warning=True)


def _time_zone(kind: str, name: str, zone: str) -> Iterator[Finding]:
    if zone not in known_time_zones():
        message = f'{kind} "{name}" is in time zone "{zone}", which does not exist.'
        fix = did_you_mean(zone, known_time_zones()) or "Use a name such as Europe/Berlin or UTC."
        yield Finding(kind=kind, name=name, path=("time_zone",), message=message, fix=fix)


@functools.cache
def known_time_zones() -> frozenset[str]:
    """The names of the IANA time zone database, without the entries that are files of this machine."""
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})
