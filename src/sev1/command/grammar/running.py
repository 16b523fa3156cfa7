"""Readers of the lines about runbooks. Pure."""

import re
from typing import Any

from sev1.command.grammar.fields import fields
from sev1.command.grammar.reading import Rest
from sev1.command.parts import runs
from sev1.engine.errors import Invalid

_OUTCOMES: dict[str, runs.Outcome] = {
    "done": "done",
    "ok": "done",
    "skip": "skipped",
    "skipped": "skipped",
    "fail": "failed",
    "failed": "failed",
}


def run(rest: Rest) -> dict[str, Any]:
    """`RUNBOOK`, or `C1 end because REASON`."""
    ref = rest.take_ref("C")
    word = rest.take_word()
    if ref is None:
        if not word or rest.text:
            raise Invalid("Say which runbook, by its name in the catalog.", field="runbook")
        return fields(runs.StartRun, runbook=word.casefold())
    if word.casefold() not in {"end", "ends", "ended"}:
        raise Invalid(f"Say what becomes of it, like /run C{ref[1]} end because …", field="run")
    reason = re.sub(r"^(because|since)\s+", "", rest.take_all(), flags=re.IGNORECASE)
    return fields(runs.EndRun, run=ref[1], reason=reason)


def tick(rest: Rest) -> dict[str, Any]:
    """`[C1] 2 [done|skipped|failed] [NOTE]`."""
    ref = rest.take_ref("C")
    step = re.fullmatch(r"#?([0-9]{1,2})[:.,]?", rest.take_word())
    if step is None or not 1 <= int(step[1]) <= 50:
        raise Invalid("Say which step by its number, like 2.", field="step")
    first = re.match(r"\w+", rest.text)
    outcome = _OUTCOMES.get(first[0].casefold()) if first else None
    note = rest.take_all()
    if first and outcome:
        note = note[first.end() :].lstrip(" :,;-")
    return fields(
        runs.TickStep, run=ref[1] if ref else None, step=int(step[1]), outcome=outcome or "done", note=note.strip()
    )
