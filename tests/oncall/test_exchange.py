"""Leave, swaps, limits, load and calendars: what is asked, stored and decided, in a real PostgreSQL."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from icalendar import Calendar

from sev1.catalog import store as catalogs
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Awake, Catalog, Override, Person, Rotation, Schedule, ShiftLimits, Team
from sev1.cli.catalog import cover_lines
from sev1.engine.errors import Conflict, Forbidden, Invalid, NotFound
from sev1.oncall import absence, links, store, swaps
from sev1.oncall.awake import awake_first
from sev1.oncall.gaps import warnings
from sev1.oncall.limits import breaches
from sev1.oncall.load import spread, weeks
from sev1.oncall.model import Away
from sev1.oncall.schedule import Segment, final, on_call, shifts

HOUR = timedelta(hours=1)


def person(name, **more):
    email = f"{name}@s.example"
    return Person(name=name, full_name=name.title(), email=email, contact=(EmailMethod(address=email),), **more)


def schedule(name, *people, **more):
    rotation = Rotation(people=people, every="day", starts=date(2026, 1, 5))
    return Schedule(name=name, title=f"{name.title()} watch", time_zone="Europe/Berlin", rotation=rotation, **more)


def catalog(limits=None, **more):
    return Catalog(
        people={name: person(name, **more) for name in ("ana", "bo", "cem")},
        teams={"t": Team(name="t", title="T", members=("ana", "bo", "cem"), limits=limits)},
        schedules={"primary": schedule("primary", "ana", "bo")},
    )


@pytest.fixture
async def conn(db, clock):
    async with db.transaction() as conn:
        await catalogs.write(conn, catalog(), actor="operator", now=clock.now())
        yield conn


async def decided(conn, clock, at):
    exceptions = await store.overrides_at(conn, clock.now())
    return on_call(catalog().schedules["primary"], at, exceptions.get("primary", ()))


async def test_leave_moves_the_turn_to_the_next_person(conn, clock):
    at = clock.now() + HOUR
    usual = (await decided(conn, clock, at)).person
    away = Away(person=usual, start=at - HOUR, end=at + HOUR, reason="secret")
    number = await absence.add_leave(conn, catalog(), away, created_by=usual, now=clock.now())
    shift = await decided(conn, clock, at)
    assert (shift.person != usual, shift.reason) == (True, f"{usual} is away")
    assert "secret" not in str(await conn.fetch("SELECT data::text FROM audit_log"))
    await absence.remove_leave(conn, number, actor=usual, now=clock.now())
    assert (await decided(conn, clock, at)).person == usual
    with pytest.raises(NotFound):
        await absence.remove_leave(conn, number, actor=usual, now=clock.now())


async def test_leave_that_cannot_be_is_refused(conn, clock):
    for who, begin, end in (("zoe", 0, 1), ("ana", 2, 1), ("ana", -2, -1), ("ana", 0, 24 * 400)):
        away = Away(person=who, start=clock.now() + begin * HOUR, end=clock.now() + end * HOUR)
        with pytest.raises(Invalid):
            await absence.add_leave(conn, catalog(), away, created_by="ana", now=clock.now())


def test_public_holidays_are_those_of_the_persons_region_and_zone():
    found = list(absence.public_holidays("ana", "DE-BY", "Europe/Berlin", datetime(2026, 1, 2, tzinfo=UTC)))
    epiphany = next(one for one in found if one.reason == "Epiphany")
    assert epiphany.start == datetime(2026, 1, 5, 23, tzinfo=UTC)
    assert epiphany.kind == "holiday"
    assert absence.holidays_of("XX-YY", (2026,)) == ()


def new_swap(clock, **more):
    start = clock.now() + 48 * HOUR
    return swaps.NewSwap(schedule="primary", asked_of="cem", start=start, end=start + 4 * HOUR, **more)


async def test_an_accepted_swap_is_part_of_the_final_schedule_both_ways(conn, clock):
    back = clock.now() + 96 * HOUR
    wanted = new_swap(clock, back_start=back, back_end=back + HOUR)
    number = await swaps.ask(conn, catalog(), wanted, asked_by="ana", now=clock.now())
    assert (await decided(conn, clock, wanted.start)).person != "cem"
    with pytest.raises(Forbidden):
        await swaps.answer(conn, catalog(), number, "accepted", actor="bo", now=clock.now())
    await swaps.answer(conn, catalog(), number, "accepted", actor="cem", now=clock.now())
    assert (await decided(conn, clock, wanted.start)).person == "cem"
    assert (await decided(conn, clock, back)).person == "ana"
    with pytest.raises(Conflict):
        await swaps.answer(conn, catalog(), number, "declined", actor="cem", now=clock.now())
    assert await swaps.asked(conn, clock.now()) == []
    actions = [row["action"] for row in await conn.fetch("SELECT action FROM audit_log ORDER BY id")]
    assert actions.count("schedule.swap.ask") == actions.count("schedule.swap.accepted") == 1


async def test_a_declined_swap_changes_nothing(conn, clock):
    wanted = new_swap(clock)
    number = await swaps.ask(conn, catalog(), wanted, asked_by="ana", now=clock.now())
    await swaps.answer(conn, catalog(), number, "declined", actor="cem", now=clock.now())
    assert (await decided(conn, clock, wanted.start)).person != "cem"


async def test_of_two_answers_at_once_only_one_counts(db, clock):
    async with db.transaction() as conn:
        number = await swaps.ask(conn, catalog(), new_swap(clock), asked_by="ana", now=clock.now())

    async def answer(to):
        async with db.transaction() as conn:
            await swaps.answer(
                conn, catalog(), number, to, actor="ana" if to == "withdrawn" else "cem", now=clock.now()
            )

    found = await asyncio.gather(*map(answer, ("accepted", "accepted", "withdrawn")), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Conflict", "NoneType"]
    async with db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM schedule_overrides") <= 1


async def test_an_unhealthy_shift_is_refused_unless_a_reason_is_given_and_kept(conn, clock):
    strict = catalog(ShiftLimits(rest_h=11))
    own = next(s for s in shifts(strict.schedules["primary"], clock.now() + 24 * HOUR, clock.now() + 96 * HOUR)
               if s.person == "ana")  # fmt: skip
    close = Override(person="ana", start=own.end + 4 * HOUR, end=own.end + 8 * HOUR)
    with pytest.raises(store.Unhealthy, match="would rest 4 h between two shifts; the limit is 11 h"):
        await store.add_override(conn, strict, "primary", close, created_by="bo", now=clock.now())
    await store.add_override(conn, strict, "primary", close, created_by="bo", now=clock.now(), anyway="nobody else can")
    kept = await conn.fetchval("SELECT data FROM audit_log WHERE action = 'schedule.override'")
    assert kept["anyway"] == "nobody else can"
    assert kept["limits"]


async def test_weeks_in_a_row_are_limited_too(conn, clock):
    for limits, sentence in ((ShiftLimits(consecutive_weeks=1), "weeks in a row"),):
        again = Override(person="ana", start=clock.now() + HOUR, end=clock.now() + 2 * HOUR)
        with pytest.raises(store.Unhealthy, match=sentence):
            await store.add_override(conn, catalog(limits), "primary", again, created_by="bo", now=clock.now())


def test_gaps_stand_ins_and_people_who_cannot_be_reached_are_said_in_words():
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    whole = catalog()
    away = [Away(person=p, start=now + 24 * HOUR, end=now + 30 * HOUR) for p in ("ana", "bo")]
    [gap] = [w for w in warnings(whole, whole.schedules["primary"], now, away) if w.kind == "gap"]
    assert gap.sentence == "Nobody is on call from Tue 3 Mar 09:00 until Tue 3 Mar 15:00 Europe/Berlin."
    kinds = {w.kind for w in warnings(whole, whole.schedules["primary"], now, away[:1], {"bo"})}
    assert kinds <= {"away", "unreachable"}
    assert "unreachable" in kinds


def test_load_counts_hours_nights_and_interrupted_sleep_by_the_persons_own_week():
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)  # a Sunday
    parts = [Segment(start=start, end=start + 24 * HOUR, person="ana", because="rotation")] * 2
    pages = [("ana", datetime(2026, 3, 1, 22, 30, tzinfo=UTC)), ("ana", datetime(2026, 3, 2, 2, tzinfo=UTC))]
    first, second = weeks(parts, pages, {"ana": "Europe/Berlin"})
    assert (first.week, first.hours, first.pages, first.night_pages) == ("2026-W09", 11.0, 1, 1)
    assert (second.week, second.hours, second.night_pages, second.interrupted_nights) == ("2026-W10", 13.0, 1, 1)
    assert (spread([1, 5, 3]).median, spread([]).people) == (3, 0)


def test_who_is_awake_comes_first_with_the_reason():
    people = {
        "ana": person("ana", time_zone="Europe/Berlin"),
        "bo": person("bo", time_zone="Asia/Tokyo"),
        "cem": person("cem", awake=Awake(start=datetime(1, 1, 1, 20).time(), end=datetime(1, 1, 1, 6).time())),  # noqa: DTZ001
    }
    found = awake_first(["ana", "bo", "cem"], Catalog(people=people), datetime(2026, 3, 2, 2, 14, tzinfo=UTC))
    assert [(one.person, one.awake) for one in found] == [("bo", True), ("cem", True), ("ana", False)]
    assert found[2].because == "03:14 in Europe/Berlin, awake 08:00 to 22:00"


async def test_a_calendar_is_read_by_a_client_and_keeps_the_uid_of_a_shift(conn, clock):
    whole = catalog()
    number = await links.add(conn, whole, "schedule", "primary", b"hash", by="ana", now=clock.now())
    before = Calendar.from_ical(await links.feed(conn, whole, b"hash", "http://x", clock.now()))
    assert await links.feed(conn, whole, b"hash", "http://x", clock.now()) == await links.feed(
        conn, whole, b"hash", "http://x", clock.now() + HOUR
    )
    events = {str(e["uid"]): e for e in before.walk("VEVENT")}
    assert len(events) > 90
    spring = next(e for e in events.values() if e["dtstart"].dt.date() == date(2026, 3, 29))
    assert spring["dtstart"].dt == datetime(2026, 3, 29, 7, tzinfo=UTC)  # 09:00 by the clock that has just changed
    cut = Override(person="cem", start=spring["dtend"].dt - HOUR, end=spring["dtend"].dt)
    await store.add_override(conn, whole, "primary", cut, created_by="ana", now=clock.now())
    after = {str(e["uid"]): e for e in Calendar.from_ical(
        await links.feed(conn, whole, b"hash", "http://x", clock.now())).walk("VEVENT")}  # fmt: skip
    same = after[str(spring["uid"])]
    assert same["dtend"].dt == cut.start
    assert same["sequence"] > spring["sequence"]
    await links.revoke(conn, number, by="ana", now=clock.now())
    with pytest.raises(NotFound):
        await links.feed(conn, whole, b"hash", "http://x", clock.now())


def test_the_sample_has_no_gap_for_a_year(nordlicht_sample):
    since = datetime(2026, 3, 1, tzinfo=UTC)
    for one in nordlicht_sample.schedules.values():
        assert all(part.person for part in final(one, since, since + timedelta(days=365))), one.name


@pytest.fixture
def nordlicht_sample():
    from pathlib import Path

    from sev1.catalog.load import load

    return load(Path(__file__).parents[2] / "src/sev1/practice/sample")


def test_plan_says_where_nobody_will_be_on_call():
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    away = {"primary": [Away(person=p, start=now, end=now + 4 * HOUR) for p in ("ana", "bo")]}
    [line] = cover_lines(catalog(), away, now)
    assert line == ("schedule primary: Nobody is on call from Mon 2 Mar 09:00 until Mon 2 Mar 13:00 Europe/Berlin.")


def test_nights_before_relief_are_limited():
    whole = catalog(ShiftLimits(night_pages=3))
    start = datetime(2026, 3, 2, 8, tzinfo=UTC)
    shift = Override(person="cem", start=start, end=start + HOUR)
    assert breaches(whole, "primary", shift, {}, 2) == []
    [sentence] = breaches(whole, "primary", shift, {}, 3)
    assert sentence == "cem was paged 3 times at night in the last seven days; relief is due after 3."
