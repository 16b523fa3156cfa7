"""How fast alerts are accepted: sev1, which answers after a commit on disk, against Alertmanager, which keeps them in memory.

Both run pinned to one core (sev1 with its PostgreSQL), the load comes from the other one. Each measurement starts a
fresh server; the two alternate, and medians of the rounds are compared, because other work on the machine disturbs.
A ratio above 1 means that sev1 is better.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from servers import LOAD_CORE, SERVERS, Target, slow_disk
from sev1.engine.database import Database
from sev1.engine.embedded import EmbeddedPostgres
from sev1.intake import inbox_reader

HERE = Path(__file__).parent
LATEST_S = 120.0
Measurement = dict[str, float]


def closed_loop(target: Target, *, connections: int, per_request: int, seconds: float) -> Measurement:
    """As many requests as the server takes, from connections that each wait for their answer."""
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "10s", "-s", str(HERE / "alerts.lua"),
        target.url, "--", str(per_request), uuid.uuid4().hex[:10],
    ]  # fmt: skip
    found = _load(command)
    if found["failed"]:
        print(f"   {target.name}: {found['failed']:.0f} requests failed", file=sys.stderr)
    rate = (found["requests"] - found["failed"]) * per_request / found["seconds"]
    return {"alerts_per_s": rate, "p50_ms": found["p50_ms"], "p99_ms": found["p99_ms"]}


def worked_off(target: Target, seconds: float) -> Measurement:
    """How fast triage works off what was accepted at one alert a request, once the load has ended.

    Of a server without a database, which keeps no backlog: how fast it accepts.
    """
    found = closed_loop(target, connections=64, per_request=1, seconds=seconds)
    return found if target.data is None else found | {"alerts_per_s": asyncio.run(_triage_rate(target.data))}


async def _triage_rate(data: Path) -> float:
    with EmbeddedPostgres(data) as postgres:
        async with Database(postgres.url, size=1) as db:
            began_s, behind = time.monotonic(), await _behind(db)
            while time.monotonic() - began_s < LATEST_S:
                await asyncio.sleep(0.2)
                if await _behind(db) == 0:
                    return behind / (time.monotonic() - began_s)
    raise SystemExit(f"triage is not done within {LATEST_S:g} s")


async def _behind(db: Database) -> int:
    async with db.connection() as conn:
        waiting, _ = await inbox_reader.lag(conn)
    return waiting


def open_loop(target: Target, *, rate: int, seconds: float) -> Measurement:
    """A fixed rate, whatever the server does; latency counts from when a request was due."""
    command = [
        sys.executable, str(HERE / "open_loop.py"), "--port", str(target.port), "--path", target.path,
        "--rate", str(rate), "--seconds", str(seconds),
    ]  # fmt: skip
    return _load(command)


def on_slow_disk(target: Target, seconds: float) -> Measurement:
    slow_disk(target, flush_ms=10)
    return closed_loop(target, connections=64, per_request=1, seconds=seconds)


def _load(command: list[str]) -> Measurement:
    done = subprocess.run(["taskset", "-c", LOAD_CORE, *command], check=True, capture_output=True, text=True)
    found: Measurement = json.loads(done.stdout.strip().rpartition("\n")[2])
    return found


class Mode:
    """One way to measure: what is compared, and whether more of it is better."""

    def __init__(
        self, title: str, run: Callable[[Target, float], Measurement], figure: str, *, more_is_better: bool
    ) -> None:
        self.title = title
        self.run = run
        self.figure = figure
        self.more_is_better = more_is_better

    def ratio(self, ours: float, theirs: float) -> float:
        return ours / theirs if self.more_is_better else theirs / ours


MODES = {
    "one": Mode(
        "64 connections, 1 alert a request (alerts/s)",
        lambda target, seconds: closed_loop(target, connections=64, per_request=1, seconds=seconds),
        "alerts_per_s",
        more_is_better=True,
    ),
    "triage": Mode(
        "triaged after that; Alertmanager: accepted (alerts/s)",
        worked_off,
        "alerts_per_s",
        more_is_better=True,
    ),
    "hundred": Mode(
        "64 connections, 100 alerts a request (alerts/s)",
        lambda target, seconds: closed_loop(target, connections=64, per_request=100, seconds=seconds),
        "alerts_per_s",
        more_is_better=True,
    ),
    "rate": Mode(
        "5,000 requests/s, 64 connections (p99 ms)",
        lambda target, seconds: open_loop(target, rate=5000, seconds=seconds),
        "p99_ms",
        more_is_better=False,
    ),
    "single": Mode(
        "1 connection: each request waits for its own commit (alerts/s)",
        lambda target, seconds: closed_loop(target, connections=1, per_request=1, seconds=seconds),
        "alerts_per_s",
        more_is_better=True,
    ),
    "slow": Mode(
        "64 connections on a disk that takes 10 ms longer to flush (alerts/s)",
        on_slow_disk,
        "alerts_per_s",
        more_is_better=True,
    ),
}


def measure(mode: Mode, servers: list[str], *, rounds: int, seconds: float) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name in servers:
            with SERVERS[name]() as target:
                found[name].append(mode.run(target, seconds))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=["alertmanager", "sev1"])
    given = parser.parse_args()
    theirs, *others = given.servers
    print(f"{'':70}" + "".join(f"{name:>16}" for name in given.servers) + f"{'ratio':>12}")
    for mode in (MODES[name] for name in given.modes):
        found = measure(mode, given.servers, rounds=given.rounds, seconds=given.seconds)
        middle = {name: statistics.median(run[mode.figure] for run in runs) for name, runs in found.items()}
        ratios = " ".join(f"{mode.ratio(middle[name], middle[theirs]):.2f}" for name in others)
        print(f"{mode.title:70}" + "".join(f"{middle[name]:>16,.1f}" for name in given.servers) + f"{ratios:>12}")
        for name, runs in found.items():
            spread = ", ".join(f"{run[mode.figure]:,.1f}" for run in runs)
            print(f"{'':4}{name}: {spread}")


if __name__ == "__main__":
    main()
