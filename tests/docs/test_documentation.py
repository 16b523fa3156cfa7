"""The documentation names everything that a user can set, call, see or meet: these tests fail when something is missing."""

import importlib
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer
from prometheus_client import REGISTRY

import sev1
from sev1.cli.main import app as cli
from sev1.engine.errors import Sev1Error
from sev1.engine.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CHAPTER_ROWS = {1: 6, 2: 5, 3: 5, 4: 6, 5: 12, 6: 3, 7: 6, 8: 10, 9: 7, 10: 5, 11: 4, 12: 5, 13: 4, 14: 5, 15: 6}
MISSION_ROWS = [f"{c}.{n}" for c, count in CHAPTER_ROWS.items() for n in range(1, count + 1)]
MISSION_ROWS += [f"T.{n}" for n in range(1, 6)]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def repository_files() -> list[Path]:
    """Everything that is, or is about to be, under version control."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def import_everything() -> None:
    for module in pkgutil.walk_packages(sev1.__path__, "sev1."):
        if not module.name.startswith("sev1.engine.migrations.") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def subclasses(error: type[Sev1Error]) -> Iterator[type[Sev1Error]]:
    yield error
    for child in error.__subclasses__():
        yield from subclasses(child)


def command_lines(command: object, path: str = "sev1") -> Iterator[str]:
    commands = getattr(command, "commands", None)
    if commands is None:
        yield path
        return
    for name, child in commands.items():
        if not child.hidden:
            yield from command_lines(child, f"{path} {name}")


def test_every_setting_is_described_with_its_default() -> None:
    described = text("settings.md")
    for field in msgspec.structs.fields(Settings):
        name = PREFIX + field.name.upper()
        line = next((line for line in described.splitlines() if line.startswith(f"| `{name}`")), None)
        assert line, f"docs/settings.md has no row for {name}"
        default = msgspec.json.encode(field.default, enc_hook=str).decode().strip('"')
        assert not default or f"`{default}`" in line, f"the row of {name} does not show its default {default}"


def test_no_setting_is_described_that_does_not_exist() -> None:
    known = {PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)}
    described = set(re.findall(rf"^\| `({PREFIX}\w+)`", text("settings.md"), re.MULTILINE))
    assert described <= known


def test_every_command_of_the_terminal_is_described() -> None:
    described = text("operations.md")
    missing = [line for line in command_lines(typer.main.get_command(cli)) if f"`{line}" not in described]
    assert not missing


def test_every_metric_is_described() -> None:
    import_everything()
    names = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("sev1_")}
    assert names, "no metric of ours is registered"
    described = text("operations.md")
    missing = sorted(name for name in names if f"`{name}" not in described)
    assert not missing


def test_every_error_code_is_described_with_its_status() -> None:
    import_everything()
    described = text("operations.md")
    for error in subclasses(Sev1Error):
        assert f"| `{error.code}` | {error.status} |" in described, f"{error.__name__} is missing"


def test_every_mission_row_has_one_honest_line_in_the_coverage_table() -> None:
    rows = re.findall(r"^\| ([\dT]+\.\d+) \| ([^|]+) \|([^|]*)\|", text("coverage.md"), re.MULTILINE)
    assert [row[0] for row in rows] == MISSION_ROWS
    for row, status, shown_by in rows:
        assert status in {"works", "partly", "not yet"}, f"{row}: {status}"
        tests = re.findall(r"`(tests/[^`]+)`", shown_by)
        assert tests or status == "not yet", f"{row} is said to work; by which test?"
        missing = [name for name in tests if not (ROOT / name.split("::")[0]).exists()]
        assert not missing, f"{row} names tests that do not exist: {missing}"


@pytest.mark.parametrize("document", sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")]), ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    broken = [
        t for t in targets if "://" not in t and not t.startswith("mailto:") and not (document.parent / t).exists()
    ]
    assert not broken


@pytest.mark.parametrize("document", sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")]), ids=lambda p: p.name)
def test_files_that_documents_name_exist(document: Path) -> None:
    """Such as `triage/pipeline.py`: read from the root, from src/sev1, or from the sample organisation."""
    bases = (ROOT, ROOT / "src/sev1", ROOT / "src/sev1/practice/sample")
    names = re.findall(
        r"`([a-z_][\w./-]*/[\w.-]+\.(?:py|sh|yaml|toml|md|html))(?:::\w+)?`", document.read_text("utf-8")
    )
    missing = [name for name in names if not any((base / name).exists() for base in bases)]
    assert not missing


def test_no_file_names_a_package_registry_or_a_path_of_the_machine_it_was_written_on() -> None:
    # Written apart, so that this file does not find itself.
    hosts = "pypi .org|pythonhosted .org|npmjs .org|debian .org".replace(" ", "").split("|")
    paths = "/work /|.. /shared|/opt /|/root /".replace(" ", "").split("|")
    found = []
    for path in repository_files():
        content = path.read_bytes()
        found += [f"{path.relative_to(ROOT)}: {word}" for word in hosts + paths if word.encode() in content]
    assert not found
