"""An explanation: a tree of sentences, each with its data, made of stored facts only."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from sev1.engine.decider import Fact
from sev1.notify.model import DeliveryView
from sev1.paging.model import Page, PageEvent
from sev1.triage.model import AlertRow, Transition


class Because(Struct, frozen=True, kw_only=True):
    """One sentence. `kind` is one word for programs: `received`, `stage`, `page`, `step`, `person`, `delivery`, `answer`."""

    kind: str
    sentence: str
    at: datetime | None = None
    data: dict[str, Any] = {}
    then: tuple["Because", ...] = ()
    """What followed, or what it is made of."""


class PageFacts(Struct, frozen=True, kw_only=True):
    page: Page
    facts: Sequence[Fact[PageEvent]]
    deliveries: Sequence[DeliveryView]


class AlertFacts(Struct, frozen=True, kw_only=True):
    alert: AlertRow
    key: str
    """Name of the integration key that it came over; empty when that is gone."""
    transitions: Sequence[Transition] = ()
    page: PageFacts | None = None


def lines(tree: Because) -> Iterator[str]:
    """The tree as indented text, one sentence a line: what a terminal shows."""
    yield from _lines(tree, 0)


def _lines(tree: Because, depth: int) -> Iterator[str]:
    at = f"{tree.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}  " if tree.at else ""
    yield f"{'  ' * depth}{at}{printable(tree.sentence)}"
    for child in tree.then:
        yield from _lines(child, depth + 1)


def printable(text: str) -> str:
    """What a sender wrote may hold characters that would command the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def listed_names(names: Iterable[str]) -> str:
    """`Ana`, `Ana and Bo`, `Ana, Bo and Cem`; `nobody` for none."""
    found = list(names)
    if len(found) < 2:
        return found[0] if found else "nobody"
    return f"{', '.join(found[:-1])} and {found[-1]}"
