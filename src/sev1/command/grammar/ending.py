"""Readers of the lines about the end and what comes after it. Pure."""

import re
from typing import Any

from sev1.command.grammar.fields import fields, needed
from sev1.command.grammar.reading import Rest
from sev1.command.parts import recovery as r
from sev1.command.parts import tasks
from sev1.engine.errors import Invalid

_NOT_FOR_US = re.compile(
    r"(?:it\s+)?(?:does\s*n[o'’]?t|doesn[’']t)\s+apply\b[\s,:]*(?:because|since)?\s*", re.IGNORECASE
)


def _step(rest: Rest) -> r.Step:
    ref = rest.take_ref("R")
    steps = list(r.STEPS)
    if ref is None or not 1 <= ref[1] <= len(steps):
        raise Invalid(f"Say which step of the recovery, R1 to R{len(steps)}.", field="step")
    return steps[ref[1] - 1]


def recovered(rest: Rest) -> dict[str, Any]:
    """`R2 NOTE`, or `R2 does not apply because REASON`."""
    step = _step(rest)
    not_for_us = _NOT_FOR_US.match(rest.text)
    note = rest.take_all()
    if not_for_us is None:
        return fields(r.TickRecovery, step=step, note=note.lstrip(": "))
    reason = needed(note[not_for_us.end() :], "why it does not apply")
    return {**fields(r.TickRecovery, step=step, note=reason), "applies": False}


def unrecovered(rest: Rest) -> dict[str, Any]:
    step = _step(rest)
    reason = rest.take_clause("because", "since") or rest.take_all()
    return fields(r.UntickRecovery, step=step, reason=needed(reason, "why"))


def recovery(rest: Rest) -> dict[str, Any]:
    step = _step(rest)
    return fields(r.AssignRecovery, step=step, owner=rest.take_person() or rest.speaker.me)


def carry(rest: Rest) -> dict[str, Any]:
    """`T3 @PERSON until TIME`."""
    ref = rest.take_ref("T")
    if ref is None:
        raise Invalid("Say which task first, like T3.", field="task")
    due_at = rest.take_moment()
    owner = rest.take_person()
    due_at = due_at or rest.take_moment()
    if due_at is None:
        raise Invalid("Say until when, like until Friday 12:00.", field="due_at")
    return fields(tasks.CarryTask, task=ref[1], owner=owner or rest.speaker.me, due_at=due_at)


def review(rest: Rest) -> dict[str, Any]:
    """`@PERSON by TIME`."""
    at = rest.take_moment()
    owner = rest.take_person()
    at = at or rest.take_moment()
    if at is None:
        raise Invalid("Say when, like by Friday 10:00.", field="at")
    return fields(r.PlanReview, owner=owner or rest.speaker.me, at=at)
