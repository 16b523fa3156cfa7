"""When and over which contact method the next attempt is made. Pure: log, circuits, now and randomness come in.

A page tries a method three times within 7 s, then the person's next one. What is not urgent takes its time. The last
method left gets the rest of the delays too, since there is nothing better to do.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from sev1.notify.breaker import Circuit, circuit_of
from sev1.notify.model import WAITED_FOR, Delivery, Notice

FAIL_OVER_AFTER = 3
"""Temporary failures of one method before the next is used."""
JITTER = 0.2
"""A delay is lengthened by up to this share, so that what failed together does not come back together."""


class Pace(Struct, frozen=True, kw_only=True):
    delays_s: tuple[int, ...]
    """Before the second attempt over one method, before the third, …"""
    retry_after_max_s: int
    """The longest wait that another server may ask for."""
    give_up_after_s: int
    """The age at which a delivery no longer waits for an open circuit."""


FAST = Pace(delays_s=(2, 5, 15), retry_after_max_s=30, give_up_after_s=3600)
SLOW = Pace(delays_s=(10, 30, 60, 120, 300, 600, 1200, 1200), retry_after_max_s=1200, give_up_after_s=2 * 3600)


def pace_of(notice: Notice) -> Pace:
    """Somebody is waited for (a page, an ask, a test): fast. Everything else can come a little later."""
    return FAST if notice.kind in WAITED_FOR else SLOW


class Try(Struct, frozen=True, kw_only=True):
    """Attempt it now over this contact method."""

    method: int
    trial: bool = False
    """The circuit is half-open: only whoever takes its trial may."""


class Later(Struct, frozen=True, kw_only=True):
    method: int
    due_at: datetime


class GiveUp(Struct, frozen=True, kw_only=True):
    error: str


def choose(delivery: Delivery, circuits: Mapping[str, Circuit], now: datetime) -> Try | Later | GiveUp:
    """What a worker does with the delivery it has just claimed.

    The contact method in use, else the first that is not used up, wherever the circuit lets it through. With every
    circuit open it waits for the first to become half-open.
    """
    left = _left(delivery)
    if not left:
        return GiveUp(error=_why_it_failed(delivery))
    for method in left:
        phase = circuits[circuit_of(delivery.methods[method])].phase(now)
        if phase != "open":
            return Try(method=method, trial=phase == "half-open")
    ends = {method: circuits[circuit_of(delivery.methods[method])].open_until or now for method in left}
    soonest = min(left, key=lambda method: ends[method])
    if now - delivery.created_at > timedelta(seconds=pace_of(delivery.notice).give_up_after_s):
        return GiveUp(error=_why_it_failed(delivery))
    return Later(method=soonest, due_at=ends[soonest])


def after_failure(
    delivery: Delivery, now: datetime, rng: random.Random, *, retry_after_s: float | None = None
) -> Later | GiveUp:
    """What follows when the attempt that ends the delivery's log has failed.

    `retry_after_s` is the wait that the other side asked for, if it did.
    """
    left = _left(delivery)
    if not left:
        return GiveUp(error=_why_it_failed(delivery))
    method = left[0]
    failures = [entry.at for entry in delivery.log if entry.outcome == "temporary" and entry.method == method]
    if not failures:
        return Later(method=method, due_at=now)
    pace = pace_of(delivery.notice)
    delay_s = pace.delays_s[len(failures) - 1] * (1 + JITTER * rng.random())
    if retry_after_s is not None and method == delivery.method:
        delay_s = max(delay_s, min(retry_after_s, pace.retry_after_max_s))
    return Later(method=method, due_at=max(now, failures[-1] + timedelta(seconds=delay_s)))


def _left(delivery: Delivery) -> list[int]:
    """The contact methods that are not used up: the one in use goes on, then the person's own order."""
    possible = [m for m in range(len(delivery.methods)) if not _refused(delivery, m)]
    fresh = [m for m in possible if _failures(delivery, m) < FAIL_OVER_AFTER]
    return sorted(fresh or _last_resort(delivery, possible), key=lambda m: (m != delivery.method, m))


def _last_resort(delivery: Delivery, possible: list[int]) -> list[int]:
    """The one method that is tried on when all have had their three attempts: it may use the rest of the table."""
    longest = len(pace_of(delivery.notice).delays_s)
    begun = [m for m in range(len(delivery.methods)) if _failures(delivery, m) > FAIL_OVER_AFTER]
    chosen = begun or ([delivery.method] if delivery.method in possible else possible[-1:])
    return [m for m in chosen if m in possible and _failures(delivery, m) <= longest]


def _failures(delivery: Delivery, method: int) -> int:
    return sum(entry.outcome == "temporary" and entry.method == method for entry in delivery.log)


def _refused(delivery: Delivery, method: int) -> bool:
    return any(entry.outcome == "permanent" and entry.method == method for entry in delivery.log)


def _why_it_failed(delivery: Delivery) -> str:
    """The last reason of each contact method, in the order of the methods."""
    if not delivery.methods:
        return "there is no contact method"
    last = {e.method: f"{e.kind} {e.to}: {e.text}" for e in delivery.log if e.outcome in {"temporary", "permanent"}}
    return "; ".join(last[method] for method in sorted(last)) or "its channels stayed unreachable"
