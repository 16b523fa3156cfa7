"""JSON Schemas (2020-12) of what may be written in a catalog: editors complete and check by them.

One schema a kind, and `catalog` for files that hold several kinds. Types come from `model`; the sentences under its
fields become the descriptions an editor shows. Regenerate docs/schemas after a change of the model:
`python -c "from pathlib import Path; from sev1.catalog import schema; schema.write(Path('docs/schemas'))"`.
"""

import ast
import copy
import functools
import inspect
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import msgspec

from sev1.catalog import audience, model, term
from sev1.catalog.model import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TIME_OF_DAY = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas by file stem: each kind that is written in YAML, and `catalog` for any of them."""
    kinds = {kind: wanted for kind, (_, wanted) in KINDS.items() if kind != "runbook"}
    _, components = msgspec.json.schema_components(list(kinds.values()), ref_template="#/$defs/{name}")
    for name, component in components.items():
        _describe(name, component)
    for component in components.values():
        for name, body in component.get("properties", {}).items():
            if body.get("format") in {"time", "partial-time"}:
                kept = {word: body[word] for word in ("default", "description") if word in body}
                if "default" in kept:
                    kept["default"] = kept["default"][:5]
                component["properties"][name] = _TIME_OF_DAY | kept
    found: dict[str, dict[str, Any]] = {}
    for kind, wanted in kinds.items():
        body = _with_kind(kind, components[wanted.__name__])
        found[kind] = {"$schema": DIALECT, **body, "$defs": _needed(body, components)}
    objects = {f"kind-{kind}": _with_kind(kind, components[wanted.__name__]) for kind, wanted in kinds.items()}
    found["catalog"] = {
        "$schema": DIALECT,
        "title": "Any object of a catalog",
        "type": "object",
        "properties": {"kind": {"enum": list(kinds)}},
        "required": ["kind"],
        # One condition a kind, and not oneOf: so an editor complains about the kind that was meant.
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/kind-{kind}"},
            }
            for kind in kinds
        ],
        "$defs": objects | _needed(objects, components),
    }
    return found


def write(directory: Path) -> None:
    """Writes each schema as `directory/NAME.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (directory / f"{name}.json").write_text(as_text(schema), encoding="utf-8")


def as_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _with_kind(kind: str, component: dict[str, Any]) -> dict[str, Any]:
    body = copy.deepcopy(component)
    body["properties"] = {"kind": {"const": kind}, **body["properties"]}
    body["required"] = ["kind", *body["required"]]
    return body


def _needed(schema: Any, components: dict[str, Any]) -> dict[str, Any]:
    """The components that `schema` refers to, and those they refer to."""
    needed: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).removeprefix("#/$defs/")
            if name in components and name not in needed:
                needed[name] = components[name]
                waiting.append(components[name])
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return dict(sorted(needed.items()))


def _describe(struct: str, component: dict[str, Any]) -> None:
    for name, sentence in _sentences().get(struct, {}).items():
        if name in component.get("properties", {}):
            component["properties"][name]["description"] = sentence


@functools.cache
def _sentences() -> dict[str, dict[str, str]]:
    """By struct and field, the text that stands under the field in its source."""
    found: dict[str, dict[str, str]] = {}
    modules = (
        audience,
        term,
        *(import_module(f"{model.__name__}.{file.name}") for file in iter_modules(model.__path__)),
    )
    for struct in (node for module in modules for node in ast.parse(inspect.getsource(module)).body):
        if not isinstance(struct, ast.ClassDef):
            continue
        for field, below in zip(struct.body, struct.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found.setdefault(struct.name, {})[name] = " ".join(text.split())
        for base in struct.bases:  # a field that is inherited keeps its sentence
            if isinstance(base, ast.Name) and base.id in found:
                found[struct.name] = found[base.id] | found.get(struct.name, {})
    return found
