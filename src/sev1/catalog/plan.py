"""What an apply would change: objects created, changed (field by field) and deleted. Pure."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from sev1.catalog.model import KINDS, Catalog

_WIDEST = 100
"""Longest value written on one line of a rendered plan."""


class FieldChange(Struct, frozen=True, kw_only=True):
    """`field` is a path such as `rotation.people` or `steps[0].wait_s`; a value that is not there is None."""

    field: str
    old: Any
    new: Any


class ObjectChange(Struct, frozen=True, kw_only=True):
    kind: str
    name: str
    title: str
    fields: tuple[FieldChange, ...] = ()
    """Only for changed objects."""


class Plan(Struct, frozen=True, kw_only=True):
    created: tuple[ObjectChange, ...] = ()
    changed: tuple[ObjectChange, ...] = ()
    deleted: tuple[ObjectChange, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.created or self.changed or self.deleted)

    @property
    def summary(self) -> str:
        return f"{len(self.created)} to create, {len(self.changed)} to change, {len(self.deleted)} to delete"


def objects(catalog: Catalog) -> dict[tuple[str, str], Struct]:
    """Every object of the catalog by (kind, name), in the order of `KINDS`, then by name."""
    found: dict[tuple[str, str], Struct] = {}
    for kind, (attribute, _) in KINDS.items():
        held = getattr(catalog, attribute)
        if isinstance(held, Mapping):
            found |= {(kind, name): held[name] for name in sorted(held)}
        else:
            found[kind, held.name] = held
    return found


def plan(old: Catalog, new: Catalog) -> Plan:
    """What has to happen to turn `old` into `new`. Their versions play no part."""
    before, after = objects(old), objects(new)
    return Plan(
        created=tuple(_change(key, after[key]) for key in after if key not in before),
        changed=tuple(
            _change(key, after[key], _differences(_whole(before[key]), _whole(after[key])))
            for key in after
            if key in before and before[key] != after[key]
        ),
        deleted=tuple(_change(key, before[key]) for key in before if key not in after),
    )


def render(plan: Plan) -> str:
    """The plan as plain text for a terminal; the last line counts."""
    lines: list[str] = []
    for sign, changes in (("+", plan.created), ("~", plan.changed), ("-", plan.deleted)):
        for change in changes:
            title = f"  {_printable(change.title)}" if change.title else ""
            lines.append(f"{sign} {change.kind} {change.name}{title}")
            lines += [_render_field(field) for field in change.fields]
    if lines:
        lines.append("")
    return "\n".join([*lines, plan.summary])


def _change(key: tuple[str, str], value: Struct, fields: tuple[FieldChange, ...] = ()) -> ObjectChange:
    title = str(getattr(value, "title", "") or getattr(value, "full_name", ""))
    return ObjectChange(kind=key[0], name=key[1], title=title, fields=fields)


def _whole(value: Any) -> Any:
    """As plain data, with the defaults that are not stored: a change from a default names both values."""
    if isinstance(value, Struct):
        config = value.__struct_config__
        tag = {config.tag_field: config.tag} if config.tag_field else {}
        fields = msgspec.structs.fields(value)
        return tag | {field.encode_name: _whole(getattr(value, field.name)) for field in fields}
    if isinstance(value, tuple | list):
        return tuple(_whole(entry) for entry in value)
    if isinstance(value, dict):
        return {key: _whole(entry) for key, entry in value.items()}
    return msgspec.to_builtins(value)


def _differences(old: Any, new: Any, path: str = "") -> tuple[FieldChange, ...]:
    if old == new:
        return ()
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        dot = f"{path}." if path else ""
        return tuple(c for key in keys for c in _differences(old.get(key), new.get(key), f"{dot}{key}"))
    if _lists_of_objects(old, new):
        pairs = enumerate(zip(old, new, strict=True))
        return tuple(c for at, (was, is_now) in pairs for c in _differences(was, is_now, f"{path}[{at}]"))
    return (FieldChange(field=path, old=old, new=new),)


def _lists_of_objects(old: Any, new: Any) -> bool:
    """Lists of equally many objects are compared entry by entry; other lists read better whole."""
    if not (isinstance(old, list | tuple) and isinstance(new, list | tuple)):
        return False
    return len(old) == len(new) and all(isinstance(entry, dict) for entry in (*old, *new))


def _render_field(change: FieldChange) -> str:
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new):
        was, is_now = old.splitlines(), new.splitlines()
        gone = len([line for line in was if line not in set(is_now)])
        come = len([line for line in is_now if line not in set(was)])
        return f"    {change.field}: {_lines(come)} new, {_lines(gone)} gone"
    return f"    {change.field}: {_value(old)} → {_value(new)}"


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple) and value and all(isinstance(entry, str) for entry in value):
        text = ", ".join(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    text = _printable(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _printable(text: str) -> str:
    """A catalog may hold characters that would command the terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)
