"""Many alerts that all fire: how much memory the application takes, and how long the first page of the list takes.

`python -m bench.active_alerts`. PostgreSQL's memory is its own and not counted; the server's is what the kernel says
that it holds (RSS). Each list is asked for 20 times, the median counts.
"""

import argparse
import asyncio
import http.client
import statistics
import tempfile
import time
from pathlib import Path

from bench.storm import CATALOG, bodies
from tests.live.postgres import postgres_in
from tests.live.server import LiveServer

from sev1.engine.database import Database
from sev1.intake import inbox_reader

TARGET_MB = 250
TARGET_MS = 50
ROUNDS = 20
LATEST_S = 300.0


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the kernel does not say how much memory the server holds")


def send(server: LiveServer, path: str, count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for body in bodies(count):
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    connection.close()


async def triaged(folder: Path) -> None:
    """Waits until the inbox is read to its end."""
    with postgres_in(folder) as url:
        async with Database(url, size=1) as db, db.connection() as conn:
            async with asyncio.timeout(LATEST_S):
                while (await inbox_reader.lag(conn))[0]:  # noqa: ASYNC110 - another process empties it
                    await asyncio.sleep(0.1)


def milliseconds(ask: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> float:
    took = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        ask.request("GET", path, headers=headers)
        answer = ask.getresponse()
        body = answer.read()
        took.append((time.perf_counter() - began_s) * 1000)
        assert answer.status == 200, (answer.status, body[:200])
    return statistics.median(took)


def measure(count: int) -> tuple[float, float, float]:
    """(memory in MB, list on the page in ms, list by the API in ms)."""
    with tempfile.TemporaryDirectory(prefix="sev1-active-") as name:
        folder = Path(name)
        (folder / "catalog").mkdir()
        (folder / "catalog/all.yaml").write_text(CATALOG.format(port=9))
        with LiveServer(folder, intake_rate_per_s=100_000) as server:
            server.run("apply", str(folder / "catalog"))
            path = server.key("prometheus").removeprefix(server.url)
            send(server, path, count)
            asyncio.run(triaged(folder / "data"))
            assert server.process is not None
            memory = rss_mb(server.process.pid)
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            by_api = milliseconds(connection, "/api/v1/alerts", {"Authorization": f"Bearer {server.token('viewer')}"})
            with server.browser("bench@x.test") as browser:
                cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            on_page = milliseconds(connection, "/alerts?status=firing", {"Cookie": cookie})
            connection.close()
    return memory, on_page, by_api


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    print(f"alerts that fire (targets: <= {TARGET_MB} MB, first page of the list <= {TARGET_MS} ms)")
    print(f"{'alerts':>8} {'memory MB':>10} {'page ms':>8} {'API ms':>8}")
    for count in parser.parse_args().alerts:
        memory, on_page, by_api = measure(count)
        print(f"{count:>8,} {memory:>10.0f} {on_page:>8.1f} {by_api:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
