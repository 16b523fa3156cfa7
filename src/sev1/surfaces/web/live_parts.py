"""A page as the parts of which it is made, so that a stream sends only those that are not as the browser has them. Pure.

Page and stream render the same templates. Each part is a `section` with an id and the mark `data-part`, without another
section in it; `static/live.js` puts it in the place of the one with its id.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping

from msgspec import Struct

FINGERPRINT_MARK = secrets.token_hex(16)
"""Stands for the fingerprint of a page in what is rendered. Nobody outside this process can write it into a text."""

_PART = re.compile(r'<section\b[^>]*? id="(?P<name>[^"]+)"[^>]*? data-part\b.*?</section>', re.DOTALL)
_KEPT_FRESH = re.compile(r'(<time [^>]*?)(?: class="[^"]*")?( data-t="[^>]*>)[^<]*')


class Part(Struct, frozen=True):
    html: str
    gist: str
    """What it says, without what a browser keeps fresh by itself (`12 min ago`) and the token that guards its forms."""


Parts = Mapping[str, Part]
"""By the id of their element."""


def split(html: str, token: str) -> Parts:
    """The parts in `html`, whose forms carry the form token `token`."""
    return {found["name"]: Part(found[0], _gist(found[0], token)) for found in _PART.finditer(html)}


def _gist(html: str, token: str) -> str:
    return _KEPT_FRESH.sub(r"\1\2", html).replace(token, "")


def fingerprint(parts: Parts) -> str:
    """Of what the parts say: equal exactly when all of them say the same, on every node."""
    said = hashlib.blake2b(digest_size=12)
    for name in sorted(parts):
        said.update(f"{name}\0{parts[name].gist}\0".encode())
    return said.hexdigest()


def with_fingerprint(html: str, token: str) -> str:
    """The page with the fingerprint of its parts in place of the mark."""
    return html.replace(FINGERPRINT_MARK, fingerprint(split(html, token)), 1)


def news(now: Parts, sent: Parts | None) -> str:
    """Those that do not say what `sent` says, one after the other; all of them when nothing was sent."""
    if sent is None:
        return "".join(part.html for part in now.values())
    return "".join(part.html for name, part in now.items() if not _is_as_sent(part, sent.get(name)))


def _is_as_sent(part: Part, sent: Part | None) -> bool:
    return sent is not None and (part is sent or part.gist == sent.gist)
