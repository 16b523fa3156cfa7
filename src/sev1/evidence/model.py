"""Evidence: a file or an excerpt of a log kept with an incident, and who had it in hands when (mission 3.4)."""

import re
from datetime import datetime
from typing import Literal

from msgspec import Struct

from sev1.engine.errors import Invalid

NAME_MAX = 200
NOTE_MAX = 5_000
MOST_BYTES = 256 * 1024 * 1024
"""What the setting may be raised to: a piece is read and written as a whole in one transaction."""

Action = Literal[
    "collected",
    "downloaded",
    "exported",
    "transferred",
    "retention_changed",
    "hold_set",
    "hold_lifted",
    "destroyed",
]
ACTION_WORDS: dict[Action, str] = {
    "collected": "Collected",
    "downloaded": "Downloaded",
    "exported": "Exported",
    "transferred": "Transferred",
    "retention_changed": "Retention changed",
    "hold_set": "Legal hold set",
    "hold_lifted": "Legal hold lifted",
    "destroyed": "Content destroyed",
}


class Described(Struct, frozen=True, kw_only=True):
    """What whoever adds a piece says of it."""

    name: str
    media_type: str = ""
    origin: str = ""
    """Where it came from: a host, a log, a person."""
    note: str = ""
    collected_at: datetime | None = None
    """When it was taken there; None: now."""


class Piece(Struct, frozen=True, kw_only=True):
    id: int
    incident: str
    name: str
    media_type: str
    """As it was claimed. What is downloaded is never shown by it."""
    size: int
    sha256: str
    """Hex."""
    origin: str
    note: str
    collected_at: datetime
    added_at: datetime
    added_by: str
    retain_until: datetime
    hold: str
    """The reason of the legal hold; empty: none. It beats retention."""
    destroyed_at: datetime | None

    @property
    def key(self) -> str:
        return f"E-{self.id}"


class Custody(Struct, frozen=True, kw_only=True):
    """One entry of the chain of custody of a piece. Never changed."""

    position: int
    at: datetime
    actor: str
    action: Action
    data: str
    """JSON text, as it was hashed."""
    previous: str
    """Hex, as `hash` is."""
    hash: str


class Finding(Struct, frozen=True, kw_only=True):
    """What the verification of one piece found."""

    piece: str
    incident: str
    name: str
    intact: bool
    problems: tuple[str, ...] = ()
    content: Literal["matches", "differs", "destroyed"] = "matches"
    entries: int = 0


_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def file_name(given: str) -> str:
    """The name alone: without folders, control characters and text that turns around; never empty, `.` or `..`."""
    name = _UNPRINTED.sub("_", re.split(r"[/\\]", given.strip())[-1]).strip(" .")
    return name[:NAME_MAX] or "unnamed"


def promised(sha256: str) -> str:
    """The hash that the client says its file has, in lower case; empty: it says none. Raises Invalid."""
    if sha256 and not _SHA256.fullmatch(sha256):
        raise Invalid("A SHA-256 has 64 hexadecimal digits.", field="sha256")
    return sha256.lower()


def number_of(key: str) -> int | None:
    """The 7 of `E-7`; None for what is no key."""
    found = re.fullmatch(r"E-([1-9][0-9]{0,17})", key)
    return int(found[1]) if found else None


def size_in_words(size: int) -> str:
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:.0f} kB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"
