"""Where the embedded PostgreSQL puts its unix socket: beside the data, or, when that path is too long, in a folder of our own.

Whoever reaches the socket is the database's owner (authentication is by the file system), so the folder is closed to
everybody but the server's user. A folder below `/tmp` may have been put there by somebody else: one that is not ours, or
not closed, is refused rather than used.
"""

import hashlib
import os
import pwd
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sev1.engine.errors import Unavailable
from sev1.engine.postmaster import SOCKET

PATH_MAX: Final = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path: `sun_path` of unix(7) without its final zero; macOS and the BSDs have four fewer."""
PRIVATE: Final = 0o700


def fits(folder: Path) -> bool:
    """Whether a socket there can be named: short enough, and without what separates folders in PostgreSQL's setting."""
    return len(os.fsencode(folder / SOCKET)) <= PATH_MAX and not {",", '"'} & set(str(folder))


def for_data(pgdata: Path, *, user: str | None) -> Path:
    """The folder for the server of `pgdata`, which runs as `user` (None: as we do). Raises Unavailable when there is none."""
    if fits(pgdata):
        return pgdata
    for folder in _elsewhere(pgdata):
        if fits(folder):
            owner = pwd.getpwnam(user).pw_uid if user else os.geteuid()
            _make(folder, owner)
            return folder
    raise Unavailable(
        f"The path of the data folder is too long for PostgreSQL's socket ({len(os.fsencode(pgdata / SOCKET))} of at most "
        f"{PATH_MAX} bytes), and so is every folder for temporary files. Set SEV1_DATA to a shorter path."
    )


def remove(pgdata: Path) -> None:
    """Takes away the folder that `for_data` made, when the server has stopped. Nothing happens where there is none."""
    for folder in _elsewhere(pgdata):
        try:
            folder.rmdir()
        except OSError:
            continue  # never made, or somebody else's


def _elsewhere(pgdata: Path) -> Iterator[Path]:
    name = f"sev1-{hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:16]}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # For root the server is another user, who may not enter root's own runtime folder.
    if runtime and os.geteuid() != 0 and Path(runtime).is_dir():
        yield Path(runtime) / name
    yield Path(tempfile.gettempdir()) / name
    yield Path("/tmp") / name  # noqa: S108 - made closed, and looked at before it is used


def _make(folder: Path, owner: int) -> None:
    try:
        folder.mkdir(PRIVATE)
    except FileExistsError:
        pass
    except OSError as error:
        raise Unavailable(
            f"{folder}, for PostgreSQL's socket, cannot be made: {error}. Set SEV1_DATA to a shorter path."
        ) from error
    else:
        os.chown(folder, owner, -1, follow_symlinks=False)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != PRIVATE:
        raise Unavailable(
            f"{folder} is in the way: sev1 keeps PostgreSQL's socket there, and it is not a folder that only its user may enter. "
            f"Remove it, or set SEV1_DATA to a shorter path."
        )
