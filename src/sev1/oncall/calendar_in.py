"""Somebody else's calendar, read: bytes in, events out (RFC 5545). Pure, and the only place that trusts nothing in them.

All days count from midnight to midnight in the zone of whoever the calendar is for, and times without a zone are read in
it. What has been cancelled does not count. Rules may go on for ever: only the asked window is worked out.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

BODY_MAX = 1024 * 1024
EVENTS_MAX = 500
"""Within the window."""
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What goes on beyond is cut here, and not at the window's edges: those move with each reading."""
ENTRIES_MAX = 5000
"""Written in the file, whenever they take place."""
SUMMARY_MAX = 120


class CalendarUnreadable(Exception):
    """The sentence says why."""


class Event(Struct, frozen=True, order=True):
    """`start` <= t < `end`, both in UTC."""

    start: datetime
    end: datetime
    summary: str = ""


def read(body: bytes, zone: str, since: datetime, until: datetime) -> list[Event]:
    """The events that hold an instant of `since` <= t < `until`, in order. Raises CalendarUnreadable.

    It ends for every input, but nothing says when: call it where it can be stopped.
    """
    _refuse(body)
    import icalendar  # noqa: PLC0415 - half a second that most commands need not pay
    import recurring_ical_events  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        calendar = icalendar.Calendar.from_ical(body)
        _cut_eternity(calendar)
        found = [_event(one, ZoneInfo(zone)) for one in _happening(recurring_ical_events, calendar, since, until)]
    except CalendarUnreadable:
        raise
    except Exception as error:
        # Two libraries and what they are given decide what is raised; to whoever reads it, it is one thing.
        raise CalendarUnreadable(f"It cannot be read ({_line(str(error))[:100] or type(error).__name__}).") from error
    cut = {
        Event(start=max(one.start, EARLIEST), end=min(one.end, LATEST), summary=one.summary)
        for one in found
        if one is not None and one.start < one.end and one.start < until and one.end > since
    }
    return sorted(cut)


def _refuse(body: bytes) -> None:
    if len(body) > BODY_MAX:
        raise CalendarUnreadable(f"It is larger than {BODY_MAX // 1024} kB; that is not read.")
    start = body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper()
    if start.startswith(b"<"):
        raise CalendarUnreadable("It is a web page, no calendar. Take the address that ends in .ics.")
    if start != b"BEGIN:VCALENDAR":
        raise CalendarUnreadable("It is no calendar: it does not begin with BEGIN:VCALENDAR.")
    if b"END:VCALENDAR" not in body.upper():
        raise CalendarUnreadable("It breaks off before its end.")
    entries = body.upper().count(b"BEGIN:V")
    if entries > ENTRIES_MAX:
        raise CalendarUnreadable(f"It holds {entries} entries; {ENTRIES_MAX} is the most.")


def _cut_eternity(calendar: Any) -> None:
    """Some write the year 9999 for "until further notice", with which nobody can count."""
    for one in calendar.walk("VEVENT"):
        end = getattr(one.get("DTEND"), "dt", None)
        if isinstance(end, date) and end.year > LATEST.year:
            end = end.replace(year=LATEST.year, month=1, day=1)
            del one["DTEND"]
            one.add("DTEND", end)


def _happening(library: Any, calendar: Any, since: datetime, until: datetime) -> Iterator[Any]:
    for count, one in enumerate(library.of(calendar).between(since, until), start=1):
        if count > EVENTS_MAX:
            raise CalendarUnreadable(f"It holds more than {EVENTS_MAX} events in the coming year.")
        yield one


def _event(component: Any, zone: ZoneInfo) -> Event | None:
    if str(component.get("STATUS", "")).upper() == "CANCELLED":
        return None
    start, end = _instant(component["DTSTART"].dt, zone), _instant(component["DTEND"].dt, zone)
    return Event(start=start, end=end, summary=_line(str(component.get("SUMMARY", "")))[:SUMMARY_MAX])


def _instant(at: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(), zone)
    elif at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC)


def _line(text: str) -> str:
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.encode("utf-8", "replace").decode().split())


def joined(events: Iterable[Event]) -> list[Event]:
    """Events of the same name that meet or overlap, as one: a week of single days is one leave."""
    whole: list[Event] = []
    for one in sorted(events, key=lambda e: (e.summary, e.start)):
        last = whole[-1] if whole else None
        if last and last.summary == one.summary and one.start <= last.end:
            whole[-1] = Event(start=last.start, end=max(last.end, one.end), summary=one.summary)
        else:
            whole.append(one)
    return sorted(whole)
