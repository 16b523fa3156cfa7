import asyncpg
from alembic.script import ScriptDirectory

from sev1.engine.database import Database
from sev1.engine.migrations import HEAD
from sev1.engine.migrations.run import alembic_config


async def test_a_migrated_database_needs_no_second_migration(db: Database):
    assert await db.migrate() is False


def test_the_head_constant_is_the_newest_revision():
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


async def test_jsonb_travels_as_python_values(db: Database):
    async with db.connection() as conn:
        assert await conn.fetchval("SELECT $1::jsonb", {"a": [1, "ü"]}) == {"a": [1, "ü"]}


async def test_a_failing_block_rolls_its_transaction_back(db: Database):
    try:
        async with db.transaction() as conn:
            await conn.execute("INSERT INTO counters VALUES ('x', 1)")
            raise asyncpg.PostgresError
    except asyncpg.PostgresError:
        pass
    async with db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM counters") == 0
