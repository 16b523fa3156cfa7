"""The catalog's routes and inhibit rules, compiled once per version, and what they say about an alert's labels."""

import functools
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from sev1.catalog.maintenance import window_at
from sev1.catalog.matchers import Matcher, MatcherInvalid, all_match, parse_all
from sev1.catalog.model import Catalog, InhibitRule, Maintenance, Route
from sev1.triage.environments import routed_by
from sev1.triage.model import InMaintenance

log = logging.getLogger(__name__)

DEFAULT_GROUP_BY = ("alertname", "service")
NAMES_OF_SERVICES = ("job", "app")
"""Labels that name a service when they happen to, where no label `service` does."""
LONGEST_GROUP_KEY = 500
"""Longer keys end in a hash: a row of a PostgreSQL index holds at most 2,700 bytes, and labels may be longer."""


class CompiledRoute(Struct, frozen=True, kw_only=True):
    route: Route
    matchers: tuple[Matcher, ...]

    @property
    def name(self) -> str:
        return self.route.name


class CompiledInhibit(Struct, frozen=True, kw_only=True):
    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def equals_of(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The values that source and target must share; a label missing on both counts as the same."""
        return tuple(labels.get(name, "") for name in self.equal)


class Rules(Struct, frozen=True, kw_only=True):
    """What triage asks of one version of the catalog."""

    catalog: Catalog
    routes: tuple[CompiledRoute, ...] = ()
    """In the order in which they are tried."""
    inhibit: tuple[CompiledInhibit, ...] = ()

    def route_for(self, labels: Mapping[str, str]) -> Route | None:
        """The first route whose matchers all hold."""
        for compiled in self.routes:
            if routed_by(compiled.matchers, labels):
                return compiled.route
        return None

    def service_of(self, labels: Mapping[str, str]) -> tuple[str | None, str]:
        """(the catalog's service or None, the name that was asked for).

        Only a label `service` claims to name one; `job` and `app` count when they happen to.
        """
        services = self.catalog.services
        if asked := labels.get("service", ""):
            return next((name for name in (asked, asked.lower()) if name in services), None), asked
        for label in NAMES_OF_SERVICES:
            name = labels.get(label, "")
            if name in services:
                return name, name
        return None, ""

    def inhibitors_of(self, labels: Mapping[str, str]) -> list[CompiledInhibit]:
        """The rules that could keep an alert with these labels quiet."""
        return [rule for rule in self.inhibit if all_match(rule.target, labels)]


def compiled(catalog: Catalog) -> Rules:
    """A rule that cannot be read is left out and logged: it was refused when it was applied, so another release wrote
    it, and alerts must go on. What it would have routed goes to the next route or the fallback policy.
    """
    routes = sorted(catalog.routes.values(), key=lambda route: (route.order, route.name))
    return Rules(
        catalog=catalog,
        routes=tuple(r for route in routes if (r := _route(route))),
        inhibit=tuple(found for _, rule in sorted(catalog.inhibit_rules.items()) if (found := _inhibit(rule))),
    )


def _route(route: Route) -> CompiledRoute | None:
    try:
        return CompiledRoute(route=route, matchers=tuple(parse_all(route.match)))
    except MatcherInvalid:
        log.exception("route %s is left out: its matchers cannot be read", route.name)
        return None


def _inhibit(rule: InhibitRule) -> CompiledInhibit | None:
    try:
        return CompiledInhibit(
            name=rule.name,
            source=tuple(parse_all(rule.source)),
            target=tuple(parse_all(rule.target)),
            equal=rule.equal,
        )
    except MatcherInvalid:
        log.exception("inhibit rule %s is left out: its matchers cannot be read", rule.name)
        return None


def maintenance_in_force(catalog: Catalog, now: datetime) -> tuple[InMaintenance, ...]:
    """The windows that `now` lies in, by name."""
    return tuple(found for _, planned in sorted(catalog.maintenance.items()) if (found := _in_force(planned, now)))


def _in_force(planned: Maintenance, now: datetime) -> InMaintenance | None:
    try:
        window = window_at(planned, now)
        matchers = tuple(parse_all(planned.match))
    except ValueError:
        log.exception("maintenance %s is left out: it cannot be read", planned.name)
        return None
    if window is None:
        return None
    return InMaintenance(
        name=planned.name,
        title=planned.title,
        owner=planned.owner,
        reason=planned.reason,
        services=planned.services,
        matchers=matchers,
        until=window.end,
    )


class RulesCache:
    """The rules of the catalog seen last."""

    def __init__(self) -> None:
        self._rules: Rules | None = None

    def of(self, catalog: Catalog) -> Rules:
        if self._rules is None or self._rules.catalog is not catalog:
            self._rules = compiled(catalog)
        return self._rules


def group_labels_of(route: Route | None, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels by which it is grouped, always with the service."""
    wanted = _with_service(route.group_by if route else DEFAULT_GROUP_BY)
    return {name: labels[name] for name in wanted if labels.get(name)}


@functools.lru_cache(maxsize=1000)
def _with_service(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, "service")))


def stands_alone(route: Route | None, group_labels: Mapping[str, str]) -> bool:
    """It carries none of the labels that tell its problem from another of the same service."""
    wanted = {*(route.group_by if route else DEFAULT_GROUP_BY)} - {"service"}
    return bool(wanted) and not wanted & group_labels.keys()


def group_key_of(route: Route | None, group_labels: Mapping[str, str], alone: Iterable[str] = ()) -> str:
    """`prod-critical{alertname="HighErrors",service="checkout"}`; `alone` makes it the only one of its kind."""
    pairs = [f"{name}={msgspec.json.encode(value).decode()}" for name, value in group_labels.items()]
    key = f"{route.name if route else ''}{{{','.join([*pairs, *alone])}}}"
    if len(key) <= LONGEST_GROUP_KEY:
        return key
    return f"{key[: LONGEST_GROUP_KEY - 65]}#{sha256(key.encode()).hexdigest()}"
