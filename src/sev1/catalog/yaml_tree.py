"""YAML as a tree that remembers its lines.

Built from the parser's events and not by its constructors: so no tag can create anything but text, numbers, booleans,
lists and mappings, and size, nesting and aliases are bounded while reading (an alias repeats a node it does not copy).
Plain words follow the core schema of YAML 1.2: `yes`, `on` and `09:00` are text.
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from sev1.catalog.problems import Path, Problem, shortened

DEEPEST = 20
MOST_VALUES = 50_000
"""Values in one document, counted after aliases are followed: ends a "billion laughs"."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,15}")
_OCTAL = re.compile(r"0o[0-7]{1,20}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Scalar(Struct, frozen=True):
    value: str | int | float | bool | None
    line: int
    size: int = 1


class Sequence(Struct):
    line: int
    items: list["Node"] = field(default_factory=list)
    size: int = 1


class Mapping(Struct):
    line: int
    entries: dict[str, "Node"] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1


Node = Scalar | Sequence | Mapping


class Unreadable(Exception):
    def __init__(self, line: int, message: str, fix: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.fix = fix

    def problem(self, file: str) -> Problem:
        return Problem(file=file, line=self.line, message=self.message, fix=self.fix)


def documents(text: str) -> Iterator[Node]:
    """The documents of a YAML text, each as a tree; empty ones are left out. Raises `Unreadable` at the first error."""
    try:
        yield from _documents(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"The character U+{ord(text[error.position]):04X} may not stand in YAML."
        raise Unreadable(line, message, "Remove it.") from error
    except MarkedYAMLError as error:
        raise _syntax_error(error) from error
    except YAMLError as error:
        raise Unreadable(1, f"This is not YAML: {shortened(str(error), 200)}.", "Correct the syntax.") from error


def plain(node: Node) -> Any:
    """The tree without its lines: dicts, lists and scalars."""
    match node:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(entries=entries):
            return {key: plain(value) for key, value in entries.items()}


def require_printable(text: str, line: int | None = None) -> None:
    """Raises `Unreadable` for control characters. `line` is where `text` stands, None when it is a whole file."""
    found = _UNPRINTABLE.search(text)
    if found:
        line = line or text.count("\n", 0, found.start()) + 1
        message = f"The text holds the character U+{ord(found.group()):04X}, which cannot be shown."
        raise Unreadable(line, message, "Remove it.")


def line_of(node: Node, path: Path) -> int:
    """The line of the value at `path`, or of the closest thing above it that was written."""
    line = node.line
    for step in path:
        if isinstance(node, Mapping) and step in node.entries:
            line = node.key_lines[str(step)]
            node = node.entries[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return line


class _Frame(Struct):
    """A list or mapping that is being read."""

    node: Sequence | Mapping
    anchor: str | None
    key: str | None = None
    key_line: int = 0


def _documents(text: str) -> Iterator[Node]:
    frames: list[_Frame] = []
    anchors: dict[str, Node] = {}
    root: Node | None = None
    event: Event
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            frames.append(_opened(event, depth=len(frames)))
        elif isinstance(event, DocumentEndEvent):
            if root is not None and not (isinstance(root, Scalar) and root.value is None):
                yield root
            root = None
            anchors.clear()
        elif (node := _finished(event, frames, anchors)) is not None:
            if frames:
                _put(frames[-1], node, event, event.start_mark.line + 1)
            else:
                root = node


def _opened(event: MappingStartEvent | SequenceStartEvent, depth: int) -> _Frame:
    line = event.start_mark.line + 1
    _refuse_tag(event.tag, line)
    if depth == DEEPEST:
        raise Unreadable(line, f"Lists and mappings are nested deeper than {DEEPEST} levels.", "Flatten it.")
    node = Mapping(line=line) if isinstance(event, MappingStartEvent) else Sequence(line=line)
    return _Frame(node=node, anchor=event.anchor)


def _finished(event: Event, frames: list[_Frame], anchors: dict[str, Node]) -> Node | None:
    """The value that is complete with this event, or None when none is."""
    line = event.start_mark.line + 1
    node: Node
    if isinstance(event, AliasEvent):
        name = str(event.anchor)
        if name not in anchors:
            message = f"The alias *{shortened(name)} has no finished anchor above it."
            raise Unreadable(line, message, "Write the value out.")
        return anchors[name]
    if isinstance(event, ScalarEvent):
        _refuse_tag(event.tag, line)
        node, anchor = Scalar(_scalar(event, line), line), event.anchor
    elif isinstance(event, MappingEndEvent | SequenceEndEvent):
        frame = frames.pop()
        node, anchor = frame.node, frame.anchor
    else:
        return None
    if anchor:
        anchors[anchor] = node
    return node


def _put(frame: _Frame, child: Node, event: Event, line: int) -> None:
    node = frame.node
    node.size += child.size
    if node.size > MOST_VALUES:
        raise Unreadable(
            line,
            f"The document holds more than {MOST_VALUES} values once its aliases are followed.",
            "Write it as several files, without aliases.",
        )
    if isinstance(node, Sequence):
        node.items.append(child)
    elif frame.key is None:
        frame.key = _key(node, event, line)
        frame.key_line = line
    else:
        node.entries[frame.key] = child
        node.key_lines[frame.key] = frame.key_line
        frame.key = None


def _key(node: Mapping, event: Event, line: int) -> str:
    if not isinstance(event, ScalarEvent):
        raise Unreadable(line, "A key must be a plain word.", "Write `name: value`.")
    key = _printable(str(event.value), line)
    if key == "<<":
        raise Unreadable(line, "Merge keys (`<<`) are not read.", "Write the fields out.")
    if key in node.entries:
        raise Unreadable(
            line,
            f'"{shortened(key)}" is given twice in the same object, first on line {node.key_lines[key]}.',
            "Keep one of the two.",
        )
    return key


def _refuse_tag(tag: object, line: int) -> None:
    if tag is not None:
        raise Unreadable(
            line,
            f"The tag {shortened(str(tag))} is not read.",
            "Remove the tag: text, numbers, lists and mappings need none.",
        )


def _scalar(event: ScalarEvent, line: int) -> str | int | float | bool | None:
    text = _printable(str(event.value), line)
    if not event.implicit[0]:  # quoted, or a block of text
        return text
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INT.fullmatch(text):
        return int(text)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _OCTAL.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _printable(text: str, line: int) -> str:
    r"""Escapes such as `"\0"`, `"\e"` or half a surrogate pair can be written in YAML but not stored, printed or sent."""
    require_printable(text, line)
    return text


def _syntax_error(error: MarkedYAMLError) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    what = error.problem or error.context or "the syntax is wrong"
    if "'\\t'" in what:
        return Unreadable(line, "A tab stands where YAML wants spaces.", "Indent with spaces.")
    begun = f" (begun on line {error.context_mark.line + 1})" if error.context and error.context_mark else ""
    return Unreadable(
        line,
        f"This is not YAML: {shortened(what, 120)}{begun}.",
        "Look at the indentation, quotes and colons of this line and the one above.",
    )
