"""`sev1 backup`, `sev1 restore`: everything that sev1 knows as one file, made while it runs, and put back.

PostgreSQL's own programs do the work; they come with sev1, so no version has to be looked for.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import typer

from sev1.cli.local import DataOption, database_url, errors_in_words, say
from sev1.engine.database import Database
from sev1.engine.embedded import program
from sev1.engine.errors import Refused, Unavailable
from sev1.engine.settings import read_settings

ERROR_MAX = 1_000
NEWER = b"SET transaction_timeout = 0;\n"
"""In the head of every script that pg_restore 17 and newer write; servers before 17 do not know the setting."""
CLOSED = 0o600
"""The file holds everything that the database does: only its owner may read it."""


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)


def backup(file: Path, data: Path = DataOption) -> None:
    """Write everything to FILE, while sev1 runs or not: the state of one instant."""
    with errors_in_words():
        if file.exists():
            raise Refused(f"{file} exists. Name a file that does not, or remove it.")
        with database_url(read_settings(data=data)) as url:
            asyncio.run(_expect(url, empty=False))
            # Under its name only when it is whole.
            part = file.with_name(f"{file.name}.part")
            part.unlink(missing_ok=True)
            part.touch(CLOSED)
            try:
                _dump(url, part)
                part.rename(file)
            finally:
                part.unlink(missing_ok=True)
    say(f"{file} holds everything, {file.stat().st_size / 1e6:.1f} MB. Keep it as closed as the data folder.")


def restore(file: Path, data: Path = DataOption) -> None:
    """Put a backup into an empty database: a new folder, or an empty database on a server of your own."""
    with errors_in_words():
        if not file.is_file():
            raise Refused(f"There is no file {file}.")
        with database_url(read_settings(data=data)) as url:
            asyncio.run(_expect(url, empty=True))
            _pour(file, url)
            asyncio.run(_migrate(url))
    say("Everything is back. Start sev1 serve.")


async def _expect(url: str, *, empty: bool) -> None:
    async with Database(url, size=1) as db, db.connection() as conn:
        tables = await conn.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    if empty and tables:
        raise Refused("There is data already, which a restore would mix up. Name a new folder with --data.")
    if not empty and not tables:
        raise Refused("There is nothing to back up: the database is empty. Is it the right folder?")


async def _migrate(url: str) -> None:
    async with Database(url, size=1) as db:
        await db.migrate()


def _dump(url: str, file: Path) -> None:
    where, environ = _target(url)
    command: list[str | Path] = [program("pg_dump"), "--format=custom", f"--file={file}", where]
    done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True)  # noqa: S603 - our own words
    if done.returncode != 0:
        raise Unavailable(f"The backup failed, and nothing was kept of it: {done.stderr.strip()[-ERROR_MAX:]}")


def _pour(file: Path, url: str) -> None:
    """All of the file into the database, or nothing: in one transaction, which only its whole content commits."""
    where, environ = _target(url)
    script: list[str | Path] = [program("pg_restore"), "--file=-", "--no-owner", "--no-privileges", file]
    psql: list[str | Path] = [
        program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        where,
    ]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(script, stdout=subprocess.PIPE, stderr=said) as reading,  # noqa: S603 - our own words
        subprocess.Popen(  # noqa: S603
            psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environ
        ) as writing,
    ):
        assert reading.stdout is not None
        assert writing.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            _copy(reading.stdout, writing.stdin)
        reading.stdout.close()
        if reading.wait() != 0:
            # At the end of its input it would commit what came so far.
            writing.kill()
        with contextlib.suppress(BrokenPipeError):
            writing.stdin.close()
        if reading.returncode != 0 or writing.wait() != 0:
            said.seek(0)
            complaint = said.read().decode(errors="replace").strip()[:ERROR_MAX]
            raise Unavailable(f"The restore failed, and nothing was changed: {complaint}")


def _copy(script: IO[bytes], psql: IO[bytes]) -> None:
    """The head line by line, without what an older server would refuse; the rest as it is."""
    for line in script:
        if line == NEWER:
            break
        psql.write(line)
    shutil.copyfileobj(script, psql)


def _target(url: str) -> tuple[str, dict[str, str]]:
    """The option that names the database, and the environment. A password goes by the latter: everybody on the machine
    sees arguments.
    """
    at = urlsplit(url)
    environ = dict(os.environ)
    if at.password:
        environ["PGPASSWORD"] = unquote(at.password)
        url = url.replace(f":{at.password}@", "@", 1)
    return f"--dbname={url}", environ
