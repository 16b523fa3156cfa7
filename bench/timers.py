"""How fast due timers are drained: pages whose first step is over, each of which has to page its next person.

`python -m bench.timers`: one worker on an embedded PostgreSQL that is durable as in use. Each timer is a command with its
events, projection, next timer and one delivery. The pages are made beforehand; that time does not count.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sev1.app import Node
from sev1.catalog import store as catalog_store
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, EscalationPolicy, Person, PersonTarget, Step
from sev1.engine.clock import FakeClock
from sev1.engine.decider import SYSTEM
from sev1.engine.embedded import EmbeddedPostgres
from sev1.engine.settings import Settings
from sev1.paging import model as m

TARGET_PER_S = 2_000
BATCH = 500


def catalog() -> Catalog:
    people = {
        name: Person(
            name=name, full_name=name, email=f"{name}@x.test", contact=(EmailMethod(address=f"{name}@x.test"),)
        )
        for name in ("ana", "bo")
    }
    steps = tuple(Step(targets=(PersonTarget(name=name),), wait_s=300) for name in people)
    return Catalog(people=people, policies={"two": EscalationPolicy(name="two", title="Two steps", steps=steps)})


async def drain(folder: Path, count: int) -> float:
    """Seconds that `count` due timers take."""
    clock = FakeClock(datetime(2026, 3, 2, 3, 14, tzinfo=UTC))
    with EmbeddedPostgres(folder) as postgres:
        async with Node(Settings(data=folder), postgres.url, clock=clock) as node:
            given = catalog()
            async with node.db.transaction() as conn:
                await catalog_store.write(conn, given, actor="bench", now=clock.now())
            for first in range(1, count + 1, BATCH):
                wanted = {
                    f"P-{number}": m.Open(
                        title=f"Problem {number}",
                        group_key=str(number),
                        policy=given.policies["two"],
                        why="Page: critical.",
                    )
                    for number in range(first, min(first + BATCH, count + 1))
                }
                async with node.db.transaction() as conn:
                    await node.commands.run_many_in(conn, "page", wanted, by=SYSTEM)
            clock.advance(seconds=timedelta(minutes=6).total_seconds())
            began_s = time.perf_counter()
            while await node.timer():
                pass
            took_s = time.perf_counter() - began_s
            async with node.db.connection() as conn:
                stepped = await conn.fetchval("SELECT count(*) FROM pages WHERE (state ->> 'step')::int = 1")
            assert stepped == count, f"{stepped} of {count} pages took their next step"
            return took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timers", type=int, nargs="+", default=[1_000, 10_000, 30_000])
    print(f"due timers drained by one worker (target: >= {TARGET_PER_S:,}/s)")
    print(f"{'timers':>8} {'seconds':>9} {'timers/s':>9}")
    for count in parser.parse_args().timers:
        with tempfile.TemporaryDirectory(prefix="sev1-timers-") as folder:
            took_s = asyncio.run(drain(Path(folder), count))
        print(f"{count:>8,} {took_s:>9.2f} {count / took_s:>9,.0f}", flush=True)


if __name__ == "__main__":
    main()
