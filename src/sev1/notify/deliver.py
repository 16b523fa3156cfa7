"""The step that delivers: claim one row, decide how, hand it to a channel, record what became of it.

At most one row per worker is under way when a process dies, and that one goes out again marked as a repeat.
"""

import asyncio
import functools
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
from msgspec import structs
from prometheus_client import Counter, Histogram

from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Conflict
from sev1.notify import breaker, bundle_store, retry, store
from sev1.notify.breaker import Circuit, circuit_of
from sev1.notify.bundle import bundle, held_until, may_be_bundled
from sev1.notify.channels import Channel, Outgoing, Permanent, Temporary
from sev1.notify.model import Attempt, Delivery, Outcome, kind_of

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 10.0
"""For one attempt, whatever the channel does; shortened to half of a short lease."""
HOOK_TRIES = 3

DELIVERIES = Counter(
    "sev1_deliveries", "Attempts to deliver, and deliveries that failed for good", ["channel", "outcome"]
)
SECONDS = Histogram(
    "sev1_delivery_seconds",
    "From the decision to notify until a channel took it over",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)

AfterCommit = Callable[[], None]
OnSent = Callable[[asyncpg.Connection, Sequence[Delivery], str, str], Awaitable[AfterCommit | None]]
"""Called with the deliveries of one message, the receipt and the kind of contact method, in the transaction that records the outcome.

May return what is to be called after the commit (such as telling the news). Hooks run before the delivery's row is
written: a hook that runs a command locks its stream first, as does an acknowledgement that cancels deliveries. The
other order would be a deadlock.
"""
OnFailed = Callable[[asyncpg.Connection, Delivery, str], Awaitable[AfterCommit | None]]
"""The same for one delivery, with the reason why no contact method is left."""
Write = Callable[[asyncpg.Connection], Awaitable[bool]]
Hook = Callable[[asyncpg.Connection], Awaitable[AfterCommit | None]]


class Sent(NamedTuple):
    receipt: str


class _NotOursError(Exception):
    """The claim was lost or cancelled: what the hook did in this transaction must not stay."""


