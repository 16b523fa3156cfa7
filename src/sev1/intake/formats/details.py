"""Free-form JSON of a sender as text, by name. Numbers keep the digits that were sent."""

import msgspec
from msgspec import Raw

from sev1.intake.formats.limits import cut
from sev1.intake.formats.reading import clean

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


def text_of(value: Raw) -> str:
    """A JSON value as text: a string's own characters, nothing for null, the JSON of anything else. Never raises."""
    raw = bytes(value).strip()
    if raw == b"null":
        return ""
    if raw.startswith(b'"'):
        try:
            return _decode_text(raw)
        except ValueError:
            pass  # a string that was skipped while decoding is not checked for being UTF-8
    return clean(raw.decode("utf-8", "replace"))


def is_scalar(value: Raw) -> bool:
    return not bytes(value).lstrip().startswith((b"{", b"["))


def annotations_of(details: Raw) -> dict[str, str]:
    """The members of an object that say something; `details` for anything else that does. Never raises."""
    try:
        members = {name: text_of(member) for name, member in _decode_members(details).items()}
    except (ValueError, RecursionError):
        members = {"details": text_of(details)}
    return {name: cut(text) for name, text in members.items() if text}
