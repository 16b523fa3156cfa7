"""The catalog: who and what exists before an incident. Loaded whole, immutable, compared by value.

Written as YAML by its owners (`sev1 apply DIR`), one or many objects a file; runbooks are Markdown.
Names are slugs (`[a-z0-9][a-z0-9-]*`) and are what objects refer to each other by. Each kind has its file here:

    fields        what the fields of several kinds are made of
    calendars     calendars that are read: leave of people, holidays of schedules
    people        people, and the teams they are in
    severities    how bad it is, in the organisation's words
    declaration   when a page is suggested as an incident, or declared by itself
    diagnostics   what a responder may have asked from the page that wakes them
    services      what breaks, and what is written down about it: services, runbooks, response plans
    on_call       who is on call when: schedules with their layers, restrictions and overrides
    policies      whom a page asks, in which order, and how long it waits for each
    routing       what becomes of an alert, and the tests of that
    quiet         what keeps alerts quiet by plan: inhibition and maintenance
    senders       how to read senders that sev1 has no format for
    watches       what sev1 looks at by itself: heartbeats, checks, composites, vendors' status pages
    organisation  what holds for the whole organisation
    catalog       all of it, by kind and name

Importers name the package, so a kind may move between the files.
"""

from sev1.catalog.model.calendars import CalendarFeed, Calendars
from sev1.catalog.model.catalog import KINDS, Catalog
from sev1.catalog.model.declaration import DeclarationPolicy
from sev1.catalog.model.diagnostics import Diagnostic
from sev1.catalog.model.fields import Link, MildSeverity, Object, Seconds, SeverityName, Slug, Text, Tier
from sev1.catalog.model.on_call import Layer, Length, Override, Restriction, Rotation, Schedule, Weekday
from sev1.catalog.model.organisation import Organisation
from sev1.catalog.model.people import Awake, Person, ShiftLimits, Team
from sev1.catalog.model.policies import (
    EscalationPolicy,
    Hold,
    PersonTarget,
    ScheduleTarget,
    Step,
    Target,
    TeamTarget,
    Wait,
    WaitBySeverity,
    When,
    Windows,
)
from sev1.catalog.model.quiet import InhibitRule, Maintenance
from sev1.catalog.model.routing import Expected, Flapping, Route, RouteTest
from sev1.catalog.model.senders import Cel, Mapping
from sev1.catalog.model.services import ResponsePlan, Runbook, Service
from sev1.catalog.model.severities import DEFAULT_SEVERITIES, Severity
from sev1.catalog.model.watches import (
    Check,
    Composite,
    DnsProbe,
    Heartbeat,
    Host,
    HttpProbe,
    Period,
    Port,
    Probe,
    StatusFeed,
    TcpProbe,
    TlsProbe,
)

__all__ = [
    "DEFAULT_SEVERITIES",
    "KINDS",
    "Awake",
    "CalendarFeed",
    "Calendars",
    "Catalog",
    "Cel",
    "Check",
    "Composite",
    "DeclarationPolicy",
    "Diagnostic",
    "DnsProbe",
    "EscalationPolicy",
    "Expected",
    "Flapping",
    "Heartbeat",
    "Hold",
    "Host",
    "HttpProbe",
    "InhibitRule",
    "Layer",
    "Length",
    "Link",
    "Maintenance",
    "Mapping",
    "MildSeverity",
    "Object",
    "Organisation",
    "Override",
    "Period",
    "Person",
    "PersonTarget",
    "Port",
    "Probe",
    "ResponsePlan",
    "Restriction",
    "Rotation",
    "Route",
    "RouteTest",
    "Runbook",
    "Schedule",
    "ScheduleTarget",
    "Seconds",
    "Service",
    "Severity",
    "SeverityName",
    "ShiftLimits",
    "Slug",
    "StatusFeed",
    "Step",
    "Target",
    "TcpProbe",
    "Team",
    "TeamTarget",
    "Text",
    "Tier",
    "TlsProbe",
    "Wait",
    "WaitBySeverity",
    "Weekday",
    "When",
    "Windows",
]
