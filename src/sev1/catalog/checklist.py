"""A runbook's Markdown as a checklist to be run in an incident: its steps in order, with the cues STOP, VERIFY, DONE. Pure (mission 4.4).

    - [ ] Roll the deploy back                       a step, with its branches (`catalog/runbook.py`)
    🛑 STOP: is the old primary really dead?          say what you checked before you go on
    ✅ VERIFY: a new order shows up                   say what you saw
    DONE: a new standby is in sync                   ends the run

A cue is a line of its own or a list item; its word is in capitals and followed by a colon. A sign or bold type may stand around it.
"""

import re
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.runbook import MOST_STEPS, NOT_TOLD, Branch, branch_of, lines_of

Cue = Literal["", "stop", "verify", "done"]
_CUES: dict[str, Cue] = {"STOP": "stop", "VERIFY": "verify", "DONE": "done"}
_CUE = re.compile(r"[^\w`]*(?P<cue>STOP|VERIFY|DONE)[*_]*:[*_]*[ \t]*(?P<text>.*)")


class ChecklistStep(Struct, frozen=True, kw_only=True):
    text: str
    cue: Cue = ""
    branches: tuple[Branch, ...] = ()


def checklist_of(body: str) -> tuple[ChecklistStep, ...]:
    """The steps of a Markdown text in order, at most 50. What stands in fenced code is none, nor is other prose."""
    found: list[ChecklistStep] = []
    for text, is_item in lines_of(body):
        step = _cue_of(text)
        if step is None and not is_item:
            continue
        branch = None if step else branch_of(text)
        if branch is not None:
            last = found.pop() if found else ChecklistStep(text=NOT_TOLD)
            found.append(replace(last, branches=(*last.branches, branch)[:MOST_STEPS]))
        elif len(found) < MOST_STEPS:
            found.append(step or ChecklistStep(text=text))
    return tuple(found)


def _cue_of(text: str) -> ChecklistStep | None:
    found = _CUE.fullmatch(text)
    if found is None:
        return None
    said = found["text"].strip().strip("*_").strip()
    return ChecklistStep(text=said or found["cue"].capitalize(), cue=_CUES[found["cue"]])
