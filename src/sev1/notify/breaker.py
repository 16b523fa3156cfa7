"""Circuit breakers: a channel that keeps failing gets a pause instead of every page's three attempts.

One circuit is one thing that can be down: the mail server, or one webhook host (a dead receiver of one person must
not cost the others theirs). Its state is a row, so all nodes share it. Five temporary failures in a row open it for
30 s; then one delivery makes the trial. Whoever answers, even with a refusal, is up: that closes it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec
from msgspec import Struct
from prometheus_client import Gauge

from sev1.catalog.contact import AppriseMethod, ContactMethod, NtfyMethod, WebhookMethod
from sev1.notify.model import host_of, kind_of

OPEN_AFTER = 5
"""Temporary failures in a row."""
OPEN_FOR = timedelta(seconds=30)
"""Also how long the one trial may take before the next is allowed, in case its worker dies."""
FRESH = timedelta(seconds=10)
"""A success is written down at most this often: it would otherwise be one more write per delivery."""

BREAKER = Gauge(
    "sev1_channel_breaker_open", "1 while deliveries avoid the channel, 0 while they use it", ["channel"]
)  # fmt: skip

Phase = Literal["closed", "open", "half-open"]
Result = Literal["success", "refusal", "failure"]
"""`refusal`: the other side answered, but will not have this delivery."""


class Circuit(Struct, frozen=True, kw_only=True):
    """One row of `channel_health`."""

    channel: str
    failures: int = 0
    """Temporary failures since it last answered."""
    open_until: datetime | None = None
    last_error: str | None = None
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None

    def phase(self, now: datetime) -> Phase:
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half-open"


def circuit_of(method: ContactMethod) -> str:
    """The name of the circuit that a delivery over `method` uses: `email`, or `webhook hooks.example.com:8443`."""
    match method:
        case WebhookMethod(url=url) | NtfyMethod(url=url):
            return f"{kind_of(method)} {host_of(url)}"
        case AppriseMethod(url_env=name):
            return f"apprise {name}"
    return kind_of(method)


def tally(circuit: Circuit, result: Result, now: datetime, error: str = "") -> Circuit:
    """What one result makes of the circuit."""
    if result == "success":
        return msgspec.structs.replace(circuit, failures=0, open_until=None, last_success_at=now)
    failures = circuit.failures + 1 if result == "failure" else 0
    return msgspec.structs.replace(
        circuit,
        failures=failures,
        open_until=now + OPEN_FOR if failures >= OPEN_AFTER else None,
        last_error=error,
        last_failure_at=now,
    )


def is_news(circuit: Circuit, result: Result, now: datetime) -> bool:
    """Whether `result` is worth a write, given what was last read of the circuit."""
    if result != "success" or circuit.failures or circuit.open_until:
        return True
    return circuit.last_success_at is None or now - circuit.last_success_at >= FRESH


async def read(conn: asyncpg.Connection, methods: Iterable[ContactMethod]) -> dict[str, Circuit]:
    """The circuits of `methods` by name; one that was never used is closed."""
    circuits = {name: Circuit(channel=name) for name in map(circuit_of, methods)}
    rows = await conn.fetch("SELECT * FROM channel_health WHERE channel = ANY($1::text[])", list(circuits))
    for row in rows:
        circuits[row["channel"]] = Circuit(**row)
        _show(circuits[row["channel"]])
    return circuits


async def note(conn: asyncpg.Connection, channel: str, result: Result, now: datetime, error: str = "") -> Circuit:
    """Records a result in a transaction of its own and returns the circuit after it."""
    async with conn.transaction():
        # The row must exist to be locked; two nodes' failures at the same moment count as two.
        await conn.execute("INSERT INTO channel_health (channel) VALUES ($1) ON CONFLICT DO NOTHING", channel)
        row = await conn.fetchrow("SELECT * FROM channel_health WHERE channel = $1 FOR UPDATE", channel)
        after = tally(Circuit(**row), result, now, error)
        await conn.execute(
            "UPDATE channel_health SET failures = $2, open_until = $3, last_error = $4, last_failure_at = $5, "
            "last_success_at = $6 WHERE channel = $1",
            channel, after.failures, after.open_until, after.last_error, after.last_failure_at, after.last_success_at,
        )  # fmt: skip
    _show(after)
    return after


async def take_trial(conn: asyncpg.Connection, channel: str, now: datetime) -> bool:
    """Claims the one trial of a half-open circuit; False when another worker was faster."""
    status: str = await conn.execute(
        "UPDATE channel_health SET open_until = $3 WHERE channel = $1 AND open_until <= $2",
        channel, now, now + OPEN_FOR,
    )  # fmt: skip
    return status == "UPDATE 1"


async def channel_health(conn: asyncpg.Connection) -> list[Circuit]:
    """All channels that were ever used, by name."""
    return [Circuit(**row) for row in await conn.fetch("SELECT * FROM channel_health ORDER BY channel")]


def _show(circuit: Circuit) -> None:
    BREAKER.labels(circuit.channel).set(0 if circuit.open_until is None else 1)
