"""Calendars of others: what they mean, and what they cannot do to us."""

from datetime import UTC, datetime, timedelta

import pytest

from sev1.oncall import calendar_process
from sev1.oncall.calendar_in import BODY_MAX, ENTRIES_MAX, EVENTS_MAX, CalendarUnreadable, Event, joined, read

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=366)


def calendar(*entries: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for n, entry in enumerate(entries):
        lines += ["BEGIN:VEVENT", f"UID:{n}@test", "DTSTAMP:20260101T000000Z", *entry.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def events(*entries: str, zone: str = "Europe/Berlin") -> list[Event]:
    return read(calendar(*entries), zone, SINCE, UNTIL)


def test_a_day_is_from_midnight_to_midnight_of_whoever_it_is_for():
    [one] = events("DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330\nSUMMARY:Off")
    assert one == Event(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC), "Off")
    [there] = events("DTSTART;VALUE=DATE:20260329", zone="America/New_York")
    assert there.start == datetime(2026, 3, 29, 4, tzinfo=UTC)


def test_a_time_counts_in_its_own_zone_and_without_one_in_that_of_whoever_it_is_for():
    found = events(
        "DTSTART;TZID=America/New_York:20260401T090000\nDURATION:PT2H",
        "DTSTART:20260402T090000\nDTEND:20260402T100000",
        "DTSTART:20260403T090000Z\nDTEND:20260403T100000Z",
    )
    assert [one.start.hour for one in found] == [13, 7, 9]
    assert found[0].end - found[0].start == timedelta(hours=2)


def test_what_repeats_is_worked_out_for_the_window_alone_also_when_it_never_ends():
    yearly = events("DTSTART;VALUE=DATE:19990501\nRRULE:FREQ=YEARLY\nSUMMARY:May Day")
    assert [one.start.date().isoformat() for one in yearly] == ["2026-04-30"]
    weekly = events("DTSTART;VALUE=DATE:20260302\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;VALUE=DATE:20260309")
    assert len(weekly) == 2


def test_what_was_cancelled_does_not_count_nor_what_has_no_length():
    assert events("DTSTART;VALUE=DATE:20260401\nSTATUS:CANCELLED") == []
    assert events("DTSTART:20260402T090000Z\nDTEND:20260402T090000Z") == []


def test_a_leave_that_began_before_the_window_counts_whole_and_one_without_an_end_ends_in_2200():
    [one] = events("DTSTART;VALUE=DATE:20260201\nDTEND;VALUE=DATE:20260401")
    assert one.start == datetime(2026, 1, 31, 23, tzinfo=UTC)
    [ever] = events("DTSTART;VALUE=DATE:20260401\nDTEND;VALUE=DATE:99991231")
    assert ever.end == datetime(2199, 12, 31, 23, tzinfo=UTC)


def test_days_that_meet_are_one_leave():
    days = events(*(f"DTSTART;VALUE=DATE:202604{day:02}\nSUMMARY:Off" for day in (6, 7, 8, 10)))
    assert [one.end - one.start for one in joined(days)] == [timedelta(days=3), timedelta(days=1)]


def test_a_summary_is_one_short_line_of_printable_text():
    [one] = events("DTSTART;VALUE=DATE:20260401\nSUMMARY:a\\nb\x07\u202ec" + "x" * 500)
    assert one.summary.startswith("a b c")
    assert len(one.summary) == 120


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<!doctype html><html>Sign in</html>", "It is a web page, no calendar"),
        (b"", "It is no calendar"),
        (b"{}", "It is no calendar"),
        (b"\x1f\x8b\x08" + b"\0" * 100, "It is no calendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "It breaks off before its end"),
        (calendar("DTSTART:yesterday"), "It cannot be read"),
        (calendar("SUMMARY:no start"), "It cannot be read"),
        (calendar("DTSTART:20260401T090000Z\nRRULE:FREQ=OFTEN"), "It cannot be read"),
        (b"BEGIN:VCALENDAR\r\n" + b"\xff\xfe\x00" * 50 + b"\r\nEND:VCALENDAR", "It cannot be read"),
        (b"BEGIN:VCALENDAR\r\n" + b"x" * BODY_MAX + b"\r\nEND:VCALENDAR", "It is larger than 1024 kB"),
        (
            b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * (ENTRIES_MAX + 1) + b"END:VCALENDAR",
            "entries; 5000 is the most",
        ),
    ],
)
def test_what_is_no_calendar_is_refused_in_words(body, sentence):
    with pytest.raises(CalendarUnreadable, match=sentence):
        read(body, "UTC", SINCE, UNTIL)


def test_more_events_than_a_year_of_leave_can_hold_are_refused():
    hourly = "DTSTART:20260301T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY;COUNT=600"
    with pytest.raises(CalendarUnreadable, match=f"more than {EVENTS_MAX} events"):
        events(hourly)


async def test_a_calendar_is_worked_out_in_a_process_of_its_own():
    body = calendar("DTSTART;VALUE=DATE:20260329\nSUMMARY:Off")
    assert await calendar_process.read(body, "Europe/Berlin", SINCE, UNTIL) == read(body, "Europe/Berlin", SINCE, UNTIL)
    with pytest.raises(CalendarUnreadable, match="It is a web page"):
        await calendar_process.read(b"<html>", "UTC", SINCE, UNTIL)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60)))
        + ";BYSECOND=" + ",".join(map(str, range(60))),
    ],
)  # fmt: skip
async def test_a_rule_that_never_comes_to_an_end_is_stopped(rule):
    body = calendar(f"DTSTART:20000101T000000Z\nDURATION:PT1S\nRRULE:{rule}")
    with pytest.raises(CalendarUnreadable, match="It takes longer than 1 s to work out"):
        await calendar_process.read(body, "UTC", SINCE, UNTIL, time_max_s=1.0)


async def test_a_calendar_that_eats_memory_is_stopped():
    many = [
        f"DTSTART:20260301T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY;COUNT=100000\nSUMMARY:{n}" for n in range(40)
    ]
    with pytest.raises(CalendarUnreadable):
        await calendar_process.read(calendar(*many), "UTC", SINCE, UNTIL, time_max_s=3.0)
