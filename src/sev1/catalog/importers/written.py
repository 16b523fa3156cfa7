"""Catalog objects as the YAML that people keep: one file per kind, in a stable order, each object below a comment that
names its source. Reading the files again gives equal objects. Pure.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from sev1.catalog.importers.draft import Imported, Made, text
from sev1.catalog.model import KINDS

MARK = "# Written by `sev1 import"
FULLEST = 900_000
"""Bytes after which a kind goes on in a second file; the catalog reads files up to a million."""
_WIDEST = 110
_TIMES = frozenset({"hand_over_at", "start", "end", "at"})
_FILES = {"escalation-policy": "policies", "person": "people", "organisation": "organisation"}
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+&-]+)*")
_DAY_OR_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:\d{2}))?|\d{2}:\d{2}(:\d{2})?")
_OTHER_THAN_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def files(imported: Imported, command: str) -> dict[str, str]:
    """Name of the file -> its text. `command` is told in the first line of each, by which a later import knows its own."""
    found: dict[str, str] = {}
    for kind in KINDS:
        blocks = [_block(one) for one in imported.made if one.kind == kind]
        for number, part in enumerate(_parts(blocks), start=1):
            stem = _FILES.get(kind, f"{kind}s") if kind != "maintenance" else kind
            name = f"{stem}.yaml" if number == 1 else f"{stem}-{number}.yaml"
            found[name] = f"{first_line(command)}\n" + "---\n".join(part)
    return found


def first_line(command: str) -> str:
    return f"# Written by `{command}`. Importing again overwrites this file."


def _parts(blocks: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for block in blocks:
        length = len(block.encode())
        if part and size + length > FULLEST:
            yield part
            part, size = [], 0
        part.append(block)
        size += length
    if part:
        yield part


def _block(one: Made) -> str:
    value = one.value
    lines = [f"# {text(one.source)}", f"kind: {one.kind}"]
    lines += _lines(_told(value), 0)
    return "\n".join(lines) + "\n"


def _told(value: Any) -> Any:
    """Plain values, without the fields that say what they would say anyway."""
    if not isinstance(value, Struct):
        return [_told(item) for item in value] if isinstance(value, tuple | list) else msgspec.to_builtins(value)
    config = value.__struct_config__
    told: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(value):
        held = getattr(value, field.name)
        usual = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if held == usual and type(held) is type(usual):
            continue
        plain = _told(held)
        if field.name in _TIMES and isinstance(plain, str) and re.fullmatch(r"\d{2}:\d{2}:00", plain):
            plain = plain[:5]
        told[field.encode_name] = plain
    return told


def _lines(value: dict[str, Any], indent: int) -> list[str]:
    space = " " * indent
    found: list[str] = []
    for key, held in value.items():
        flow = _flow(held)
        nested = isinstance(held, dict) or (isinstance(held, list) and any(isinstance(item, dict) for item in held))
        short = len(space) + len(key) + 2 + len(flow) <= _WIDEST
        if (nested and (key in {"rotation", "steps", "layers", "contact", "overrides"} or not short)) or (
            isinstance(held, list) and held and not short
        ):
            found.append(f"{space}{key}:")
            found += _lines(held, indent + 2) if isinstance(held, dict) else _items(held, indent + 2)
        else:
            found.append(f"{space}{key}: {flow}")
    return found


def _items(items: list[Any], indent: int) -> list[str]:
    space = " " * indent
    found: list[str] = []
    for item in items:
        flow = _flow(item)
        deep = isinstance(item, dict) and any(isinstance(held, dict | list) for held in item.values())
        if isinstance(item, dict) and (deep or len(space) + 2 + len(flow) > _WIDEST):
            first, *rest = _lines(item, indent + 2)
            found += [f"{space}- {first.strip()}", *rest]
        else:
            found.append(f"{space}- {flow}")
    return found


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str):
        return _scalar(value)
    return json.dumps(value)


def _scalar(value: str) -> str:
    if _DAY_OR_TIME.fullmatch(value):
        return value
    if _WORD.fullmatch(value) and value.lower() not in _OTHER_THAN_TEXT:
        return value
    if "'" not in value and value.isprintable() and value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
