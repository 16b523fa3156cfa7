"""Requests that a foreign page makes in a signed-in browser (CSRF) are refused, twice over.

1. What changes something and is authorised by the cookie carries a token that only our own pages know: an HMAC of the
   session under the server's secret. It works in a plain form and ends with the session.
2. Every unsafe request to a page, signed in or not, must come from our own pages by what the browser says about it
   (`Sec-Fetch-Site`, else `Origin`). This also protects the sign-in form, which has no session yet, from signing somebody
   in as somebody else. OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata headers".

Pages are compressed and show what their address says (`?line=`), so whoever sees their sizes could guess the token letter
by letter (BREACH). It is therefore masked anew in each response.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection

from sev1.engine.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "csrf"
HEADER = "X-CSRF-Token"


def csrf_token(secret: bytes, session_id: bytes) -> str:
    """The token of this session's forms, 43 characters. `session_id` is `Principal.session_id`."""
    mac = hmac.new(secret, b"sev1 csrf\x00" + session_id, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def masked(token: str) -> str:
    """The token under a one-time pad that comes with it: 86 characters, others each time."""
    raw = _raw(token)
    pad = secrets.token_bytes(len(raw))
    return base64.urlsafe_b64encode(pad + _xor(pad, raw)).rstrip(b"=").decode()


def _unmasked(given: str) -> str:
    """The token in what a form sent; anything else as it is, to be refused."""
    try:
        both = _raw(given)
    except ValueError:
        return given
    half = len(both) // 2
    return base64.urlsafe_b64encode(_xor(both[:half], both[half:])).rstrip(b"=").decode()


def _raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


def refuse_foreign(connection: ASGIConnection[Any, Any, Any, Any], public_url: str) -> None:
    """Raises Forbidden when the browser says that another site's page made this request.

    A request that says nothing passes: every current browser sends at least `Origin` with a POST, so it is a program's,
    and a program has no cookie that it did not bring itself.
    """
    headers = connection.headers
    if site := headers.get("sec-fetch-site"):
        if site in {"same-origin", "none"}:
            return
    elif (origin := headers.get("origin")) is None or is_own_origin(origin, headers.get("host", ""), public_url):
        return
    raise Forbidden("This request was made by a page of another site, so nothing was changed.")


def is_own_origin(url: str, host: str, public_url: str) -> bool:
    """Whether the URL is on this server: on the address the request came to, or the one we are known by.

    Both count, because a proxy may rewrite `Host`, and one may open the server as localhost and as 127.0.0.1.
    """
    try:
        parts, ours = urlsplit(url), urlsplit(public_url)
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    return parts.netloc == host or (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)


async def check_token(connection: ASGIConnection[Any, Any, Any, Any], expected: str) -> None:
    """Raises Forbidden unless the header `X-CSRF-Token` or the form field `csrf` holds the session's token."""
    given: object = connection.headers.get(HEADER)
    if given is None and isinstance(connection, Request):
        given = (await connection.form()).get(FIELD)
    # As bytes: compare_digest raises on text that is not ASCII.
    sent = _unmasked(given).encode("utf-8", "replace") if isinstance(given, str) else b""
    if not hmac.compare_digest(sent, expected.encode()):
        raise Forbidden("This form is from an earlier sign-in. Go back, reload the page and send it again.")
