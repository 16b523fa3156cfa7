"""The rules of silences, and that nobody is kept quiet without an owner, a reason and an end."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from sev1.catalog.matchers import parse
from sev1.engine.errors import Invalid, NotFound
from sev1.triage import silences
from sev1.triage.model import Silence

from .world import World


async def make(world: World, text: str = 'env="prod"', /, **changes: Any) -> Silence:
    now = world.clock.now()
    given = {
        "matchers": parse(text),
        "starts_at": now,
        "ends_at": now + timedelta(hours=1),
        "created_by": "Ana",
        "comment": "planned migration",
        "now": now,
    } | changes
    async with world.db.transaction() as conn:
        return await silences.create(conn, **given)


async def test_a_silence_is_stored_as_it_was_made(world: World):
    made = await make(world, 'env="prod", team!~"a|b"', comment=" planned migration ", created_by=" Ana ")
    async with world.db.connection() as conn:
        assert await silences.get(conn, made.id) == made
    assert (made.created_by, made.comment) == ("Ana", "planned migration")
    assert [str(matcher) for matcher in made.matchers] == ['env="prod"', 'team!~"a|b"']
    assert made.label == f"S-{str(made.id)[:4]}"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"matchers": []}, "at least one matcher"),
    ({"matchers": parse('a=~".*"')}, "must not match the empty string"),
    ({"matchers": parse('a!="x", b=""')}, "must not match the empty string"),
    ({"matchers": parse('a="x"') * 51}, "at most 50 matchers"),
    ({"comment": ""}, "needs a comment"),
    ({"comment": "  \n"}, "needs a comment"),
    ({"created_by": " "}, "needs an owner"),
    ({"created_by": "x" * 201}, "an owner 200"),
    ({"comment": "a\0b"}, "NUL"),
]


async def test_a_silence_without_what_it_needs_is_refused(world: World):
    for changes, sentence in REFUSED:
        with pytest.raises(Invalid, match=sentence):
            await make(world, **changes)
    assert await world.rows("SELECT 1 FROM silences") == []
    assert await world.rows("SELECT 1 FROM audit_log WHERE action LIKE 'silence%'") == []


async def test_a_silence_must_end_later_than_it_starts_and_than_now(world: World):
    now = world.clock.now()
    for start, end in ((0, 0), (10, 10), (10, 5), (-20, -10), (0, -1)):
        with pytest.raises(Invalid, match=r"end of a silence|must end after"):
            await make(world, starts_at=now + timedelta(minutes=start), ends_at=now + timedelta(minutes=end))


async def test_a_start_in_the_past_is_now(world: World):
    made = await make(world, starts_at=world.clock.now() - timedelta(days=1))
    assert made.starts_at == world.clock.now()


async def test_the_state_follows_the_time(world: World):
    now = world.clock.now()
    made = await make(world, starts_at=now + timedelta(minutes=10), ends_at=now + timedelta(minutes=20))
    states = [made.state(now + timedelta(minutes=minutes)) for minutes in (9, 10, 19, 20)]
    assert states == ["pending", "active", "active", "expired"]


async def test_ending_a_silence_that_has_not_begun_means_that_it_never_does(world: World):
    now = world.clock.now()
    made = await make(world, starts_at=now + timedelta(minutes=10), ends_at=now + timedelta(minutes=20))
    async with world.db.transaction() as conn:
        ended = await silences.expire(conn, made.id, by="bo", now=now)
    assert (ended.starts_at, ended.ends_at, ended.state(now)) == (now, now, "expired")


async def test_ending_a_silence_twice_changes_nothing_the_second_time(world: World):
    made = await make(world)
    async with world.db.transaction() as conn:
        first = await silences.expire(conn, made.id, by="bo", now=world.clock.now())
    world.clock.advance(minutes=5)
    async with world.db.transaction() as conn:
        assert await silences.expire(conn, made.id, by="bo", now=world.clock.now()) == first
    (line,) = await world.rows("SELECT actor FROM audit_log WHERE action = 'silence.ended'")
    assert line["actor"] == "bo"


async def test_a_change_that_would_rewrite_history_ends_the_old_silence_and_makes_a_new_one(world: World):
    made = await make(world)
    world.clock.advance(minutes=5)
    now = world.clock.now()
    kept = {"starts_at": made.starts_at, "created_by": "Ana", "comment": "longer", "now": now}
    async with world.db.transaction() as conn:
        same = await silences.update(conn, made.id, matchers=made.matchers, ends_at=now + timedelta(hours=5), **kept)
        other = await silences.update(
            conn, made.id, matchers=parse('env="staging"'), ends_at=now + timedelta(hours=5), **kept
        )
        old = await silences.get(conn, made.id)
    assert (same.id, same.comment, same.ends_at) == (made.id, "longer", now + timedelta(hours=5))
    assert other.id != made.id
    assert old is not None
    assert old.state(now) == "expired"


async def test_a_silence_of_another_scope_does_not_exist(world: World):
    made = await make(world, key_id=1)
    now = world.clock.now()
    async with world.db.transaction() as conn:
        assert await silences.get(conn, made.id, key_id=2) is None
        assert await silences.list_all(conn, now, key_id=2) == []
        for key_id, silence_id in ((2, made.id), (None, uuid4())):
            with pytest.raises(NotFound):
                await silences.expire(conn, silence_id, by="x", now=now, key_id=key_id)
            with pytest.raises(NotFound):
                await silences.update(
                    conn, silence_id, matchers=made.matchers, starts_at=now, ends_at=made.ends_at,
                    created_by="x", comment="x", now=now, key_id=key_id,
                )  # fmt: skip
