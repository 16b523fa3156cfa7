"""Every route says who may call it: `@get("/x", opt=needs("read"))`. A route that does not say so stops the start."""

from typing import Any

from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute, WebSocketRoute
from msgspec import Struct

from sev1.access.model import Scope

KEY = "access"
"""The name in a handler's `opt`."""


class Access(Struct, frozen=True):
    """Who may call a route: those with the scope; without one everybody, or whoever shows an integration key."""

    scope: Scope | None = None
    integration_key: bool = False
    recognise: bool = False
    """Whether a public route wants to know who is asking. It costs a read of the database."""

    def __str__(self) -> str:
        return self.scope or ("integration key" if self.integration_key else "public")


def public(*, recognise: bool = False) -> dict[str, Any]:
    """Anybody. `request.user` is anonymous unless `recognise`: health checks and assets then work without a database."""
    return {KEY: Access(recognise=recognise)}


def needs(scope: Scope) -> dict[str, Any]:
    """Whoever has this scope, by role or by token."""
    return {KEY: Access(scope=scope)}


FILES = "takes_files"


def takes_files() -> dict[str, Any]:
    """Beside `needs`: the body may be any bytes, so it is neither read as a whole nor searched for NUL beforehand."""
    return {FILES: True}


AS_IS = "as_is"


def as_is() -> dict[str, Any]:
    """Beside who may call it: the answer is never compressed. It is so already, or each part has to arrive at once."""
    return {AS_IS: True}


def with_integration_key() -> dict[str, Any]:
    """Intake: the handler itself checks the key (`KeyRing`), because each imitated vendor answers in its own way."""
    return {KEY: Access(integration_key=True)}


def access_of(handler: BaseRouteHandler) -> Access | None:
    access = handler.opt.get(KEY)
    return access if isinstance(access, Access) else None


def check_every_route_declares(app: Litestar) -> None:
    """Raises RuntimeError naming the routes that do not say who may call them. Called once, when the app is made."""
    silent = [f"{' '.join(sorted(methods))} {path}" for path, methods, access in declared_routes(app) if access is None]
    if silent:
        raise RuntimeError(
            f"These routes do not declare who may call them (opt=needs(…) or public()): {', '.join(silent)}"
        )


def declared_routes(app: Litestar) -> list[tuple[str, frozenset[str], Access | None]]:
    """Every route as (path, methods, access). The answers to OPTIONS that the framework adds are left out: they say
    nothing but which methods there are.
    """
    found: list[tuple[str, frozenset[str], Access | None]] = []
    for route in app.routes:
        if isinstance(route, WebSocketRoute):
            # A WebSocket opened by a foreign page carries our cookie, and the form token cannot travel with it.
            raise RuntimeError(f"{route.path} is a WebSocket: access control does not cover those.")  # noqa: TRY004 - a rule of ours, not of types
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                methods = frozenset(str(method) for method in handler.http_methods)
                if methods != {"OPTIONS"} or access_of(handler) is not None:
                    found.append((route.path, methods, access_of(handler)))
        else:
            found.append((route.path, frozenset({"ANY"}), access_of(route.route_handler)))
    return found
