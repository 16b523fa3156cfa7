"""The coming weeks as a calendar of the visitor's days: who, from when, where nobody is."""

from datetime import UTC, date, datetime, time, timedelta

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Length, Override, Person, Rotation, Schedule
from sev1.oncall.schedule import shifts
from sev1.surfaces.web.month import month
from sev1.surfaces.web.on_call_view import joined

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
NAMES = {"ana": "Ana Ruiz", "bo": "Bo Lindqvist", "cem": "Cem Arslan", "zoe": "Ana Weiss"}


def weeks(*people, zone="Europe/Berlin", exceptions=(), me="nobody", days=28, now=NOW, **rotation):
    turns = {"every": "week", "hand_over_at": time(9), "starts": date(2026, 1, 5), **rotation}
    schedule = Schedule(name="s", title="S", time_zone="Europe/Berlin", rotation=Rotation(people=people, **turns))
    whole = Catalog(
        people={
            name: Person(name=name, full_name=full, email=f"{name}@s.example", contact=(EmailMethod(address="a@b.c"),))
            for name, full in NAMES.items()
        }
    )
    coming = joined(shifts(schedule, now, now + timedelta(days=days), exceptions))
    return month(coming, whole, me, zone, now, days)


def words(cell):
    return (cell.days, cell.title, *(f"{part.at} {part.short or 'nobody'}".strip() for part in cell.parts))


def test_days_in_which_nothing_changes_are_one_cell_and_a_hand_over_has_its_time():
    first, second, *rest = weeks("ana", "bo")
    assert [words(cell) for cell in first] == [(2, ""), (5, "4 Mar – 8", "Ana")]
    assert [words(cell) for cell in second] == [(1, "9", "Ana", "09:00 Bo"), (6, "10 – 15", "Bo")]
    assert len(rest) == 3
    assert [words(cell) for cell in rest[-1]] == [(1, "30", "Bo", "09:00 Ana"), (1, "31", "Ana"), (5, "")]


def test_every_row_is_a_week_of_seven_days():
    for row in weeks("ana", "bo", "cem", every="day"):
        assert sum(cell.days for cell in row) == 7


def test_the_days_are_the_visitors_own():
    [_, second, *_] = weeks("ana", "bo", zone="Pacific/Auckland")
    assert words(second[0]) == (1, "9", "Ana", "21:00 Bo")
    [_, second, *_] = weeks("ana", "bo", zone="Pacific/Honolulu")
    assert [words(cell) for cell in second] == [(6, "9 – 14", "Bo"), (1, "15", "Bo", "22:00 Ana")]


def test_where_nobody_is_on_call_is_a_part_of_the_day():
    first, second, *_ = weeks("ana", starts=date(2026, 3, 9))
    assert [words(cell) for cell in first][1] == (5, "4 Mar – 8", "nobody")
    assert first[1].gap
    assert words(second[0]) == (1, "9", "nobody", "09:00 Ana")
    assert (second[0].gap, second[1].gap) == (True, False)


def test_a_month_that_begins_is_named_and_today_is_marked():
    now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    first, *_ = weeks("ana", "bo", every="day", now=now)
    assert [cell.title for cell in first[:4]] == ["30 Mar", "31", "1 Apr", "2"]
    assert [cell.today for cell in first[:2]] == [True, False]


def test_who_covers_and_what_is_mine_is_marked():
    cover = Override(person="cem", start=NOW + timedelta(days=1), end=NOW + timedelta(days=1, hours=3))
    [first, *_] = weeks("ana", "bo", exceptions=[cover], me="cem")
    thursday = first[2]
    assert words(thursday) == (1, "5", "Ana", "13:00 Cem", "16:00 Ana")
    assert [part.covers for part in thursday.parts] == [False, True, False]
    assert [cell.mine for cell in first] == [False, False, True, False]


def test_two_people_of_one_first_name_keep_an_initial():
    [_, second, *_] = weeks("ana", "zoe")
    assert [part.short for part in second[0].parts] == ["Ana R.", "Ana W."]


def test_a_day_of_many_turns_says_how_many_are_left_out():
    [first, *_] = weeks("ana", "bo", every=Length(hours=2), hand_over_at=time(0))
    assert (len(first[2].parts), first[2].more) == (4, 8)


def test_clocks_that_change_move_no_day():
    rows = weeks("ana", "bo", every="day")
    titles = [cell.title for row in rows for cell in row if cell.title]
    assert titles[titles.index("28") :] == ["28", "29", "30", "31"]
