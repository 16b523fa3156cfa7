"""`sev1 audit`: is the log whole, and all of it as a file. On the server itself; a file is checked anywhere."""

import contextlib
import os
import sys
from pathlib import Path

import typer

from sev1.cli.local import DataOption, clock, errors_in_words, fail, open_database, runs, say
from sev1.engine import audit, audit_chain
from sev1.engine.audit_chain import Verdict
from sev1.engine.errors import Refused

audit_app = typer.Typer(no_args_is_help=True, help="The audit log: who changed what, and whether it is whole.")
CLOSED = 0o600


def register(app: typer.Typer) -> None:
    app.add_typer(audit_app, name="audit")


@audit_app.command("list")
@runs
async def list_entries(
    actor: str = typer.Option("", help="A part of who did it."),
    action: str = typer.Option("", help="A part of what was done, such as token."),
    subject: str = typer.Option("", help="A part of what it was about."),
    limit: int = typer.Option(50, min=1, max=10_000, help="How many at most."),
    data: Path = DataOption,
) -> None:
    """Print the latest entries, newest first."""
    async with open_database(data) as (db, _), db.connection() as conn:
        for one in await audit.entries(conn, actor=actor, action=action, subject=subject, limit=limit):
            say(f"{one.position or '-'}\t{one.at:%Y-%m-%dT%H:%M:%SZ}\t{one.actor}\t{one.action}\t{one.subject}")


@audit_app.command()
def verify(
    file: Path = typer.Argument(None, help="A file that `sev1 audit export` wrote; without one the database."),
    expect: str = typer.Option("", help="A head that was noted elsewhere, position:hash."),
    data: Path = DataOption,
) -> None:
    """Check that every entry is as it was written. Exit code 0 when it is, 1 when not, with the first that is not."""
    with errors_in_words():
        expected = audit_chain.parse_head(expect) if expect else None
        if file is None:
            _verify_database(expect, data)
            return
        if not file.is_file():
            raise Refused(f"There is no file {file}.")
        with file.open("rb") as lines:
            _tell(audit_chain.verify_lines(lines, expected))


@runs
async def _verify_database(expect: str, data: Path) -> None:
    async with open_database(data) as (db, _), db.connection() as conn:
        verdict = await audit_chain.verify(conn, audit_chain.parse_head(expect) if expect else None)
    _tell(verdict)


@audit_app.command()
@runs
async def export(
    file: Path = typer.Argument(None, help="Where to; without one standard output."), data: Path = DataOption
) -> None:
    """Write the whole log as lines of JSON, which `sev1 audit verify FILE` can check without the server."""
    async with open_database(data) as (db, _), db.connection() as conn:
        if file is None:
            async for line in audit_chain.export(conn, clock.now()):
                sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            return
        try:
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, CLOSED)
        except FileExistsError:
            raise Refused(f"{file} exists. Name a file that does not, or remove it.") from None
        try:
            with os.fdopen(number, "wb") as out:
                async for line in audit_chain.export(conn, clock.now()):
                    out.write(line)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(file)  # noqa: PTH108 - a path's own way would be said to block
            raise


def _tell(verdict: Verdict) -> None:
    if not verdict.intact:
        fail(f"Entry {verdict.broken_at} breaks the chain: {verdict.why}. The last that holds is {verdict.head}.")
    say(f"All {verdict.entries} entries are as they were written. The head is {verdict.head}")
