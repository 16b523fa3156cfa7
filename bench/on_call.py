"""How long everybody else waits while somebody opens what looks ahead at on call, with 1,000 schedules.

The longest time in which the event loop did not come round, and the time of the answer; the first look and the next.
"""

import asyncio
import gc
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.schedules import schedules
from tests.live.postgres import postgres_in
from tests.live.shared_app import app_of
from tests.live.someone import signed_in

from sev1.access.model import Role
from sev1.app import Node
from sev1.catalog import store as catalogs
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Person, ShiftLimits, Team
from sev1.engine.clock import FakeClock
from sev1.engine.settings import Settings

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
PATHS = ("/status", "/on-call", "/on-call/health")


def organisation(count: int) -> Catalog:
    found = {one.name: one for one in schedules(count)}
    names = [f"{letter}{n}" for n in range(count) for letter in "abc"]
    people = {
        name: Person(
            name=name,
            full_name=name.title(),
            email=f"{name}@example.org",
            contact=(EmailMethod(address=f"{name}@example.org"),),
        )
        for name in names
    }
    teams = {
        f"t{n}": Team(
            name=f"t{n}", title=f"Team {n}", members=tuple(names[3 * n : 3 * n + 3]), limits=ShiftLimits(rest_h=11)
        )
        for n in range(count)
    }
    return Catalog(people=people, teams=teams, schedules=found)


async def stalls(longest: list[float]) -> None:
    """Notes the longest time that the loop was away, in seconds."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest[0] = max(longest[0], now - last)
        last = now


async def main() -> None:
    with tempfile.TemporaryDirectory() as data, postgres_in(Path(data)) as url:
        async with Node(Settings(public_url="http://sev1.test"), url, clock=FakeClock(NOW)) as node:
            async with node.db.transaction() as conn:
                await catalogs.write(conn, organisation(1_000), actor="operator", now=NOW)
            async with node.db.connection() as conn:
                await node.catalogs.current(conn)
            admin = await signed_in(node, app_of(node), "a0", Role.ADMIN)
            gc.collect()
            gc.freeze()
            gc.set_threshold(5_000, 500, 100)  # as a node that serves
            for path in PATHS:
                for look in ("first", "again"):
                    longest = [0.0]
                    watch = asyncio.create_task(stalls(longest))
                    began = time.perf_counter()
                    text = await admin.see(path)
                    took = time.perf_counter() - began
                    await asyncio.sleep(0.01)
                    watch.cancel()
                    print(
                        f"{path:30} {look:6} {took * 1000:6.0f} ms, longest stall {longest[0] * 1000:5.0f} ms, "
                        f"{len(text) // 1024} kB"
                    )


if __name__ == "__main__":
    asyncio.run(main())
