"""Web push: to the browsers in which a person switched it on (RFC 8030), encrypted for each of them (RFC 8291).

The server proves who it is with a key of its own (VAPID, RFC 8292), derived from the secret that all nodes share.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sev1.catalog.contact import PushMethod
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.fetch import Fetch
from sev1.notify import push_store
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.http_answer import judge, post
from sev1.notify.model import MethodKind, Notice, host_of
from sev1.notify.push_store import Subscription
from sev1.notify.wording import headline, in_short

BODY_MAX = 600
"""Characters: a push service takes 4,096 bytes, a phone shows some ten lines."""
KEEP_FOR_S = {"page": 3600, "ask": 3600, "fix-failed": 3600, "test": 300}
"""How long the push service keeps it for a browser that is away; a day for news."""
TOKEN_FOR = timedelta(hours=12)
"""RFC 8292 allows 24 hours."""
RECORD = 4096
GONE = (404, 410)
"""The browser took its permission back, or is no more (RFC 8030, 7.3)."""
CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class PushChannel:
    kind: MethodKind = "push"

    def __init__(self, db: Database, clock: Clock, fetch: Fetch, *, contact: str, secret: Callable[[], bytes]) -> None:
        """`contact`: whom a push service may write to, as `mailto:` or `https:`. `secret`: what all nodes share."""
        self._db = db
        self._clock = clock
        self._fetch = fetch
        self._contact = contact
        self._secret = secret

    async def send(self, out: Outgoing) -> str:
        """Receipt: how many push services took it. One is enough. Raises Temporary or Permanent.

        A browser that is gone is forgotten.
        """
        if not isinstance(out.method, PushMethod) or out.person is None:
            raise Permanent("web push goes to people only")
        async with self._db.connection() as conn:
            browsers = await push_store.of_person(conn, out.person)
        if not browsers:
            raise Permanent("web push is switched on in no browser: open Settings in it")
        receipts: list[str] = []
        failures: list[Temporary | Permanent] = []
        for browser in browsers:
            try:
                receipts.append(await self._push(browser, out))
            except (Temporary, Permanent) as error:
                failures.append(error)
        if receipts:
            return f"{', '.join(receipts)}; {len(receipts)} of {len(browsers)} browsers"
        # One that may work later is worth waiting for.
        raise next((error for error in failures if isinstance(error, Temporary)), failures[0])

    async def _push(self, browser: Subscription, out: Outgoing) -> str:
        now = self._clock.now()
        try:
            body = encrypt(payload(out.notice, repeat=out.repeat), browser.key, browser.auth)
        except ValueError as error:
            raise Permanent(f"the key of {browser.browser} cannot be used") from error
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEEP_FOR_S.get(out.notice.kind, 86_400)),
            "Urgency": "high" if out.notice.urgency == "high" else "normal",
            # A newer message about the same replaces one that the browser has not fetched (RFC 8030, 5.4).
            "Topic": _b64(hashlib.sha256(out.notice.about.encode()).digest())[:32],
            "Authorization": authorization(server_key(self._secret()), browser.endpoint, self._contact, now),
        }
        answer = await post(self._fetch, browser.endpoint, headers, body)
        if answer.status in GONE:
            async with self._db.transaction() as conn:
                await push_store.forget(conn, browser.id)
            raise Permanent(f"{browser.browser} takes no push any more; it was removed")
        return judge(answer, host_of(browser.endpoint), now)


def payload(notice: Notice, *, repeat: bool) -> bytes:
    """What the page's service worker shows."""
    return msgspec.json.encode(
        {
            "title": headline(notice, repeat=repeat),
            "body": in_short(notice, BODY_MAX),
            "url": notice.url,
            "tag": notice.about,
            "stays": notice.urgency == "high",
        }
    )


def server_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key pair of this installation: the same on every node and after every start, without a setting."""
    wide = HKDF(hashes.SHA256(), 48, salt=None, info=b"sev1 web push").derive(secret)
    return ec.derive_private_key(int.from_bytes(wide) % (_ORDER - 1) + 1, CURVE)


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """As a browser wants it when it subscribes: the uncompressed point in base64url."""
    return _b64(_point(key.public_key()))


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now: datetime) -> str:
    """The header by which a push service knows us (RFC 8292): a token, signed with ES256, for its origin alone."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((now + TOKEN_FOR).timestamp()), "sub": contact}
    signed = f"{_b64(msgspec.json.encode({'typ': 'JWT', 'alg': 'ES256'}))}.{_b64(msgspec.json.encode(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"vapid t={signed}.{_b64(r.to_bytes(32) + s.to_bytes(32))}, k={public_key(key)}"


def encrypt(
    text: bytes, browser_key: bytes, auth: bytes, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b""
) -> bytes:
    """The body of one push (RFC 8291, 3.4; RFC 8188): readable by this browser alone.

    `browser_key` is its uncompressed P-256 point, `auth` the 16 bytes it gave. `key` and `salt` are fresh for each
    message; a test gives those of the standard. Raises ValueError for a key that is no point, or a text too long.
    """
    if len(text) > RECORD - 103:
        raise ValueError("the text is too long for one record")
    salt = salt or os.urandom(16)
    key = key or ec.generate_private_key(CURVE)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, browser_key)
    ours = _point(key.public_key())
    shared = key.exchange(ec.ECDH(), theirs)
    seed = HKDF(hashes.SHA256(), 32, auth, b"WebPush: info\x00" + browser_key + ours).derive(shared)
    cek = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(seed)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(seed)
    header = salt + RECORD.to_bytes(4) + bytes([len(ours)]) + ours
    return header + AESGCM(cek).encrypt(nonce, text + b"\x02", None)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
