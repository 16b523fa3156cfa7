"""`sev1 replay`: a changed catalog tried against history, before it goes live. Runs beside the server, writes nothing."""

import enum
import sys
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import typer

from sev1.catalog import store as catalog_store
from sev1.catalog.load import load
from sev1.cli.explain import minutes_of
from sev1.cli.local import DataOption, clock, open_database, runs
from sev1.replay.report import as_text
from sev1.replay.store import replay as run_replay


class HowAnswered(enum.StrEnum):
    AS_RECORDED = "as-recorded"
    NOBODY = "nobody"


def register(app: typer.Typer) -> None:
    app.command()(replay)


@runs
async def replay(
    config: Path = typer.Option(..., "--config", help="Folder with the changed catalog.", exists=True, file_okay=False),
    since: str = typer.Option("30d", help="How far back: 24h, 7d, 30d."),
    answers: HowAnswered = typer.Option(HowAnswered.AS_RECORDED, help="How people answer pages."),
    as_json: bool = typer.Option(False, "--json", help="The figures for programs."),
    data: Path = DataOption,
) -> None:
    """Show what a changed catalog would have made of the past: who is woken, when, and what would be missed."""
    minutes = minutes_of(since)
    changed = load(config)
    began = time.perf_counter()
    async with open_database(data) as (db, _), db.connection() as conn:
        now = clock.now()
        report = await run_replay(
            conn,
            await catalog_store.read(conn),
            changed,
            since=now - timedelta(minutes=minutes),
            until=now,
            answers=answers.value,
        )
    took = time.perf_counter() - began
    print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() if as_json else as_text(report))
    print(f"{report.alerts} alerts in {took:.1f} s: {report.alerts / took:.0f} a second.", file=sys.stderr)
