"""`sev1 …` as a process of its own that need not import sev1 first: a fork of one that has imported it and run nothing.

Importing costs more than a second of a core, which is most of what a start takes; a test that starts sev1 dozens of times
would measure little else. All that follows is what the command does itself, to the interpreter's orderly end. Tests of
starting and stopping run the installed command.
"""

import atexit
import contextlib
import functools
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_MESSAGE_MAX = 256 * 1024
_PRELOADED = ("sev1.cli.main", "sev1.cli.run_node", "anyio._backends._asyncio", "typer._adapters")


class Forked:
    """A running command: the part of `subprocess.Popen` that tests use."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status.makefile("rb", buffering=0)
        status.close()
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, or minus the signal that ended it. Raises TimeoutExpired."""
        ended = self._ended(timeout)
        if ended is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return ended

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._status.readline()))
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork(
    arguments: Sequence[str], *, environ: Mapping[str, str], cwd: Path, stdin: IO[bytes], out: IO[bytes], err: IO[bytes]
) -> Forked:
    """Runs `sev1 *arguments*` with these streams."""
    ours, theirs = socket.socketpair()
    request = json.dumps({"arguments": list(arguments), "environ": dict(environ), "cwd": str(cwd)}).encode()
    with theirs:
        fds = [stdin.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
        socket.send_fds(_parent(), [request], fds)
    return Forked(ours)


@functools.cache
def _parent() -> socket.socket:
    """The connection to the process that has imported sev1, started with the first use; it ends with the tests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MESSAGE_MAX)
    with theirs:
        # -P: the names of our neighbours here, such as mailbox, are also names of the standard library.
        process = subprocess.Popen([sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# --- in the process that has imported sev1 ----------------------------------------------------------------------------


def _serve(control: socket.socket) -> None:
    """Forks for every request; returns in the child that is to run the command, and ends with the tests."""
    while True:
        request, fds, _, _ = socket.recv_fds(control, _MESSAGE_MAX, 4)
        if not request:
            os._exit(0)
        # One process between: it waits for the command and tells how it ended, while this one takes the next request.
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if (pid := os.fork()) == 0:
                os.close(fds.pop())
                return _become(json.loads(request), fds)
            _tell(pid, fds)
        for fd in fds:
            os.close(fd)


def _tell(pid: int, fds: list[int]) -> None:
    *streams, status = fds
    for fd in (0, 1, 2, *streams):
        os.close(fd)
    with contextlib.suppress(BrokenPipeError):
        os.write(status, b"%d\n" % pid)
        _, ended = os.waitpid(pid, 0)
        os.write(status, b"%d\n" % ended)
    os._exit(0)


def _become(request: dict[str, Any], fds: list[int]) -> None:
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.argv = ["sev1", *request["arguments"]]
    # What Python made of these three belongs to the files that were behind them.
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)),
        encoding="utf-8", errors="backslashreplace", line_buffering=True,
    )  # fmt: skip


if __name__ == "__main__":
    import importlib
    import threading

    for module in _PRELOADED:
        importlib.import_module(module)
    assert threading.active_count() == 1, "a fork takes no threads along"
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from sev1.cli.main import main

    main()
