"""A folder of YAML and Markdown -> a `Catalog`, or everything that is wrong with it, by file and line.

for every *.yaml, *.yml      documents with `kind:` and that kind's fields (`yaml_tree`, `convert`)
for every runbooks/**/*.md   a runbook: the file's stem is its name, its first heading the title
then                         names twice, and what must hold between objects (`check`)
"""

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from sev1.catalog import yaml_tree
from sev1.catalog.check import check
from sev1.catalog.convert import faults
from sev1.catalog.model import DEFAULT_SEVERITIES, KINDS, Catalog, Runbook
from sev1.catalog.plan import objects
from sev1.catalog.problems import CatalogInvalid, Problem, did_you_mean, listed, shortened
from sev1.catalog.problems import Path as Path_
from sev1.catalog.yaml_tree import Mapping, Node, Unreadable, line_of, plain

LARGEST_FILE_BYTES = 1_000_000
LARGEST_CATALOG = 8_000_000
"""In characters. Reading takes some seconds a million."""
MOST_FILES = 5_000

_WRITABLE_KINDS = [kind for kind in KINDS if kind != "runbook"]
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SHORT_TIME = re.compile(r"\d{2}:\d{2}")


class Loaded(Struct, frozen=True):
    catalog: Catalog
    warnings: tuple[Problem, ...]
    """What is untidy, in the order of files and lines. No reason to refuse the catalog."""
    places: dict[tuple[str, str], tuple[str, Node]] = {}
    """By kind and name, the file and the tree in which an object was written."""

    def problem(self, kind: str, name: str, path: Path_, message: str, fix: str = "") -> Problem:
        """What is wrong at `path` inside an object, with its file and line."""
        file, node = self.places[kind, name]
        return Problem(file=file, line=line_of(node, path), message=message, fix=fix)


def load(directory: Path) -> Catalog:
    """The catalog written in `directory`; its version is 0. Raises `CatalogInvalid` with all problems."""
    return inspect(directory).catalog


def inspect(directory: Path) -> Loaded:
    """Like `load`, with the warnings beside the catalog."""
    reading = _Reading(directory)
    reading.read_files()
    warnings = reading.cross_check()
    if reading.problems:
        raise CatalogInvalid(sorted(set(reading.problems)))
    return Loaded(reading.catalog(), tuple(sorted(warnings)), reading.places())


def laid_over(base: Catalog, text: str) -> Catalog:
    """`base` with the objects of one YAML text in place of those of the same kind and name, or beside them.

    Raises `CatalogInvalid` with all problems, by line of the text.
    """
    reading = _Reading(Path("text"))
    reading.lay_under(base)
    try:
        reading.read_yaml("text", text)
    except Unreadable as error:
        raise CatalogInvalid([error.problem("text")]) from None
    reading.cross_check()
    if reading.problems:
        raise CatalogInvalid(sorted(set(reading.problems)))
    return reading.catalog()


class _Source(Struct):
    """Where an object was written."""

    file: str
    node: Node


