"""Who is on call when: schedules with their layers, restrictions and overrides (mission 7.2)."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sev1.catalog.model.calendars import Calendars
from sev1.catalog.model.fields import Object, Slug, Text

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


class Schedule(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
