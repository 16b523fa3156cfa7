"""Readers of the lines that take something back. Pure."""

import re
from typing import Any

from sev1.command import model as m
from sev1.command.grammar.fields import fields
from sev1.command.grammar.reading import Rest
from sev1.engine.errors import Invalid

_ENTRY = re.compile(r"(?:(?:entry\s+)?#?(?:entry-)?(?P<version>[0-9]{1,9}))?", re.IGNORECASE)


def undo(rest: Rest) -> dict[str, Any]:
    """`7`, `#7`, `entry 7`: the number of an entry; nothing: the latest of one's own."""
    found = _ENTRY.fullmatch(rest.take_all().strip())
    if found is None or found["version"] == "0":
        raise Invalid("Say which entry of the timeline by its number, like 7.", field="entry")
    return fields(m.Undo, entry=int(found["version"]) if found["version"] else None)
