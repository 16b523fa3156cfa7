"""PostgreSQL: a pool of connections, transactions, and the schema brought up to date at start."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

import asyncpg
import msgspec

from sev1.engine.errors import Unavailable
from sev1.engine.migrations import HEAD

OLDEST_SERVER = 15
MIGRATION_LOCK = 0x5E_0001
"""Key of the advisory lock that lets one node at a time change the schema."""

_json_encode = msgspec.json.Encoder(enc_hook=str).encode


def _to_jsonb(value: Any) -> bytes:
    # The binary form of jsonb is one version byte, then the text.
    return b"\x01" + _json_encode(value)


def _from_jsonb(value: bytes) -> Any:
    return msgspec.json.decode(value[1:])


async def prepare_connection(conn: asyncpg.Connection) -> None:
    """Makes jsonb travel as Python values (structs, dicts, lists), encoded by msgspec."""
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary")


async def _nothing_to_reset(conn: asyncpg.Connection) -> None:
    """Nobody leaves session state on a pooled connection, so giving it back costs no round trip."""


class Database:
    """The pool. `async with Database(url) as db:`; every connection speaks UTC and encodes jsonb by msgspec."""

    def __init__(self, url: str, *, size: int = 12) -> None:
        self.url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None

    @property
    def pool(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the database has not been opened")
        return self._pool

    async def __aenter__(self) -> Self:
        try:
            self._pool = await asyncpg.create_pool(
                self.url,
                min_size=1,
                max_size=self._size,
                init=prepare_connection,
                reset=_nothing_to_reset,
                server_settings={"timezone": "UTC", "application_name": "sev1", "jit": "off"},
                command_timeout=60,
            )
        except (OSError, asyncpg.PostgresError) as error:
            raise Unavailable(
                f"PostgreSQL cannot be reached ({error}). Check SEV1_DATABASE_URL and that the server is up."
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    await self._pool.close()
            self._pool.terminate()
            self._pool = None

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool.acquire() as conn:
            yield conn

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self.pool.acquire() as conn, conn.transaction():
            yield conn

    async def migrate(self) -> bool:
        """Brings the schema to this release's; True when there was something to do. Safe to call from every node."""
        async with self.connection() as conn:
            if conn.get_server_version().major < OLDEST_SERVER:
                raise Unavailable(
                    f"PostgreSQL {conn.get_server_version().major} is too old: sev1 needs {OLDEST_SERVER} or newer."
                )
            if await _schema_version(conn) == HEAD:
                return False
            await conn.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
            try:
                if await _schema_version(conn) == HEAD:
                    return False
                # Alembic and SQLAlchemy are imported only when there is a schema to change: they cost start-up time.
                from sev1.engine.migrations.run import upgrade  # noqa: PLC0415

                await upgrade(self.url)
            finally:
                await conn.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
        return True


async def _schema_version(conn: asyncpg.Connection) -> str | None:
    if await conn.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    version: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    return version
