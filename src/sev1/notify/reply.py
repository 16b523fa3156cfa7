"""What somebody answered to a text message. Pure: text in, wish out."""

import re
from typing import Literal

from msgspec import Struct

Wish = Literal["acknowledge", "escalate", "resolve"]

_WORDS: dict[str, Wish] = {
    "ack": "acknowledge",
    "acknowledge": "acknowledge",
    "yes": "acknowledge",
    "esc": "escalate",
    "escalate": "escalate",
    "pass": "escalate",
    "no": "escalate",
    "resolve": "resolve",
    "res": "resolve",
    "done": "resolve",
}
_REPLY = re.compile(r"\s*(?P<word>[a-z]+)?\s*(?P<which>all|(?:p-?)?(?P<number>[0-9]{1,9}))?[\s.!]*", re.IGNORECASE)


class Reply(Struct, frozen=True, kw_only=True):
    wish: Wish
    page: str | None = None
    """`P-4`; None: the one that waits, or all."""
    all: bool = False


def read_reply(text: str) -> Reply | None:
    """`ACK 4`, `ack p-4`, `4`, `ACK ALL`, `esc 4`, `ack`; None for anything else, which then changes nothing."""
    found = _REPLY.fullmatch(text[:200])
    if found is None:
        return None
    word, number, everything = found["word"], found["number"], (found["which"] or "").lower() == "all"
    if number and (word or "").lower() == "p":
        word = None
    if word is None and number is None:
        return None
    wish = _WORDS.get(word.lower()) if word else "acknowledge"
    if wish is None or (everything and wish != "acknowledge"):
        return None
    return Reply(wish=wish, page=f"P-{int(number)}" if number else None, all=everything)
