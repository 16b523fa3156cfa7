from types import SimpleNamespace

import pytest

from sev1.intake.pressure import (
    BUSY_BYTES_PER_S,
    BUSY_PER_S,
    ONCE_LOOKED_AT,
    PATIENCE_S,
    UNTIL_LOOKED_AT,
    WHILE_SHORT,
    Pressure,
)


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def inbox() -> SimpleNamespace:
    return SimpleNamespace(stored=0, stored_bytes=0)


@pytest.fixture
def lookout() -> SimpleNamespace:
    return SimpleNamespace(is_needed=False, sees_all=False)


@pytest.fixture
def pressure(inbox: SimpleNamespace, lookout: SimpleNamespace, seconds: Seconds) -> Pressure:
    return Pressure(inbox, lookout, monotonic=seconds)


def pass_a_second(inbox: SimpleNamespace, seconds: Seconds, *, requests: int) -> None:
    seconds.now_s += 1
    inbox.stored += requests


def test_an_idle_inbox_is_not_under_pressure(pressure: Pressure, inbox: SimpleNamespace, seconds: Seconds):
    assert not pressure()
    pass_a_second(inbox, seconds, requests=BUSY_PER_S // 2)
    assert not pressure()


def test_many_requests_are_pressure_until_they_stop(pressure: Pressure, inbox: SimpleNamespace, seconds: Seconds):
    pass_a_second(inbox, seconds, requests=BUSY_PER_S * 2)
    assert pressure()
    seconds.now_s += 0.01
    assert pressure(), "a hundredth of a second says nothing yet"
    pass_a_second(inbox, seconds, requests=0)
    assert not pressure()


def test_a_new_writer_that_counts_from_zero_is_no_pressure(
    pressure: Pressure, inbox: SimpleNamespace, seconds: Seconds
):
    pass_a_second(inbox, seconds, requests=BUSY_PER_S * 2)
    assert pressure()
    seconds.now_s += 1
    inbox.stored = 5
    assert not pressure()


def test_few_large_requests_are_pressure_too(pressure: Pressure, inbox: SimpleNamespace, seconds: Seconds):
    inbox.stored_bytes += 2 * BUSY_BYTES_PER_S
    pass_a_second(inbox, seconds, requests=10)
    assert pressure()


def test_triage_gives_way_for_seconds_and_then_catches_up_however_long_they_keep_sending(
    pressure: Pressure, inbox: SimpleNamespace, lookout: SimpleNamespace, seconds: Seconds
):
    def gives_way() -> bool:
        pass_a_second(inbox, seconds, requests=BUSY_PER_S * 2)
        return pressure()

    assert gives_way()
    lookout.is_needed = True
    asked = [gives_way() for _ in range(60)]
    assert asked == [second < PATIENCE_S for second in range(1, 61)]
    lookout.is_needed = False
    assert gives_way(), "it has caught up: intake goes first again"


def test_triage_rests_longest_once_all_that_waits_for_it_was_looked_at_and_not_at_all_without_pressure(
    pressure: Pressure, inbox: SimpleNamespace, lookout: SimpleNamespace, seconds: Seconds
):
    lookout.is_needed = lookout.sees_all = True
    assert pressure.rest() == 0
    lookout.is_needed = lookout.sees_all = False
    pass_a_second(inbox, seconds, requests=BUSY_PER_S * 2)
    assert pressure.rest() == WHILE_SHORT
    lookout.is_needed = True
    assert pressure.rest() == UNTIL_LOOKED_AT < WHILE_SHORT
    lookout.sees_all = True
    assert pressure.rest() == ONCE_LOOKED_AT > WHILE_SHORT
    for _ in range(round(PATIENCE_S)):
        pass_a_second(inbox, seconds, requests=BUSY_PER_S * 2)
        rest = pressure.rest()
    assert rest == 0, "what is stored has to be read, too"
