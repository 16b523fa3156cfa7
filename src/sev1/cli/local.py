"""What commands on the server itself share: settings, the database (embedded or not), a clock, errors in one line."""

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import typer

from sev1.engine.clock import SystemClock
from sev1.engine.database import Database
from sev1.engine.embedded import EmbeddedPostgres
from sev1.engine.errors import Sev1Error
from sev1.engine.settings import Settings, read_settings

DataOption = typer.Option(None, "--data", help="Folder of the embedded PostgreSQL (SEV1_DATA).", show_default=False)

P = ParamSpec("P")

clock = SystemClock()


@contextlib.contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """SEV1_DATABASE_URL, or the embedded PostgreSQL: joined when a server runs it already, else started for a moment."""
    if settings.database_url:
        yield settings.database_url
    else:
        with EmbeddedPostgres(settings.data) as server:
            yield server.url


@contextlib.asynccontextmanager
async def open_database(data: Path | None) -> AsyncIterator[tuple[Database, Settings]]:
    """The migrated database and the settings in force."""
    settings = read_settings(data=data)
    with database_url(settings) as url:
        async with Database(url, size=2) as db:
            await db.migrate()
            yield db, settings


def runs(function: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Makes a command of an async function; an error of sev1 is one sentence on stderr and exit code 1."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        with errors_in_words():
            asyncio.run(function(*args, **kwargs))

    return command


@contextlib.contextmanager
def errors_in_words() -> Iterator[None]:
    try:
        yield
    except Sev1Error as error:
        fail(error.message)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def fail(message: str) -> NoReturn:
    """Says what is wrong and ends the command with exit code 1."""
    print(message, file=sys.stderr)
    raise SystemExit(1)


def say(line: str) -> None:
    """One line on stdout, at once."""
    print(line, flush=True)
