"""Facts and guesses as the page shows them: what is open by kind, what is settled behind one line. Pure (mission 8.7)."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command.parts.board import ENDS, Board, BoardKind, Item
from sev1.surfaces.actor import name_of

ORDER: tuple[tuple[BoardKind, str], ...] = (
    ("blocker", "Blocked by"),
    ("known", "Known"),
    ("hypothesis", "Guesses"),
    ("assumption", "Assumed"),
    ("unknown", "Open questions"),
)
"""What stops everybody comes first, then facts before guesses."""
VERBS: Mapping[str, str] = {
    "confirmed": "confirm",
    "refuted": "refute",
    "answered": "answer",
    "cleared": "unblock",
    "archived": "archive",
}


class Line(Struct, frozen=True, kw_only=True):
    """The beginning of a line for the bar: what a link beside a thing puts there."""

    label: str
    line: str

    @property
    def query(self) -> str:
        return quote(self.line)


class Row(Struct, frozen=True, kw_only=True):
    ref: str
    text: str
    disproof: str
    by: str
    at: datetime
    lines: tuple[Line, ...]
    outcome: str = ""
    evidence: str = ""


OVER_SHOWN = 20
"""Of what is settled or done: an incident may go on for days."""


OPEN_SHOWN = 30
"""Of what stands, the latest of each kind: nobody takes in more at once, and what matters of the earlier was said again."""


class BoardGroup(Struct, frozen=True, kw_only=True):
    kind: BoardKind
    title: str
    rows: tuple[Row, ...]
    """The latest few, in their order."""
    earlier: int = 0
    """How many stand besides."""


class BoardView(Struct, frozen=True, kw_only=True):
    groups: tuple[BoardGroup, ...]
    """Only kinds of which something is open."""
    settled: tuple[Row, ...]
    """The latest few, the latest first; the timeline has all."""
    settled_count: int


def board_view(board: Board, catalog: Catalog) -> BoardView:
    open_items = [item for item in board.values() if item.outcome is None]
    settled = sorted((item for item in board.values() if item.outcome), key=_settled_at, reverse=True)
    groups = (_group(kind, title, [i for i in open_items if i.kind == kind], catalog) for kind, title in ORDER)
    return BoardView(
        groups=tuple(group for group in groups if group.rows),
        settled=tuple(_row(item, catalog) for item in settled[:OVER_SHOWN]),
        settled_count=len(settled),
    )


def _group(kind: BoardKind, title: str, items: list[Item], catalog: Catalog) -> BoardGroup:
    shown = items[-OPEN_SHOWN:]
    rows = tuple(_row(item, catalog) for item in shown)
    return BoardGroup(kind=kind, title=title, rows=rows, earlier=len(items) - len(shown))


def _settled_at(item: Item) -> datetime:
    assert item.settled_at is not None
    return item.settled_at


def _row(item: Item, catalog: Catalog) -> Row:
    ends = () if item.outcome else ENDS[item.kind]
    return Row(
        ref=item.ref,
        text=item.text,
        disproof=item.disproof,
        by=name_of(catalog, item.settled_by or item.by),
        at=item.settled_at or item.at,
        lines=tuple(Line(label=VERBS[end], line=f"/{VERBS[end]} {item.ref} ") for end in ends if end != "archived"),
        outcome=item.outcome or "",
        evidence=item.evidence,
    )
