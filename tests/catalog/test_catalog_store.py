"""The catalog in a real PostgreSQL."""

import asyncio
from importlib.resources import as_file, files

import asyncpg
import pytest
from msgspec.structs import replace

from sev1.catalog import store
from sev1.catalog.load import load
from sev1.catalog.model import DEFAULT_SEVERITIES, Catalog, Service
from sev1.catalog.problems import CatalogInvalid


async def apply(db, catalog, clock, actor="ana"):
    async with db.transaction() as conn:
        return await store.write(conn, catalog, actor=actor, now=clock.now())


async def stored(db):
    async with db.connection() as conn:
        return await store.read(conn)


async def test_an_empty_database_holds_the_default_severities(db):
    assert await stored(db) == Catalog(severities=DEFAULT_SEVERITIES)
    async with db.connection() as conn:
        await conn.execute("DELETE FROM catalog_version")
        assert await store.read_version(conn) == 0
        assert await store.read(conn) == Catalog(severities=DEFAULT_SEVERITIES)


async def test_what_was_applied_is_read_back(db, small, clock):
    changes = await apply(db, small, clock)
    assert changes.summary == "9 to create, 0 to change, 1 to delete"
    assert await stored(db) == replace(small, version=1)


async def test_the_sample_survives_the_round_trip(db, clock):
    with as_file(files("sev1.practice") / "sample") as folder:
        sample = load(folder)
    await apply(db, sample, clock)
    assert await stored(db) == replace(sample, version=1)


async def test_applying_the_same_again_changes_nothing(db, small, clock):
    await apply(db, small, clock)
    clock.advance(hours=1)
    assert (await apply(db, small, clock)).empty
    async with db.connection() as conn:
        assert await store.read_version(conn) == 1
        assert await conn.fetchval("SELECT count(*) FROM audit_log") == 1
        assert await conn.fetchval("SELECT max(updated_at) FROM catalog_objects") < clock.now()


async def test_only_what_changed_is_touched(db, small, clock):
    await apply(db, small, clock)
    clock.advance(hours=1)
    services = {"ledger": replace(small.services["ledger"], title="Books")}
    await apply(db, replace(small, services=services), clock, actor="bo")
    async with db.connection() as conn:
        touched = await conn.fetch("SELECT kind, name FROM catalog_objects WHERE updated_at = $1", clock.now())
        assert [tuple(row) for row in touched] == [("service", "ledger")]
        assert await conn.fetchval("SELECT count(*) FROM catalog_objects WHERE kind = 'service'") == 1
        line = await conn.fetchrow("SELECT * FROM audit_log ORDER BY id DESC LIMIT 1")
    assert (line["actor"], line["action"], line["subject"]) == ("bo", "catalog.apply", "catalog 2")
    assert line["data"]["summary"] == "0 to create, 1 to change, 1 to delete"
    assert line["data"]["changed"][0]["fields"] == [{"field": "title", "old": "Ledger", "new": "Books"}]


async def test_a_broken_catalog_leaves_nothing_behind(db, small, clock):
    await apply(db, small, clock)
    broken = replace(small, services={"s": Service(name="s", title="S", owner="nobody")})
    with pytest.raises(CatalogInvalid, match="nobody"):
        await apply(db, broken, clock)
    assert await stored(db) == replace(small, version=1)


async def test_a_failure_in_the_middle_leaves_nothing_behind(db, small, clock):
    """The audit line is the last thing written; when it fails, the objects are as they were."""
    await apply(db, small, clock)
    smaller = replace(small, services={}, routes={})
    with pytest.raises(asyncpg.NotNullViolationError):
        async with db.connection() as conn:
            await store.write(conn, smaller, actor=None, now=clock.now())
    assert await stored(db) == replace(small, version=1)


async def test_applies_at_once_wait_for_each_other(db, small, clock):
    def with_title(number):
        ledger = replace(small.services["ledger"], title=f"Ledger {number}")
        return replace(small, services=small.services | {"ledger": ledger})

    plans = await asyncio.gather(*(apply(db, with_title(number), clock) for number in range(5)))
    final = await stored(db)
    assert final.version == 5
    assert sorted(len(changes.created) for changes in plans) == [0, 0, 0, 0, 9]
    assert final.services["ledger"].title in {f"Ledger {number}" for number in range(5)}


async def test_what_a_newer_release_stored_does_not_stop_an_older_one(db, small, clock):
    """A rolling upgrade: the node not yet replaced must go on paging."""
    await apply(db, small, clock)
    async with db.connection() as conn:
        await conn.execute("""UPDATE catalog_objects SET spec = spec || '{"new": 1}' WHERE name = 'ledger'""")
        await conn.execute(
            "UPDATE catalog_objects SET spec = jsonb_set(spec, '{steps,0,targets,0,new}', '2') WHERE name = 'standard'"
        )
        await conn.execute("INSERT INTO catalog_objects VALUES ('holiday', 'x', '{}', now())")
    assert await stored(db) == replace(small, version=1)
