"""How triage says times and lists, everywhere the same."""

from collections.abc import Iterable
from datetime import UTC, datetime


def instant(at: datetime, now: datetime) -> str:
    """`14:00 UTC` today, `3 Mar 14:00 UTC` on another day, with the year in another year."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    clock = f"{at:%H:%M} UTC"
    if at.date() == now.date():
        return clock
    day = f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b} {at.year}"
    return f"{day} {clock}"


def span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `2 days`: rounded down, for sentences."""
    for at_least, size, unit in ((2 * 86_400, 86_400, "days"), (3600, 3600, "h"), (60, 60, "min")):
        if seconds >= at_least:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)
