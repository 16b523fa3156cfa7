"""Years of paging under faults: how long each takes, and whether all of them are right.

`python -m bench.simulation --years 1000` runs a thousand seeds of one simulated year each: random schedules, policies,
faults and people, every commit judged by an oracle of its own (tests/simulation). It stops at the first year that is
wrong and prints the command that replays it.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.simulation.world import YEAR_S, World

FAULTS = ("deaths", "stalls", "outages", "failed attempts", "unreachable", "slept on", "schedule changes")
DAY_S = YEAR_S / 365


def year(given: tuple[int, float]) -> tuple[int, str, Counter[str], float]:
    """The seed, what was wrong (or nothing), what happened, and the CPU seconds that it took."""
    seed, days = given
    began_s = time.process_time()
    world = World(seed, days * DAY_S)
    try:
        world.run()
    except AssertionError as error:
        return seed, str(error), world.seen, time.process_time() - began_s
    world.seen["steps started"] = world.judge.started
    world.seen["steps skipped"] = world.judge.skipped
    return seed, "", world.seen, time.process_time() - began_s


def run(seeds: Iterable[int], days: float, processes: int) -> tuple[int, str, Counter[str], float]:
    total: Counter[str] = Counter()
    cpu_s, count = 0.0, 0
    with multiprocessing.Pool(processes) as pool:
        for seed, wrong, seen, took_s in pool.imap_unordered(year, ((seed, days) for seed in seeds), chunksize=4):
            if wrong:
                return (
                    count,
                    f"{wrong}\nreplay it: python -m bench.simulation --seed {seed} --days {days:g}",
                    total,
                    cpu_s,
                )
            total += seen
            cpu_s += took_s
            count += 1
    return count, "", total, cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=100, help="how many seeds, each of one year")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this seed")
    parser.add_argument("--days", type=float, default=365.0, help="how long each year is")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    first, years = (given.first, given.years) if given.seed is None else (given.seed, 1)
    began_s = time.perf_counter()
    count, wrong, seen, cpu_s = run(range(first, first + years), given.days, 1 if years == 1 else given.processes)
    took_s = time.perf_counter() - began_s
    if wrong:
        print(f"WRONG after {count} years: {wrong}")
        sys.exit(1)
    print(f"seeds {first} to {first + years - 1}: all right, {given.days:g} simulated days each")
    print(f"{took_s:.1f} s on {given.processes} processes; {cpu_s / max(count, 1):.3f} s of CPU a simulated year")
    print(f"{seen['pages']:,} pages, {seen['steps started']:,} steps started, {seen['steps skipped']:,} skipped,")
    print(f"{seen['deliveries']:,} deliveries, {seen['answers']:,} answers")
    print("faults: " + ", ".join(f"{seen[fault]:,} {fault}" for fault in FAULTS))


if __name__ == "__main__":
    main()
