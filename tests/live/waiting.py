"""Waiting for something that another process does: until it is so, or a deadline, never for a fixed time."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

POLL_S = 0.02
_pause = threading.Event()


def until(probe: Callable[[], T], what: str, *, within_s: float = 10.0) -> T:
    """The first true value of `probe()`. Fails with `what` and the last value when it stays false for `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s:g} s for {what}; the last look gave {value!r}")
        _pause.wait(POLL_S)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether an address on loopback answers 200. Cheap enough to be asked every few milliseconds: a client of httpx
    reads all of the system's certificates first, which would take the time from the process that is starting.
    """
    at = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(at.netloc, timeout=2)) as connection:
        try:
            connection.request("GET", at.path)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
