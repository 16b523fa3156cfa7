"""From what was written to what the model wants: every fault of an object at once, each with the way to it.

The types of `model` are walked beside the values, so that a fault deep in one list does not hide the next one. msgspec
judges the leaves; here its verdicts become sentences for people who edit YAML.
"""

import re
import types
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from sev1.catalog.contact import Url
from sev1.catalog.model import MildSeverity, Severity, Slug
from sev1.catalog.problems import Path, closest, did_you_mean, listed, shortened


class Fault(Struct, frozen=True):
    path: Path
    message: str
    fix: str = ""


def faults(value: Any, wanted: Any, path: Path = ()) -> list[Fault]:
    """What keeps `value` (dicts, lists, scalars) from being a `wanted` (a Struct, a union of them, or a leaf's type)."""
    bare = get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted
    if isinstance(value, dict):
        structs = _structs(bare)
        tag_field = structs[0].__struct_config__.tag_field if structs else None
        if structs and tag_field is None:
            return _struct_faults(value, structs[0], path)
        if tag_field is not None:
            return _tagged_faults(value, tag_field, structs, path)
    if isinstance(value, list) and get_origin(bare) is tuple:
        item = get_args(bare)[0]
        inside = [fault for at, entry in enumerate(value) for fault in faults(entry, item, (*path, at))]
        if inside:
            return inside
    return _leaf_faults(value, wanted, bare, path)


def known_part(value: Any, wanted: Any) -> Any:
    """`value` without the fields that `wanted` does not know, at any depth."""
    bare = get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted
    if isinstance(value, list) and get_origin(bare) is tuple:
        return [known_part(entry, get_args(bare)[0]) for entry in value]
    if not isinstance(value, dict):
        return value
    for struct in _structs(bare):
        tag_field, tag = struct.__struct_config__.tag_field, struct.__struct_config__.tag
        if tag_field is None or value.get(tag_field) == tag:
            kept = {f.encode_name: f.type for f in msgspec.structs.fields(struct) if f.encode_name in value}
            known = {name: known_part(value[name], field_type) for name, field_type in kept.items()}
            return {tag_field: tag, **known} if tag_field else known
    return value


def _structs(bare: Any) -> list[type[Struct]]:
    choices = get_args(bare) if isinstance(bare, types.UnionType) else (bare,)
    return [choice for choice in choices if isinstance(choice, type) and issubclass(choice, Struct)]


def _tagged_faults(value: dict[str, Any], tag_field: str, structs: list[type[Struct]], path: Path) -> list[Fault]:
    by_tag = {str(struct.__struct_config__.tag): struct for struct in structs}
    tag = value.get(tag_field)
    if tag in by_tag:
        return _struct_faults(value, by_tag[tag], path)
    if tag_field not in value:
        return [Fault(path, f"`{tag_field}` is missing{_inside(path)}.", f"Add one of {listed(by_tag)}.")]
    at = (*path, tag_field)
    must = f"`{_name(at)}` must be one of {listed(by_tag)}, not {_shown(tag)}."
    return [Fault(at, must, did_you_mean(str(tag), by_tag))]


def _struct_faults(value: dict[str, Any], struct: type[Struct], path: Path) -> list[Fault]:
    found: list[Fault] = []
    tag_field = struct.__struct_config__.tag_field
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    known = [tag_field, *fields] if tag_field else list(fields)
    misspelt: set[str] = set()
    for key, entry in value.items():
        if key in fields:
            found += faults(entry, fields[key].type, (*path, key))
        elif key not in known:
            misspelt.update(closest(key, known))
            fix = did_you_mean(key, known) or f"Known here: {listed(known, 20)}."
            found.append(Fault((*path, key), f"`{shortened(key)}` is not known{_inside(path)}.", fix))
    for name, field in fields.items():
        # A field that is there under a misspelt name has been told already.
        if field.required and name not in value and name not in misspelt:
            found.append(Fault(path, f"`{name}` is missing{_inside(path)}.", f"Add `{name}: …`."))
    return found


def _leaf_faults(value: Any, wanted: Any, bare: Any, path: Path) -> list[Fault]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        must, fix = _sentence(str(error), value, bare, path)
        return [Fault(path, f"`{_name(path)}` {must}.", fix)]
    return []


