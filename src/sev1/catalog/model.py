"""The catalog: who and what exists before an incident. Loaded whole, immutable, compared by value.

Written as YAML by its owners (`sev1 apply DIR`), one or many objects a file; runbooks are Markdown.
Names are slugs (`[a-z0-9][a-z0-9-]*`) and are what objects refer to each other by.
"""

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from sev1.catalog.audience import SHIPPED as SHIPPED_AUDIENCES
from sev1.catalog.audience import Audience
from sev1.catalog.contact import ContactMethod, Url
from sev1.catalog.term import Term

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$(?!\n)", description="lower-case name")]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Seconds = Annotated[int, Meta(ge=0, le=7 * 24 * 3600)]

Tier = Literal["page", "ticket", "fyi"]
"""What an alert may cost: wake somebody, enter a backlog, or only be shown (mission 5.5)."""


class _Object(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Slug


class Awake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    start: Annotated[time, Meta(tz=False)] = time(8, 0)
    end: Annotated[time, Meta(tz=False)] = time(22, 0)


class CalendarFeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A calendar that is read (iCalendar, RFC 5545): every event of it counts, whatever it is called."""

    title: Annotated[str, Meta(min_length=1, max_length=80)]
    """What it is called where it decides something."""
    url: Url | None = None
    url_env: Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,99}$(?!\n)")] | None = None
    """Instead: name of the environment variable that holds the address, for one that must stay secret."""
    every_s: Annotated[int, Meta(ge=300, le=24 * 3600)] = 3600
    """How often it is asked."""

    def __post_init__(self) -> None:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("a calendar has either a `url` or a `url_env`")


Calendars = Annotated[tuple[CalendarFeed, ...], Meta(max_length=5)]


class Person(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    full_name: Text
    email: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)", max_length=254)]
    time_zone: str = "UTC"
    holidays: Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$(?!\n)")] | None = None
    """Whose public holidays they have: a country or a part of one (ISO 3166), such as `DE-BY`."""
    leave_calendars: Calendars = ()
    """Calendars whose events are their leave."""
    awake: Awake = field(default_factory=Awake)
    """When they are usually awake, in their own zone."""
    contact: Annotated[tuple[ContactMethod, ...], Meta(min_length=1, max_length=20)]
    """In the order the person wants to be reached: the next is tried when one fails. Settings may change it."""
    contact_low_urgency: Annotated[tuple[ContactMethod, ...], Meta(max_length=20)] = ()
    """The same for what need not wake anybody, such as an all-clear. Empty: as `contact`."""


class ShiftLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rest_h: Annotated[int, Meta(ge=1, le=168)] | None = None
    """Hours of rest between two shifts of the same person."""
    consecutive_weeks: Annotated[int, Meta(ge=1, le=52)] | None = None
    """How many weeks in a row, with no whole week off between shifts, the same person may be on call."""
    night_pages: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Pages between 22:00 and 07:00 in the last seven days after which a person gets no further shift."""


class Team(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    members: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    channel: str | None = None
    limits: ShiftLimits | None = None
    """What a healthy shift is here. An override, a swap or an apply that breaks it is refused unless a reason is given."""


class Link(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    url: Url


class Service(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    description: str = ""
    owner: Slug
    """The owning team."""
    tier: Annotated[int, Meta(ge=1, le=4)] = 3
    """1 is what the business stops without, 4 is nice to have."""
    depends_on: tuple[Slug, ...] = ()
    policy: Slug | None = None
    """The escalation policy; without one the route's applies."""
    runbook: Slug | None = None
    links: tuple[Link, ...] = ()
    impact: str = ""
    """What users feel when it is down, in their words: shown on the page that wakes somebody."""
    inhibit_dependents: bool | None = None
    """Whether its paging alerts hold the alerts of what depends on it. Unset: as the organisation says."""


class Severity(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`name` is `sev-0` … `sev-5`; a lower rank is worse."""

    name: Annotated[str, Meta(pattern=r"^sev-[0-5]$(?!\n)")]
    title: Text
    impact: Text
    respond_within_s: Seconds | None
    """Response target: 0 is immediate, None is "monitor only"."""
    update_every_min: Annotated[int, Meta(ge=5, le=1440)] | None = 30
    examples: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        return int(self.name[-1])

    @property
    def label(self) -> str:
        return self.name.upper()


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Length(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a shift lasts by the clock on the wall: `{days: 3}`, `{hours: 12}`."""

    days: Annotated[int, Meta(ge=0, le=366)] = 0
    hours: Annotated[int, Meta(ge=0, le=8784)] = 0

    def __post_init__(self) -> None:
        if self.days + self.hours == 0:
            raise ValueError("a shift lasts at least one hour: give `days` or `hours`")


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    people: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=200)]
    every: Literal["day", "week"] | Length = "week"
    """How long each turn lasts: `day`, `week`, `{days: n}` or `{hours: n}`, by the clock on the wall."""
    hand_over_at: Annotated[time, Meta(tz=False)] = time(9, 0)
    """Local wall time in the schedule's zone."""
    hand_over_on: Weekday = "monday"
    """For weekly rotations."""
    starts: date
    """The first person's first shift begins on the first hand-over at or after this day."""


class Restriction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, cache_hash=True):
    """A window of local time in which a layer holds."""

    days: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)] = (
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    )
    """The days on which the window begins."""
    start: Annotated[time, Meta(tz=False)] = time(0, 0)
    """Local wall time at which the window begins."""
    end: Annotated[time, Meta(tz=False)] = time(0, 0)
    """Local wall time at which it ends: on the next day when it is not after `start`. Both equal is a whole day."""


