"""The one source of time. Everything that needs "now" is handed a clock, so tests can move it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, always aware and in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the clock everybody else takes the time from


class FakeClock:
    """A clock that stands still until it is told to move. For tests, simulation and drills."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> datetime:
        """Moves forward by `timedelta(**delta)`, e.g. `advance(minutes=5)`, and returns the new now."""
        return self.jump_to(self._now + timedelta(**delta))

    def jump_to(self, instant: datetime) -> datetime:
        if instant < self._now:
            raise ValueError(f"time cannot run backwards: {instant} is before {self._now}")
        self._now = instant
        return instant
