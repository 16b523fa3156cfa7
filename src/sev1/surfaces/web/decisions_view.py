"""The latest decisions with what became of them, as the page shows them. Pure (mission 9.3)."""

from collections.abc import Mapping

from msgspec import Struct

from sev1.command import model as m
from sev1.command.parts.decisions import Decisions
from sev1.surfaces.web.board_view import Line

MOST = 5


class DecisionRow(Struct, frozen=True, kw_only=True):
    entry: int
    ref: str
    """Empty where the record was written before decisions had numbers and nothing has happened since."""
    text: str
    reason: str
    outcome: str
    """`worked`, `did not work` or nothing yet, with what came of it."""
    lines: tuple[Line, ...]


def decision_rows(latest: Mapping[int, m.DecisionRecorded], known: Decisions) -> tuple[DecisionRow, ...]:
    """The latest first. `latest` by the version of the event; `known` says number and outcome."""
    by_entry = {one.entry: one for one in known.values()}
    rows = []
    for entry, event in sorted(latest.items(), reverse=True)[:MOST]:
        one = by_entry.get(entry)
        verdict = "" if one is None or one.worked is None else "worked" if one.worked else "did not work"
        asked = one is not None and one.worked is None
        rows.append(
            DecisionRow(
                entry=entry,
                ref=one.ref if one else "",
                text=event.decision,
                reason=event.reason,
                outcome=": ".join(part for part in (verdict, one.outcome if one else "") if part),
                lines=(
                    Line(label="it worked", line=f"/outcome {one.ref} it worked: "),
                    Line(label="it did not", line=f"/outcome {one.ref} it did not: "),
                )
                if one and asked
                else (),
            )
        )
    return tuple(rows)