class Layer(Rotation, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rotation among others of the same schedule. Where several hold, the one written last decides."""

    title: str = ""
    time_zone: str | None = None
    """For hand-overs and restrictions; without it the schedule's."""
    ends: date | None = None
    """The layer holds until the hand-over time of this day."""
    restrictions: Annotated[tuple[Restriction, ...], Meta(max_length=50)] = ()
    """The layer holds only inside these windows; without any, always."""


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    person: Slug
    start: Annotated[datetime, Meta(tz=True)]
    end: Annotated[datetime, Meta(tz=True)]
    reason: str = ""

    def __post_init__(self) -> None:
        for edge in ("start", "end"):
            instant: datetime = getattr(self, edge)
            if instant.tzinfo is None:
                raise ValueError(f"the {edge} of an override needs a time zone")
            msgspec.structs.force_setattr(self, edge, instant.astimezone(UTC))


class Schedule(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    time_zone: str = "UTC"
    rotation: Rotation | None = None
    """Short for a single layer without restrictions."""
    layers: Annotated[tuple[Layer, ...], Meta(max_length=50)] = ()
    """The last that holds decides; where none holds, nobody is on call."""
    on_leave: Literal["next", "gap"] = "next"
    """Whose turn it is while they are on leave: the next in the rotation, or nobody of this layer."""
    on_holiday: Literal["stay", "next", "gap"] = "stay"
    """The same for public holidays of the person's region; `stay` keeps them on call."""
    holiday_calendars: Calendars = ()
    """Calendars whose events are public holidays for everybody who takes turns here."""
    overrides: tuple[Override, ...] = ()
    """Standing overrides written as code; those made on the page are kept beside the catalog."""

    def __post_init__(self) -> None:
        if (self.rotation is None) == (not self.layers):
            raise ValueError("a schedule has either a `rotation` or `layers`")

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who takes turns, once, in the order of the layers."""
        turns: tuple[Rotation, ...] = (self.rotation,) if self.rotation else self.layers
        return tuple(dict.fromkeys(person for turn in turns for person in turn.people))

    @property
    def duty(self) -> str:
        """What somebody is on call for: `Payments` for a schedule called `Payments on-call`."""
        return self.title.removesuffix(" on-call").removesuffix(" on call")


class PersonTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="person"):
    name: Slug


class ScheduleTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="schedule"):
    name: Slug


class TeamTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="team"):
    """Everyone in the team: the last resort."""

    name: Slug


Target = PersonTarget | ScheduleTarget | TeamTarget


SeverityName = Annotated[str, Meta(pattern=r"^sev-[0-5]$(?!\n)")]
MildSeverity = Annotated[str, Meta(pattern=r"^sev-[2-5]$(?!\n)")]
Wait = Annotated[int, Meta(ge=10, le=24 * 3600)]
Windows = Annotated[tuple[Restriction, ...], Meta(max_length=20)]


class When(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must hold for a step to be taken: all that is written. A page without a severity counts as the worst."""

    severity_at_least: SeverityName | None = None
    """This severity or a worse one."""
    severity_at_most: SeverityName | None = None
    """This severity or a milder one."""
    hours: Windows = ()
    """Windows of local time, one of which must hold."""
    hours_of: Literal["policy", "person"] = "policy"
    """Whose clock: the policy's zone, or each person's own. By their own, those for whom it does not hold are left out."""


class WaitBySeverity(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={f"sev_{n}": f"sev-{n}" for n in range(6)},
):
    sev_0: Wait | None = None
    sev_1: Wait | None = None
    sev_2: Wait | None = None
    sev_3: Wait | None = None
    sev_4: Wait | None = None
    sev_5: Wait | None = None


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is not written is not stored either, so a release without the newer fields reads policies without them."""

    targets: Annotated[tuple[Target, ...], Meta(min_length=1)]
    wait_s: Wait = 300
    """How long this step has to be acknowledged before the next is paged."""
    wait_s_by_severity: WaitBySeverity | None = None
    """The same for single severities: `{sev-1: 30}`."""
    when: When | None = None
    """What must hold; otherwise the step is skipped, and the page says why."""
    round_robin: bool = False
    """One person a page: whose turn was longest ago. Teams count as their members."""
    prefer: Literal["awake"] | None = None
    """Those who are awake by their own clock are asked first, the others after half of the wait."""

    def wait_for(self, severity: str | None) -> int:
        """Seconds that a page of `severity` waits at this step."""
        waits = self.wait_s_by_severity
        own: int | None = getattr(waits, severity.replace("-", "_"), None) if waits and severity else None
        return self.wait_s if own is None else own


_OFFICE = (
    Restriction(days=("monday", "tuesday", "wednesday", "thursday", "friday"), start=time(9, 0), end=time(17, 0)),
)


class Hold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pages that may wait until somebody is at work. What has no severity never waits."""

    severity_at_most: MildSeverity = "sev-3"
    """This severity or a milder one waits. SEV-0 and SEV-1 cannot."""
    hours: Annotated[tuple[Restriction, ...], Meta(min_length=1, max_length=20)] = _OFFICE
    """When people are paged at once, in the policy's zone."""


class EscalationPolicy(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    title: Text
    time_zone: str = "UTC"
    """For `hours` of steps and of `hold`."""
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=20)]
    repeat: Annotated[int, Meta(ge=0, le=20)] = 2
    """How often the whole list is started again when nobody answers."""
    pause_s: Annotated[int, Meta(ge=0, le=24 * 3600)] = 0
    """How long to wait between the end of the list and its next start, on top of the last step's wait."""
    hold: Hold | None = None
    """Mild pages outside of office hours wait until these begin."""
    unattended_after_s: Seconds = 1800
    """An acknowledged page without an incident, a snooze or a new sign of life is paged again after this; 0 is never."""


class Flapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an alert counts as flapping. What flaps opens no second page until it is calm; its first page always goes."""

    changes: Annotated[int, Meta(ge=2, le=100)] = 6
    """It flaps with more changes of state than this within the window; firing is one, over is another."""
    window_min: Annotated[int, Meta(ge=1, le=180)] = 30
    calm_min: Annotated[int, Meta(ge=1, le=180)] = 15
    """So long without a change, it is calm again: what still fires then pages."""


class Route(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Routes are tried by `order`, then name; the first that matches decides."""

    order: Annotated[int, Meta(ge=0, le=100000)] = 100
    match: tuple[str, ...] = ()
    """Alertmanager matchers, all of which must hold: `severity="critical"`, `env=~"prod|live"`. Empty matches all."""
    tier: Tier | None = None
    """Overrides the tier that the alert's own severity gives it."""
    policy: Slug | None = None
    """Overrides the service's escalation policy."""
    severity: str | None = None
    """Severity suggested for an incident declared from such an alert."""
    group_by: tuple[str, ...] = ("alertname", "service")
    group_by_dependency: bool = False
    """Alerts join the open page of a service that theirs depends on, or of one that depends on the same."""
    group_hops: Annotated[int, Meta(ge=1, le=5)] = 2
    """How many dependencies away the common upstream service may be."""
    group_limit: Annotated[int, Meta(ge=2, le=10_000)] | None = None
    """From this many alerts on, those that join a page say how many it holds."""
    flapping: Flapping = Flapping()
    channel: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    """The channel of the team and environment, such as `#api-prod`: named in the verdict."""


class InhibitRule(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """While an alert matching `source` fires, alerts matching `target` with the same `equal` labels stay quiet."""

    source: Annotated[tuple[str, ...], Meta(min_length=1)]
    target: Annotated[tuple[str, ...], Meta(min_length=1)]
    equal: tuple[str, ...] = ()


Cel = Annotated[str, Meta(min_length=1, max_length=1000)]
"""An expression in CEL; `payload` is what came in, `item` one entry of `each`."""


class Mapping(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the JSON of a sender that we have no format for becomes events. Each field is an expression in CEL."""

    each: Cel | None = None
    """Gives the list of events inside the payload; the other expressions then know each of them as `item`."""
    summary: Cel
    key: Cel | None = None
    """What makes two events the same problem."""
    status: Cel | None = None
    """Gives `firing`, `acknowledged` or `resolved`."""
    severity: Cel | None = None
    service: Cel | None = None
    labels: dict[str, Cel] = {}
    """The labels by name, each with its expression."""
    starts_at: Cel | None = None


Period = Annotated[int, Meta(ge=10, le=7 * 24 * 3600)]


class Heartbeat(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sign of life that is expected; when it does not come, that is an alert."""

    service: Slug | None = None
    severity: Text = "critical"
    """Becomes the label `severity` of the alert."""
    every_s: Period
    """How often it is expected."""
    grace_s: Seconds = 60
    """How late it may be."""
    summary: str = ""
    """What the alert says; without it: that the heartbeat was missed."""


Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,253}$(?!\n)")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class HttpProbe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="http"):
    url: Url
    status: Annotated[tuple[Annotated[int, Meta(ge=100, le=599)], ...], Meta(max_length=50)] = (200,)
    """Any of these is right."""
    contains: Annotated[str, Meta(max_length=1000)] | None = None
    """Text that the body holds, in its first 64 kB."""
    pattern: Annotated[str, Meta(max_length=1000)] | None = None
    """A regular expression (RE2) that is found in the body."""
    slower_than_ms: Annotated[int, Meta(ge=1, le=60_000)] | None = None
    """An answer that takes longer is a failure."""


class TcpProbe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="tcp"):
    host: Host
    port: Port


class TlsProbe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="tls"):
    host: Host
    port: Port = 443
    server_name: Host | None = None
    """The name that the certificate must be for; without it: `host`."""
    days_left: Annotated[int, Meta(ge=0, le=365)] = 14
    """A certificate that ends in fewer days is a failure."""


