"""What a new alert costs triage in CPU time, here and in PostgreSQL: figures that other work on the machine disturbs little.

The inbox is filled with the storm of `storm.py`; then the triage step runs until it is empty. `repeated` is the same once
more, whose alerts are then only counted. Microseconds of CPU for each alert; PostgreSQL's are those of all its processes.
"""

import argparse
import cProfile
import gc
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import uvloop
from bench.storm import CATALOG, bodies

from sev1.app import Node
from sev1.catalog import load
from sev1.catalog import store as catalog_store
from sev1.engine.clock import SystemClock
from sev1.engine.embedded import EmbeddedPostgres
from sev1.engine.settings import Settings


class Cost(NamedTuple):
    here_us: float
    postgres_us: float
    wall_us: float


def postgres_cpu_s(folder: Path) -> float:
    """CPU seconds of the server's processes, those that ended not counted, by the scheduler's own nanoseconds."""
    first = int((folder / "postgres/postmaster.pid").read_text().split()[0])
    everybody = [first, *(child.pid for child in psutil.Process(first).children())]
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in everybody) / 1e9


async def fill(node: Node, load_: list[bytes]) -> None:
    for body in load_:
        await node.inbox.submit(1, "prometheus", body, node.clock.now())


async def drain(node: Node, folder: Path, count: int) -> Cost:
    began = time.process_time(), postgres_cpu_s(folder), time.perf_counter()
    while await node.triage():
        pass
    ended = time.process_time(), postgres_cpu_s(folder), time.perf_counter()
    return Cost(*((b - a) / count * 1e6 for a, b in zip(began, ended, strict=True)))


async def measure(folder: Path, count: int, catalog: str, profile: cProfile.Profile | None) -> tuple[Cost, Cost]:
    (folder / "catalog").mkdir()
    (folder / "catalog/all.yaml").write_text(catalog)
    with EmbeddedPostgres(folder) as postgres:
        async with Node(Settings(data=folder), postgres.url, clock=SystemClock()) as node:
            async with node.db.transaction() as conn:
                loaded = load.load(folder / "catalog")
                await catalog_store.write(conn, loaded, actor="bench", now=node.clock.now())
            all_ = bodies(count)
            await fill(node, all_[: max(1, len(all_) // 10)])
            await drain(node, folder, count)  # warm up
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 50, 100)  # as the server does
            await fill(node, all_[len(all_) // 10 :])
            if profile:
                profile.enable()
            new = await drain(node, folder, count - count // 10)
            if profile:
                profile.disable()
            await fill(node, all_)
            repeated = await drain(node, folder, count)
    return new, repeated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", type=Path, help="write a profile of triage there; its own cost is in the figures")
    given = parser.parse_args()
    parent = Path(__file__).parent.parent / "data"
    parent.mkdir(exist_ok=True)
    print(f"{'':10} {'Python us':>10} {'PostgreSQL us':>14} {'sum us':>8} {'wall us':>8}")
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as name:
            profile = cProfile.Profile() if given.profile else None
            costs = uvloop.run(measure(Path(name), given.alerts, CATALOG.format(port=9), profile))
            for title, cost in zip(("new", "repeated"), costs, strict=True):
                both = cost.here_us + cost.postgres_us
                print(
                    f"{title:10} {cost.here_us:>10.1f} {cost.postgres_us:>14.1f} {both:>8.1f} {cost.wall_us:>8.1f}",
                    flush=True,
                )
            if profile:
                profile.dump_stats(given.profile)


if __name__ == "__main__":
    main()
