"""All of it, by kind and name."""

from collections.abc import Mapping as Lookup
from functools import cached_property

from msgspec import Struct, field

from sev1.catalog.model.declaration import DeclarationPolicy
from sev1.catalog.model.fields import Object
from sev1.catalog.model.on_call import Schedule
from sev1.catalog.model.organisation import Organisation
from sev1.catalog.model.people import Person, Team
from sev1.catalog.model.policies import EscalationPolicy
from sev1.catalog.model.quiet import InhibitRule, Maintenance
from sev1.catalog.model.routing import Route, RouteTest
from sev1.catalog.model.senders import Mapping
from sev1.catalog.model.services import ResponsePlan, Runbook, Service
from sev1.catalog.model.severities import Severity
from sev1.catalog.model.watches import Check, Composite, Heartbeat, StatusFeed
from sev1.catalog.term import Term


class Catalog(Struct, frozen=True, kw_only=True, dict=True):
    """Everything, by kind and name. `version` grows by one with each apply that changed something."""

    version: int = 0
    organisation: Organisation = field(default_factory=lambda: Organisation(name="organisation", title="sev1"))
    people: dict[str, Person] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    severities: dict[str, Severity] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    policies: dict[str, EscalationPolicy] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    inhibit_rules: dict[str, InhibitRule] = field(default_factory=dict)
    mappings: dict[str, Mapping] = field(default_factory=dict)
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    composites: dict[str, Composite] = field(default_factory=dict)
    feeds: dict[str, StatusFeed] = field(default_factory=dict)
    maintenance: dict[str, Maintenance] = field(default_factory=dict)
    declaration_policies: dict[str, DeclarationPolicy] = field(default_factory=dict)
    response_plans: dict[str, ResponsePlan] = field(default_factory=dict)
    route_tests: dict[str, RouteTest] = field(default_factory=dict)
    runbooks: dict[str, Runbook] = field(default_factory=dict)
    glossary: dict[str, Term] = field(default_factory=dict)
    """The organisation's own words; `glossary.glossary_of` has the shipped ones as well."""

    def person_by_email(self, email: str) -> Person | None:
        return self._by_email.get(email.casefold())

    @cached_property
    def _by_email(self) -> Lookup[str, Person]:
        """Asked for each name on a page; of two with the same address the first."""
        return {person.email.casefold(): person for person in reversed(self.people.values())}

    def severities_worst_first(self) -> list[Severity]:
        return sorted(self.severities.values(), key=lambda s: s.rank)


KINDS: dict[str, tuple[str, type[Object | Term]]] = {
    "organisation": ("organisation", Organisation),
    "person": ("people", Person),
    "team": ("teams", Team),
    "service": ("services", Service),
    "severity": ("severities", Severity),
    "schedule": ("schedules", Schedule),
    "escalation-policy": ("policies", EscalationPolicy),
    "route": ("routes", Route),
    "inhibit-rule": ("inhibit_rules", InhibitRule),
    "mapping": ("mappings", Mapping),
    "heartbeat": ("heartbeats", Heartbeat),
    "check": ("checks", Check),
    "composite": ("composites", Composite),
    "status-feed": ("feeds", StatusFeed),
    "maintenance": ("maintenance", Maintenance),
    "declaration-policy": ("declaration_policies", DeclarationPolicy),
    "response-plan": ("response_plans", ResponsePlan),
    "route-test": ("route_tests", RouteTest),
    "glossary-term": ("glossary", Term),
    "runbook": ("runbooks", Runbook),
}
"""`kind:` in a file -> the field of `Catalog` that holds it, and its type."""
