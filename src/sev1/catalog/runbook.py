"""A runbook's Markdown as steps, and as questions whose answers say what comes next. Pure (mission 5.6).

    - [ ] Look at the error rate                     a step
      - if only one region fails -> drain it         a branch of it: a question and what to do when the answer is yes
      - else -> roll back the last deploy            what to do when no answer fits

`→` may stand for `->`. A branch belongs to the step above it, however it is indented. `diagnostic NAME` in backticks names a
diagnostic of the service, which the page then shows first.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

MOST_STEPS = 50

_ITEM = re.compile(r"\s*(?:[-*+]|[0-9]{1,3}[.)])[ \t]+(?:\[(?P<mark>[ xX])\][ \t]+)?(?P<text>\S.*?)\s*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_IF = re.compile(r"(?:if|If|IF)\s+(?P<asks>\S.*?)\s*(?:->|→)\s*(?P<then>\S.*)")
_ELSE = re.compile(r"(?:else|Else|ELSE)[,:]?\s*(?:->|→)\s*(?P<then>\S.*)")
_DIAGNOSTIC = re.compile(r"`diagnostic ([a-z0-9][a-z0-9-]{0,62})`")
NOT_TOLD = "What do you see?"
"""The step of branches that stand before any step."""


class Branch(Struct, frozen=True, kw_only=True):
    asks: str
    """The condition as a question: `Only one region fails?`; `Else` for what fits nothing above."""
    then: str


class RunbookStep(Struct, frozen=True, kw_only=True):
    text: str
    branches: tuple[Branch, ...] = ()


def branch_of(text: str) -> Branch | None:
    """The branch that the text of a list item writes; None for an ordinary item."""
    if found := _IF.fullmatch(text):
        return Branch(asks=question(found["asks"]), then=found["then"])
    if found := _ELSE.fullmatch(text):
        return Branch(asks="Else", then=found["then"])
    return None


def question(condition: str) -> str:
    """Makes `Only one region fails?` of `only one region fails`."""
    words = condition.rstrip("?,: ")
    return f"{words[:1].upper()}{words[1:]}?"


def steps_of(body: str) -> tuple[RunbookStep, ...]:
    """The list items of a Markdown text in order, at most 50; what stands in fenced code is none."""
    found: list[RunbookStep] = []
    for text in _items(body):
        branch = branch_of(text)
        if branch is None:
            if len(found) == MOST_STEPS:
                break
            found.append(RunbookStep(text=text))
            continue
        if not found:
            found.append(RunbookStep(text=NOT_TOLD))
        last = found[-1]
        if len(last.branches) < MOST_STEPS:
            found[-1] = RunbookStep(text=last.text, branches=(*last.branches, branch))
    return tuple(found)


def diagnostics_named(body: str) -> tuple[str, ...]:
    """The diagnostics that a runbook names, in its order, each once."""
    return tuple(dict.fromkeys(_DIAGNOSTIC.findall(body)))


def _items(body: str) -> Iterator[str]:
    return (text for text, is_item in lines_of(body) if is_item)


def lines_of(body: str) -> Iterator[tuple[str, bool]]:
    """The lines outside fenced code, without blanks around them, and whether each is a list item; of an item its text."""
    fence = ""
    for line in body.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        elif not fence:
            item = _ITEM.fullmatch(line)
            yield (item["text"], True) if item else (line.strip(), False)
