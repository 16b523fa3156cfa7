"""The framework's part of a node, made once for all tests of a process: making it takes longer than most tests.

It is the app that `make_app` makes. What it gets from its node it gets through a stand-in that leads to the node of the
test that runs now, so tests with several nodes at once make their own.
"""

import functools
from typing import Any

from litestar import Litestar

from sev1.app import Node
from sev1.server import make_app, make_asgi


class _Stand:
    """In place of a node: its attributes are those of whichever node stands behind it now."""

    def __init__(self) -> None:
        self.node: Node | None = None

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.node, name)
        return value if isinstance(value, bytes | str) else _Through(self, name)


class _Through:
    def __init__(self, stand: _Stand, name: str) -> None:
        self._stand, self._name = stand, name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._stand.node, self._name), name)


def app_of(node: Node) -> Litestar:
    """`make_app(node)`, for a test with one node."""
    stand, apps = _shared()
    stand.node = node
    # The address is what the gate knows others by; the server's secret is the template's, the same in all databases.
    return apps(node.settings.url)


def asgi_of(node: Node) -> Any:
    """`make_asgi(node)`, for a test with one node."""
    return make_asgi(node, app_of(node))


@functools.cache
def _shared() -> tuple[_Stand, Any]:
    stand = _Stand()

    @functools.cache
    def apps(url: str) -> Litestar:
        return make_app(stand)  # type: ignore[arg-type]

    return stand, apps
