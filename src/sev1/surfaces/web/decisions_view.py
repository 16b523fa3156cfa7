"""The latest decisions with what became of them, as the page shows them. Pure (mission 9.3)."""

from msgspec import Struct

from sev1.command.parts.decisions import Decision, Decisions
from sev1.surfaces.web.board_view import Line

MOST = 5


class DecisionRow(Struct, frozen=True, kw_only=True):
    entry: int
    ref: str
    text: str
    reason: str
    outcome: str
    """`worked`, `did not work` or nothing yet, with what came of it."""
    lines: tuple[Line, ...]


def decision_rows(decisions: Decisions) -> tuple[DecisionRow, ...]:
    """The latest first."""
    return tuple(_row(decisions[number]) for number in sorted(decisions, reverse=True)[:MOST])


def _row(one: Decision) -> DecisionRow:
    verdict = "" if one.worked is None else "worked" if one.worked else "did not work"
    ask = (
        Line(label="it worked", line=f"/outcome {one.ref} it worked: "),
        Line(label="it did not", line=f"/outcome {one.ref} it did not: "),
    )
    return DecisionRow(
        entry=one.entry,
        ref=one.ref,
        text=one.decision,
        reason=one.reason,
        outcome=": ".join(part for part in (verdict, one.outcome) if part),
        lines=ask if one.worked is None else (),
    )
