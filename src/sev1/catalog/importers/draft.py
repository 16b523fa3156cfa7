"""What an importer makes: catalog objects, each with its source, and a report of what became of everything. Pure.

An entry of the report is `carried` (means the same here), `changed` (is here, but means something else) or `left`
(is not here); the last two say why and what to do.
"""

import re
import unicodedata
from collections import Counter
from typing import Any, Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from sev1.catalog.model import DEFAULT_SEVERITIES, KINDS, Catalog, EscalationPolicy, Schedule, Team
from sev1.engine.errors import Invalid

Outcome = Literal["carried", "changed", "left"]

LONGEST_NAME = 63
_KIND_OF: dict[type, str] = {wanted: kind for kind, (_, wanted) in KINDS.items()}
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+")
# What NFKD does not take apart.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "æ": "ae", "Æ": "ae", "đ": "d", "ı": "i"})

T = TypeVar("T", bound=Struct)


class NotImportable(Invalid):
    """A file cannot be imported at all: it is no JSON or YAML, too large, or another product's."""

    code = "not_importable"


class Entry(Struct, frozen=True, kw_only=True):
    """What became of one thing of the source."""

    outcome: Outcome
    source: str
    """The thing by the names of its product: `PagerDuty schedule "Payments" (PABC123)`."""
    becomes: str = ""
    """The kind and name of what it became here."""
    reason: str = ""
    todo: str = ""


class Made(Struct, frozen=True, kw_only=True):
    """An object of the catalog, and what it was made from."""

    kind: str
    value: Any
    source: str


class Imported(Struct, frozen=True, kw_only=True):
    """The result of an import."""

    made: tuple[Made, ...]
    entries: tuple[Entry, ...]

    @property
    def catalog(self) -> Catalog:
        """The objects as a catalog of their own."""
        fields: dict[str, Any] = {"severities": dict(DEFAULT_SEVERITIES)}
        for one in self.made:
            attribute = KINDS[one.kind][0]
            if one.kind == "organisation":
                fields[attribute] = one.value
            else:
                fields.setdefault(attribute, {})[one.value.name] = one.value
        return Catalog(**fields)

    def of(self, outcome: Outcome) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome == outcome]


def text(value: object, otherwise: str = "", most: int = 500) -> str:
    """One line of text that a catalog takes: printable, not longer than `most` characters, never empty by accident."""
    found = _NOT_SHOWN.sub(" ", value).strip() if isinstance(value, str) else ""
    return found[:most].strip() or otherwise


def slug(wanted: str, otherwise: str) -> str:
    """`Zahlungen & Co.` becomes `zahlungen-co`; a name without a single usable letter becomes `otherwise`."""
    plain = unicodedata.normalize("NFKD", wanted.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-") or otherwise


class Draft:
    """An import on its way."""

    def __init__(self) -> None:
        self._made: list[Made] = []
        self._entries: list[Entry] = []
        self._taken: dict[str, set[str]] = {}

    def name(self, kind: str, wanted: str) -> str:
        """A free name of the kind; of two that are alike the second is numbered."""
        taken = self._taken.setdefault(kind, set())
        base, number = slug(wanted, kind), 1
        found = base
        while found in taken:
            number += 1
            end = f"-{number}"
            found = base[: LONGEST_NAME - len(end)].strip("-") + end
        taken.add(found)
        return found

    def add(self, value: Struct, source: str, *, aside: bool = False) -> bool:
        """Takes an object if the catalog would; otherwise it is reported as left. `aside`: nothing of the source by itself."""
        kind = _KIND_OF[type(value)]
        try:
            checked = msgspec.convert(msgspec.to_builtins(value), type(value))
        except msgspec.ValidationError as error:
            self.left(source, f"It does not fit here: {error}.", "Write it by hand.")
            return False
        made = Made(kind=kind, value=checked, source=source)
        self._made.append(made)
        if not aside:
            becomes = f"{kind} {made.value.name}"
            self._entries.append(Entry(outcome="carried", source=source, becomes=becomes))
        return True

    def changed(self, source: str, reason: str, todo: str, becomes: str = "") -> None:
        self._note(Entry(outcome="changed", source=source, becomes=becomes, reason=reason, todo=todo))

    def left(self, source: str, reason: str, todo: str) -> None:
        self._note(Entry(outcome="left", source=source, reason=reason, todo=todo))

    def _note(self, entry: Entry) -> None:
        if entry not in self._entries:
            self._entries.append(entry)

    def found(self, wanted: type[T]) -> dict[str, T]:
        """What was taken so far of one kind, by name."""
        return {one.value.name: one.value for one in self._made if one.kind == _KIND_OF[wanted]}

    def responders(self, policy: str) -> tuple[str, ...]:
        """Everybody whom an escalation policy may page, once."""
        schedules, teams = self.found(Schedule), self.found(Team)
        people: list[str] = []
        for step in self.found(EscalationPolicy)[policy].steps:
            for target in step.targets:
                kind = target.__struct_config__.tag
                if kind == "person":
                    people.append(target.name)
                elif kind == "schedule":
                    people += schedules[target.name].people
                else:
                    people += teams[target.name].members
        return tuple(dict.fromkeys(people))

    def owner_for(self, policy: str, source: str) -> str:
        """A team for what has none: everybody of its escalation policy. The same team for the same policy."""
        wanted = slug(f"{policy[:50]}-responders", "responders")
        if wanted not in self.found(Team):
            self._taken.setdefault("team", set()).add(wanted)
            team = Team(name=wanted, title=f"Responders of {policy}", members=self.responders(policy))
            self.add(team, source, aside=True)
        return wanted

    def imported(self) -> Imported:
        order = {"carried": 0, "changed": 1, "left": 2}
        kinds = {kind: number for number, kind in enumerate(KINDS)}
        return Imported(
            made=tuple(sorted(self._made, key=lambda one: (kinds[one.kind], _place(one.value)))),
            entries=tuple(sorted(self._entries, key=lambda entry: order[entry.outcome])),
        )


def _place(value: Any) -> tuple[int, str]:
    """Routes are read in the order in which they are tried."""
    return (getattr(value, "order", 0), value.name)


def summary(imported: Imported) -> str:
    """One line of counts."""
    counts = Counter(one.kind for one in imported.made)
    made = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "nothing"
    return (
        f"Made: {made}. {len(imported.of('changed'))} changed in meaning, {len(imported.of('left'))} not carried over."
    )


def report(imported: Imported) -> str:
    """The report for a terminal."""
    lines: list[str] = []
    for outcome, title in (
        ("carried", "Carried over"),
        ("changed", "Changed in meaning"),
        ("left", "Not carried over"),
    ):
        entries = imported.of(cast("Outcome", outcome))
        if entries:
            lines += [f"{title} ({len(entries)})"]
            for entry in entries:
                becomes = f" → {entry.becomes}" if entry.becomes else ""
                lines.append(f"  {entry.source}{becomes}")
                lines += [f"      {line}" for line in (entry.reason, entry.todo) if line]
            lines.append("")
    return "\n".join([*lines, summary(imported)])
