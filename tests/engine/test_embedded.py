import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from tests.live.waiting import until

from sev1.engine.database import Database
from sev1.engine.embedded import EmbeddedPostgres
from sev1.engine.errors import Unavailable
from sev1.engine.postmaster import Postmaster, is_alive
from sev1.engine.postmaster import named_in as found_in
from sev1.engine.socket_folder import fits, for_data


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sev1-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def named_in(pgdata: Path) -> Postmaster:
    found = found_in(pgdata)
    assert found is not None
    return found


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


def ends_as_zombie(folder: Path) -> subprocess.Popen[bytes]:
    """A postmaster of `folder` that is killed and that its parent, who is alive, never waits for."""
    script = (
        "import os, signal, sys, time; from pathlib import Path; from sev1.engine.embedded import EmbeddedPostgres\n"
        "import ctypes; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"  # PR_SET_CHILD_SUBREAPER: it inherits the postmaster
        "server = EmbeddedPostgres(Path(sys.argv[1])).__enter__()\n"
        "pid = int((Path(sys.argv[1]) / 'postgres/postmaster.pid').read_text().split()[0])\n"
        "os.kill(pid, signal.SIGKILL); print('killed', flush=True)\n"
        "if not sys.stdin.read(): os._exit(0)\n"
        "begun = time.monotonic(); server.__exit__(None, None, None); print(time.monotonic() - begun)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"killed\n"
    named = named_in(folder / "postgres")
    assert named is not None
    until(lambda: psutil.Process(named.pid).status() == psutil.STATUS_ZOMBIE, "the zombie")
    return parent


@pytest.mark.skipif(sys.platform != "linux", reason="how to keep a zombie is Linux's")
async def test_a_killed_server_that_stays_a_zombie_is_gone(folder: Path):
    with ends_as_zombie(folder) as parent:
        try:
            pid = named_in(folder / "postgres").pid
            until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "the zombie")
            with EmbeddedPostgres(folder) as server:
                assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
                conn = await asyncpg.connect(server.url)
                assert await conn.fetchval("SELECT 1") == 1
                await conn.close()
        finally:
            parent.communicate()
    with EmbeddedPostgres(folder):
        pass  # the last to leave, now that the parent has
    assert not runs(folder)


def test_what_a_killed_server_left_at_work_in_the_data_is_waited_for_and_then_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    with EmbeddedPostgres(folder):
        server = psutil.Process(named_in(folder / "postgres").pid)
        left = next(child for child in server.children() if "walwriter" in " ".join(child.cmdline()))
        left.suspend()
        server.kill()
        until(lambda: not is_alive(server.pid, folder / "postgres"), "the server to be gone")
    monkeypatch.setattr("sev1.engine.embedded.LEFT_WITHIN_S", 0.1)
    with pytest.raises(Unavailable, match=f"process {left.pid} of it is still at work"), EmbeddedPostgres(folder):
        pass
    left.kill()
    until(lambda: not is_alive(left.pid, folder / "postgres"), "what was left to be gone")
    with EmbeddedPostgres(folder):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="how to keep a zombie is Linux's")
def test_leaving_a_server_that_was_killed_meanwhile_waits_for_nothing(folder: Path):
    with ends_as_zombie(folder) as parent:
        said, _ = parent.communicate(b"leave")
    assert float(said) < 5, "pg_ctl would wait 20 s for the zombie to go"


def test_a_process_that_is_not_this_folders_server_does_not_keep_it_from_starting(folder: Path):
    with EmbeddedPostgres(folder):
        said = (folder / "postgres/postmaster.pid").read_text()
    owner = (folder / "postgres").stat().st_uid
    # The server's id, as it would be found after a power cut, has come back for somebody else: us.
    with subprocess.Popen(["sleep", "60"], user=owner) as other:
        try:
            (folder / "postgres/postmaster.pid").write_text(said.replace(said.split()[0], str(other.pid), 1))
            with EmbeddedPostgres(folder):
                assert named_in(folder / "postgres").pid != other.pid
        finally:
            other.kill()


async def test_a_path_too_long_for_a_socket_gets_a_folder_that_nobody_else_may_enter(folder: Path):
    deep = folder / ("a-long-name-" * 10) / "data"
    assert not fits(deep / "postgres")
    with EmbeddedPostgres(deep) as server:
        where = named_in(deep / "postgres").socket_folder
        assert where is not None
        assert stat.S_IMODE(where.stat().st_mode) == 0o700
        assert stat.S_IMODE((where / ".s.PGSQL.5432").stat().st_mode) == 0o700
        with EmbeddedPostgres(deep) as second:
            assert second.url == server.url
        conn = await asyncpg.connect(server.url)
        assert await conn.fetchval("SELECT 1") == 1
        await conn.close()
    assert not where.exists()


@pytest.mark.parametrize("put_there", ["open folder", "link", "file"])
def test_a_folder_that_somebody_else_put_in_its_place_is_refused(
    folder: Path, put_there: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    pgdata = folder / ("a-long-name-" * 10)
    pgdata.mkdir()
    with_it = for_data(pgdata, user=None)
    with_it.rmdir()
    match put_there:
        case "open folder":
            with_it.mkdir()
            with_it.chmod(0o777)
        case "link":
            with_it.symlink_to(pgdata)
        case "file":
            with_it.touch(0o700)
    with pytest.raises(Unavailable, match="is in the way"):
        for_data(pgdata, user=None)


def test_where_no_path_is_short_enough_the_sentence_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sev1.engine.socket_folder.PATH_MAX", 20)
    with pytest.raises(Unavailable, match=r"too long .* Set SEV1_DATA to a shorter path"):
        for_data(folder, user=None)


async def test_a_folder_with_blanks_and_quotes_in_its_name_works(folder: Path):
    with EmbeddedPostgres(folder / "a % of 'data' & more") as server:
        async with Database(server.url, size=1) as db:
            assert await db.migrate() is True


def test_a_server_that_cannot_start_says_why(folder: Path):
    with EmbeddedPostgres(folder):
        pass
    with (folder / "postgres/postgresql.auto.conf").open("a") as conf:
        conf.write("shared_buffers = 'nonsense'\n")
    with pytest.raises(Unavailable, match=r"does not start\. .*shared_buffers"), EmbeddedPostgres(folder):
        pass
