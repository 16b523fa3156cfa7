"""A storm: tens of thousands of unique alerts at once, and one unrelated SEV-1 in the middle of it.

How long until all of them are accepted and triaged by sev1, beside Debian's Alertmanager accepting them and handing them
to its webhook; and how long the SEV-1 takes from its answer to the page at the receiver. The server is pinned to one
core (sev1 with its PostgreSQL), the load and the receiver to the other. A ratio above 1 means that sev1 is better.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from servers import ALERTMANAGER, LOAD_CORE, SERVER_CORE, _folder_on_disk, _pinned, _wait_for, free_port
from sev1.engine.database import Database
from sev1.engine.embedded import EmbeddedPostgres
from sev1.intake import inbox_reader

SEV1 = (sys.executable, "-c", "from sev1.cli.main import main; main()")
PER_REQUEST = 100
CONNECTIONS = 8
GROUPS = 500
"""Problems in the storm: alerts of one name and service are one."""
LATEST_S = 180.0
THE_ONE = "The unrelated one"

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
name: all
match: ['severity=~"critical|sev1"']
tier: page
group_by: [alertname, service]
"""
CONFIG = """
route: {{receiver: hook, group_by: [alertname, service], group_wait: 0s, group_interval: 1s, repeat_interval: 12h}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{port}/", max_alerts: 0}}]}}]
"""


class Receiver(ThreadingHTTPServer):
    """Takes the webhooks of both: which instances it heard of, and when it heard of the one."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.instances: set[str] = set()
        self.the_one_at = 0.0
        self.messages = 0


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        now = time.perf_counter()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.messages += 1
        if THE_ONE.encode() in body and not self.server.the_one_at:
            self.server.the_one_at = now
        self.server.instances.update(re.findall(r'"instance":\s*"(\d+)"', body.decode()))

    def log_message(self, *_: object) -> None:
        pass


class Run(NamedTuple):
    accepted_s: float
    handled_s: float
    the_one_s: float
    messages: int


def bodies(count: int) -> list[bytes]:
    rng = random.Random(7)  # noqa: S311 - the same storm each time
    made = [
        {
            "labels": {
                "alertname": f"Problem{number % GROUPS}",
                "service": f"service-{number % 50}",
                "instance": str(number),
                "severity": "critical",
                "cluster": "prod-eu",
            },
            "annotations": {
                "summary": "Error rate above five percent for ten minutes",
                "description": "Requests fail; customers see errors. See the runbook.",
            },
            "startsAt": "2026-03-02T03:14:00Z",
            "endsAt": "2036-03-02T03:14:00Z",
        }
        for number in range(count)
    ]
    rng.shuffle(made)
    return [json.dumps(made[at : at + PER_REQUEST]).encode() for at in range(0, count, PER_REQUEST)]


def storm(port: int, path: str, load: list[bytes], receiver: Receiver, is_handled: Callable[[], bool]) -> Run:
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in load:
        waiting.put(body)
    half = threading.Event()
    began = time.perf_counter()
    ended: list[float] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.suppress(queue.Empty):
            while True:
                body = waiting.get_nowait()
                _post(connection, path, body)
                if waiting.qsize() < len(load) // 2:
                    half.set()
        ended.append(time.perf_counter())

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    half.wait(LATEST_S)
    labels = {"alertname": THE_ONE, "service": "elsewhere", "severity": "sev1"}
    one = [{"labels": labels, "annotations": {"summary": THE_ONE}, "endsAt": "2036-03-02T03:14:00Z"}]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _post(connection, path, json.dumps(one).encode())
    sent_at = time.perf_counter()
    for thread in threads:
        thread.join()
    deadline = began + LATEST_S
    while not (is_handled() and receiver.the_one_at):
        if time.perf_counter() > deadline:
            raise SystemExit(f"not handled within {LATEST_S:g} s: {len(receiver.instances)} instances were heard of")
        time.sleep(0.02)
    return Run(max(ended) - began, time.perf_counter() - began, receiver.the_one_at - sent_at, receiver.messages)


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> None:
    """Until it is accepted: a 503 asks for another try, as senders do."""
    for _ in range(1000):
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 503:
            break
        time.sleep(0.05)
    if answer.status // 100 != 2:
        raise SystemExit(f"refused with {answer.status}")


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    yield receiver
    receiver.shutdown()


def with_alertmanager(load: list[bytes], count: int) -> Run:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, receiving() as receiver:
        config = Path(folder) / "alertmanager.yml"
        config.write_text(CONFIG.format(port=receiver.server_port))
        command = [
            ALERTMANAGER, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]  # fmt: skip
        with _pinned(command):
            _wait_for(port, "/-/ready")
            return storm(port, "/api/v2/alerts", load, receiver, lambda: len(receiver.instances) >= count)


def with_sev1(load: list[bytes], count: int) -> Run:
    port = free_port()
    os.environ["SEV1_ALLOW_PRIVATE_TARGETS"] = "true"
    os.environ["SEV1_INTAKE_RATE_PER_S"] = "100000"
    with (
        _folder_on_disk() as data,
        receiving() as receiver,
        _pinned([*SEV1, "serve", "--port", str(port), "--data", data]),
    ):
        _wait_for(port, "/readyz")
        catalog = Path(data) / "catalog"
        catalog.mkdir()
        (catalog / "all.yaml").write_text(CATALOG.format(port=receiver.server_port))
        _run("apply", str(catalog), "--data", data)
        found = re.search(r"/integrations/\w+/api/v2/alerts", _run("key", "create", "prometheus", "--data", data))
        assert found
        with EmbeddedPostgres(Path(data)) as postgres, asyncio.Runner() as runner:
            db = runner.run(Database(postgres.url, size=1).__aenter__())

            async def read() -> tuple[int, int]:
                async with db.connection() as conn:
                    behind, _ = await inbox_reader.lag(conn)
                    return behind, await conn.fetchval("SELECT count(*) FROM alerts") if not behind else 0

            run = storm(port, found[0], load, receiver, lambda: runner.run(read()) == (0, count + 1))
            runner.run(db.__aexit__())
            return run


def _run(*arguments: str) -> str:
    return subprocess.run([*SEV1, *arguments], check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--servers", nargs="+", choices=("alertmanager", "sev1"), default=["alertmanager", "sev1"])
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    print(f"the server on core {SERVER_CORE}; {GROUPS} problems; seconds; target: the SEV-1 is paged within 1 s")
    print(
        f"{'alerts':>8} {'server':14} {'accepted':>9} {'handled':>9} {'SEV-1 paged':>12} {'messages':>9} {'ratio':>6}"
    )
    for count in given.alerts:
        load = bodies(count)
        theirs: float | None = None
        for name in given.servers:
            run = with_alertmanager(load, count) if name == "alertmanager" else with_sev1(load, count)
            theirs = run.handled_s if name == "alertmanager" else theirs
            ratio = f"{theirs / run.handled_s:6.2f}" if theirs and name == "sev1" else ""
            print(
                f"{count:>8,} {name:14} {run.accepted_s:>9.2f} {run.handled_s:>9.2f} {run.the_one_s:>12.2f} "
                f"{run.messages:>9,} {ratio}",
                flush=True,
            )


if __name__ == "__main__":
    main()
