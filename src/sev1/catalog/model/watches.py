"""What sev1 looks at by itself: heartbeats, checks, composites, vendors' status pages (mission 1.2)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from sev1.catalog.contact import Url
from sev1.catalog.model.fields import Object, Seconds, Slug, Text

Period = Annotated[int, Meta(ge=10, le=7 * 24 * 3600)]


class Heartbeat(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class Check(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class Composite(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class StatusFeed(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor's status page; each open incident there becomes an alert here."""

    url: Url
    format: Literal["statuspage", "rss", "atom"] = "statuspage"
    """`statuspage` is `summary.json` or `incidents.json`."""
    service: Slug | None = None
    """The vendor as a service of the catalog."""
    every_s: Annotated[int, Meta(ge=60, le=24 * 3600)] = 300
    severities: dict[Literal["critical", "major", "minor", "none", "maintenance"], Text] = field(default_factory=dict)
    """Label `severity` by the vendor's impact; without it: critical, warning, warning, info, info."""
