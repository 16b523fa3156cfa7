"""`sev1 lint`: what alerting rules lack, before they wake somebody. Needs no server."""

import enum
from pathlib import Path

import typer

from sev1.catalog.load import LARGEST_FILE_BYTES, load
from sev1.catalog.model import Catalog
from sev1.catalog.yaml_tree import Unreadable
from sev1.cli.local import errors_in_words
from sev1.lint import rule_file
from sev1.lint.decide import judge_rule
from sev1.lint.report import FORMATS, FileReport, failed


class Form(enum.StrEnum):
    TEXT = "text"
    GITHUB = "github"
    JSON = "json"


def register(app: typer.Typer) -> None:
    app.command()(lint)


def lint(
    files: list[Path] = typer.Argument(help="Prometheus rule files."),
    form: Form = typer.Option(Form.TEXT, "--format", help="For people, for GitHub Actions, or for programs."),
    minimum: int = typer.Option(0, min=0, max=5, help="Exit with 1 when a rule answers fewer of the five."),
    catalog: Path = typer.Option(
        None, help="Folder of the catalog, whose services answer as well.", show_default=False
    ),
) -> None:
    """Score alerting rules on the first five questions and say what to add where."""
    with errors_in_words():
        known = load(catalog) if catalog else Catalog()
        reports = [_report(file, known) for file in files]
    print(FORMATS[form](reports, minimum))
    if failed(reports, minimum):
        raise SystemExit(1)


def _report(file: Path, catalog: Catalog) -> FileReport:
    try:
        rules = rule_file.read(_text(file))
    except Unreadable as error:
        return FileReport(file=str(file), unreadable=error.problem(str(file)))
    return FileReport(file=str(file), rules=tuple(judge_rule(rule, catalog) for rule in rules))


def _text(file: Path) -> str:
    """Raises `Unreadable`; never reads past the limit."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise Unreadable(1, f"The file cannot be read: {error.strerror or error}.", "Check the path.") from error
    if len(raw) > LARGEST_FILE_BYTES:
        raise Unreadable(1, f"The file is larger than {LARGEST_FILE_BYTES // 1000} kB.", "Split it into several files.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, f"The byte 0x{raw[error.start]:02x} is not UTF-8.", "Save it as UTF-8.") from error
