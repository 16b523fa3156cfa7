"""What becomes of an alert, and the tests of that (missions 5.3, 5.5, 7.1)."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from sev1.catalog.model.fields import Object, Slug, Tier


class Flapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an alert counts as flapping. What flaps opens no second page until it is calm; its first page always goes."""

    changes: Annotated[int, Meta(ge=2, le=100)] = 6
    """It flaps with more changes of state than this within the window; firing is one, over is another."""
    window_min: Annotated[int, Meta(ge=1, le=180)] = 30
    calm_min: Annotated[int, Meta(ge=1, le=180)] = 15
    """So long without a change, it is calm again: what still fires then pages."""


class Route(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class RouteTest(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert and what must become of it: run by `sev1 plan` and `sev1 apply`, which refuse when one fails."""

    labels: Annotated[dict[str, str], Meta(min_length=1, max_length=64)]
    annotations: Annotated[dict[str, str], Meta(max_length=64)] = field(default_factory=dict)
    at: Annotated[datetime, Meta(tz=True)] | None = None
    """The instant at which it fires; without it: when the test is run."""
    expect: Expected
