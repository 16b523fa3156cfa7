"""Passwords: what is allowed, and Argon2id off the event loop.

The rules are those of NIST SP 800-63B-4 section 3.1.1.2: long enough, any character, normalised, no rules about the kinds
of characters and no forced change.
"""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from pwdlib import PasswordHash

from sev1.engine.errors import Invalid

T = TypeVar("T")

SHORTEST = 12
LONGEST = 1024
"""Characters. The upper bound only keeps the body small."""

_hasher = PasswordHash.recommended()
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")
"""Two, because each hash takes 64 MiB while it runs: a burst of sign-ins waits instead of eating the memory."""


def _nobodys_hash() -> str:
    """A well-formed hash with today's cost that no password fits: what an unknown email is checked against."""
    cost = argon2.PasswordHasher()

    def random_text(length: int) -> str:
        return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")

    return (
        f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
        f"${random_text(cost.salt_len)}${random_text(cost.hash_len)}"
    )


NOBODYS_HASH = _nobodys_hash()


def check_allowed(password: str, email: str) -> None:
    """Raises Invalid with the sentence to show when the password may not be used for this account."""
    if len(password) < SHORTEST:
        raise Invalid(f"The password is too short: use at least {SHORTEST} characters. A few words make a good one.")
    if len(password) > LONGEST:
        raise Invalid(f"The password is longer than {LONGEST} characters.")
    if password.strip().casefold() in {email.strip().casefold(), email.partition("@")[0].strip().casefold()}:
        raise Invalid("The password is the email address: choose another.")


async def hashed(password: str) -> str:
    """The Argon2id hash to store."""
    return await _in_thread(lambda: _hasher.hash(_normal(password)))


async def matches(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether the password fits, and a new hash to store when the old one was made at a lower cost.

    With no stored hash a hash is computed all the same, so that the time of the answer does not tell whether the account
    exists.
    """
    fits, better = await _in_thread(lambda: _hasher.verify_and_update(_normal(password), stored or NOBODYS_HASH))
    return (fits, better) if stored else (False, None)


def _normal(password: str) -> bytes:
    # The same letters can be typed in several encodings, depending on the keyboard.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