class _Reading:
    def __init__(self, directory: Path) -> None:
        self.problems: list[Problem] = []
        self._directory = directory
        self._sources: dict[tuple[str, str], _Source] = {}
        self._values: dict[tuple[str, str], Struct] = {}
        self._lost_a_file = False
        """Some file could not be read at all, so nobody knows which names it would have held."""
        self._characters = 0

    def read_files(self) -> None:
        for path in self._paths():
            file = path.relative_to(self._directory).as_posix()
            try:
                text = _text(path)
                self._characters += len(text)
                if path.suffix == ".md":
                    self._read_runbook(file, path.stem, text)
                else:
                    self.read_yaml(file, text)
            except Unreadable as error:
                self.problems.append(error.problem(file))
                self._lost_a_file = True
            if self._characters > LARGEST_CATALOG:
                message = f"Up to here the files hold more than {LARGEST_CATALOG // 1_000_000} million characters."
                self._report(file, 1, message, "Check that the folder holds only the catalog.")
                raise CatalogInvalid(self.problems)

    def lay_under(self, base: Catalog) -> None:
        """What holds where nothing else is read."""
        self._values |= objects(base)

    def _paths(self) -> list[Path]:
        paths = list(itertools.islice(_files(self._directory), MOST_FILES + 1))
        if paths and len(paths) <= MOST_FILES:
            return paths
        if not self._directory.is_dir():
            message, fix = "There is no such folder.", "Check the path."
        elif paths:
            message, fix = f"The folder holds more than {MOST_FILES} files.", "Check that it holds only the catalog."
        else:
            message = "The folder holds neither .yaml files nor runbooks/*.md; applying it would delete everything."
            fix = "Check the path."
        raise CatalogInvalid([Problem(file=str(self._directory), line=1, message=message, fix=fix)])

    def catalog(self) -> Catalog:
        fields: dict[str, Any] = {}
        for (kind, name), value in self._values.items():
            attribute = KINDS[kind][0]
            if kind == "organisation":
                fields[attribute] = value
            else:
                fields.setdefault(attribute, {})[name] = value
        fields.setdefault("severities", dict(DEFAULT_SEVERITIES))
        return Catalog(**fields)

    def places(self) -> dict[tuple[str, str], tuple[str, Node]]:
        return {key: (source.file, source.node) for key, source in self._sources.items()}

    def cross_check(self) -> list[Problem]:
        """Adds what does not hold between objects to the problems; returns the warnings."""
        if self._lost_a_file:
            return []
        unread: dict[str, set[str]] = {}
        for kind, name in self._sources.keys() - self._values.keys():
            unread.setdefault(kind, set()).add(name)
        warnings: list[Problem] = []
        for finding in check(self.catalog(), unread if self.problems else None):
            source = self._sources.get((finding.kind, finding.name))
            problem = Problem(
                file=source.file if source else str(self._directory),
                line=line_of(source.node, finding.path) if source else 1,
                message=finding.message,
                fix=finding.fix,
            )
            (warnings if finding.warning else self.problems).append(problem)
        return warnings

    def read_yaml(self, file: str, text: str) -> None:
        documents = 0
        for documents, node in enumerate(yaml_tree.documents(text), start=1):  # noqa: B007 - counted after the loop
            if isinstance(node, Mapping):
                self._read_object(file, node)
            else:
                message = "Each document must be one object: lines of `key: value` that begin with `kind:`."
                self._report(file, node.line, message, "Separate objects by a line `---`.")
        if not documents:
            self._report(
                file, 1, "The file holds no object.", "Write one that begins with `kind:`, or delete the file."
            )

    def _read_object(self, file: str, node: Mapping) -> None:
        value = plain(node)
        kind = value.pop("kind", None)
        if kind not in _WRITABLE_KINDS:
            line = line_of(node, ("kind",))
            if kind is None:
                self._report(
                    file, line, "`kind` is missing.", f"Begin with `kind:` and one of {listed(_WRITABLE_KINDS)}."
                )
            elif kind == "runbook":
                self._report(file, line, "Runbooks are not written in YAML.", "Write it as runbooks/NAME.md.")
            else:
                fix = did_you_mean(str(kind), _WRITABLE_KINDS) or f"Known kinds: {listed(_WRITABLE_KINDS)}."
                self._report(file, line, f'There is no kind "{shortened(str(kind))}".', fix)
            return
        wanted = KINDS[kind][1]
        _complete_time(kind, value)
        wrong = faults(value, wanted)
        name = value.get("name")
        title = f'{kind} "{shortened(name)}"' if isinstance(name, str) else kind
        for fault in wrong:
            self._report(file, line_of(node, fault.path), f"{title}: {fault.message}", fault.fix)
        if isinstance(name, str) and self._is_new(kind, name, file, node) and not wrong:
            self._values[kind, name] = msgspec.convert(value, wanted)

    def _read_runbook(self, file: str, stem: str, text: str) -> None:
        title = _first_heading(text)
        if title is None:
            self._report(file, 1, "The runbook has no heading.", "Begin it with `# ` and what it repairs.")
        value = {"name": stem, "title": title or stem, "body": text.strip() + "\n"}
        wrong = faults(value, Runbook)
        for fault in wrong:
            what = "The file's name without .md, " if fault.path == ("name",) else "The first heading, "
            self._report(file, 1, f"{what}{fault.message}", fault.fix)
        if self._is_new("runbook", stem, file, Mapping(line=1)) and not wrong:
            self._values["runbook", stem] = msgspec.convert(value, Runbook)

    def _is_new(self, kind: str, name: str, file: str, node: Node) -> bool:
        """Notes where an object was written; a second one of the same name is a problem."""
        key = (kind, name)
        if kind == "organisation":
            key = next((other for other in self._sources if other[0] == kind), key)
        first = self._sources.setdefault(key, _Source(file, node))
        if first.node is node:
            return True
        where = f"{first.file}:{line_of(first.node, ('name',))}"
        if kind == "organisation":
            message = f'organisation "{name}" is the second one; "{key[1]}" is written in {where}.'
            self._report(file, node.line, message, "Keep one: a catalog describes one organisation.")
        else:
            message = f'{kind} "{name}" is written twice, first in {where}.'
            self._report(file, line_of(node, ("name",)), message, "Rename one or delete it.")
        return False

    def _report(self, file: str, line: int, message: str, fix: str) -> None:
        self.problems.append(Problem(file=file, line=line, message=message, fix=fix))


