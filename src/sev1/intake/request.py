"""A request as a format may see it, and how what matters of it is stored beside the body.

Most formats mean nothing by their headers and are stored as the bare body. One that does is stored with a head: a line of
JSON that names what it chose to keep, then the body as it came. Both are read again by `unpack`, at any later time.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct, structs

from sev1.intake.formats.reading import clean

QUERY_MAX = 50
"""Parameters of a query; the rest is not looked at."""
CREDENTIAL = "auth_token"
"""The parameter that holds the key, for senders that can put it nowhere else."""
_MARK = b'{"sev1_request":1,'
HEAD_MAX = 64 * 1024


class Request(Struct, frozen=True, kw_only=True):
    """What a sender asked. Immutable: what the edge finds out is added by `with_known`, which makes a new one."""

    method: str
    path: str
    """Below `/integrations/{key}/`, or below `/`; still percent-encoded, so that `%2F` in an id is not a slash."""
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    """Names in lower case."""
    body: bytes = b""
    known: dict[str, str] = {}
    """What the edge found out or chose for the sender: an alias, the number of the request."""

    def with_known(self, **known: str) -> "Request":
        return structs.replace(self, known={**self.known, **known})


class _Head(Struct, frozen=True, kw_only=True):
    sev1_request: Annotated[int, Meta(ge=1, le=1)] = 1
    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    known: dict[str, str] = {}


_decode_head = msgspec.json.Decoder(_Head).decode


def request_of(scope: Mapping[str, Any], path: str, body: bytes = b"") -> Request:
    """From an ASGI scope. `path` is what is left of the raw path behind the prefix."""
    query = scope.get("query_string", b"").decode("latin-1")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_MAX)
    except ValueError:
        pairs = []
    return Request(
        method=scope["method"],
        path=clean(path),
        query={clean(name): clean(value) for name, value in pairs},
        # Header bytes are UTF-8 where anybody thought about it (CloudEvents percent-encodes the rest).
        headers={
            name.decode("latin-1").lower(): clean(value.decode("utf-8", "replace")) for name, value in scope["headers"]
        },
        body=body,
    )


def pack(request: Request, headers: Iterable[str] = ()) -> bytes:
    """The request with those of its headers that matter, as bytes to be stored. Credentials are never among them."""
    head = _Head(
        method=request.method,
        path=request.path,
        query={name: value for name, value in request.query.items() if name != CREDENTIAL},
        headers={name: request.headers[name] for name in headers if name in request.headers},
        known=request.known,
    )
    return msgspec.json.encode(head) + b"\n" + request.body


def unpack(stored: bytes) -> Request:
    """The request again. Raises ValueError for bytes that `pack` did not make."""
    head, separator, body = stored.partition(b"\n")
    if not separator or not head.startswith(_MARK) or len(head) > HEAD_MAX:
        raise ValueError("This was stored without the head of its request, which says what it means.")
    found = _decode_head(head)
    return Request(
        method=found.method, path=found.path, query=found.query, headers=found.headers, body=body, known=found.known
    )
