"""What `postmaster.pid` of a data folder says, and whether it is still true.

PostgreSQL leaves that file behind when it is killed, and takes its word at the next start: a process with that id means
"already running". Both ways in which this is wrong happen in containers: the killed server stays a zombie where PID 1
does not reap, and small process ids come back soon for something else. The lock of the socket is read the same way.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

PROGRAM: Final = "postgres"
SOCKET: Final = ".s.PGSQL.5432"
NOBODY: Final = 2**31 - 1
"""No system gives a process this id."""
_PID_LINE, _SOCKET_LINE, _STATUS_LINE = 0, 4, 7


class Postmaster(Struct, frozen=True, kw_only=True):
    """The server that a data folder names."""

    pid: int
    socket_folder: Path | None
    """Where it listens; None while it starts."""
    is_ready: bool
    """Whether it takes connections; it does not while it starts or recovers."""


def named_in(pgdata: Path) -> Postmaster | None:
    """The server that `postmaster.pid` names, alive or not; None without a file that can be read as one."""
    try:
        lines = (pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[_PID_LINE])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    if pid <= 0:
        return None
    said = dict(enumerate(line.strip() for line in lines))
    folder = said.get(_SOCKET_LINE)
    return Postmaster(
        pid=pid, socket_folder=Path(folder) if folder else None, is_ready=said.get(_STATUS_LINE) == "ready"
    )


def is_alive(pid: int, pgdata: Path) -> bool:
    """Whether process `pid` is a PostgreSQL that serves `pgdata`: neither ended, nor a zombie, nor something else."""
    try:
        return _serves(psutil.Process(pid), pgdata)
    except psutil.NoSuchProcess:  # a zombie is one of them
        return False
    except psutil.AccessDenied:
        return True  # somebody else's: nothing that we may clear away


def others(pgdata: Path, *, than: int) -> list[int]:
    """PostgreSQL's processes that work in `pgdata`, without `than`: what a killed server leaves for a moment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != than and _serves(process, pgdata):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def disown(dead: Postmaster, pgdata: Path) -> None:
    """Makes the files that name a dead server name nobody, where its id is taken: by its zombie, or by somebody else.

    They are changed and not removed, because PostgreSQL also reads from `postmaster.pid` which shared memory it was, and
    refuses to start while a process of the dead server is still attached to that.
    """
    if not psutil.pid_exists(dead.pid):
        return
    for file in (pgdata / "postmaster.pid", (dead.socket_folder or pgdata) / f"{SOCKET}.lock"):
        with contextlib.suppress(FileNotFoundError), open(file, "r+b", opener=_no_link) as opened:
            first, newline, rest = opened.read().partition(b"\n")
            if first.strip() == b"%d" % dead.pid:
                opened.seek(0)
                opened.write(b"%d" % NOBODY + newline + rest)
                opened.truncate()


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _serves(process: psutil.Process, pgdata: Path) -> bool:
    if process.status() == psutil.STATUS_ZOMBIE or not process.name().startswith(PROGRAM):
        return False
    return Path(process.cwd()) == pgdata
