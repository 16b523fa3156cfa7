"""The integration keys in memory, for the hot path of intake: one hash and one look-up, no database, no await.

    key = keyring.get_cached(secret) or await keyring.load(secret)
    if key is None: answer as the imitated vendor does to an unknown key
    if not keyring.allows(key): 429

Coherence: `refresh` reads all valid keys. It is called at start, after a key was made or revoked on this node, and every
few seconds for what other nodes did; so long a revoked key may still work elsewhere.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from sev1.access import keys
from sev1.access.keys import HeldKey
from sev1.access.secret import KEY_LENGTH, digest
from sev1.engine.database import Database

UNKNOWN_FOR_S = 5.0
"""How long a secret that no key has is not asked for again."""
UNKNOWN_MAX = 10_000


class Bucket:
    """A token bucket: `rate_per_s` on average, `burst` at once. A runaway guard, so it is only a few additions."""

    __slots__ = ("_at_s", "_burst", "_level", "_rate_per_s")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._level = burst
        self._at_s = float("-inf")

    def take(self, now_s: float) -> bool:
        """Takes one; False when there is none left. `now_s` is monotonic time in seconds."""
        level = self._level + (now_s - self._at_s) * self._rate_per_s
        level = min(level, self._burst)
        self._at_s = now_s
        if level < 1.0:
            self._level = level
            return False
        self._level = level - 1.0
        return True


class KeyRing:
    """Cache of the valid keys with a bucket for each.

    `monotonic` gives seconds; `rate_per_s` and `burst` are requests per key on this node.
    """

    def __init__(
        self,
        db: Database,
        *,
        rate_per_s: float = 20_000,
        burst: float = 40_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._monotonic = monotonic
        self._keys: dict[bytes, HeldKey] = {}
        self._shown: dict[str | bytes, HeldKey] = {}
        """Keys by the secret itself, of those that were shown since the last refresh: hashing is what costs most here."""
        self._buckets: dict[int, Bucket] = {}
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._refreshes = 0
        self._refreshing = asyncio.Lock()

    def get_cached(self, secret: str | bytes) -> HeldKey | None:
        """The key with this secret if it is in memory.

        Looked up by hash, as a dictionary does, too, with a seed that nobody knows: comparing text would leak its beginning.
        """
        key = self._shown.get(secret)
        if key is None and (key := self._keys.get(digest(secret))) is not None:
            self._shown[secret] = key
        return key

    async def load(self, secret: str | bytes) -> HeldKey | None:
        """The key with this secret, from the database if need be; None when there is none.

        What cannot be a key is not looked up at all, and an unknown secret once in 5 s.
        """
        if len(secret) != KEY_LENGTH:
            return None
        secret_hash = digest(secret)
        if key := self._keys.get(secret_hash):
            return key
        now_s = self._monotonic()
        if self._unknown.get(secret_hash, 0.0) > now_s:
            return None
        started_at = self._refreshes
        async with self._db.connection() as conn:
            key = await keys.by_digest(conn, secret_hash)
        if key is None:
            self._remember_unknown(secret_hash, now_s)
        elif started_at == self._refreshes:
            # Otherwise a refresh ran meanwhile, perhaps because just this key was revoked: it knows better.
            self._keys[secret_hash] = key
        return key

    def allows(self, key: HeldKey) -> bool:
        """Counts one request of this key; False when it is over its rate. Nothing is awaited."""
        bucket = self._buckets.get(key.id)
        if bucket is None:
            bucket = self._buckets[key.id] = Bucket(self._rate_per_s, self._burst)
        return bucket.take(self._monotonic())

    async def refresh(self, db: Database | None = None) -> None:
        """Reads all valid keys anew. Buckets keep their level."""
        # One after the other: the answer of an older read must not replace that of a newer one.
        async with self._refreshing:
            async with (db or self._db).connection() as conn:
                valid = await keys.all_valid(conn)
            # No await between these two: `load` compares the count to know whether its own answer is older.
            self._keys, self._shown = valid, {}
            self._refreshes += 1
            ids = {key.id for key in valid.values()}
            self._buckets = {key_id: bucket for key_id, bucket in self._buckets.items() if key_id in ids}

    def _remember_unknown(self, secret_hash: bytes, now_s: float) -> None:
        self._unknown[secret_hash] = now_s + UNKNOWN_FOR_S
        self._unknown.move_to_end(secret_hash)
        while len(self._unknown) > UNKNOWN_MAX:
            self._unknown.popitem(last=False)
