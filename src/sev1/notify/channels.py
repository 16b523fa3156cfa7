"""What a way of reaching somebody looks like to the outbox. A new channel is a file like smtp.py and its wiring."""

from typing import Protocol
from uuid import UUID

from msgspec import Struct

from sev1.catalog.contact import ContactMethod
from sev1.notify.model import MethodKind, Notice


class Temporary(Exception):
    """It did not go out now and may later: the server is away, busy or over a limit."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, may_have_arrived: bool = False) -> None:
        """`retry_after_s`: the wait the other side asked for. `may_have_arrived`: the next attempt is a repeat."""
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self.may_have_arrived = may_have_arrived


class Permanent(Exception):
    """It will not go out this way however often it is tried: no such mailbox, refused, not configured."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Outgoing(Struct, frozen=True, kw_only=True):
    """One attempt: a notice and the contact method it goes out over."""

    method: ContactMethod
    notice: Notice
    person: str | None
    """Whom it is for; None where a place is told."""
    delivery_id: UUID
    """The same in all attempts, so that a receiver can tell a repeat."""
    repeat: bool
    """An earlier attempt may have arrived."""


class Channel(Protocol):
    """Hands one notice to the next system and says what that answered."""

    kind: MethodKind

    async def send(self, out: Outgoing) -> str:
        """Returns the receipt, in words. Raises Temporary or Permanent."""
        ...
