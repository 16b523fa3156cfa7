"""What a reader of a line returns: a command as fields, as the API would be sent it. Pure."""

from typing import Any

from sev1.command.grammar.reading import Rest
from sev1.command.terms import Command
from sev1.engine.errors import Invalid


def needed(text: str, what: str) -> str:
    """`text` without blanks around it. Raises Invalid when nothing is left, saying `what` is missing."""
    if not text.strip():
        raise Invalid(f"Say {what}.")
    return text.strip()


def fields(command: type[Command], **given: Any) -> dict[str, Any]:
    """The fields that were given, with the command's `type`."""
    tag = command.__struct_config__.tag
    assert isinstance(tag, str)
    return {"type": tag, **{name: value for name, value in given.items() if value not in (None, "")}}


def reference(rest: Rest, letters: str, example: str) -> tuple[str, int]:
    """The `T3` that the line begins with, of one of `letters`. Raises Invalid when there is none."""
    ref = rest.take_ref(letters)
    if ref is None:
        raise Invalid(f"Say which one first, like {example}.")
    return ref
