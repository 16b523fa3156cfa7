"""Shifts as an iCalendar feed (RFC 5545). Pure: the same shifts and the same change give the same bytes."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from icalendar import Calendar, Event
from msgspec import Struct

from sev1.oncall.schedule import Shift


class CalendarShift(Struct, frozen=True, kw_only=True):
    schedule: str
    title: str
    """The schedule's title."""
    name: str
    """The person's full name."""
    shift: Shift


def render(title: str, found: Iterable[CalendarShift], *, sequence: int, changed_at: datetime, url: str) -> bytes:
    """The feed. Instants are in UTC, so it needs no VTIMEZONE and no change of clocks moves an event.

    `sequence` grows with every change of the on-call plan and `changed_at` is its time: they become SEQUENCE and DTSTAMP,
    so a client takes a shift whose end has moved as a newer version of the same event.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//sev1//on-call//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", title)
    for one in found:
        shift = one.shift
        event = Event()
        event.add("uid", uid_of(one.schedule, shift))
        event.add("sequence", sequence)
        event.add("dtstamp", changed_at.astimezone(UTC))
        event.add("dtstart", shift.start.astimezone(UTC))
        event.add("dtend", shift.end.astimezone(UTC))
        event.add("summary", f"{one.name} on call: {one.title}")
        event.add("url", url)
        if shift.reason:
            event.add("description", shift.reason)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def uid_of(schedule: str, shift: Shift) -> str:
    """The same for the same person's shift that begins at the same instant, however it ends."""
    key = f"{schedule}\n{shift.person}\n{shift.start.astimezone(UTC).isoformat()}"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}@sev1"
