"""The browsers that a person may be reached in by web push."""

import base64
import binascii
from datetime import datetime

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from sev1.engine.errors import Invalid, Refused
from sev1.engine.fetch import TargetRefused, check_url
from sev1.notify.model import one_line

MOST = 10
"""Browsers of one person."""
ENDPOINT_MAX = 2000


class Subscription(Struct, frozen=True, kw_only=True):
    """One browser, as it told us."""

    id: int
    person: str
    endpoint: str
    """Where its push service takes messages for it. Whoever knows it may send: it is shown to nobody."""
    key: bytes
    auth: bytes
    browser: str
    created_at: datetime


async def add(
    conn: asyncpg.Connection, *, person: str, endpoint: str, p256dh: str, auth: str, browser: str, now: datetime
) -> int:
    """Remembers a browser; the same one again is the same row. The keys come as base64url, as browsers give them.

    Raises Invalid when it is no subscription, Refused when the person has too many browsers.
    """
    key, secret = _decode(p256dh, "p256dh"), _decode(auth, "auth")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError as error:
        raise Invalid("The key of the browser is no point of P-256.", field="p256dh") from error
    if len(secret) != 16:
        raise Invalid("The secret of the browser has 16 bytes.", field="auth")
    try:
        scheme = check_url(endpoint).scheme
    except TargetRefused as error:
        raise Invalid(error.message, field="endpoint") from error
    if len(endpoint) > ENDPOINT_MAX:
        raise Invalid(f"The address of the push service has at most {ENDPOINT_MAX} characters.", field="endpoint")
    if scheme != "https" and not _is_loopback(endpoint):
        raise Invalid("A push service is reached by https.", field="endpoint")
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('browsers of ' || $1, 0))", person)
    known = await conn.fetchval(
        "SELECT count(*) FROM push_subscriptions WHERE person = $1 AND endpoint <> $2", person, endpoint
    )
    if known >= MOST:
        raise Refused(f"Web push is on in {known} browsers already. Switch it off in one that you no longer use.")
    number: int = await conn.fetchval(
        """
        INSERT INTO push_subscriptions (person, endpoint, key, auth, browser, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (endpoint) DO UPDATE SET person = EXCLUDED.person, key = EXCLUDED.key, auth = EXCLUDED.auth,
            browser = EXCLUDED.browser
        RETURNING id
        """,
        person, endpoint, key, secret, one_line(browser, 60) or "a browser", now,
    )  # fmt: skip
    return number


async def of_person(conn: asyncpg.Connection, person: str) -> list[Subscription]:
    rows = await conn.fetch("SELECT * FROM push_subscriptions WHERE person = $1 ORDER BY id", person)
    return [msgspec.convert(dict(row), Subscription) for row in rows]


async def people_with_push(conn: asyncpg.Connection) -> set[str]:
    return {row["person"] for row in await conn.fetch("SELECT DISTINCT person FROM push_subscriptions")}


async def forget(conn: asyncpg.Connection, number: int, *, person: str | None = None) -> bool:
    """Removes a browser, if `person` is given only one of theirs; says whether there was one."""
    status: str = await conn.execute(
        "DELETE FROM push_subscriptions WHERE id = $1 AND ($2::text IS NULL OR person = $2)", number, person
    )
    return status == "DELETE 1"


def _decode(text: str, field: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as error:
        raise Invalid(f"{field} is not base64url.", field=field) from error


def _is_loopback(url: str) -> bool:
    return check_url(url).host in {"127.0.0.1", "localhost"}
