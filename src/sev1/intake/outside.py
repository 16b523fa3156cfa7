"""What a few formats need beyond their payload, as ports: the time, an alert by its name, a signature of Amazon SNS.

The server hands them in; formats see no network and no database of their own.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from sev1.engine.errors import Unavailable

FindAlert = Callable[[int, str], Awaitable[str | None]]
"""(id of the key, number of the alert) -> its fingerprint, or None when no such alert came through that key."""


class SnsDoor(Protocol):
    """Amazon SNS: its signature, and the confirmation of a subscription."""

    async def verify(self, message: Mapping[str, str]) -> None:
        """Raises Forbidden when the signature is not Amazon's, Unavailable when its certificate cannot be had now."""
        ...

    async def confirm(self, subscribe_url: str) -> None:
        """Visits the address that confirms a subscription. Raises Forbidden, Unavailable."""
        ...


class Outside(Struct, frozen=True, kw_only=True):
    now: Callable[[], datetime]
    find_alert: FindAlert
    sns: SnsDoor


class _NoSns:
    async def verify(self, message: Mapping[str, str]) -> None:
        raise Unavailable(f"This server cannot verify {message.get('Type', 'a message')} of Amazon SNS.")

    async def confirm(self, subscribe_url: str) -> None:
        raise Unavailable(f"This server visits no address: {subscribe_url[:100]}.")


async def _no_alerts(key_id: int, number: str) -> str | None:
    raise Unavailable(f"This server cannot look up alert {number} of key {key_id}.")


def nothing_outside(now: Callable[[], datetime] = lambda: datetime.fromtimestamp(0, UTC)) -> Outside:
    """For an intake that stands alone: formats that need more than their payload answer 503."""
    return Outside(now=now, find_alert=_no_alerts, sns=_NoSns())
