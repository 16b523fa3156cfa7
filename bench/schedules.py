"""How long it takes to say who is on call in many schedules at one instant: cold, and a minute later."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall

from sev1.catalog.model import Layer, Restriction, Rotation, Schedule
from sev1.oncall.schedule import on_call

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC")
AT = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


def schedules(count: int) -> list[Schedule]:
    """Half with one rotation, half with two layers of which one holds in office hours."""
    found = []
    for n in range(count):
        people, hand_over = (f"a{n}", f"b{n}", f"c{n}"), wall(n % 24, n % 4 * 15)
        starts = date(2020, 1, 1) + timedelta(days=n % 1000)
        zone = ZONES[n % len(ZONES)]
        if n % 2:
            rotation = Rotation(people=people, hand_over_at=hand_over, starts=starts)
            found.append(Schedule(name=f"s{n}", title="S", time_zone=zone, rotation=rotation))
        else:
            office = (Restriction(start=wall(9), end=wall(17)),)
            below = Layer(people=people, hand_over_at=hand_over, starts=starts)
            above = Layer(people=people, starts=starts, restrictions=office)
            found.append(Schedule(name=f"s{n}", title="S", time_zone=zone, layers=(below, above)))
    return found


def main() -> None:
    before = 0.0
    for count in (1_000, 10_000):
        all_of_them = schedules(count)
        for what, at in (("cold", AT), ("a minute later", AT + timedelta(minutes=1))):
            start = time.perf_counter()
            for schedule in all_of_them:
                on_call(schedule, at)
            took = (time.perf_counter() - start) * 1000
            print(f"{count:6} schedules, {what}: {took:.1f} ms")
        print(f"       growth: {took / before:.1f}x" if before else "")
        before = took


if __name__ == "__main__":
    main()
