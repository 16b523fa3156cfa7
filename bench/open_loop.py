"""An open-loop load generator: requests leave at fixed times, whether or not earlier ones were answered.

A closed loop (wrk) slows down with the server and so hides its pauses. Here the latency of a request counts from
the instant at which it was due, so waiting for a free connection counts too. It spins on its core: pin it.
"""

import argparse
import json
import random
import select
import socket
import time
from collections import deque

from alerts import alert


class Generator:
    def __init__(self, port: int, path: str, *, connections: int, rate_per_s: float) -> None:
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self.interval_s = 1 / rate_per_s
        self.epoll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        self.idle: deque[int] = deque()
        self.due_at: dict[int, float] = {}
        self.latencies_s: list[float] = []
        self.refused = 0
        self.run_id = random.randrange(1 << 40)  # noqa: S311 - makes this run's alerts unique
        self.sent = 0
        for _ in range(connections):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            self.sockets[sock.fileno()] = sock
            self.epoll.register(sock.fileno(), select.EPOLLIN)
            self.idle.append(sock.fileno())

    def run(self, seconds: float) -> None:
        now = time.perf_counter()
        next_due = now
        end = now + seconds
        waiting: deque[float] = deque()
        while now < end or self.due_at:
            now = time.perf_counter()
            while next_due <= now and next_due < end:
                waiting.append(next_due)
                next_due += self.interval_s
            while waiting and self.idle:
                self._send(self.idle.popleft(), waiting.popleft())
            for fileno, _ in self.epoll.poll(0):
                self._receive(fileno)
            if now > end + 10:
                raise SystemExit(f"{len(self.due_at)} requests were never answered")

    def _send(self, fileno: int, due_at: float) -> None:
        self.sent += 1
        body = f"[{alert(self.run_id, self.sent)}]".encode()
        self.due_at[fileno] = due_at
        self.sockets[fileno].send(self.head + b"%d\r\n\r\n" % len(body) + body)

    def _receive(self, fileno: int) -> None:
        # Answers are small and come in one piece; an empty read is a closed connection.
        answer = self.sockets[fileno].recv(4096)
        if not answer:
            raise SystemExit("the server closed a connection")
        if not answer.startswith(b"HTTP/1.1 2"):
            self.refused += 1
        self.latencies_s.append(time.perf_counter() - self.due_at.pop(fileno))
        self.idle.append(fileno)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--rate", type=float, default=5000, help="requests per second")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    generator = Generator(given.port, given.path, connections=given.connections, rate_per_s=given.rate)
    generator.run(1)  # warm up
    generator.latencies_s.clear()
    generator.run(given.seconds)
    ordered = sorted(generator.latencies_s)
    at = {f"p{share}_ms": ordered[int(len(ordered) * share / 100)] * 1000 for share in (50, 90, 99)}
    print(json.dumps({"requests": len(ordered), "refused": generator.refused, **at, "max_ms": ordered[-1] * 1000}))


if __name__ == "__main__":
    main()
