"""Who is on call, until when, who next; gaps in words."""

from datetime import UTC, date, datetime, time, timedelta

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Override, Person, Rotation, Schedule
from sev1.engine.steps import at_once
from sev1.oncall.resolve import in_force
from sev1.oncall.store import MadeOverride
from sev1.surfaces.web.on_call_view import ScheduleView, schedule_views_in_steps

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday


def person(name: str) -> Person:
    email = f"{name}@example.org"
    return Person(name=name, full_name=name.title(), email=email, contact=(EmailMethod(address=email),))


def catalog(*people: str, starts: date = date(2026, 1, 5)) -> Catalog:
    rotation = Rotation(people=people, every="week", hand_over_at=time(9), starts=starts)
    schedule = Schedule(name="s", title="Payments on-call", time_zone="Europe/Berlin", rotation=rotation)
    return Catalog(people={name: person(name) for name in ("ana", "bo", "cem")}, schedules={"s": schedule})


def made(who: str, start: datetime, end: datetime) -> MadeOverride:
    override = Override(person=who, start=start, end=end, reason="dentist")
    return MadeOverride(id=1, schedule="s", override=override, created_by="bo", created_at=NOW)


def view_of(whole: Catalog, overrides: list[MadeOverride], me: str, zone: str, now: datetime = NOW) -> ScheduleView:
    held = in_force([one.override for one in overrides], whole)
    (view,) = at_once(schedule_views_in_steps(whole, overrides, me, zone, now, exceptions={"s": held}, warned={}))
    return view


def test_it_says_who_until_when_in_their_zone_and_mine_and_who_next() -> None:
    view = view_of(catalog("ana", "bo"), [], "bo", "Europe/Lisbon")
    assert view.now is not None
    assert view.now.name == "Ana"
    assert view.until == "Mon 09:00 Europe/Berlin · Mon 08:00 yours"
    assert view.next is not None
    assert (view.next.name, view.next.is_me) == ("Bo", True)
    assert view.next.mine == "Mon 9 Mar 08:00 – Mon 16 Mar 08:00"
    assert view.gaps == ()


def test_a_person_who_follows_themselves_holds_one_long_shift() -> None:
    view = view_of(catalog("ana"), [], "ana", "Europe/Berlin")
    assert len(view.coming) == 1
    assert view.next is None
    assert view.until == "Mon 6 Apr 09:00 Europe/Berlin"


def test_an_override_holds_and_says_why() -> None:
    until = NOW + timedelta(hours=4)
    view = view_of(catalog("ana", "bo"), [made("cem", NOW, until)], "ana", "UTC")
    assert view.now is not None
    assert (view.now.name, view.now.reason) == ("Cem", "dentist")
    assert view.overrides[0].override.end == until


def test_an_override_for_somebody_who_left_does_not_hold() -> None:
    view = view_of(catalog("ana"), [made("zoe", NOW, NOW + timedelta(hours=4))], "ana", "UTC")
    assert view.now is not None
    assert view.now.name == "Ana"


def test_a_schedule_that_has_not_begun_says_so_in_words() -> None:
    view = view_of(catalog("ana", starts=date(2026, 3, 9)), [], "ana", "UTC")
    assert view.now is None
    assert [gap.sentence for gap in view.gaps] == ["Nobody is on call until Mon 9 Mar 08:00."]


def test_a_schedule_that_begins_after_a_month_has_one_long_gap() -> None:
    view = view_of(catalog("ana", starts=date(2026, 9, 9)), [], "ana", "UTC")
    assert [gap.sentence for gap in view.gaps] == ["Nobody is on call in the next four weeks."]
