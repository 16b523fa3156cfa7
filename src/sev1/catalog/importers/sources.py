"""The JSON of other products' APIs and exports, taken apart into objects; and whose a file is. Pure.

What is accepted are answers as the API gives them (one object, a list, one page of a list), several of them under one
key each, and lists of bare objects as backup tools write them.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from sev1.catalog import yaml_tree
from sev1.catalog.importers.draft import Draft, NotImportable, text
from sev1.catalog.yaml_tree import Unreadable

LARGEST_JSON = 20_000_000
"""Bytes of one file."""
LARGEST_YAML = 1_000_000
MOST_OBJECTS = 50_000

VENDORS = {
    "alertmanager": "an Alertmanager configuration",
    "pagerduty": "an answer of PagerDuty's REST API",
    "opsgenie": "an answer of Opsgenie's API",
    "grafana-oncall": "an answer of Grafana OnCall's API",
}

T = TypeVar("T")


def json_value(name: str, raw: bytes) -> Any:
    """The value of a JSON file. Raises `NotImportable`."""
    if len(raw) > LARGEST_JSON:
        raise NotImportable(f"{name} is larger than {LARGEST_JSON // 1_000_000} MB. Export it in several files.")
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        hint = _hint(guess_text(raw))
        raise NotImportable(
            f"{name} is not JSON: {text(str(error), most=150)}. {hint or 'Save the answer of the API as it comes.'}"
        ) from error


def yaml_value(name: str, raw: bytes) -> Any:
    """The one document of a YAML file, aliases followed within limits. Raises `NotImportable`."""
    if len(raw) > LARGEST_YAML:
        raise NotImportable(f"{name} is larger than {LARGEST_YAML // 1000} kB, which no Alertmanager configuration is.")
    try:
        found = [yaml_tree.plain(node) for node in yaml_tree.documents(raw.decode("utf-8-sig"))]
    except UnicodeDecodeError as error:
        raise NotImportable(f"{name} is not UTF-8 text. Save it as UTF-8.") from error
    except Unreadable as error:
        raise NotImportable(f"{name}:{error.line}: {error.message} {error.fix}") from error
    if len(found) != 1:
        raise NotImportable(f"{name} holds {len(found)} YAML documents; an Alertmanager configuration is one.")
    return found[0]


def require_vendor(name: str, value: Any, wanted: str) -> None:
    """Raises `NotImportable` when the file is plainly another product's, and says which importer fits."""
    found = guess(value)
    if found is not None and found != wanted:
        raise NotImportable(f"{name} looks like {VENDORS[found]}, not {VENDORS[wanted]}. {_hint(found)}")


def guess(value: Any) -> str | None:
    """Whose file it is by its keys, or None when nobody can tell."""
    if isinstance(value, dict) and "route" in value and "receivers" in value:
        return "alertmanager"
    for one in _some_objects(value):
        keys = one.keys()
        if keys & {"escalation_rules", "schedule_layers", "num_loops"} or str(one.get("type", "")).endswith(
            "_reference"
        ):
            return "pagerduty"
        if keys & {"fullName", "rotations", "ownerTeam"}:
            return "opsgenie"
        if keys & {"escalation_chain_id", "rolling_users", "ical_url_overrides", "ical_url_primary", "on_call_now"}:
            return "grafana-oncall"
        if isinstance(one.get("self"), str) and "pagerduty.com" in one["self"]:
            return "pagerduty"
    return None


def guess_text(raw: bytes) -> str | None:
    """The same for a file that is no JSON."""
    head = raw[:LARGEST_YAML]
    return "alertmanager" if b"route:" in head and b"receivers:" in head else None


def _hint(found: str | None) -> str:
    return f"Use `sev1 import {found}`." if found else ""


def _some_objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The outermost objects of a value, a few of each list."""
    if isinstance(value, dict):
        yield value
        if depth < 2:
            for held in value.values():
                yield from _some_objects(held, depth + 1)
    elif isinstance(value, list) and depth < 3:
        for item in value[:3]:
            yield from _some_objects(item, depth + 1)


def converted(draft: Draft, items: list[Any], wanted: type[T], source: Callable[[Any], str]) -> list[T]:
    """The items that can be read as `wanted`; the others are reported as left."""
    if len(items) > MOST_OBJECTS:
        raise NotImportable(f"The files hold more than {MOST_OBJECTS} objects of one kind.")
    found: list[T] = []
    for item in items:
        try:
            found.append(msgspec.convert(item, wanted, strict=False))
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            draft.left(source(item), f"It cannot be read: {text(str(error), most=200)}.", "Export it again.")
    return found


def titled(product: str, what: str, item: Any, *fields: str) -> str:
    """`PagerDuty schedule "Payments" (PABC123)`: what a report calls an object that may not even be one."""
    held = item if isinstance(item, dict) else {}
    title = next((text(held[field], most=80) for field in fields if text(held.get(field))), "")
    identity = text(str(held["id"]), most=60) if held.get("id") else ""
    shown = f' "{title}"' if title else ""
    return f"{product} {what}{shown}" + (f" ({identity})" if identity and identity != title else "")
