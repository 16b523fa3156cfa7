"""What may happen: weak signals and near misses that somebody noted (mission 2.4)."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sev1.command.terms import Line, Name, OptionalProse, Prose, SeverityName

SignalKind = Literal["weak-signal", "near-miss"]
"""A weak signal: something is not as it should be, and nothing broke. A near miss: something nearly broke."""
SignalState = Literal["open", "promoted", "reviewed", "dropped"]
Tag = Annotated[str, Meta(min_length=1, max_length=40)]


class NewSignal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line suffices."""

    text: Line
    kind: SignalKind = "weak-signal"
    service: Name | None = None
    might_have: OptionalProse = ""
    """What might have happened, or might happen yet."""
    tags: Annotated[tuple[Tag, ...], Meta(max_length=10)] = ()


class Signal(Struct, frozen=True, kw_only=True):
    number: int
    kind: SignalKind
    text: str
    service: str | None
    might_have: str
    tags: tuple[str, ...]
    noted_by: str
    noted_at: datetime
    state: SignalState
    outcome: str
    """What was learnt, or why it was dropped."""
    incident: str | None
    """The incident that it was promoted to."""
    settled_by: str | None
    settled_at: datetime | None

    @property
    def key(self) -> str:
        return f"SIG-{self.number}"


class Promotion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An incident after all."""

    title: Line | None = None
    """None: the signal's own line."""
    severity: SeverityName | None = None
    """None: the worst plausible one."""
    restricted: bool = False
    """Whether only those who are let in see the incident; the signal itself stays as it is."""


class Review(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lesson: Prose
    """What was learnt."""


class Dropping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Prose
    """Why nobody needs to look at it any more."""
