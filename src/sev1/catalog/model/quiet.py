"""What keeps alerts quiet by plan: inhibition and maintenance (mission 5.4)."""

from datetime import date, time
from typing import Annotated

from msgspec import Meta

from sev1.catalog.model.fields import Object, Slug, Text


class InhibitRule(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """While an alert matching `source` fires, alerts matching `target` with the same `equal` labels stay quiet."""

    source: Annotated[tuple[str, ...], Meta(min_length=1)]
    target: Annotated[tuple[str, ...], Meta(min_length=1)]
    equal: tuple[str, ...] = ()


class Maintenance(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
