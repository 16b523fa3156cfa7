"""Static files: read once, compressed once, served under an address that changes with their content."""

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from sev1.access.declare import as_is, public
from sev1.engine.errors import NotFound

FOLDER = Path(__file__).parent / "static"
# The framework adds the character set to what is text.
MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True, kw_only=True):
    body: bytes
    zipped: bytes
    media_type: str
    mark: str
    """The first 12 hex digits of the content's SHA-256."""


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Path below `static/` -> file, for every type that the pages use. Manifests and licences are not served."""
    return {
        path.relative_to(FOLDER).as_posix(): _read(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }


def address(name: str) -> str:
    """The address of an asset, with its mark: a new release is fetched anew, the same one never again."""
    return f"/static/{name}?v={assets()[name].mark}"


@get("/static/{path:path}", opt=public() | as_is(), include_in_schema=False)
async def serve_asset(request: Request[Any, Any, Any], path: FromPath[Path]) -> Response[bytes]:
    asset = assets().get(str(path).lstrip("/"))
    if asset is None:
        raise NotFound("There is no such file.")
    headers = {"ETag": f'"{asset.mark}"', "Vary": "Accept-Encoding"}
    # An address without the mark, or with that of another release, is answered but not kept.
    is_marked = request.query_params.get("v") == asset.mark
    headers["Cache-Control"] = FOR_EVER if is_marked else "no-cache"
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.zipped, headers=headers, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(
        body=body,
        zipped=gzip.compress(body, 9, mtime=0),
        media_type=MEDIA_TYPES[path.suffix],
        mark=hashlib.sha256(body).hexdigest()[:12],
    )


ROUTES: list[HTTPRouteHandler] = [serve_asset]
