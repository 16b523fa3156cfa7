"""Load on a server that may die under it: many alerts that are only shown, and some that wake people."""

import http.client
import json
import threading
from collections import defaultdict
from typing import Self

from tests.live.server import LiveServer

PROBLEMS_PER_S = 5.0
FAR_FUTURE = "2036-01-01T00:00:00Z"


class Load:
    """Sends alerts until told to stop, and knows which of them were accepted.

    Two kinds: many that are only shown, as fast as they are answered; and problems that wake people, some a second.
    """

    def __init__(self, server: LiveServer, path: str, *, name: str = "") -> None:
        """`name` keeps the alerts of several loads apart."""
        self.accepted: dict[str, list[str]] = {"shown": [], "problem": []}
        self.unknown = 0
        self.refused: dict[int, int] = defaultdict(int)
        self._server = server
        self._path = path
        self._name = name
        self._lock = threading.Lock()
        self._number = 0
        self._goes = threading.Event()
        self._over = threading.Event()
        kinds = ("shown", "shown", "problem")
        self._threads = [threading.Thread(target=self._send, args=(kind,), name=f"load-{kind}") for kind in kinds]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._goes.set()
        for thread in self._threads:
            thread.join()

    def resume(self) -> None:
        self._goes.set()

    def pause(self) -> None:
        self._goes.clear()

    def _next(self, kind: str) -> str:
        with self._lock:
            self._number += 1
            return f"{kind}-{self._name}{self._number}"

    def _send(self, kind: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=5)
        while self._goes.wait() and not self._over.is_set():
            name = self._next(kind)
            try:
                connection.request("POST", self._path, self._body(kind, name), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                # Not answered: it may be there or not, and its sender would send it again.
                connection.close()
                with self._lock:
                    self.unknown += 1
                self._over.wait(0.03)
                continue
            with self._lock:
                if 200 <= answer.status < 300:
                    self.accepted[kind].append(name)
                else:
                    self.refused[answer.status] += 1
            if kind == "problem":
                self._over.wait(1 / PROBLEMS_PER_S)
        connection.close()

    def _body(self, kind: str, name: str) -> str:
        severity = "sev-1" if kind == "problem" else "info"  # of SEV-1: each page is a message of its own
        labels = {"alertname": "Crash", "problem": name, "severity": severity}
        return json.dumps([{"labels": labels, "annotations": {"summary": name}, "endsAt": FAR_FUTURE}])
