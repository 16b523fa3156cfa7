"""Overlaps before they happen: one person for several schedules at once, and two overrides for the same time."""

from datetime import UTC, date, datetime, timedelta

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Override, Person, Rotation, Schedule
from sev1.cli.catalog import cover_lines
from sev1.oncall.gaps import all_warnings, warnings

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday, 09:00 in Berlin: the hand-over
HOUR = timedelta(hours=1)


def schedule(name, *people, every="week", **more):
    rotation = Rotation(people=people, every=every, starts=date(2026, 3, 2))
    return Schedule(name=name, title=f"{name.title()} watch", time_zone="Europe/Berlin", rotation=rotation, **more)


def catalog(*schedules):
    people = {
        name: Person(
            name=name, full_name=name.title(), email=f"{name}@s.example", contact=(EmailMethod(address="a@s.example"),)
        )
        for name in ("ana", "bo", "cem")
    }
    return Catalog(people=people, schedules={one.name: one for one in schedules})


def overlaps(whole, **exceptions):
    found = all_warnings(whole, NOW, exceptions)
    return {name: [w for w in ws if w.kind == "overlap"] for name, ws in found.items()}


def test_one_person_on_call_for_two_schedules_at_once_is_said_under_both():
    found = overlaps(catalog(schedule("web", "ana", "bo"), schedule("shop", "ana", "cem"), schedule("quiet", "cem")))
    [one] = found["web"]
    assert (one.person, one.start, one.end) == ("ana", NOW, NOW + timedelta(days=7))
    assert one.sentence == (
        "Ana is on call for Web watch, Shop watch at once from Mon 2 Mar 09:00 until Mon 9 Mar 09:00 Europe/Berlin, "
        "and 2 more times until Wed 1 Apr 10:00."
    )
    assert one in found["shop"]
    assert {w.person for w in found["quiet"]} == {"cem"}


def test_shifts_that_only_meet_do_not_overlap():
    late = schedule("late", "bo", "ana")
    assert overlaps(catalog(schedule("web", "ana", "bo"), late)) == {"web": [], "late": []}


def test_three_schedules_at_once_are_one_warning():
    found = overlaps(catalog(*(schedule(name, "ana") for name in ("a", "b", "c"))))
    assert [w.sentence for w in found["b"]] == [
        "Ana is on call for more than one of A watch, B watch, C watch at once from Mon 2 Mar 09:00 until Wed 1 Apr 10:00 Europe/Berlin."
    ]


def test_an_override_can_make_an_overlap():
    whole = catalog(schedule("web", "ana"), schedule("shop", "bo"))
    assert overlaps(whole)["web"] == []
    cover = Override(person="ana", start=NOW + HOUR, end=NOW + 3 * HOUR)
    [one] = overlaps(whole, shop=[cover])["web"]
    assert (one.start, one.end) == (cover.start, cover.end)


def test_of_two_overrides_for_the_same_time_it_is_said_which_holds():
    whole = catalog(schedule("web", "ana"))
    first = Override(person="bo", start=NOW + HOUR, end=NOW + 5 * HOUR)
    second = Override(person="cem", start=NOW + 4 * HOUR, end=NOW + 9 * HOUR)
    [one] = warnings(whole, whole.schedules["web"], NOW, [first, second])
    assert (one.kind, one.start, one.end) == ("overlap", second.start, first.end)
    assert one.sentence == (
        "Bo and Cem both cover from Mon 2 Mar 13:00 until Mon 2 Mar 14:00 Europe/Berlin; "
        "Cem, who was entered later, holds."
    )


def test_plan_says_an_overlap_once():
    lines = cover_lines(catalog(schedule("web", "ana"), schedule("shop", "ana")), {}, NOW)
    assert len(lines) == 1
    assert lines[0].startswith("schedule web: Ana is on call for Web watch, Shop watch at once")
