"""Reads a request's body, bounded while it arrives and while it is unpacked."""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sev1.engine.errors import Invalid, TooLarge

GZIP = b"\x1f\x8b"
"""No JSON begins like this, so the header need not be looked for."""
_GZIP_WINDOW = 31


class SenderGone(Exception):
    """The connection ended before the body did."""


async def read_body(
    scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]], *, limit: int
) -> bytes:
    """The body, unpacked if it is gzip. Raises TooLarge beyond `limit` bytes, Invalid, SenderGone."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        if _declared_length(scope) > limit:
            raise _too_large(limit)
        chunks = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise _too_large(limit)
        body = b"".join(chunks)
    if message["type"] == "http.disconnect":
        raise SenderGone
    if len(body) > limit:
        raise _too_large(limit)
    return gunzip(body, limit=limit) if body.startswith(GZIP) else body


def gunzip(packed: bytes, *, limit: int) -> bytes:
    """Unpacks one gzip member, at most `limit` bytes of it: a small body can hold a very large one."""
    member = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        unpacked = member.decompress(packed, limit + 1)
    except zlib.error as error:
        raise Invalid("The body looks like gzip but cannot be unpacked.") from error
    if len(unpacked) > limit:
        raise _too_large(limit)
    # One member only, as senders make it: unpacking thousands of tiny ones would copy the rest of the body each time.
    if not member.eof or member.unused_data:
        raise Invalid("The body looks like gzip but is cut short, or has something behind its end.")
    return unpacked


def _declared_length(scope: MutableMapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes, the most that is taken at once. Send less in one request.")
