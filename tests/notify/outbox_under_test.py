"""An outbox with workers over it, a scripted channel, and hooks that note what they were told."""

import random
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from sev1.catalog.contact import ContactMethod, EmailMethod, WebhookMethod
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.notify import store
from sev1.notify.channels import Channel, Outgoing
from sev1.notify.deliver import DeliveryStep
from sev1.notify.model import Delivery, DeliveryView, Notice

EMAIL = EmailMethod(address="ana@example.com")
WEBHOOK = WebhookMethod(url="https://hooks.example.com/secret-path")


class Scripted:
    """A channel that does what the test wrote down: raises an exception, or returns a receipt."""

    def __init__(self, kind: str = "email", script: Sequence[object] = ()) -> None:
        self.kind = kind
        self.script = list(script)
        self.sent: list[tuple[UUID, bool]] = []
        """Delivery and whether it was marked as a repeat, of each attempt."""
        self.notices: list[Notice] = []
        self.during: Callable[[], Awaitable[object]] | None = None

    async def send(self, out: Outgoing) -> str:
        self.notices.append(out.notice)
        self.sent.append((out.delivery_id, out.repeat))
        if self.during is not None:
            await self.during()
        result = self.script.pop(0) if self.script else "250 OK"
        if isinstance(result, BaseException):
            raise result
        return str(result)


class Hooks:
    """Notes what the step reports."""

    def __init__(self) -> None:
        self.sent: list[tuple[UUID, str, str]] = []
        self.failed: list[tuple[UUID, str]] = []
        self.after_commit = 0

    async def on_sent(self, conn, deliveries: Sequence[Delivery], receipt: str, method_kind: str):
        self.sent += [(delivery.id, receipt, method_kind) for delivery in deliveries]
        return self._committed

    async def on_failed(self, conn, delivery: Delivery, error: str):
        self.failed.append((delivery.id, error))
        return self._committed

    def _committed(self) -> None:
        self.after_commit += 1


class Outbox:
    """A database with deliveries and workers over it."""

    def __init__(self, db: Database, clock: FakeClock, notice: Notice) -> None:
        self.db = db
        self.clock = clock
        self.notice = notice
        self.hooks = Hooks()

    async def add(self, *methods: ContactMethod, notice: Notice | None = None) -> UUID:
        notice = notice or self.notice
        async with self.db.transaction() as conn:
            return await store.enqueue(
                conn, about=notice.about, person="ana", methods=methods, notice=notice, now=self.clock.now()
            )

    def worker(self, *channels: Channel, holder: str = "node-a", lease_s: float = 30) -> DeliveryStep:
        return DeliveryStep(
            self.db,
            self.clock,
            {channel.kind: channel for channel in channels},
            holder=holder,
            lease_s=lease_s,
            on_sent=self.hooks.on_sent,
            on_failed=self.hooks.on_failed,
            rng=random.Random(1),
        )

    async def cancel(self, reason: str = "acknowledged by Bo") -> int:
        async with self.db.transaction() as conn:
            return await store.cancel(conn, about=self.notice.about, now=self.clock.now(), reason=reason)

    async def view(self, id_: UUID) -> DeliveryView:
        async with self.db.connection() as conn:
            views = await store.deliveries_about(conn, self.notice.about)
        return next(view for view in views if view.id == id_)

    async def drain(self, step: DeliveryStep, *, seconds: float = 0) -> None:
        """Runs the step through the next `seconds` of the clock, second by second."""
        for second in range(int(seconds) + 1):
            if second:
                self.clock.advance(seconds=1)
            while await step():
                pass
