"""An upload, read to its end before anything is stored: hashed while it comes in, kept on disk when it is large."""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO

from msgspec import Struct

from sev1.engine.errors import Invalid, TooLarge
from sev1.evidence.model import promised, size_in_words

IN_MEMORY = 1024 * 1024


class Received(Struct, frozen=True, kw_only=True):
    content: IO[bytes]
    size: int
    sha256: str


@contextmanager
def spool() -> Iterator[IO[bytes]]:
    """A place for one upload that is gone afterwards, whatever happens."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        yield file


async def receive(parts: AsyncIterator[bytes], into: IO[bytes], *, longest: int, sha256: str = "") -> Received:
    """Reads an upload into `into`. Raises Invalid for an empty one and for another hash than was promised, TooLarge."""
    expected = promised(sha256)
    digest, size = hashlib.sha256(), 0
    async for part in parts:
        size += len(part)
        if size > longest:
            raise TooLarge(
                f"A piece of evidence has at most {size_in_words(longest)}. Cut it, or raise SEV1_EVIDENCE_MAX_BYTES."
            )
        digest.update(part)
        into.write(part)
    if size == 0:
        raise Invalid("There is nothing in it. Choose a file, or write an excerpt.", field="file")
    if expected and digest.hexdigest() != expected:
        raise Invalid(
            f"What arrived has the SHA-256 {digest.hexdigest()} and not the promised one. Send it again.",
            field="sha256",
        )
    return Received(content=into, size=size, sha256=digest.hexdigest())