class DnsProbe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="dns"):
    host: Host
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "TXT"] = "A"
    expect: Annotated[tuple[str, ...], Meta(max_length=50)] = ()
    """All answers, in any order; empty: any answer will do."""
    server: Host | None = None
    """Address of the name server to ask; without it: the system's."""
    port: Port = 53


Probe = HttpProbe | TcpProbe | TlsProbe | DnsProbe


class Check(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A synthetic check: sev1 itself tries something again and again."""

    probe: Probe
    service: Slug | None = None
    severity: Text = "critical"
    """Becomes the label `severity` of the alert."""
    every_s: Period = 60
    timeout_s: Annotated[int, Meta(ge=1, le=30)] = 10
    fail_after: Annotated[int, Meta(ge=1, le=20)] = 2
    """Failures in a row until it is an alert."""
    recover_after: Annotated[int, Meta(ge=1, le=20)] = 1
    """Successes in a row until the alert ends."""


class Composite(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alert made of several, or of many occurrences."""

    summary: Text
    match: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)]
    """Alertmanager matchers, one condition an entry; an entry may hold several with commas between them."""
    at_least: Annotated[int, Meta(ge=1, le=20)] | None = None
    """How many of the conditions must fire at once; without it: all."""
    count: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    """Instead of conditions: how many occurrences of matching alerts within the window are too many."""
    window_s: Period = 300
    """The alerts must have come in within so many seconds of each other; with `count`, what is counted."""
    service: Slug | None = None
    severity: Text = "critical"
    """Becomes the label `severity` of the alert."""