def _files(directory: Path) -> Iterator[Path]:
    """What belongs to a catalog, sorted. Hidden folders are left out (`.git`, and what Kubernetes mounts beside)."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        in_runbooks = "runbooks" in here.relative_to(directory).parts
        for name in sorted(names):
            suffix = Path(name).suffix
            is_runbook = in_runbooks and suffix == ".md" and name.lower() != "readme.md"
            if not name.startswith(".") and (suffix in {".yaml", ".yml"} or is_runbook):
                yield here / name


def _text(path: Path) -> str:
    """The file as text. Raises `Unreadable` when it is too large or not UTF-8 text; never reads past the limit."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        message = f"The file cannot be read: {error.strerror or error}."
        raise Unreadable(1, message, "Check that it is a file and who may read it.") from error
    if len(raw) > LARGEST_FILE_BYTES:
        raise Unreadable(1, f"The file is larger than {LARGEST_FILE_BYTES // 1000} kB.", "Split it into several files.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"The byte 0x{raw[error.start]:02x} is not UTF-8."
        raise Unreadable(line, message, "Save the file as UTF-8.") from error
    text = text.replace("\r\n", "\n")
    if path.suffix == ".md":
        yaml_tree.require_printable(text)
    return text


def _complete_time(kind: str, value: dict[str, Any]) -> None:
    """`09:00` is what people write; the full form has seconds."""
    places: list[Any] = []
    if kind == "schedule":
        layers = value.get("layers")
        layers = [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
        places += [value.get("rotation"), *layers]
        for layer in layers:
            windows = layer.get("restrictions")
            places += windows if isinstance(windows, list) else []
    if kind == "person":
        places.append(value.get("awake"))
    if kind == "maintenance":
        places.append(value)
    if kind == "escalation-policy":
        steps = value.get("steps")
        steps = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
        for place in (value.get("hold"), *(step.get("when") for step in steps)):
            windows = place.get("hours") if isinstance(place, dict) else None
            places += windows if isinstance(windows, list) else []
    for place in places:
        for name in ("hand_over_at", "start", "end", "at"):
            at = place.get(name) if isinstance(place, dict) else None
            if isinstance(at, str) and _SHORT_TIME.fullmatch(at):
                place[name] = f"{at}:00"


def _first_heading(text: str) -> str | None:
    """The first heading of a Markdown text, outside fenced code (where `#` begins a comment of a shell)."""
    fence = ""
    for line in text.splitlines():
        match = _FENCE.match(line)
        if match and not fence:
            fence = match.group(1)
        elif match and match.group(1).startswith(fence):
            fence = ""
        elif not fence and (heading := _HEADING.match(line)):
            return heading.group(1)
    return None
