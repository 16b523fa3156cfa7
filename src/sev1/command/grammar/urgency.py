"""Readers of the lines about how fast something is wanted. Pure."""

import re
from typing import Any

from sev1.command.grammar.fields import fields, needed
from sev1.command.grammar.reading import Rest
from sev1.command.parts import priority as p
from sev1.engine.errors import Invalid


def priority(rest: Rest) -> dict[str, Any]:
    """`1 because REASON`, or `follow`: what the severity has it."""
    reason = rest.take_clause("because", "since")
    word = rest.take_word().casefold()
    if word in {"follow", "follows", "auto", "none"}:
        return fields(p.FollowSeverity)
    level = re.fullmatch(r"p?([1-5])", word)
    if level is None:
        raise Invalid("Say which priority: P1 to P5, or follow to let the severity decide.", field="priority")
    reason = reason or re.sub(r"^(because|since)\b\s*", "", rest.take_all(), flags=re.IGNORECASE)
    reason = needed(reason, "why the business wants it sooner or later than the severity has it")
    return fields(p.SetPriority, priority=int(level[1]), reason=reason)
