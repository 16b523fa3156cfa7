"""What this release stores, the previous one reads: it asks every schedule for a rotation of days or weeks."""

from datetime import date, time
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from sev1.catalog import store
from sev1.catalog.convert import known_part
from sev1.catalog.model import Layer, Length, Override, Restriction, Rotation, Schedule, Slug, Weekday
from sev1.catalog.stored import AS_WRITTEN


class RotationBefore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As in the release before layers."""

    people: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    every: Literal["day", "week"] = "week"
    hand_over_at: Annotated[time, Meta(tz=False)] = time(9, 0)
    hand_over_on: Weekday = "monday"
    starts: date


class ScheduleBefore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Slug
    title: str
    time_zone: str = "UTC"
    rotation: RotationBefore
    overrides: tuple[Override, ...] = ()


STARTS = date(2026, 1, 5)
OFFICE = (Restriction(start=time(9), end=time(17)),)
SCHEDULES = {
    "layers": Schedule(
        name="layers",
        title="Layers",
        time_zone="Europe/Berlin",
        layers=(
            Layer(people=("ana", "bo"), starts=STARTS, hand_over_on="friday", hand_over_at=time(7, 30)),
            Layer(people=("bo",), every="day", starts=STARTS, restrictions=OFFICE, title="office"),
        ),
        on_leave="gap",
    ),
    "half-days": Schedule(
        name="half-days",
        title="Half days",
        rotation=Rotation(people=("bo", "ana"), every=Length(hours=12), starts=STARTS),
    ),
    "fortnights": Schedule(
        name="fortnights", title="Fortnights", rotation=Rotation(people=("ana",), every=Length(days=14), starts=STARTS)
    ),
    "weeks": Schedule(name="weeks", title="Weeks", rotation=Rotation(people=("ana",), starts=STARTS)),
}


@pytest.fixture
async def rows(db, small, clock):
    catalog = msgspec.structs.replace(small, schedules=small.schedules | SCHEDULES)
    async with db.transaction() as conn:
        await store.write(conn, catalog, actor="ana", now=clock.now())
        return {
            row["name"]: row["spec"]
            for row in await conn.fetch("SELECT name, spec FROM catalog_objects WHERE kind = 'schedule'")
        }


def as_the_previous_release_reads(spec):
    try:
        return msgspec.convert(spec, ScheduleBefore)
    except msgspec.ValidationError:
        return msgspec.convert(known_part(spec, ScheduleBefore), ScheduleBefore)


async def test_a_schedule_of_layers_has_the_base_layer_as_its_rotation_there(rows):
    before = as_the_previous_release_reads(rows["layers"])
    assert before.rotation == RotationBefore(
        people=("ana", "bo"), starts=STARTS, hand_over_on="friday", hand_over_at=time(7, 30)
    )
    assert before.time_zone == "Europe/Berlin"


async def test_a_length_that_it_does_not_know_becomes_the_nearest_it_knows(rows):
    assert as_the_previous_release_reads(rows["half-days"]).rotation.every == "day"
    assert as_the_previous_release_reads(rows["fortnights"]).rotation.every == "week"
    assert as_the_previous_release_reads(rows["half-days"]).rotation.people == ("bo", "ana")


async def test_a_schedule_that_it_knows_is_stored_as_ever(rows):
    assert rows["weeks"]["rotation"] == msgspec.json.decode(msgspec.json.encode(SCHEDULES["weeks"].rotation))
    assert AS_WRITTEN not in rows["weeks"]
    assert as_the_previous_release_reads(rows["weeks"]).rotation.every == "week"


async def test_this_release_reads_back_what_was_written(db, rows):
    async with db.connection() as conn:
        assert SCHEDULES.items() <= (await store.read(conn)).schedules.items()


async def test_what_is_stored_for_the_previous_release_is_no_change_in_a_plan(db, rows, clock):
    async with db.transaction() as conn:
        assert (await store.write(conn, await store.read(conn), actor="ana", now=clock.now())).empty
