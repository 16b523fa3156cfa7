"""How long `sev1 serve` takes until `/readyz` answers 200, with its embedded PostgreSQL, in four situations."""

import argparse
import statistics
import tempfile
from pathlib import Path

from tests.live.server import LiveServer

TARGET_S = 3.0


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {
        "empty folder (initdb, schema)": [],
        "after a stop": [],
        "after kill -9, PostgreSQL still runs": [],
        "after kill -9 of PostgreSQL too": [],
    }
    first, stopped, killed, both = times.values()
    for number in range(rounds):
        server = LiveServer(folder / str(number))
        try:
            first.append(server.start())
            server.stop()
            stopped.append(server.start())
            server.kill()
            killed.append(server.start())
            server.kill()
            server.kill_postgres()
            both.append(server.start())
            server.stop()
        finally:
            server.end()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="sev1-startup-") as folder:
        times = measure(Path(folder), rounds)
    print(f"seconds until ready, {rounds} rounds (target: a restart within {TARGET_S:g} s)")
    for situation, seconds in times.items():
        print(f"  {situation:38}  median {statistics.median(seconds):5.2f}   slowest {max(seconds):5.2f}")


if __name__ == "__main__":
    main()
