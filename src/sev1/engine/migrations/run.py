"""Runs Alembic over an async connection. Called under the advisory lock of `Database.migrate`."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", "sev1.engine:migrations")
    config.set_main_option("path_separator", "os")
    return config


async def upgrade(url: str) -> None:
    """Upgrades the database at `url` (postgresql://…) to the newest revision, in one transaction."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.begin() as conn:
            await conn.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
