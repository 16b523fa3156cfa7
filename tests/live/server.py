"""`sev1 serve` as a process of its own with its embedded PostgreSQL, as a user runs it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from sev1.engine.postmaster import is_alive, named_in
from tests.live import postgres
from tests.live.forked import Forked, fork
from tests.live.waiting import answers, free_port, until

SEV1 = Path(sys.executable).with_name("sev1")
START_WITHIN_S = 60.0
RUN_WITHIN_S = 120.0


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for one server, removed afterwards.

    Not below pytest's: as root, PostgreSQL runs as a user of its own, and every other pytest that starts on this machine
    closes pytest's folder to all but root. And short: a unix socket has its path in 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="sev1-") as name:
        yield Path(name)


class LiveServer:
    """`with LiveServer(folder) as server:` starts it and ends it, and whatever a kill left of it."""

    def __init__(self, folder: Path, *, smtp_port: int | None = None, forked: bool = False, **settings: object) -> None:
        """`settings` are those of sev1 by their name in lower case; the data lives in `folder`.

        `forked` saves the second that importing takes at each start, see `forked`; else it is the installed command.
        """
        self.folder = folder
        self._forked = forked
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given: dict[str, object] = {"data": folder / "data", "port": self.port, "log_level": "info"}
        if smtp_port is not None:
            given |= {"smtp_host": "127.0.0.1", "smtp_port": smtp_port, "smtp_tls": "none"}
        given |= settings
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("SEV1_")}
        own = postgres.INSTALLED is None or "database_url" in settings
        self._installed = None if own else postgres.InstalledPostgres(folder / "data/postgres")
        if self._installed:
            given["database_url"] = self._installed.url
        self.environ |= {f"SEV1_{name.upper()}": str(value) for name, value in given.items()}
        self.log = folder / "sev1.log"
        self.process: subprocess.Popen[bytes] | Forked | None = None

    def start(self, *, command: tuple[str, ...] = ("serve",)) -> float:
        """Starts the process; returns after how many seconds it was ready. Fails with its log when it is not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._installed:
            self._installed.start()
        begun = time.monotonic()
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            if self._forked:
                self.process = fork(command, environ=self.environ, cwd=self.folder, stdin=nothing, out=log, err=log)
            else:
                self.process = subprocess.Popen(
                    [str(SEV1), *command], env=self.environ, cwd=self.folder, stdin=nothing, stdout=log, stderr=log
                )
        try:
            until(self._is_ready, "sev1 to be ready", within_s=START_WITHIN_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None
        return time.monotonic() - begun

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"sev1 ended with {self.process.returncode}")
        return answers(f"{self.url}/readyz")

    def said(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed. Its PostgreSQL goes on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, sig: signal.Signals = signal.SIGTERM, *, within_s: float = 10.0) -> float:
        """Asks it to end; returns after how many seconds it had. Fails when it takes longer or says that it failed."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(sig)
        try:
            status = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"sev1 did not stop within {within_s:g} s of {sig.name}\n{self.said()}") from None
        self.process = None
        assert status in {0, 128 + sig}, (
            f"sev1 was ended by {sig.name} before it had stopped in order: {status}\n{self.said()}"
        )
        took = time.monotonic() - begun
        if self._installed:
            self._installed.stop()
        return took

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
        finally:
            self.end()

    def end(self) -> None:
        """Ends whatever still runs, however it was left."""
        if self.process is not None:
            self.kill()
        self.end_postgres()

    # --- its PostgreSQL -----------------------------------------------------------------------------------------------

    @property
    def postmaster(self) -> int | None:
        """The process id of the embedded PostgreSQL; None when it does not run."""
        pgdata = (self.folder / "data/postgres").resolve()
        named = named_in(pgdata)
        return named.pid if named and is_alive(named.pid, pgdata) else None

    def kill_postgres(self) -> None:
        """SIGKILL for the postmaster. Its children notice and end, its zombie may stay: the next start copes with both."""
        pid = self.postmaster
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        if self._installed:  # a user starts their own server again once it has ended
            until(lambda: self.postmaster is None, "PostgreSQL to be gone", within_s=20)

    def end_postgres(self) -> None:
        """Ends what a killed server left running. SIGINT is PostgreSQL's fast shutdown."""
        pid = self.postmaster
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            until(lambda: self.postmaster is None, "PostgreSQL to stop", within_s=20)

    def _processes_of_postgres(self) -> list[int]:
        """Those that have their working directory in our data folder, as every backend does."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if (entry / "cwd").readlink() == (self.folder / "data/postgres").resolve():
                        found.append(int(entry.name))
        return found

    def processes(self) -> list[int]:
        """Everything that still runs of this server: itself and its PostgreSQL."""
        own = [] if self.process is None else [self.process.pid]
        return own + self._processes_of_postgres()

    # --- its users ----------------------------------------------------------------------------------------------------

    def with_postgres(self) -> None:
        """A user's own PostgreSQL runs whether sev1 does or not; the embedded one is started by whoever needs it."""
        if self._installed:
            self._installed.start()

    def run(self, *arguments: str, given: str = "") -> str:
        """`sev1 …` on the terminal beside the running server; its output. Fails when it fails."""
        self.with_postgres()
        with contextlib.ExitStack() as stack:
            given_file, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            given_file.write(given.encode())
            given_file.seek(0)
            running = fork(arguments, environ=self.environ, cwd=self.folder, stdin=given_file, out=out, err=err)
            status = running.wait(RUN_WITHIN_S)
            printed, complained = (file.seek(0) or file.read().decode() for file in (out, err))
        assert status == 0, f"sev1 {' '.join(arguments)} ended with {status}:\n{printed}{complained}"
        return printed

    @contextlib.contextmanager
    def browser(self, email: str, role: str = "responder") -> Iterator[httpx.Client]:
        """A new account, signed in by the form as a browser does it."""
        password = "four lamps in a row"
        self.run("user", "add", email, "--role", role, "--password-stdin", given=password + "\n")
        with httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=10) as client:
            answer = client.post("/sign-in", data={"email": email, "password": password, "next": "/"})
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
            yield client

    def token(self, role: str = "responder") -> str:
        """A new API token."""
        printed = self.run("token", "create", "--name", f"{role} {time.monotonic_ns()}", "--role", role)
        return printed.split()[-1]

    def key(self, kind: str, *options: str) -> str:
        """A new integration key, as the address to paste into the sender."""
        printed = self.run("key", "create", kind, *options)
        found = re.search(r"https?://\S+", printed)
        assert found, f"no address in {printed!r}"
        return found.group()

    def client(self, token: str) -> httpx.Client:
        """An HTTP client that shows `token`. Its connections are closed with it."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
