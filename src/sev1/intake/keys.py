"""What intake needs to know of integration keys. They are made and kept above this layer, in access."""

from typing import Any, Protocol

from msgspec import Struct


class Key(Protocol):
    """The holder of a secret: who sends, and what it speaks."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str:
        """The name of the format that is sent with this key, e.g. `prometheus`."""
        ...

    @property
    def service(self) -> str | None:
        """The service that its alerts belong to when they do not say."""
        ...

    @property
    def signing_secret(self) -> str | None:
        """What the sender signs its requests with, for senders that do; None: the key alone says who it is."""
        ...


class IntegrationKey(Struct, frozen=True, kw_only=True):
    """A `Key` as a value."""

    id: int
    name: str
    kind: str
    service: str | None = None
    signing_secret: str | None = None


class Keys(Protocol):
    """The valid keys, in memory."""

    def get_cached(self, secret: str) -> Key | None:
        """The key with this secret if it is in memory. No I/O, O(1)."""
        ...

    async def load(self, secret: str) -> Key | None:
        """The key with this secret, asked of the database if need be; None when there is none."""
        ...

    def allows(self, key: Any) -> bool:
        """Counts one request of this key; False when it is over its rate."""
        ...
