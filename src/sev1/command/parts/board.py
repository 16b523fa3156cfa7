"""The clarity board: what is known, what is guessed, what would prove a guess wrong, what blocks (mission 8.7)."""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import MOST, Command, Event, NameOf, Number, OptionalProse, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, NotFound, Refused

BoardKind = Literal["known", "unknown", "assumption", "hypothesis", "blocker"]
Outcome = Literal["confirmed", "refuted", "answered", "cleared", "archived"]
BoardText = Annotated[str, Meta(min_length=1, max_length=1000)]

LETTERS: dict[BoardKind, str] = {"known": "K", "unknown": "U", "assumption": "A", "hypothesis": "H", "blocker": "B"}
"""How an item is called: `H4`. The numbers run through all kinds, so a number alone names one, too."""
TITLES: dict[BoardKind, str] = {
    "known": "Known",
    "unknown": "Open question",
    "assumption": "Assumption",
    "hypothesis": "Hypothesis",
    "blocker": "Blocker",
}
ENDS: dict[BoardKind, tuple[Outcome, ...]] = {
    "known": ("refuted", "archived"),
    "unknown": ("answered", "archived"),
    "assumption": ("confirmed", "refuted", "archived"),
    "hypothesis": ("confirmed", "refuted", "archived"),
    "blocker": ("cleared", "archived"),
}
"""How an item of each kind may end. All but the archive want to be told why."""
WANTED: dict[Outcome, str] = {
    "confirmed": "what shows it",
    "refuted": "what disproves it",
    "answered": "the answer",
    "cleared": "what cleared it",
    "archived": "",
}


class Item(Struct, frozen=True, kw_only=True):
    number: int
    kind: BoardKind
    text: str
    disproof: str = ""
    """What would prove it wrong."""
    by: str
    at: datetime
    outcome: Outcome | None = None
    evidence: str = ""
    settled_by: str = ""
    settled_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"{LETTERS[self.kind]}{self.number}"


class PutOnBoard(Command, frozen=True, kw_only=True, tag="put_on_board"):
    """One line onto the board. A guess says what would disprove it."""

    kind: BoardKind
    text: BoardText
    disproof: Annotated[str, Meta(max_length=1000)] = ""


class SettleItem(Command, frozen=True, kw_only=True, tag="settle_item"):
    """How an item ends, with the evidence."""

    item: Number
    outcome: Outcome
    evidence: OptionalProse = ""


class ItemPut(Event, frozen=True, kw_only=True, tag="item_put"):
    number: int
    kind: BoardKind
    text: str
    disproof: str = ""


class ItemSettled(Event, frozen=True, kw_only=True, tag="item_settled"):
    number: int
    kind: BoardKind
    text: str
    outcome: Outcome
    evidence: str = ""
    corrects: int = 0
    """The entry that this takes back; 0: none."""


class ItemSharpened(Event, frozen=True, kw_only=True, tag="item_sharpened"):
    """A guess was said again, with what would prove it wrong."""

    number: int
    kind: BoardKind
    text: str
    disproof: str


class ItemReopened(Event, frozen=True, kw_only=True, tag="item_reopened"):
    """How it ended is taken back."""

    number: int
    kind: BoardKind
    text: str
    corrects: int


BoardCommand = PutOnBoard | SettleItem
BoardEvent = ItemPut | ItemSettled | ItemReopened | ItemSharpened
Board = dict[int, Item]


def decide(board: Board, command: BoardCommand, _: Scene) -> list[BoardEvent]:
    match command:
        case PutOnBoard():
            text, disproof = command.text.strip(), command.disproof.strip()
            there = [i for i in board.values() if i.kind == command.kind and i.text == text and not i.outcome]
            if there and disproof in {"", there[0].disproof}:
                return []
            if there:
                return [ItemSharpened(number=there[0].number, kind=command.kind, text=text, disproof=disproof)]
            if len(board) >= MOST:
                raise Refused(f"The board holds {MOST} items. Settle what is over and keep what matters.")
            return [ItemPut(number=max(board, default=0) + 1, kind=command.kind, text=text, disproof=disproof)]
        case SettleItem():
            return _settle(board, command)
        case _:
            assert_never(command)


def _settle(board: Board, command: SettleItem) -> list[BoardEvent]:
    item = board.get(command.item)
    if item is None:
        raise NotFound(f"Nothing on the board has the number {command.item}.")
    if item.outcome == command.outcome:
        return []
    if item.outcome:
        raise Refused(f"{item.ref} is {item.outcome} already. Put a new line on the board if that has changed.")
    if command.outcome not in ENDS[item.kind]:
        ends = " or ".join(ENDS[item.kind])
        raise Invalid(f"{item.ref} is a{_an(item.kind)}: it ends {ends}.", field="outcome")
    if WANTED[command.outcome] and not command.evidence.strip():
        raise Invalid(f"Say {WANTED[command.outcome]}, so that the next reader can believe it.", field="evidence")
    return [
        ItemSettled(
            number=item.number, kind=item.kind, text=item.text, outcome=command.outcome, evidence=command.evidence
        )
    ]


def _an(kind: BoardKind) -> str:
    title = TITLES[kind].lower()
    return f"n {title}" if title[0] in "aeiou" else f" {title}"


def evolve(board: Board, fact: Fact[BoardEvent]) -> Board:
    event = fact.event
    match event:
        case ItemSharpened():
            item = replace(board[event.number], disproof=event.disproof)
        case ItemPut():
            item = Item(
                number=event.number,
                kind=event.kind,
                text=event.text,
                disproof=event.disproof,
                by=fact.by.id,
                at=fact.at,
            )
        case ItemSettled():
            item = replace(
                board[event.number],
                outcome=event.outcome,
                evidence=event.evidence,
                settled_by=fact.by.id,
                settled_at=fact.at,
            )
        case ItemReopened():
            item = replace(board[event.number], outcome=None, evidence="", settled_by="", settled_at=None)
        case _:
            assert_never(event)
    return {**board, item.number: item}


def words(event: BoardEvent, _: NameOf) -> Words:
    ref = f"{LETTERS[event.kind]}{event.number}"
    match event:
        case ItemPut():
            sign = "❓" if event.kind == "unknown" else "⚠️" if event.kind == "blocker" else ""
            return "board", sign, f"{TITLES[event.kind]} {ref}: {event.text}", (("Wrong if", event.disproof),)
        case ItemSharpened():
            return "board", "", f"{TITLES[event.kind]} {ref}: {event.text}", (("Wrong if", event.disproof),)
        case ItemReopened():
            return "board", "", f"{ref} is open again: {event.text}", ()
        case ItemSettled():
            return "board", "", f"{ref} {event.outcome}: {event.text}", (("Evidence", event.evidence),)
        case _:
            assert_never(event)
