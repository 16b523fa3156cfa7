"""Random secrets. The holder gets the text once; the database keeps only its SHA-256.

A plain SHA-256 is enough because a secret has 165 bits of randomness or more: there is nothing to guess, so nothing that
a slow hash would slow down. Passwords are another matter (`passwords`).
"""

import hashlib
import secrets
import string

TOKEN_BYTES = 32
_LOWER = string.ascii_lowercase + string.digits
KEY_LENGTH = 32


def new_token() -> str:
    """43 characters that are safe in a URL and in a cookie: 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_key() -> str:
    """32 lower-case letters and digits (165 bits): the shape of a PagerDuty routing key, so clients that check accept it."""
    return "".join(secrets.choice(_LOWER) for _ in range(KEY_LENGTH))


def digest(secret: str | bytes) -> bytes:
    """SHA-256 of the secret: what is stored and looked up."""
    if isinstance(secret, str):
        # A cookie or a header may hold anything; a lone surrogate must not become an error of ours.
        secret = secret.encode("utf-8", "surrogatepass")
    return hashlib.sha256(secret).digest()
