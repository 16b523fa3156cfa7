"""Alerting rules out of a Prometheus rule file, with the lines that they stand on. Pure.

Read are rule files (`groups:` at the top) and Kubernetes' PrometheusRule (`spec: groups:`), several documents a file.
Size, nesting and aliases are bounded by `catalog.yaml_tree`. Recording rules are left out: they wake nobody.
"""

from collections.abc import Iterator

from msgspec import Struct

from sev1.catalog import yaml_tree
from sev1.catalog.yaml_tree import Mapping, Node, Scalar, Sequence, Unreadable, line_of

MOST_RULES = 5_000


class Rule(Struct, frozen=True, kw_only=True):
    name: str
    group: str
    line: int
    expr: str
    waits: str | None
    """The field `for`; None when it is not written."""
    labels: dict[str, str]
    annotations: dict[str, str]
    lines: dict[str, int]
    """By `for`, `labels`, `annotations`, `labels.severity` …: where it is written."""

    def line_at(self, *places: str) -> int:
        """The line of the first of these that is written, else that of the rule."""
        return next((self.lines[place] for place in places if place in self.lines), self.line)


def read(text: str) -> list[Rule]:
    """The alerting rules in order. Raises `Unreadable` with a line for what is no rule file."""
    found: list[Rule] = []
    documents = list(yaml_tree.documents(text))
    if not documents:
        raise Unreadable(1, "The file holds no rules.", "Begin with `groups:`.")
    for document in documents:
        for group in _groups(document):
            found += _rules(group)
            if len(found) > MOST_RULES:
                raise Unreadable(group.line, f"The file holds more than {MOST_RULES} alerting rules.", "Split it.")
    return found


def _groups(document: Node) -> Iterator[Mapping]:
    holder = document
    if isinstance(document, Mapping) and "spec" in document.entries:
        holder = document.entries["spec"]
    groups = holder.entries.get("groups") if isinstance(holder, Mapping) else None
    if not isinstance(groups, Sequence):
        raise Unreadable(document.line, "This is no Prometheus rule file: it has no list `groups`.", "Check the path.")
    for group in groups.items:
        if not isinstance(group, Mapping):
            raise Unreadable(group.line, "Each group must be an object with `name` and `rules`.", "Correct it.")
        yield group


def _rules(group: Mapping) -> Iterator[Rule]:
    rules = group.entries.get("rules")
    if rules is None:
        return
    if not isinstance(rules, Sequence):
        raise Unreadable(line_of(group, ("rules",)), "`rules` must be a list.", "Begin each rule with `- `.")
    for node in rules.items:
        if not isinstance(node, Mapping) or not {"alert", "record"} & node.entries.keys():
            message = "A rule must be an object with `alert` or `record`."
            raise Unreadable(node.line, message, "Add `alert: NAME` and `expr: …`.")
        if "alert" in node.entries:
            yield _rule(node, _text(group.entries.get("name")))


def _rule(node: Mapping, group: str) -> Rule:
    lines = dict(node.key_lines)
    for part in ("labels", "annotations"):
        inside = node.entries.get(part)
        if isinstance(inside, Mapping):
            lines |= {f"{part}.{name}": line for name, line in inside.key_lines.items()}
    waits = node.entries.get("for")
    return Rule(
        name=_text(node.entries["alert"]),
        group=group,
        line=line_of(node, ("alert",)),
        expr=_text(node.entries.get("expr")),
        waits=None if waits is None else _text(waits),
        labels=_texts(node, "labels"),
        annotations=_texts(node, "annotations"),
        lines=lines,
    )


def _texts(node: Mapping, part: str) -> dict[str, str]:
    inside = node.entries.get(part)
    if inside is None or (isinstance(inside, Scalar) and inside.value is None):
        return {}
    if not isinstance(inside, Mapping):
        raise Unreadable(line_of(node, (part,)), f"`{part}` must be lines of `name: text`.", "Correct it.")
    return {name: _text(value) for name, value in inside.entries.items()}


def _text(node: Node | None) -> str:
    """A scalar as text; a list or an object, which Prometheus would refuse, is no text."""
    if not isinstance(node, Scalar) or node.value is None:
        return ""
    return str(node.value)
