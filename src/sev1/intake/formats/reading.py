"""Reads JSON that senders really send, and says in a sentence why it cannot.

The happy path is one call of a typed msgspec decoder. Only when that fails, or when the bytes hold an escaped NUL, is
the text repaired the way Go's and Java's decoders would have read it: PostgreSQL can hold neither NUL nor half a
surrogate pair, and an alert should not be lost for a byte in its description.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")

_NUL = b"\\u0000"
_BOM = b"\xef\xbb\xbf"
_REPLACEMENT = rb"\\ufffd"
_BAD_ESCAPES = re.compile(
    rb"\\(?:"
    rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair: keep
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)"  # half a pair, or NUL: replace
    rb"|.)",  # any other escape, so that the second half of \\ is never read as the start of one
    re.DOTALL,
)
_LENGTH = re.compile(r"Expected `(str|object|array)` of length (<=|>=) (\d+)(?: - at (.*))?")
_MISSING = re.compile(r"missing required field `([^`]+)`(?: - at `\$(.*)`)?")
_WRONG_TYPE = re.compile(r"Expected `([^`]+)`, got `([^`]+)`(?: - at (.*))?")
_WORDS = {
    "str": "text",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "int": "a number",
    "float": "a number",
}


def read(decode: Callable[[bytes], T], raw: bytes) -> T:
    """Decodes `raw`, repaired if need be. Raises ValueError with a sentence for the sender."""
    # Looking for one byte is many times as fast as looking for six, and most payloads escape nothing.
    if b"\\" in raw and _NUL in raw:
        raw = repair(raw)
    try:
        return decode(raw)
    except (ValueError, RecursionError) as error:
        repaired = repair(raw)
        if repaired != raw:
            try:
                return decode(repaired)
            except (ValueError, RecursionError) as second:
                raise ValueError(explain(second)) from second
        raise ValueError(explain(error)) from error


def repair(raw: bytes) -> bytes:
    """Puts U+FFFD where PostgreSQL text cannot follow: NUL, lone surrogates, bytes that are not UTF-8. Drops a BOM."""
    text = raw.removeprefix(_BOM)
    try:
        text.decode()
    except UnicodeDecodeError:
        text = text.decode("utf-8", "replace").encode()
    return _BAD_ESCAPES.sub(lambda found: _REPLACEMENT[1:] if found[1] else found[0], text)


def clean(text: str) -> str:
    """Text that PostgreSQL can hold, from a Python string that did not come through `read`."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def explain(error: Exception) -> str:
    """A decoder's error as a sentence that helps the sender."""
    text = str(error)
    if isinstance(error, RecursionError):
        return "The JSON is nested too deeply to be read."
    if not isinstance(error, msgspec.ValidationError):
        return f"The body is not valid JSON: {text[:1].lower()}{text[1:]}."
    if found := _MISSING.search(text):
        return f"`{_place(found[2], found[1])}` is missing."
    if found := _LENGTH.search(text):
        kind, side, limit, place = found.groups()
        at_most = "at most" if side == "<=" else "at least"
        unit = "characters" if kind == "str" else "entries"
        return f"{_subject(place)} may have {at_most} {limit} {unit}. Shorten it, or send the rest elsewhere."
    if found := _WRONG_TYPE.search(text):
        wanted, got, place = found.groups()
        return f"{_subject(place)} must be {_words(wanted)}, not {_words(got)}."
    return f"The payload does not fit: {text}."


def _place(parent: str | None, name: str) -> str:
    return f"{(parent or '').lstrip('.')}.{name}".lstrip(".")


def _subject(place: str | None) -> str:
    """`$[0].labels[...]` as words: which alert, which field."""
    if place is None:
        return "The body"
    inside = place.split(" in ")
    path = inside[-1].strip("`").removeprefix("$").lstrip(".")
    name = f"`{path.replace('[...]', '')}`" if path else "the body"
    if inside[0] == "`key`":
        return f"A name in {name}"
    if path.endswith("[...]"):
        return f"A value in {name}"
    return name[:1].upper() + name[1:]


def _words(types: str) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in types.split(" | "))
