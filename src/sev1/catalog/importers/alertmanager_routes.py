"""Alertmanager's tree of routes as a list in which the first match decides, with the same receivers for every alert. Pure.

A tree is walked like this: children are tried in order; one that matches takes the alert and, unless it says `continue`,
the rest are not tried; where no child matches, the node itself takes it. A list can say the same when each entry carries
the matchers of its whole way. Behind a child with `continue` the walk goes on, so its entries are combined with all that
may follow, and their receivers add up.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.importers.draft import NotImportable
from sev1.catalog.matchers import Matcher, MatcherInvalid, all_match, parse

MOST_ROUTES = 2000
"""Entries of the list; each `continue` may double them."""
DEEPEST = 15


class Node(Struct, frozen=True, kw_only=True):
    """One route of the tree, with what it inherits."""

    path: str
    """Where it stands: `route.routes[2].routes[0]`."""
    matchers: tuple[Matcher, ...]
    receiver: str
    group_by: tuple[str, ...]
    goes_on: bool
    muted_by: tuple[str, ...]
    active_in: tuple[str, ...]
    children: tuple["Node", ...]


class Flat(Struct, frozen=True, kw_only=True):
    """An entry of the list: alerts that match go to the receivers of all `nodes`."""

    matchers: tuple[Matcher, ...]
    nodes: tuple[Node, ...]

    @property
    def receivers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node.receiver for node in self.nodes))


class TooMany(Exception):
    pass


def tree(route: Any) -> Node:
    """The tree as written. Raises `NotImportable` for what Alertmanager would refuse as well."""
    return _node(route, "route", None)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def flatten(root: Node) -> tuple[list[Flat], bool]:
    """The list, and whether it is exact: with too many combinations only the first receiver of each alert is kept."""
    try:
        return _tidy(_inside(root)), True
    except TooMany:
        return _tidy(_inside(_without_continue(root))), False


def matchers_of(held: dict[str, Any], where: str, prefix: str = "") -> tuple[Matcher, ...]:
    """`match`, `match_re` and `matchers` (or `source_…`, `target_…`) of a route or rule, in a fixed order."""
    found: list[Matcher] = []
    try:
        for field, op in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
            for name, value in sorted(_mapping(held.get(field), f"{where}.{field}").items()):
                found.append(Matcher(name, op, value))  # type: ignore[arg-type]
        for line in _strings(held.get(f"{prefix}matchers"), f"{where}.{prefix}matchers"):
            found += parse(line)
    except MatcherInvalid as error:
        raise NotImportable(f"{where} has a matcher that cannot be read: {error.message}") from error
    return tuple(dict.fromkeys(found))


def _node(held: Any, path: str, parent: Node | None) -> Node:
    if not isinstance(held, dict):
        raise NotImportable(f"{path} is not a route: it must be a mapping.")
    if path.count(".routes[") > DEEPEST:
        raise NotImportable(f"{path} is nested deeper than {DEEPEST} levels.")
    receiver = held.get("receiver") or (parent.receiver if parent else None)
    if not isinstance(receiver, str):
        raise NotImportable(f"{path} names no receiver. Name one, as Alertmanager demands.")
    group_by = held.get("group_by")
    node = Node(
        path=path,
        matchers=matchers_of(held, path),
        receiver=receiver,
        # An empty list is inherited like a missing one.
        group_by=_strings(group_by, f"{path}.group_by") if group_by else (parent.group_by if parent else ()),
        goes_on=held.get("continue") is True,
        muted_by=_strings(held.get("mute_time_intervals"), f"{path}.mute_time_intervals"),
        active_in=_strings(held.get("active_time_intervals"), f"{path}.active_time_intervals"),
        children=(),
    )
    if parent is None and node.matchers:
        raise NotImportable("The topmost route has matchers, which Alertmanager refuses: it must take every alert.")
    inside = held.get("routes") or []
    if not isinstance(inside, list):
        raise NotImportable(f"{path}.routes is not a list.")
    children = tuple(_node(child, f"{path}.routes[{at}]", node) for at, child in enumerate(inside))
    return replace(node, children=children)


def _inside(node: Node) -> list[Flat]:
    """Where an alert goes that has reached `node`; the last entry takes what no other did."""
    return [flat if flat.nodes else Flat(matchers=flat.matchers, nodes=(node,)) for flat in _onwards(node.children)]


def _onwards(children: tuple[Node, ...]) -> list[Flat]:
    """The same for the children alone; an entry without nodes means that none of them took it."""
    following = [Flat(matchers=(), nodes=())]
    for child in reversed(children):
        entries: list[Flat] = []
        for flat in _inside(child):
            behind = following if child.goes_on else [Flat(matchers=(), nodes=())]
            for after in behind:
                matchers = tuple(dict.fromkeys((*child.matchers, *flat.matchers, *after.matchers)))
                if not contradicts(matchers):
                    entries.append(Flat(matchers=matchers, nodes=(*flat.nodes, *after.nodes)))
                if len(entries) > MOST_ROUTES:
                    raise TooMany
        # Nothing passes by a child that matches everything.
        following = [*entries, *following] if child.matchers else entries
        if len(following) > MOST_ROUTES:
            raise TooMany
    return following


def _tidy(entries: list[Flat]) -> list[Flat]:
    """Without the entries that no alert can reach because one before takes them, and without needless conditions."""
    found: list[Flat] = []
    seen: list[frozenset[Matcher]] = []
    for entry in entries:
        wanted = frozenset(entry.matchers)
        if not any(earlier <= wanted for earlier in seen):
            seen.append(wanted)
            found.append(replace(entry, matchers=_needed(entry.matchers)))
    return found


def _needed(matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    equal = {m.name for m in matchers if m.op == "=" and m.value}
    return tuple(m for m in matchers if m.name not in equal or (m.op == "=" and m.value))


def contradicts(matchers: tuple[Matcher, ...]) -> bool:
    """Whether an equality among the matchers rules out another on the same label."""
    equal = {m.name: m.value for m in matchers if m.op == "="}
    return not all_match([m for m in matchers if m.name in equal], equal)


def _without_continue(node: Node) -> Node:
    children = tuple(_without_continue(child) for child in node.children)
    return replace(node, goes_on=False, children=children)


def _mapping(value: Any, where: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(held, str | int | float | bool) for held in value.values()):
        raise NotImportable(f"{where} must be a mapping of labels to values.")
    # YAML reads an unquoted true or 5 as no text; Alertmanager takes them as they are written.
    return {name: _as_written(held) for name, held in value.items()}


def _as_written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise NotImportable(f"{where} must be a list of texts.")
    return tuple(value)