def _name(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _inside(path: Path) -> str:
    return f" in `{_name(path)}`" if path else ""


_KINDS = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "text",
    "bool": "true or false",
    "null": "empty",
    "array": "a list",
    "object": "an object (lines of `key: value`)",
    "date": "a day",
    "time": "a time of day",
    "datetime": "an instant",
}
_FORMS = {
    date: 'must be a day such as "2026-01-31"',
    time: 'must be a local time such as "09:00", without a zone',
    datetime: 'must be an instant with its zone, such as "2026-01-31T09:00:00Z" or "2026-01-31T09:00:00+01:00"',
}
_EMAIL = r"^[^@\s]+@[^@\s]+$(?!\n)"


def _pattern_of(annotated: Any) -> str:
    return str(get_args(annotated)[1].pattern)


_PATTERNS = {
    _pattern_of(Slug): 'must be a name of lower-case letters, digits and "-", at most 63 long',
    _pattern_of(Url): "must be an address that begins with http:// or https://",
    _pattern_of(Severity.__annotations__["name"]): "must be one of sev-0 to sev-5",
    _pattern_of(MildSeverity): "must be one of sev-2 to sev-5: what is worse never waits",
    _EMAIL: "must be a mail address such as ana@shop.example",
}
_LIMIT = re.compile(r"Expected `(\w+)(?: \| null)?`( of length)? (>=|<=|>|<) (-?\d+)")
_KIND = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_REGEX = re.compile(r"Expected `str` matching regex '(.*)'$", re.DOTALL)


def _sentence(reason: str, value: Any, bare: Any, path: Path) -> tuple[str, str]:
    """What the value must be, and what to do about it, from msgspec's verdict on a leaf."""
    if bare in _FORMS:
        return f"{_FORMS[bare]}, not {_shown(value)}", ""
    if choices := _choices(bare):
        return f"must be one of {listed(choices)}, not {_shown(value)}", did_you_mean(str(value), choices)
    if match := _REGEX.search(reason):
        must = _PATTERNS.get(match.group(1).replace("\\\\", "\\"), f"must match {match.group(1)}")
        return f"{must}, not {_shown(value)}", _slug_fix(str(value), must)
    if match := _LIMIT.search(reason):
        return _limit(*match.groups()), ""
    if match := _KIND.search(reason):
        return _kind(match.group(1), match.group(2), value, path)
    return f"is not accepted: {reason}", ""


def _choices(bare: Any) -> list[str]:
    """The words allowed, for a Literal and for one that may be left empty."""
    parts = get_args(bare) if get_origin(bare) is not Literal else (bare,)
    return [str(word) for part in parts if get_origin(part) is Literal for word in get_args(part)]


def _limit(kind: str, length: str | None, sign: str, number: str) -> str:
    least = sign in {">=", ">"}
    if kind == "array":
        return f"needs at least {number} entry" if least else f"may have at most {number} entries"
    if length:
        return "must not be empty" if least else f"may be at most {number} characters long"
    return f"must be {number} or more" if least else f"must be {number} or less"


def _kind(expected: str, got: str, value: Any, path: Path) -> tuple[str, str]:
    wanted = " or ".join(_KINDS.get(part, part) for part in expected.split(" | "))
    must = f"must be {wanted}, not {_KINDS.get(got, got)}"
    if got == "null":
        return must, "Give it a value or remove the line."
    if expected == "array":
        short = f"Write `{path[-1]}: [{shortened(str(value))}]`."
        return must, short if got != "object" else "Begin each entry with `- `."
    if expected.startswith("str") and got in {"int", "float", "bool"}:
        return must, "Put it in quotes."
    if expected.startswith("int") and isinstance(value, str) and value.strip().isdigit():
        return must, "Remove the quotes."
    return must, ""


def _slug_fix(value: str, must: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:63].rstrip("-")
    return f'Write "{slug}".' if slug and must == _PATTERNS[_pattern_of(Slug)] else ""


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{shortened(value)}"'
    return "empty" if value is None else shortened(str(value))
