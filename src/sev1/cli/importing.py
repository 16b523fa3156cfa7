"""`sev1 import …`: other products' configuration as a catalog, with a report of what could not be carried over."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import typer

from sev1.catalog.check import check
from sev1.catalog.importers import alertmanager as alertmanager_import
from sev1.catalog.importers import grafana_oncall as grafana_oncall_import
from sev1.catalog.importers import opsgenie as opsgenie_import
from sev1.catalog.importers import pagerduty as pagerduty_import
from sev1.catalog.importers.draft import Imported, NotImportable, report
from sev1.catalog.importers.sources import LARGEST_JSON
from sev1.catalog.importers.written import MARK, files, first_line
from sev1.cli.local import clock, errors_in_words, fail

FileArgument = typer.Argument(help="The file to import.", show_default=False)
FilesArgument = typer.Argument(metavar="FILE...", help="Answers of the API as JSON, in any order.", show_default=False)
OutOption = typer.Option(None, "--out", help="Folder to write the catalog to. Without it only the report is shown.")
JsonOption = typer.Option(False, "--json", help="The report as JSON.")
ContactOption = typer.Option(
    None, "--contact", help="Mail address that is paged where nothing of a receiver can be carried over."
)

Read = Callable[[list[tuple[str, bytes]]], Imported]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Make a catalog from another product's configuration.")
    for command in (alertmanager, pagerduty, opsgenie, grafana_oncall):
        group.command(command.__name__.replace("_", "-"))(command)
    app.add_typer(group, name="import")


def alertmanager(
    file: Path = FileArgument, out: Path = OutOption, contact: str = ContactOption, as_json: bool = JsonOption
) -> None:
    """Routes, receivers, inhibit rules and time intervals of an Alertmanager configuration."""

    def read(found: list[tuple[str, bytes]]) -> Imported:
        ((name, raw),) = found
        return alertmanager_import.read(name, raw, contact=contact).imported

    _run("alertmanager", [file], out, read, as_json=as_json)


def pagerduty(paths: list[Path] = FilesArgument, out: Path = OutOption, as_json: bool = JsonOption) -> None:
    """Users, teams, schedules, escalation policies and services from PagerDuty's REST API."""
    _run("pagerduty", paths, out, lambda found: pagerduty_import.read(found, clock.now()), as_json=as_json)


def opsgenie(paths: list[Path] = FilesArgument, out: Path = OutOption, as_json: bool = JsonOption) -> None:
    """Users, teams, schedules, escalations and services from Opsgenie's API."""
    _run("opsgenie", paths, out, lambda found: opsgenie_import.read(found, clock.now()), as_json=as_json)


def grafana_oncall(paths: list[Path] = FilesArgument, out: Path = OutOption, as_json: bool = JsonOption) -> None:
    """Users, teams, schedules, escalation chains and integrations from Grafana OnCall's API."""
    _run("grafana-oncall", paths, out, lambda found: grafana_oncall_import.read(found, clock.now()), as_json=as_json)


def _run(product: str, paths: list[Path], out: Path | None, read: Read, *, as_json: bool) -> None:
    with errors_in_words():
        imported = read([(path.name, _bytes(path)) for path in paths])
        usable = any(one.kind != "organisation" for one in imported.made)
        if out is not None and usable:
            _write(out, files(imported, f"sev1 import {product}"), f"sev1 import {product}")
        _print(imported, out if usable else None, as_json=as_json)
        problems = [f"{one.message} {one.fix}" for one in check(imported.catalog) if not one.warning]
        for problem in problems:
            print(f"to mend by hand: {problem}", file=sys.stderr)
    if not usable:
        fail("Nothing in it can be used.")


def _bytes(path: Path) -> bytes:
    """The file, never read past the limit."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_JSON + 1)
    except OSError as error:
        raise NotImportable(f"{path} cannot be read: {error.strerror or error}.") from error


def _print(imported: Imported, out: Path | None, *, as_json: bool) -> None:
    if as_json:
        told = {
            "made": [{"kind": one.kind, "name": one.value.name, "source": one.source} for one in imported.made],
            "report": msgspec.to_builtins(imported.entries),
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    print(report(imported))
    if out is not None:
        print(f"Written to {out}. Next: `sev1 plan {out}`.")


def _write(out: Path, made: dict[str, str], command: str) -> None:
    """Writes the files, and removes those that an earlier import of the same product wrote and this one did not."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in made:
            _require_own(out / name, command)
        for path in sorted(out.glob("*.yaml")):
            if path.name not in made and _first(path) == first_line(command):
                path.unlink()
        for name, content in made.items():
            (out / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise NotImportable(f"{out} cannot be written: {error.strerror or error}.") from error


def _require_own(path: Path, command: str) -> None:
    """Raises rather than overwrite what somebody wrote by hand, or what came from another product."""
    if path.exists() and _first(path) != first_line(command):
        whose = "was imported from another product" if _first(path).startswith(MARK) else "was written by somebody"
        raise NotImportable(
            f"{path} {whose} and is not overwritten. Give another folder with --out, such as a subfolder."
        )


def _first(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(200).rstrip("\n")
