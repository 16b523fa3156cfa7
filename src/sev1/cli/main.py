"""The `sev1` command: run the server, apply the catalog, make accounts, tokens and keys, and answer from a terminal."""

import typer

from sev1 import __version__
from sev1.cli import (
    access,
    audit,
    backup,
    break_glass,
    catalog,
    doctor,
    evidence,
    explain,
    importing,
    incident,
    language,
    lint,
    on_call,
    replay,
    respond,
    risk,
    serve,
    signal,
    silence,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
serve.register(app)
catalog.register(app)
importing.register(app)
access.register(app)
audit.register(app)
respond.register(app)
incident.register(app)
evidence.register(app)
break_glass.register(app)
on_call.register(app)
silence.register(app)
doctor.register(app)
backup.register(app)
lint.register(app)
language.register(app)
explain.register(app)
replay.register(app)
risk.register(app)
signal.register(app)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    app()
