import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sev1.engine.embedded import EmbeddedPostgres


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sev1-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def runs(folder: Path) -> bool:
    return (folder / "postgres" / "postmaster.pid").exists()


async def test_the_last_one_to_leave_stops_the_server_and_the_data_stays(folder: Path):
    with EmbeddedPostgres(folder) as first:
        with EmbeddedPostgres(folder) as second:
            assert second.url == first.url
        assert runs(folder)
        conn = await asyncpg.connect(first.url)
        await conn.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await conn.close()
    assert not runs(folder)
    with EmbeddedPostgres(folder) as again:
        conn = await asyncpg.connect(again.url)
        assert await conn.fetchval("SELECT answer FROM kept") == 42
        await conn.close()


def test_a_process_that_is_killed_leaves_no_claim_on_the_server(folder: Path):
    script = (
        "import sys, os, signal; from pathlib import Path; from sev1.engine.embedded import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1])).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, check=False)
    assert killed.returncode == -9
    assert runs(folder)
    with EmbeddedPostgres(folder):
        pass
    assert not runs(folder)


async def test_it_is_durable_and_listens_on_no_port(folder: Path):
    with EmbeddedPostgres(folder) as server:
        conn = await asyncpg.connect(server.url)
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await conn.fetchval("SELECT current_setting($1)", setting) == "on"
        assert await conn.fetchval("SELECT current_setting('listen_addresses')") == ""
        await conn.close()


def test_the_folders_above_do_not_become_readable_for_everybody(folder: Path):
    inner = folder / "private" / "data"
    inner.parent.mkdir()
    inner.parent.chmod(0o700)
    with EmbeddedPostgres(inner):
        assert not inner.parent.stat().st_mode & (stat.S_IROTH | stat.S_IRGRP)
        if os.geteuid() != 0:
            assert stat.S_IMODE(inner.parent.stat().st_mode) == 0o700
