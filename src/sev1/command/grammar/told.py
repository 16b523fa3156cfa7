"""Readers of the lines about who is told, and when. Pure."""

import re
from typing import Any

from sev1.catalog.audience import INTERNAL
from sev1.command.grammar.fields import fields
from sev1.command.grammar.reading import Rest
from sev1.command.parts import clocks
from sev1.engine.errors import Invalid


def promise(rest: Rest) -> dict[str, Any]:
    """`[AUDIENCE] in 45 min`."""
    due_at = rest.take_moment()
    if due_at is None:
        raise Invalid("Say when the next update comes, like in 45 min or by 14:30.", field="due_at")
    word = re.sub(r"^for\s+", "", rest.take_all(), flags=re.IGNORECASE).casefold().rstrip(":")
    known = (INTERNAL, *rest.speaker.audiences)
    if word and word not in known:
        raise Invalid(f"There is no audience {word!r}. Choose one of {', '.join(known)}.", field="audience")
    return fields(clocks.PromiseUpdate, audience=word, due_at=due_at)
