"""`sev1 plan`, `sev1 apply`, `sev1 schema`: the catalog as code."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import typer

from sev1.catalog import store
from sev1.catalog.load import Loaded, inspect
from sev1.catalog.model import Catalog
from sev1.catalog.plan import plan as make_plan
from sev1.catalog.plan import render
from sev1.catalog.problems import CatalogInvalid
from sev1.catalog.schema import write
from sev1.cli.local import DataOption, clock, errors_in_words, open_database, runs
from sev1.oncall import route_tests
from sev1.oncall import store as oncall_store
from sev1.oncall.apply import apply as apply_catalog
from sev1.oncall.apply import broken
from sev1.oncall.gaps import CoverWarning, all_warnings
from sev1.oncall.limits import Breach, newly_broken
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import Exceptions

FolderArgument = typer.Argument(help="Folder with the catalog's YAML files and runbooks.", exists=True, file_okay=False)


def register(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(apply)
    app.command()(schema)


@runs
async def plan(directory: Path = FolderArgument, data: Path = DataOption) -> None:
    """Show what `apply` would change. Changes nothing."""
    loaded = _load(directory)
    async with open_database(data) as (db, _), db.connection() as conn:
        print(render(make_plan(await store.read(conn), loaded.catalog)))
        exceptions = await oncall_store.overrides_at(conn, clock.now())
        before = await broken(conn, await store.read(conn), clock.now())
        after = await broken(conn, loaded.catalog, clock.now())
    for line in [*cover_lines(loaded.catalog, exceptions, clock.now()), *limit_lines(before, after)]:
        print(f"warning: {line}", file=sys.stderr)


def limit_lines(before: Iterable[Breach], after: Sequence[Breach]) -> list[str]:
    """Which limits of a team a catalog breaks, those that `apply` would refuse last and marked."""
    new = newly_broken(before, after)
    return [
        *(f"limit: {one.sentence}" for one in after if one not in new),
        *(f"limit: {one.sentence} `sev1 apply` refuses it without --override-limits REASON." for one in new),
    ]


def cover_lines(catalog: Catalog, exceptions: Mapping[str, Exceptions], now: datetime) -> list[str]:
    """What the on-call plan of a catalog lacks in the next 30 days, one sentence a line."""
    held = {name: in_force(of_one, catalog) for name, of_one in exceptions.items()}
    lines: list[str] = []
    said: set[CoverWarning] = set()
    for name, found in all_warnings(catalog, now, held).items():
        lines += [f"schedule {name}: {one.sentence}" for one in found if one not in said]
        said.update(one for one in found if one.schedules)  # said once, although of several schedules
    return lines


@runs
async def apply(
    directory: Path = FolderArgument,
    data: Path = DataOption,
    override_limits: str = typer.Option("", metavar="REASON", help="Why shifts may break the limits of a team."),
) -> None:
    """Make the catalog what the folder says: all of it or, when anything is wrong, nothing."""
    loaded = _load(directory)
    async with open_database(data) as (db, _), db.transaction() as conn:
        done = await apply_catalog(
            conn, loaded.catalog, actor="operator:cli", now=clock.now(), anyway=override_limits[:500]
        )
    print(render(done))


def schema(directory: Path = typer.Argument(help="Folder to write to.")) -> None:
    """Write the JSON Schemas of all kinds, for editors that check YAML while it is written."""
    with errors_in_words():
        write(directory)
        print(f"Wrote the schemas to {directory}.")


def _load(directory: Path) -> Loaded:
    loaded = inspect(directory)
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    _run_route_tests(loaded)
    return loaded


def _run_route_tests(loaded: Loaded) -> None:
    """Raises `CatalogInvalid` with every test that fails, by file and line."""
    failures = route_tests.run(loaded.catalog, clock.now())
    fix = "Correct the catalog, or the test if it expects the wrong thing."
    if failures:
        raise CatalogInvalid([loaded.problem("route-test", f.test, f.path, f.message, fix) for f in failures])
