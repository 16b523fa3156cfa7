"""A user's own PostgreSQL: the binaries of an installation, one cluster a folder, reached over a unix socket only.

`SEV1_TEST_POSTGRES=/usr/lib/postgresql/15/bin` makes every test run on it instead of the wheel's (`make test-matrix`).
"""

import contextlib
import os
import pwd
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from sev1.engine import postmaster
from sev1.engine.embedded import EmbeddedPostgres, _let_through

INSTALLED = os.environ.get("SEV1_TEST_POSTGRES")
"""Where the binaries are; None: the wheel's."""
LEFT_TRIES = 200
"""At 50 ms: the processes of a killed server leave within seconds."""
_pause = threading.Event()
USER = "postgres"
"""Whom Debian's package runs it as: PostgreSQL refuses to run as root."""


class InstalledPostgres:
    """The cluster in `folder`, started when it does not run. It belongs to its user: sev1 never stops it."""

    def __init__(self, folder: Path) -> None:
        assert INSTALLED is not None
        self._bin = Path(INSTALLED)
        self.folder = folder.resolve()
        self._user = USER if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        named = postmaster.named_in(self.folder)
        if named and postmaster.is_alive(named.pid, self.folder):
            return
        if named:
            self._clear_away(named)
        if not (self.folder / "PG_VERSION").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._user:
                _let_through(self.folder)
                owner = pwd.getpwnam(self._user)
                os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._done("initdb", "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--data-checksums", "-U", USER)
        # The socket lies beside the data, so that clusters of many tests never meet.
        where = f"-h '' -k {self.folder}"
        self._done("pg_ctl", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", where, "start")

    def _clear_away(self, dead: postmaster.Postmaster) -> None:
        """`pg_ctl` takes a server that was killed, and that nobody has reaped yet, for one that runs."""
        for _ in range(LEFT_TRIES):
            if not postmaster.others(self.folder, than=dead.pid):
                break
            _pause.wait(0.05)
        postmaster.disown(dead, self.folder)

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def _done(self, program: str, *arguments: str) -> None:
        done = self._run(program, *arguments)
        assert done.returncode == 0, f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}"

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        log = subprocess.PIPE if program == "initdb" or "start" not in arguments else subprocess.DEVNULL
        return subprocess.run(
            [str(self._bin / program), "-D", str(self.folder), *arguments],
            check=False,
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
        )


@contextlib.contextmanager
def postgres_in(data: Path) -> Iterator[str]:
    """The URL of the PostgreSQL whose data folder is `data`/postgres: the installed one, or the embedded one."""
    if INSTALLED is None:
        with EmbeddedPostgres(data) as embedded:
            yield embedded.url
        return
    server = InstalledPostgres(data / "postgres")
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


class RestartedPostgres:
    """A PostgreSQL that is stopped and started again while others use it. Enter it as a context manager."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stack = contextlib.ExitStack()
        self.url = ""

    def start(self) -> None:
        self.url = self._stack.enter_context(postgres_in(self._data))

    def stop(self) -> None:
        """Ends all connections at once, as an administrator's restart does."""
        self._stack.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
