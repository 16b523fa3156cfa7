"""Errors become HTTP answers here and nowhere else: a page for people, RFC 9457 problem JSON for programs."""

import logging

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Template
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from sev1.access.declare import FILES
from sev1.engine.errors import Invalid, Sev1Error, TooMany

log = logging.getLogger(__name__)


def wants_json(request: Request) -> bool:  # type: ignore[type-arg]
    return request.url.path.startswith(("/api/", "/integrations/", "/v2/"))


def handle_sev1_error(request: Request, error: Sev1Error) -> Response:  # type: ignore[type-arg]
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(request, error.status, error.code, error.message, error.data, headers)


def handle_http_error(request: Request, error: HTTPException) -> Response:  # type: ignore[type-arg]
    """What the framework refuses: unknown path, wrong method, a body that does not fit the schema."""
    message = error.detail
    data: dict[str, object] = {}
    if isinstance(error, ValidationException):
        problems = [p for p in error.extra or [] if isinstance(p, dict)]
        sentences = [f"{p['key']}: {p['message']}" if p.get("key") else str(p.get("message", p)) for p in problems]
        message = "The request is not valid. " + ("; ".join(sentences) or message)
        data = {"problems": problems} if problems else {}
    elif error.status_code == 404:
        message = "There is nothing at this address. Check it, or start again from the first page."
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid")
    return _answer(request, error.status_code, code, message, data, dict(error.headers or {}))


def handle_unexpected(request: Request, error: Exception) -> Response:  # type: ignore[type-arg]
    log.error("request %s %s failed", request.method, request.url.path, exc_info=error)
    message = "Something broke on our side. What was saved before is safe; try again, and tell us if it stays."
    return _answer(request, HTTP_500_INTERNAL_SERVER_ERROR, "error", message, {}, {})


def _answer(
    request: Request,  # type: ignore[type-arg]
    status: int,
    code: str,
    message: str,
    data: dict[str, object],
    headers: dict[str, str],
) -> Response:  # type: ignore[type-arg]
    if wants_json(request):
        body = {"status": status, "code": code, "detail": message, **({"data": data} if data else {})}
        return Response(body, status_code=status, media_type="application/problem+json", headers=headers)
    context = {"status": status, "code": code, "message": message, "data": data}
    return Template("error.html", context=context, status_code=status, media_type=MediaType.HTML, headers=headers)


def handle_bad_value(request: Request, error: Exception) -> Response:  # type: ignore[type-arg]
    """PostgreSQL or the calendar cannot hold a value that the schema allows: the sender's mistake, not ours."""
    log.info("request %s %s has a value out of range: %s", request.method, request.url.path, error)
    message = "A value is out of the range that can be stored. Nothing was changed; check numbers and dates."
    return _answer(request, 400, "invalid", message, {}, {})


NUL = "The text holds a NUL character, which cannot be stored. Remove it and send again."


async def refuse_nul(request: Request) -> None:  # type: ignore[type-arg]
    """PostgreSQL text cannot hold NUL. Refused here once, before any handler sees it (RFC 8259 allows it in JSON)."""
    raw_path = request.scope["raw_path"] or b""
    if b"%00" in raw_path or b"%00" in request.scope["query_string"] or "\0" in request.url.path:
        raise Invalid(NUL)
    if request.method in {"POST", "PUT", "PATCH", "DELETE"} and not request.route_handler.opt.get(FILES):
        body = await request.body()
        if b"\0" in body or b"\\u0000" in body or b"%00" in body:
            raise Invalid(NUL)
