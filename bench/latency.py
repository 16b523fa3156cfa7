"""From an accepted alert to the page's webhook at its receiver, on an idle server: p50, p99, the slowest.

Each alert is a problem of its own, so each takes the whole way: inbox, triage, a page with its events, a delivery.
The clock starts when the sender has its answer and stops when the receiver has read the request.
"""

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.live.server import LiveServer

TARGET_MS = 25.0
GAP_S = (0.03, 0.09)
"""Between two alerts: the server is idle again before the next."""
LATEST_S = 10.0
WARM_UP = 20

CATALOG = """
kind: organisation
name: bench
title: Bench
fallback_policy: one
---
kind: person
name: ana
full_name: Ana
email: ana@bench.test
contact: [{{kind: webhook, url: "http://127.0.0.1:{port}/"}}]
---
kind: escalation-policy
name: one
title: Ana
repeat: 0
steps: [{{targets: [{{kind: person, name: ana}}], wait_s: 3600}}]
---
kind: route
name: each-is-its-own
match: ['severity="sev-1"']
tier: page
group_by: [instance]
"""


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.arrived_at: dict[str, float] = {}
        self.arrived = threading.Condition()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        now = time.perf_counter()
        with self.server.arrived:
            self.server.arrived_at[json.loads(body)["title"]] = now
            self.server.arrived.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def measure(server: LiveServer, receiver: Receiver, path: str, numbers: range) -> list[float]:
    """Milliseconds, one for each alert."""
    sender = http.client.HTTPConnection("127.0.0.1", server.port)
    gap = threading.Event()
    rng = random.Random(1)  # noqa: S311 - spreads the alerts over the server's own rhythms
    took = []
    for number in numbers:
        gap.wait(rng.uniform(*GAP_S))
        title = f"Latency {number}"
        labels = {"alertname": "Latency", "severity": "sev-1", "instance": str(number)}
        sender.request("POST", path, json.dumps([{"labels": labels, "annotations": {"summary": title}}]))
        answer = sender.getresponse()
        answer.read()
        accepted_at = time.perf_counter()
        assert answer.status == 200, answer.status
        with receiver.arrived:
            there = receiver.arrived.wait_for(lambda title=title: title in receiver.arrived_at, LATEST_S)
        assert there, f"{title} did not arrive\n{server.said()}"
        took.append((receiver.arrived_at[title] - accepted_at) * 1000)
    sender.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=500)
    count = parser.parse_args().alerts
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="sev1-latency-") as name:
        folder = Path(name)
        (folder / "catalog").mkdir()
        (folder / "catalog/all.yaml").write_text(CATALOG.format(port=receiver.server_port))
        with LiveServer(folder, allow_private_targets=True) as server:
            server.run("apply", str(folder / "catalog"))
            path = server.key("prometheus").removeprefix(server.url)
            measure(server, receiver, path, range(WARM_UP))
            took = sorted(measure(server, receiver, path, range(WARM_UP, WARM_UP + count)))
    receiver.shutdown()
    at = {f"p{share}": took[int(len(took) * share / 100)] for share in (50, 90, 99)}
    print(f"accepted alert -> webhook out, idle, {count} alerts, ms (target: p99 <= {TARGET_MS:g}):")
    print("  " + "   ".join(f"{name} {value:.1f}" for name, value in at.items()) + f"   slowest {took[-1]:.1f}")


if __name__ == "__main__":
    main()
