"""What became of decisions: each has a number, and whether it worked is written down when that is known (mission 9.3).

Recording a decision is the incident's own command (`command/model.py`); here it gets its place and, later, its outcome.
"""

from datetime import datetime
from typing import Any, Protocol, assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Event, NameOf, Number, OptionalProse, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import NotFound


class Decision(Struct, frozen=True, kw_only=True):
    number: int
    decision: str
    reason: str = ""
    entry: int
    """The version of the event that recorded it: its address is `#entry-7`."""
    by: str
    at: datetime
    worked: bool | None = None
    """None: nobody has said yet."""
    outcome: str = ""
    judged_by: str = ""
    judged_at: datetime | None = None
    on_bridge: bool = False
    """It was taken on the bridge."""

    @property
    def ref(self) -> str:
        return f"D{self.number}"


class RecordOutcome(Command, frozen=True, kw_only=True, tag="record_outcome"):
    """Whether a decision worked. Said again, the later word holds; the timeline keeps both."""

    number: Number
    worked: bool
    outcome: OptionalProse = ""


class OutcomeRecorded(Event, frozen=True, kw_only=True, tag="outcome_recorded"):
    number: int
    decision: str
    worked: bool
    outcome: str = ""


class Recorded(Protocol):
    """What is read of the incident's own event `DecisionRecorded`."""

    @property
    def number(self) -> int: ...
    @property
    def decision(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def on_bridge(self) -> bool: ...


DecisionCommand = RecordOutcome
DecisionEvent = OutcomeRecorded
Decisions = dict[int, Decision]


def decide(decisions: Decisions, command: RecordOutcome, _: Scene) -> list[DecisionEvent]:
    match command:
        case RecordOutcome():
            one = decisions.get(command.number)
            if one is None:
                raise NotFound(f"There is no decision D{command.number} in this incident.")
            outcome = command.outcome.strip()
            if (one.worked, one.outcome) == (command.worked, outcome):
                return []
            return [OutcomeRecorded(number=one.number, decision=one.decision, worked=command.worked, outcome=outcome)]
        case _:
            assert_never(command)


def next_number(decisions: Decisions) -> int:
    return max(decisions, default=0) + 1


def recorded(decisions: Decisions, event: Recorded, fact: Fact[Any]) -> Decisions:
    """After a decision was recorded. One that was stored without a number (0) gets the next in order."""
    one = Decision(
        number=event.number or next_number(decisions),
        decision=event.decision,
        reason=event.reason,
        entry=fact.version,
        by=fact.by.id,
        at=fact.at,
        on_bridge=event.on_bridge,
    )
    return {**decisions, one.number: one}


def evolve(decisions: Decisions, fact: Fact[DecisionEvent]) -> Decisions:
    event = fact.event
    one = replace(
        decisions[event.number],
        worked=event.worked,
        outcome=event.outcome,
        judged_by=fact.by.id,
        judged_at=fact.at,
    )
    return {**decisions, one.number: one}


def words(event: DecisionEvent, _: NameOf) -> Words:
    sign, verdict = ("✅", "worked") if event.worked else ("⚠️", "did not work")
    return "decision", sign, f"D{event.number} {verdict}: {event.decision}", (("Outcome", event.outcome),)
