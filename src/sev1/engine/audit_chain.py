"""The chain of the audit log (mission T.5): each entry carries the hash of the one before, so none can be changed unseen.

The database computes it when an entry is committed (migration 0019). Here it is computed again, for the log itself and for
an exported file. What is hashed, by SHA-256, are these parts, each as `length in bytes:text,` (netstrings), in UTF-8:

    sev1 audit 1 · position · hash before, hex · microseconds since 1970 · actor · action · subject · data as JSON text

Whoever can write to the database could make the whole chain anew; they cannot make it end in a hash that was noted
elsewhere. So `sev1 doctor` and the metrics show the head, and `verify` can be told what it was.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
from msgspec import Struct

from sev1.engine.errors import Invalid

FORMAT = "sev1 audit 1"
GENESIS = bytes(32)
"""In place of the hash before the first entry."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FETCHED_AT_ONCE = 1_000


class Link(Struct, frozen=True, kw_only=True):
    """An entry with its place in the chain, as it is exported. `data` is the JSON text that was hashed."""

    position: int | None
    at: datetime
    actor: str
    action: str
    subject: str
    data: str
    previous: str | None
    """Hex, as `hash` is."""
    hash: str | None


class Head(Struct, frozen=True, kw_only=True):
    """Where the chain ends: what to note elsewhere. Written `position:hash`."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


class Exported(Struct, frozen=True, kw_only=True):
    """The first line of an exported file: what follows, so that a file that was cut off shows."""

    format: str
    exported_at: datetime
    head: Head


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether the chain holds; if not, the first entry that breaks it and how."""

    intact: bool
    entries: int
    """How many were read until then."""
    head: Head
    """The last one that holds."""
    broken_at: int | None = None
    """The position of the first entry that is not as it was written."""
    why: str = ""


def netstrings(parts: Iterable[str]) -> bytes:
    """The parts in one way only: two different lists never give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(b"%d:%s," % (len(part), part) for part in encoded)


def digest_of(link: Link, position: int, previous: str) -> str:
    """The hash, hex, that this entry has at this place."""
    micros = (link.at - EPOCH) // timedelta(microseconds=1)
    parts = (FORMAT, str(position), previous, str(micros), link.actor, link.action, link.subject, link.data)
    return hashlib.sha256(netstrings(parts)).hexdigest()


class Chain:
    """Takes the entries in order. `take` says what is wrong with one, or "" when it follows from those before."""

    def __init__(self, expected: Head | None = None) -> None:
        self.head = Head(position=0, hash=GENESIS.hex())
        self._expected = expected

    def take(self, link: Link) -> str:
        position = self.head.position + 1
        if link.position is None:
            return "it was put in past the chain"
        if link.position > position:
            missing = f"entry {position} is" if link.position == position + 1 else f"entries {position} and later are"
            return f"{missing} missing before it"
        if link.position < position:
            return "its position was given twice"
        if link.previous != self.head.hash:
            return "it does not follow the entry before it: one of them was put in, moved or replaced"
        found = digest_of(link, position, self.head.hash)
        if link.hash != found:
            return "its content is not what was written"
        self.head = Head(position=position, hash=found)
        if self._expected and self._expected.position == position and self._expected.hash != found:
            return "it is not the entry that was noted elsewhere: the log was written anew"
        return ""

    def end(self, head: Head) -> str:
        """What is wrong with the end, given where the log says that it ends."""
        if head.position > self.head.position:
            return f"the log ended with entry {head.position}: what came after entry {self.head.position} is missing"
        if head != self.head:
            return "the log goes on after its own end"
        if self._expected and self._expected.position > self.head.position:
            return f"entry {self._expected.position}, which was noted elsewhere, is missing"
        return ""

    def verdict(self, entries: int, broken_at: int | None, why: str) -> Verdict:
        return Verdict(intact=not why, entries=entries, head=self.head, broken_at=broken_at, why=why)


def parse_head(text: str) -> Head:
    """`position:hash` as doctor and metrics show it. Raises Invalid."""
    position, _, found = text.strip().partition(":")
    if not (position.isascii() and position.isdecimal()) or len(found) != 64 or set(found) - set("0123456789abcdef"):
        raise Invalid("A head is written as its position, a colon and 64 hexadecimal digits: 12:9f86d0….")
    return Head(position=int(position), hash=found)


async def head(conn: asyncpg.Connection) -> Head:
    """Where the log says that it ends."""
    row = await conn.fetchrow("SELECT position, encode(hash, 'hex') AS hash FROM audit_head")
    return Head(**row) if row else Head(position=0, hash=GENESIS.hex())


async def links(conn: asyncpg.Connection) -> AsyncIterator[Link]:
    """All entries in the order of the chain, those past it last. Needs a transaction: it reads by a cursor."""
    cursor = conn.cursor(
        "SELECT position, at, actor, action, subject, data::text AS data, encode(previous, 'hex') AS previous,"
        " encode(hash, 'hex') AS hash FROM audit_log ORDER BY position NULLS LAST, id",
        prefetch=FETCHED_AT_ONCE,
    )
    async for row in cursor:
        yield Link(**row)


async def verify(conn: asyncpg.Connection, expected: Head | None = None) -> Verdict:
    """Reads the whole log at one instant. `expected` is a head that was noted elsewhere."""
    chain, entries = Chain(expected), 0
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        ends = await head(conn)
        async for link in links(conn):
            entries += 1
            if why := chain.take(link):
                return chain.verdict(entries, link.position or chain.head.position + 1, why)
    why = chain.end(ends)
    return chain.verdict(entries, chain.head.position + 1 if why else None, why)


async def export(conn: asyncpg.Connection, now: datetime) -> AsyncIterator[bytes]:
    """The log as lines of JSON: an `Exported`, then each entry as a `Link`; as it is at one instant."""
    encode = msgspec.json.encode
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        yield encode(Exported(format=FORMAT, exported_at=now, head=await head(conn))) + b"\n"
        lines: list[bytes] = []
        async for link in links(conn):
            lines.append(encode(link))
            if len(lines) == FETCHED_AT_ONCE:
                yield b"\n".join(lines) + b"\n"
                lines.clear()
        if lines:
            yield b"\n".join(lines) + b"\n"


def verify_lines(lines: Iterable[bytes], expected: Head | None = None) -> Verdict:
    """The same for an exported file, without a database. Raises Invalid for what is no such file."""
    chain, entries = Chain(expected), 0
    rest = iter(lines)
    try:
        first = msgspec.json.decode(next(rest, b""), type=Exported)
    except msgspec.DecodeError:
        raise Invalid("This is no exported audit log: its first line does not say so.") from None
    if first.format != FORMAT:
        raise Invalid(f"This audit log is in the format {first.format!r}; this release reads {FORMAT!r}.")
    decoder = msgspec.json.Decoder(Link)
    for line in rest:
        entries += 1
        try:
            why = chain.take(decoder.decode(line))
        except msgspec.DecodeError:
            why = "its line cannot be read"
        if why:
            return chain.verdict(entries, chain.head.position + 1, why)
    why = chain.end(first.head)
    return chain.verdict(entries, chain.head.position + 1 if why else None, why)
