"""The parts of an incident, each a small decider of its own: state, commands, events, rules and words in one file.

A part knows nothing of the others and nothing of the incident but what the `Scene` shows. `command/decide.py` sends each
command to the part that knows it. A new part is a file, a line here, and a line in each list of `command/model.py`
(commands, events, state).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args

from msgspec import Struct

from sev1.command.parts import (
    board,
    bridge,
    clocks,
    decisions,
    family,
    handover,
    intake,
    merging,
    mitigations,
    needs,
    pace,
    priority,
    privacy,
    prompts,
    reach,
    recovery,
    runs,
    tasks,
    workstreams,
)
from sev1.command.terms import Command, Event, NameOf, Scene, Words


class Part(Struct, frozen=True, kw_only=True):
    name: str
    """The field of the incident that holds its state."""
    commands: Any
    events: Any
    decide: Callable[[Any, Any, Scene], list[Any]] | None = None
    """None: all of its commands need more than a part may look at, and are decided beside it."""
    evolve: Callable[[Any, Any], Any]
    words: Callable[[Any, NameOf], Words]
    timers: Callable[[Any], Mapping[str, datetime]] = lambda _: {}
    timer_commands: Mapping[str, type[Command]] = {}
    """What is asked for when a timer of that kind is due."""
    inner: Any = None
    """Commands that only follow from what happened in another incident; nobody can ask for them."""
    outlives: bool = False
    """True: goes on after the incident has ended."""
    commands_after: Any = None
    """Commands that are possible after the end as well, of a part that does not outlive it."""
    lives_on: Callable[[Any], Any] | None = None
    """Of a part that does not outlive it: what of its state timers still wait for after the end."""


PARTS: tuple[Part, ...] = (
    Part(
        name="board",
        commands=board.BoardCommand,
        events=board.BoardEvent,
        decide=board.decide,
        evolve=board.evolve,
        words=board.words,
    ),
    Part(
        name="tasks",
        commands=tasks.TaskCommand,
        events=tasks.TaskEvent,
        decide=tasks.decide,
        evolve=tasks.evolve,
        words=tasks.words,
        timers=tasks.timers,
        timer_commands={"task": tasks.AskAfterTasks},
        commands_after=tasks.OutlivingTaskCommand | tasks.AskAfterTasks,
        lives_on=tasks.follow_ups,
    ),
    Part(
        name="needs",
        commands=needs.NeedCommand,
        events=needs.NeedEvent,
        decide=needs.decide,
        evolve=needs.evolve,
        words=needs.words,
        commands_after=needs.OutlivingNeedCommand,
    ),
    Part(
        name="workstreams",
        commands=workstreams.StreamCommand,
        events=workstreams.StreamEvent,
        decide=workstreams.decide,
        evolve=workstreams.evolve,
        words=workstreams.words,
    ),
    Part(
        name="mitigations",
        commands=mitigations.MitigationCommand,
        events=mitigations.MitigationEvent,
        decide=mitigations.decide,
        evolve=mitigations.evolve,
        words=mitigations.words,
        timers=mitigations.timers,
        timer_commands={"mitigation": mitigations.RemindOfMitigations},
        outlives=True,
    ),
    Part(
        name="privacy",
        commands=privacy.PrivacyCommand,
        events=privacy.PrivacyEvent,
        decide=privacy.decide,
        evolve=privacy.evolve,
        words=privacy.words,
        outlives=True,
    ),
    Part(
        name="family",
        commands=family.FamilyCommand,
        inner=family.InnerFamilyCommand,
        events=family.FamilyEvent,
        decide=family.decide,
        evolve=family.evolve,
        words=family.words,
    ),
    Part(
        name="clocks",
        commands=clocks.ClockCommand,
        events=clocks.ClockEvent,
        decide=clocks.decide,
        evolve=clocks.evolve,
        words=clocks.words,
        timers=clocks.timers,
        timer_commands={"update": clocks.TellClocks},
    ),
    Part(
        name="decisions",
        commands=decisions.DecisionCommand,
        events=decisions.DecisionEvent,
        decide=decisions.decide,
        evolve=decisions.evolve,
        words=decisions.words,
        outlives=True,
    ),
    Part(
        name="handover",
        commands=handover.HandoverCommand,
        events=handover.HandoverEvent,
        decide=handover.decide,
        evolve=handover.evolve,
        words=handover.words,
        timers=handover.timers,
        timer_commands={"offer": handover.ExpireOffer},
    ),
    Part(
        name="reach",
        commands=reach.ReachCommand,
        events=reach.ReachEvent,
        evolve=reach.evolve,
        words=reach.words,
        timers=reach.timers,
        timer_commands={"reach": reach.CheckReach},
    ),
    Part(
        name="pace",
        commands=pace.PaceCommand,
        events=pace.PaceEvent,
        decide=pace.decide,
        evolve=pace.evolve,
        words=pace.words,
        timers=pace.timers,
        timer_commands={"break": pace.BreaksOver, "pace": pace.CheckPace},
    ),
    Part(
        name="recovery",
        commands=recovery.RecoveryCommand,
        events=recovery.RecoveryEvent,
        decide=recovery.decide,
        evolve=recovery.evolve,
        words=recovery.words,
        timers=recovery.timers,
        timer_commands={"recovery": recovery.RemindOfRecovery},
        outlives=True,
    ),
    Part(
        name="prompts",
        commands=prompts.PromptCommand,
        events=prompts.PromptEvent,
        evolve=prompts.evolve,
        words=prompts.words,
    ),
    Part(
        name="priority",
        commands=priority.PriorityCommand,
        events=priority.PriorityEvent,
        decide=priority.decide,
        evolve=priority.evolve,
        words=priority.words,
    ),
    Part(
        name="merging",
        commands=merging.MergeCommand,
        inner=merging.InnerMergeCommand,
        events=merging.MergeEvent,
        evolve=merging.evolve,
        words=merging.words,
    ),
    Part(
        name="bridge",
        commands=bridge.BridgeCommand,
        events=bridge.BridgeEvent,
        decide=bridge.decide,
        evolve=bridge.evolve,
        words=bridge.words,
        timers=bridge.timers,
        timer_commands={"bridge": bridge.AskOfBridge},
    ),
    Part(
        name="intake",
        commands=intake.IntakeCommand,
        events=intake.IntakeEvent,
        decide=intake.decide,
        evolve=intake.evolve,
        words=intake.words,
        outlives=True,
    ),
    Part(
        name="runs",
        commands=runs.RunCommand,
        events=runs.RunEvent,
        decide=runs.decide,
        evolve=runs.evolve,
        words=runs.words,
    ),
)


def waits(part: Part, state: Any, *, is_open: bool) -> Mapping[str, datetime]:
    """The timers of a part of an incident that is open or over."""
    if is_open or part.outlives:
        return part.timers(state)
    return part.timers(part.lives_on(state)) if part.lives_on else {}


def kinds_of(union: Any) -> tuple[type, ...]:
    """The types of a union; of a lone type that one."""
    return get_args(union) or (union,)


_KNOWN_BY: dict[type, Part] = {
    kind: part
    for part in PARTS
    for kind in (*kinds_of(part.commands), *kinds_of(part.inner), *kinds_of(part.events), *part.timer_commands.values())
}


def part_of(thing: Command | Event) -> Part | None:
    """The part that knows this command or event; None for those of the incident itself."""
    return _KNOWN_BY.get(type(thing))
