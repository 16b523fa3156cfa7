"""Calendars that are read: leave of people, holidays of schedules."""

from typing import Annotated

from msgspec import Meta, Struct

from sev1.catalog.contact import Url


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