class StatusFeed(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor's status page; each open incident there becomes an alert here."""

    url: Url
    format: Literal["statuspage", "rss", "atom"] = "statuspage"
    """`statuspage` is `summary.json` or `incidents.json`."""
    service: Slug | None = None
    """The vendor as a service of the catalog."""
    every_s: Annotated[int, Meta(ge=60, le=24 * 3600)] = 300
    severities: dict[Literal["critical", "major", "minor", "none", "maintenance"], Text] = {}
    """Label `severity` by the vendor's impact; without it: critical, warning, warning, info, info."""


class Maintenance(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Planned work: while a window lasts, alerts of its services, or that match, stay quiet.

    A window begins at `at`, in the wall time of `time_zone`, on every day that all given fields allow. The fields for
    days are those of Alertmanager's `time_intervals`, ranges included.
    """

    title: Text
    owner: Slug
    """The team that answers for it."""
    reason: Text
    services: tuple[Slug, ...] = ()
    match: tuple[str, ...] = ()
    """Alertmanager matchers, all of which must hold. With `services`, both must hold."""
    time_zone: str = "UTC"
    at: Annotated[time, Meta(tz=False)]
    """Local wall time. A time that the clocks skip begins as much later; one that comes twice begins the first time."""
    duration_min: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]
    """Elapsed minutes, whatever the clocks do meanwhile."""
    on: date | None = None
    """Once, on this day."""
    weekdays: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    """Weekly: `sunday`, `monday:friday`."""
    days_of_month: Annotated[tuple[str, ...], Meta(max_length=40)] = ()
    """Monthly: `1`, `1:7`; from the end `-1`, `-3:-1`. With `weekdays` both must hold: `sunday` and `1:7` is the first."""
    months: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    """`december`, `6:8`."""
    years: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    """`2026`, `2026:2028`."""
    starts: date | None = None
    until: date | None = None
    """The last day on which a window may begin."""


class Runbook(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Markdown file; `name` is the file's stem, `title` its first heading."""

    title: Text
    body: str

    @property
    def first_step(self) -> str:
        """The first checklist or list item: what to try first."""
        for line in self.body.splitlines():
            text = line.strip()
            for lead in ("- [ ] ", "- [x] ", "- ", "* ", "1. "):
                if text.startswith(lead):
                    return text.removeprefix(lead).strip()
        return ""


class ResponsePlan(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known about alerts of one type, for whoever is woken by one. Figures from history stand beside it."""

    title: Text
    order: Annotated[int, Meta(ge=0, le=100000)] = 100
    """Plans are tried by `order`, then name; the first that matches is shown."""
    match: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)]
    """Alertmanager matchers, all of which must hold."""
    check_first: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    """What to look at before anything else, in order."""
    known_issues: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    steady_state: Annotated[str, Meta(max_length=500)] = ""
    """What normal looks like, in numbers."""
    false_positives: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    """When it fired and nothing was wrong, and how to tell."""
    experts: Annotated[tuple[Slug, ...], Meta(max_length=20)] = ()
    dashboards: Annotated[tuple[Link, ...], Meta(max_length=10)] = ()


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a route test expects; what is left out is not looked at. "" expects that there is none."""

    tier: Tier | None = None
    service: str | None = None
    route: str | None = None
    policy: str | None = None
    group: dict[str, str] | None = None
    """The labels by which it is grouped, with their values."""
    silenced: bool | None = None
    """Whether a maintenance window holds it."""
    people: tuple[Slug, ...] | None = None
    """Whom the first step of the policy pages, in any order. Needs `at`."""


class RouteTest(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert and what must become of it: run by `sev1 plan` and `sev1 apply`, which refuse when one fails."""

    labels: Annotated[dict[str, str], Meta(min_length=1, max_length=64)]
    annotations: Annotated[dict[str, str], Meta(max_length=64)] = {}
    at: Annotated[datetime, Meta(tz=True)] | None = None
    """The instant at which it fires; without it: when the test is run."""
    expect: Expected


class Organisation(_Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    announce: tuple[ContactMethod, ...] = ()
    """Where declarations, updates and the all-clear of incidents are announced."""
    fallback_policy: Slug | None = None
    """Who is paged for what no route and no service claims. A required safety net once any route pages."""
    silence_warns_from_percent: Annotated[int, Meta(ge=1, le=100)] = 20
    """A silence that hid alerts of this share of the services in the last week needs a confirmation."""
    fallback_owner: Slug | None = None
    """The team that gives a home to what nobody routes."""
    inhibit_dependents: bool = False
    """While a service's alert pages, alerts of what depends on it are held. Off unless asked: it trusts `depends_on`."""
    inhibit_worst: bool = False
    """Hold as well what suggests SEV-0 or SEV-1, and alerts of tier-1 services. Off: those page whatever their cause."""
    inhibit_hops: Annotated[int, Meta(ge=1, le=10)] = 3
    """How many dependencies away a cause may be."""
    risk_days_max: Annotated[int, Meta(ge=1, le=730)] = 90
    """For how many days a risk may be accepted at a time."""
    risk_remind_days: Annotated[tuple[Annotated[int, Meta(ge=1, le=90)], ...], Meta(max_length=5)] = (7, 1)
    """How many days before its end an accepted risk is brought to mind."""
    audiences: Annotated[tuple[Audience, ...], Meta(max_length=20)] = SHIPPED_AUDIENCES
    """Who is told how an incident goes besides those who work on it, each in a rhythm of their own."""


class Catalog(Struct, frozen=True, kw_only=True):
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
    response_plans: dict[str, ResponsePlan] = field(default_factory=dict)
    route_tests: dict[str, RouteTest] = field(default_factory=dict)
    runbooks: dict[str, Runbook] = field(default_factory=dict)
    glossary: dict[str, Term] = field(default_factory=dict)
    """The organisation's own words; `glossary.glossary_of` has the shipped ones as well."""

    def person_by_email(self, email: str) -> Person | None:
        wanted = email.casefold()
        return next((p for p in self.people.values() if p.email.casefold() == wanted), None)

    def severities_worst_first(self) -> list[Severity]:
        return sorted(self.severities.values(), key=lambda s: s.rank)


KINDS: dict[str, tuple[str, type[_Object | Term]]] = {
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
    "response-plan": ("response_plans", ResponsePlan),
    "route-test": ("route_tests", RouteTest),
    "glossary-term": ("glossary", Term),
    "runbook": ("runbooks", Runbook),
}
"""`kind:` in a file -> the field of `Catalog` that holds it, and its type."""

DEFAULT_SEVERITIES: dict[str, Severity] = {
    s.name: s
    for s in (
        Severity(
            name="sev-1",
            title="Major outage",
            impact="Core features are down or badly degraded for many users",
            respond_within_s=180,
            update_every_min=30,
        ),
        Severity(
            name="sev-2",
            title="Moderate impact",
            impact="Several services or many users are affected; a workaround may exist",
            respond_within_s=300,
            update_every_min=30,
        ),
        Severity(
            name="sev-3",
            title="Degraded experience",
            impact="One service or a minor feature is affected",
            respond_within_s=900,
            update_every_min=60,
        ),
    )
}
"""Used when the catalog names none (mission 1.3: start with SEV-1 to SEV-3)."""
