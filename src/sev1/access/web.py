"""The gate of the web server: who is asking, may they, did their own page ask, and the headers of every answer.

One `Gate` is wired into the app:

    gate = Gate(db, clock, public_url=settings.url, secret=settings.secret)
    app = Litestar(
        ..., middleware=[gate.authentication], guards=[gate.guard], before_send=[add_security_headers],
        exception_handlers={..., SignInFirst: lead_to_sign_in},
    )
    check_every_route_declares(app)

Paths under `/api/` know bearer tokens only, all others the session cookie only. So a browser's cookie never authorises
anything in the API, and a token that leaks into a browser opens no page.
"""

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.handlers import BaseRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.response import Redirect
from litestar.types import ASGIApp, Message
from litestar.types import Scope as AsgiScope

from sev1.access import break_glass, csrf, sessions, tokens
from sev1.access.declare import access_of
from sev1.access.model import ANONYMOUS, Principal
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, SignInNeeded

COOKIE = "sev1_session"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What an answer carries unless its handler said otherwise (assets set their own Cache-Control)."""


class SignInFirst(SignInNeeded):
    """Nobody is signed in and a page was asked for: the browser is led to the sign-in form, not shown an error."""


class Gate:
    """Authentication, authorisation and CSRF for every route. `secret` keys the CSRF tokens: at least 32 bytes, the same
    on all nodes; `public_url` is how people reach this server.
    """

    def __init__(self, db: Database, clock: Clock, *, public_url: str, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the server's secret must have at least 32 bytes")
        self._db = db
        self._clock = clock
        self._public_url = public_url
        self._secret = secret

    @property
    def authentication(self) -> DefineMiddleware:
        """Sets `request.user` to the Principal and `request.auth` to the CSRF token of its forms ("" without session)."""
        return DefineMiddleware(_Authentication, gate=self)

    async def recognise(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
        """Who is asking; anonymous for a public route, for no credentials and for credentials that are not valid."""
        access = access_of(connection.route_handler)
        if access is None or (access.scope is None and not access.recognise):
            return ANONYMOUS
        found: Principal | None = None
        if is_api(connection.scope["path"]):
            kind, _, token = connection.headers.get("authorization", "").partition(" ")
            if kind.casefold() == "bearer":
                found = await tokens.verify(self._db, token.strip(), self._clock.now())
        elif cookie := connection.cookies.get(COOKIE):
            found = await sessions.principal_of(self._db, cookie, self._clock.now())
        return found or ANONYMOUS

    def csrf_token(self, principal: Principal) -> str:
        return csrf.csrf_token(self._secret, principal.session_id) if principal.session_id else ""

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """The one guard of the app. Raises SignInFirst, SignInNeeded or Forbidden."""
        method, path = connection.scope.get("method", ""), connection.scope["path"]
        access = access_of(handler)
        if access is None:
            if method == "OPTIONS":  # The framework's own answer, which names the methods.
                return
            raise Forbidden("This route does not say who may call it, so nobody may.")
        principal: Principal = connection.scope.get("user") or ANONYMOUS
        if access.scope is not None and not principal.signed_in:
            if is_api(path):
                raise SignInNeeded("The API needs a valid token: send Authorization: Bearer sev1_….")
            raise SignInFirst("Sign in first.")
        if access.scope is not None and not principal.may(access.scope):
            raise Forbidden(
                f"{principal.display} may not do this: it needs the right {access.scope}.", scope=access.scope
            )
        if access.scope is not None and principal.grants:
            async with self._db.transaction() as conn:
                await break_glass.note_use(conn, principal, str(method), path, self._clock.now())
        if method in csrf.SAFE_METHODS or is_api(path) or access.integration_key:
            return
        csrf.refuse_foreign(connection, self._public_url)
        if principal.session_id:
            await csrf.check_token(connection, self.csrf_token(principal))


class _Authentication(AbstractAuthenticationMiddleware):
    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        super().__init__(app)
        self._gate = gate

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        principal = await self._gate.recognise(connection)
        return AuthenticationResult(user=principal, auth=csrf.masked(self._gate.csrf_token(principal)))


def is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def session_cookie(token: str, public_url: str) -> Cookie:
    """The cookie that signs a browser in: out of reach for scripts, not sent along by other sites' forms."""
    return _cookie(token, int(sessions.LIFE.total_seconds()), public_url)


def no_session_cookie(public_url: str) -> Cookie:
    """The cookie that takes the session's away."""
    return _cookie("", 0, public_url)


def _cookie(value: str, max_age_s: int, public_url: str) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=max_age_s,
        path="/",
        httponly=True,
        secure=public_url.startswith("https://"),
        samesite="lax",
    )


def local_path(wanted: str | None) -> str:
    r"""`wanted` if it is a path on this server, else "/": where to go after signing in must not be chosen by a stranger.

    Browsers drop tabs and newlines inside a URL and read a backslash as a slash (WHATWG URL), so `/\t/evil.example` and
    `/\evil.example` would lead away as `//evil.example` does.
    """
    if not wanted or len(wanted) > 2000 or not wanted.startswith("/") or wanted.startswith("//"):
        return "/"
    if "\\" in wanted or any(not c.isprintable() for c in wanted):
        return "/"
    if urlsplit(wanted).path.rstrip("/") in {"/sign-in", "/sign-out"}:
        return "/"
    return wanted


def lead_to_sign_in(request: Request[Any, Any, Any], _: SignInFirst) -> Response[Any]:
    """Exception handler: 303 to the form, which leads back to where the person was."""
    target = f"/sign-in?next={quote(_page_of(request), safe='/')}"
    if "hx-request" in request.headers:
        # A redirect would be followed inside the page and the form swapped into a corner of it.
        return Response(None, status_code=401, headers={"HX-Redirect": target}, media_type="text/plain")
    return Redirect(target, status_code=303)


def _page_of(request: Request[Any, Any, Any]) -> str:
    """The page that the person was looking at: the address asked for, or where the form or the fragment came from."""
    headers = request.headers
    if "hx-request" in headers:
        came_from = headers.get("hx-current-url", "")
    elif request.method in csrf.SAFE_METHODS:
        query = request.scope["query_string"].decode("latin-1")
        return local_path(quote(request.scope["path"]) + (f"?{query}" if query else ""))
    else:
        came_from = headers.get("referer", "")
    # Only the path is taken, so a foreign referer leads no further than a page of ours.
    try:
        parts = urlsplit(came_from)
    except ValueError:
        return "/"
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))


async def add_security_headers(message: Message, scope: AsgiScope) -> None:
    """A `before_send` hook, so that it covers every answer: those of errors and of unknown paths too."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if message["status"] == 401 and is_api(scope["path"]):
        headers.setdefault("WWW-Authenticate", "Bearer")  # RFC 6750 section 3
