"""People, and the teams they are in."""

from datetime import time
from typing import Annotated

from msgspec import Meta, Struct, field

from sev1.catalog.contact import ContactMethod
from sev1.catalog.model.calendars import Calendars
from sev1.catalog.model.fields import Object, Slug, Text


class Awake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    start: Annotated[time, Meta(tz=False)] = time(8, 0)
    end: Annotated[time, Meta(tz=False)] = time(22, 0)


class Person(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class Team(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    members: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    channel: str | None = None
    limits: ShiftLimits | None = None
    """What a healthy shift is here. An override, a swap or an apply that breaks it is refused unless a reason is given."""