class DeliveryStep:
    """Delivers the one row that is due longest. Awaited, it says whether there was one."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        channels: Mapping[str, Channel],
        *,
        holder: str,
        lease_s: float,
        on_sent: OnSent,
        on_failed: OnFailed,
        rng: random.Random,
    ) -> None:
        self._db = db
        self._clock = clock
        self._channels = channels
        self._holder = holder
        self._lease_s = lease_s
        self._timeout_s = min(SEND_TIMEOUT_S, lease_s / 2)
        self._on_sent = on_sent
        self._on_failed = on_failed
        self._rng = rng

    async def __call__(self) -> bool:
        async with self._db.connection() as conn:
            claimed = await store.claim_one(conn, self._holder, self._clock.now(), self._lease_s)
            if claimed is None:
                return False
            circuits = await breaker.read(conn, claimed.methods)
            if claimed.person is not None and may_be_bundled(claimed.notice):
                ready = await self._prepare_in_turn(conn, claimed, claimed.person, circuits)
            else:
                ready = await self._prepare(conn, claimed, circuits)
        if isinstance(ready, retry.GiveUp):
            await self._give_up(claimed, ready.error, None)
        elif ready:
            result = await self._attempt(ready)
            await self._record(ready, result, circuits[circuit_of(ready[0].contact)])
        return True

    async def _prepare_in_turn(
        self, conn: asyncpg.Connection, delivery: Delivery, person: str, circuits: dict[str, Circuit]
    ) -> list[Delivery] | retry.GiveUp:
        """The same, one worker at a time for each person, from the question whether the person got so many messages just
        now that this one waits, to taking along what is due: else one would put back what another is about to take.
        """
        async with conn.transaction():
            await bundle_store.lock_person(conn, person)
            now = self._clock.now()
            until = held_until(await bundle_store.recent(conn, delivery, now), now)
            if until is not None:
                await bundle_store.hold(conn, delivery, self._holder, until, now)
                return []
            if not await bundle_store.decides(conn, delivery, self._holder):
                return []
            return await self._prepare(conn, delivery, circuits)

    async def _prepare(
        self, conn: asyncpg.Connection, delivery: Delivery, circuits: dict[str, Circuit]
    ) -> list[Delivery] | retry.GiveUp:
        """What is to be attempted now in one message, the claimed delivery first; nothing when it is not to be."""
        while True:
            now = self._clock.now()
            plan = retry.choose(delivery, circuits, now)
            match plan:
                case retry.GiveUp():
                    return plan
                case retry.Later(method=method, due_at=due_at):
                    # Said once, however many pauses an outage takes.
                    said = bool(delivery.log) and delivery.log[-1].outcome == "waiting"
                    entry = None if said else delivery.attempt("waiting", "the channel is paused after failures", now)
                    await store.wait(conn, delivery, self._holder, method=method, due_at=due_at, entry=entry)
                    return []
                case retry.Try(method=method, trial=trial):
                    circuit = circuit_of(delivery.methods[method])
                    if trial and not await breaker.take_trial(conn, circuit, now):
                        circuits |= await breaker.read(conn, delivery.methods)
                        continue
                    return await self._hand_over(conn, delivery, method, now)

    async def _hand_over(
        self, conn: asyncpg.Connection, delivery: Delivery, method: int, now: datetime
    ) -> list[Delivery]:
        """The last look before the channel; what was cancelled, or has too short a lease for an attempt, is left out."""
        ready: Delivery | None = delivery
        if method != delivery.method:
            entry = delivery.attempt("skipped", "the channel is paused; the next contact method is used", now)
            ready = await store.use_method(conn, delivery, self._holder, method, entry)
        if ready is None:
            return []
        together = [ready]
        if ready.person is not None and may_be_bundled(ready.notice):
            gather = functools.partial(
                bundle_store.gather, conn, ready, self._holder,
                stored_method=delivery.method, now=now, lease_s=self._lease_s,
            )  # fmt: skip
            together += await gather()
            if len(together) > 1:
                # What another worker was claiming just then, and now waits for its turn to decide about.
                together += await gather(least=1)
        return await bundle_store.still_wanted(conn, together, self._holder, self._clock.now(), need_s=self._timeout_s)

    async def _attempt(self, together: Sequence[Delivery]) -> Sent | Temporary | Permanent:
        delivery = together[0]
        kind = kind_of(delivery.contact)
        channel = self._channels.get(kind)
        if channel is None:
            return Permanent(f"this server has no channel for {kind}")
        try:
            async with asyncio.timeout(self._timeout_s):
                receipt = await channel.send(
                    Outgoing(
                        method=delivery.contact,
                        notice=bundle(together),
                        person=delivery.person,
                        delivery_id=delivery.id,
                        repeat=any(one.repeat for one in together),
                    )
                )
        except (Temporary, Permanent) as error:
            return error
        except TimeoutError:
            return Temporary(f"no answer within {self._timeout_s:g} s", may_have_arrived=True)
        except Exception as error:
            log.exception("channel %s failed unexpectedly with delivery %s", kind, delivery.id)
            return Temporary(f"unexpected error: {type(error).__name__}", may_have_arrived=True)
        return Sent(receipt)

    async def _record(
        self, together: Sequence[Delivery], result: Sent | Temporary | Permanent, circuit: Circuit
    ) -> None:
        now = self._clock.now()
        kind = kind_of(together[0].contact)
        match result:
            case Sent(receipt=receipt):
                circuit = await self._note_health(circuit, "success", now)
                await self._record_sent(together, receipt, now)
                for delivery in together:
                    SECONDS.labels(kind).observe((now - delivery.created_at).total_seconds())
                outcome: Outcome = "sent"
            case Temporary(message=message):
                circuit = await self._note_health(circuit, "failure", now, message)
                outcome = "temporary"
            case Permanent(message=message):
                circuit = await self._note_health(circuit, "refusal", now, message)
                outcome = "permanent"
        if not isinstance(result, Sent):
            for delivery in together:
                entry = delivery.attempt(outcome, result.message, now)
                await self._record_failure(
                    delivery, entry, result if isinstance(result, Temporary) else None, circuit, now
                )
        DELIVERIES.labels(kind, outcome).inc()

    async def _note_health(self, circuit: Circuit, result: breaker.Result, now: datetime, error: str = "") -> Circuit:
        """In a transaction of its own: the row is shared by all workers and must not be held long."""
        if not breaker.is_news(circuit, result, now):
            return circuit
        async with self._db.connection() as conn:
            return await breaker.note(conn, circuit.channel, result, now, error)

    async def _record_sent(self, together: Sequence[Delivery], receipt: str, now: datetime) -> None:
        """All of a bundle in one transaction. What was cancelled meanwhile is left out: that it arrived stands in its log."""
        left = list(together)
        while left:
            lost: list[Delivery] = []

            async def hook(conn: asyncpg.Connection, ours: Sequence[Delivery] = tuple(left)) -> AfterCommit | None:
                return await self._on_sent(conn, ours, receipt, kind_of(ours[0].contact))

            async def write(
                conn: asyncpg.Connection, ours: Sequence[Delivery] = tuple(left), lost: list[Delivery] = lost
            ) -> bool:
                lost[:] = [
                    one
                    for one in ours
                    if not await store.sent(conn, one, self._holder, receipt, now, one.attempt("sent", receipt, now))
                ]
                return not lost

            if await self._with_hook(hook, write):
                return
            for one in lost:
                await self._note_late(one, one.attempt("sent", receipt, now))
            left = [one for one in left if one not in lost]

    async def _record_failure(
        self, delivery: Delivery, entry: Attempt, temporary: Temporary | None, circuit: Circuit, now: datetime
    ) -> None:
        after = structs.replace(delivery, log=(*delivery.log, entry))
        plan = retry.after_failure(
            after, now, self._rng, retry_after_s=temporary.retry_after_s if temporary else None
        )  # fmt: skip
        if isinstance(plan, retry.GiveUp):
            if not await self._give_up(after, plan.error, entry):
                await self._note_late(delivery, entry)
            return
        # With the circuit open there is no point in the delay: it is claimed again at once, and fails over.
        paused = circuit.phase(now) == "open" and circuit_of(delivery.methods[plan.method]) == circuit.channel
        due_at = now if paused else plan.due_at
        async with self._db.connection() as conn:
            ours = await store.retry(
                conn,
                delivery,
                self._holder,
                method=plan.method,
                due_at=due_at,
                repeat=temporary is not None and temporary.may_have_arrived,
                entry=entry,
            )
        if not ours:
            await self._note_late(delivery, entry)

    async def _give_up(self, delivery: Delivery, error: str, entry: Attempt | None) -> bool:
        now = self._clock.now()

        async def hook(conn: asyncpg.Connection) -> AfterCommit | None:
            return await self._on_failed(conn, delivery, error)

        async def write(conn: asyncpg.Connection) -> bool:
            return await store.failed(conn, delivery, self._holder, error, now, entry)

        ours = await self._with_hook(hook, write)
        if ours:
            log.warning("delivery %s about %s failed: %s", delivery.id, delivery.about, error)
            DELIVERIES.labels(kind_of(delivery.contact) if delivery.methods else "none", "failed").inc()
        return ours

    async def _note_late(self, delivery: Delivery, entry: Attempt) -> None:
        async with self._db.connection() as conn:
            await store.note_late(conn, delivery, self._holder, entry)

    async def _with_hook(self, hook: Hook, write: Write) -> bool:
        """Hook and write in one transaction; False when the delivery is no longer ours (then neither happened).

        A hook that cannot do its part must not cost the record: without it the delivery would go out again and again.
        """
        for _ in range(HOOK_TRIES):
            try:
                async with self._db.transaction() as conn:
                    after_commit = await hook(conn)
                    if not await write(conn):
                        raise _NotOursError  # noqa: TRY301 - the way to roll the hook's work back
            except _NotOursError:
                return False
            except (Conflict, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                continue
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                raise
            except Exception:
                log.exception("a delivery's outcome is recorded without its hook, which failed")
                break
            if after_commit is not None:
                after_commit()
            return True
        try:
            async with self._db.transaction() as conn:
                if not await write(conn):
                    raise _NotOursError  # noqa: TRY301 - as above
        except _NotOursError:
            return False
        return True
