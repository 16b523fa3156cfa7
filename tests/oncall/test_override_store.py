"""Overrides made at run time, in a real PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Override, Person, Rotation, Schedule
from sev1.engine.errors import Invalid, NotFound
from sev1.oncall import store
from sev1.oncall.schedule import on_call

CATALOG = Catalog(
    people={
        name: Person(
            name=name, full_name=name, email=f"{name}@s.example", contact=(EmailMethod(address="a@s.example"),)
        )
        for name in ("ana", "bo")
    },
    schedules={
        name: Schedule(name=name, title=name, rotation=Rotation(people=("ana",), starts=date(2026, 1, 5)))
        for name in ("primary", "other")
    },
)


def hours(clock, begin, end, person="bo", reason=""):
    now = clock.now()
    return Override(person=person, start=now + timedelta(hours=begin), end=now + timedelta(hours=end), reason=reason)


async def add(conn, clock, override, schedule="primary"):
    return await store.add_override(conn, CATALOG, schedule, override, created_by="ana", now=clock.now())


async def test_an_override_is_kept_and_decides_who_is_on_call(db, clock):
    override = hours(clock, -1, 8, reason="dentist")
    async with db.transaction() as conn:
        await add(conn, clock, override)
    async with db.connection() as conn:
        found = await store.overrides_at(conn, clock.now())
    assert found == {"primary": [override]}
    shift = on_call(CATALOG.schedules["primary"], clock.now(), found["primary"])
    assert (shift.person, shift.because, shift.reason) == ("bo", "override", "dentist")


async def test_the_one_made_last_wins(db, clock):
    async with db.transaction() as conn:
        await add(conn, clock, hours(clock, -1, 8, person="bo"))
        await add(conn, clock, hours(clock, -2, 4, person="ana"))
        found = await store.overrides_at(conn, clock.now())
    assert [override.person for override in found["primary"]] == ["bo", "ana"]
    assert on_call(CATALOG.schedules["primary"], clock.now(), found["primary"]).person == "ana"


async def test_only_those_that_end_later_are_read(db, clock):
    async with db.transaction() as conn:
        await add(conn, clock, hours(clock, 0, 1))
        await add(conn, clock, hours(clock, 5, 6))
        await add(conn, clock, hours(clock, 1, 2), schedule="other")
        since = clock.now() + timedelta(hours=1)
        found = await store.overrides_since(conn, since)
        assert {name: len(list_) for name, list_ in found.items()} == {"primary": 1, "other": 1}
        # What ended lately is still needed: the shift of today may begin there.
        assert len((await store.overrides_at(conn, since))["primary"]) == 2
        assert await store.overrides_at(conn, since + timedelta(days=60)) == {}


async def test_an_override_can_be_taken_back(db, clock):
    async with db.transaction() as conn:
        override_id = await add(conn, clock, hours(clock, 0, 1))
        [made] = await store.made_since(conn, clock.now())
        assert (made.id, made.schedule, made.created_by, made.created_at) == (
            override_id,
            "primary",
            "ana",
            clock.now(),
        )
        await store.remove_override(conn, override_id, actor="bo", now=clock.now())
        assert await store.overrides_at(conn, clock.now()) == {}
        with pytest.raises(NotFound, match=f"no override {override_id}"):
            await store.remove_override(conn, override_id, actor="bo", now=clock.now())
        lines = await conn.fetch("SELECT actor, action, subject, data FROM audit_log ORDER BY id")
    assert [tuple(line)[:3] for line in lines] == [
        ("ana", "schedule.override", "primary"),
        ("bo", "schedule.override.remove", "primary"),
    ]
    assert lines[0]["data"]["person"] == "bo"


@pytest.mark.parametrize(
    ("schedule", "begin", "end", "person", "error", "sentence"),
    [
        ("primry", 0, 1, "bo", NotFound, 'There is no schedule "primry". Did you mean "primary"?'),
        ("primary", 0, 1, "boo", Invalid, 'There is no person "boo". Did you mean "bo"?'),
        ("primary", 1, 1, "bo", Invalid, "The override ends before it starts. Let it end later."),
        ("primary", 2, 1, "bo", Invalid, "The override ends before it starts. Let it end later."),
        ("primary", -2, 0, "bo", Invalid, "The override lies wholly in the past"),
    ],
)
async def test_an_override_that_cannot_be_is_refused_and_not_kept(
    db, clock, schedule, begin, end, person, error, sentence
):
    async with db.connection() as conn:
        with pytest.raises(error) as caught:
            await add(conn, clock, hours(clock, begin, end, person=person), schedule=schedule)
        assert caught.value.message.startswith(sentence)
        assert await store.made_since(conn, datetime(2000, 1, 1, tzinfo=UTC)) == []


def test_an_override_needs_instants_with_a_zone():
    with pytest.raises(ValueError, match="the end of an override needs a time zone"):
        Override(person="bo", start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2))  # noqa: DTZ001
