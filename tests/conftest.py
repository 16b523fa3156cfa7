"""What tests share: one real PostgreSQL a run, one database a test (a clone of a migrated template), a clock."""

import asyncio
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from tests.live.postgres import postgres_in

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0"}  # noqa: S104
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
ROOM_BYTES = 4 * 1024**3
_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: object) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple) and address[0] not in LOOPBACK:
        raise RuntimeError(f"a test tried to reach {address[0]}: only loopback is allowed")
    _connect(self, address)  # type: ignore[arg-type]


socket.socket.connect = _loopback_only  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 2, 3, 14, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """Not below pytest's own folder: each start of pytest closes that to other users, and for root the server is one.

    In memory where there is room: a database for each test means some hundred files each, which a disk takes 0.3 s for.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    where = MEMORY if roomy else None
    with tempfile.TemporaryDirectory(prefix="sev1-test-", dir=where, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(postgres_folder: Path) -> Iterator[str]:
    """URL of a real PostgreSQL with a migrated database `template_sev1`. Not durable: tests of crashes run their own."""
    with postgres_in(postgres_folder) as url:
        asyncio.run(_make_template(url))
        yield url


async def _make_template(url: str) -> None:
    conn = await asyncpg.connect(url)
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
        await conn.execute(f"ALTER SYSTEM SET {setting} = off")
    await conn.execute("SELECT pg_reload_conf()")
    await conn.execute("CREATE DATABASE template_sev1")
    await conn.close()
    async with Database(database_url(url, "template_sev1"), size=2) as db:
        await db.migrate()


def database_url(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?", 1)


@pytest.fixture
async def fresh_database_url(postgres: str) -> AsyncIterator[str]:
    name = f"t_{uuid.uuid4().hex[:12]}"
    conn = await asyncpg.connect(postgres)
    await conn.execute(f"CREATE DATABASE {name} TEMPLATE template_sev1 STRATEGY FILE_COPY")
    yield database_url(postgres, name)
    await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await conn.close()


@pytest.fixture
async def db(fresh_database_url: str) -> AsyncIterator[Database]:
    async with Database(fresh_database_url, size=6) as database:
        yield database
