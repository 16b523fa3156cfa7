"""What is pointed out in a text while it is written. Never a reason to refuse it (missions 2.2, 2.5, 10.4)."""

from typing import Literal

from msgspec import Struct

HintKind = Literal["blame", "alias", "jargon", "vague"]
"""`blame`: a person instead of what made it possible; `alias`: another word for a term of the glossary; `jargon`: a term
that the readers may not know; `vague`: nobody can tell when it is done, or how much it is."""


class Hint(Struct, frozen=True, kw_only=True):
    kind: HintKind
    start: int
    """Of what is meant, in Unicode characters from the beginning of the text."""
    end: int
    text: str
    """What stands there."""
    why: str
    instead: str | None = None
    """What may stand there instead, so that the sentence stays one. None: only its author can say."""
