"""Web push: what a push service gets, and what the browser behind it reads."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sev1.catalog.contact import PushMethod
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, Refused
from sev1.engine.fetch import Fetch
from sev1.notify import push_store
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import Notice
from sev1.notify.push import CURVE, PushChannel, authorization, encrypt, public_key, server_key

from .outbox_under_test import Outbox, Scripted
from .real_receivers import Receiver

SECRET = b"s" * 32


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Browser:
    """The receiving end of RFC 8291: a key pair, a secret, and reading what was encrypted for them."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(CURVE)
        self.auth = b"0123456789abcdef"

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def read(self, body: bytes) -> dict:
        salt, size = body[:16], body[20]
        theirs = body[21 : 21 + size]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
        seed = HKDF(hashes.SHA256(), 32, self.auth, b"WebPush: info\x00" + self.point + theirs).derive(shared)
        cek = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(seed)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(seed)
        return json.loads(AESGCM(cek).decrypt(nonce, body[21 + size :], None).removesuffix(b"\x02"))

    async def subscribe(self, db: Database, clock: FakeClock, endpoint: str, person: str = "ana") -> int:
        async with db.transaction() as conn:
            return await push_store.add(
                conn,
                person=person,
                endpoint=endpoint,
                p256dh=b64(self.point),
                auth=b64(self.auth),
                browser="Firefox on Android",
                now=clock.now(),
            )


@pytest.fixture
def channel(db: Database, clock: FakeClock, fetch: Fetch) -> PushChannel:
    return PushChannel(db, clock, fetch, contact="mailto:ops@example.com", secret=lambda: SECRET)


async def send(channel: PushChannel, notice: Notice, outbox: Outbox, *, person: str | None = "ana") -> str:
    id_ = await outbox.add(PushMethod(), notice=notice)
    return await channel.send(
        Outgoing(method=PushMethod(), notice=notice, person=person, delivery_id=id_, repeat=False)
    )


def test_the_encryption_is_that_of_the_example_in_the_standard() -> None:
    """RFC 8291, section 5 and appendix A."""
    private = int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
        key=ec.derive_private_key(private, CURVE),
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


async def test_a_page_reaches_every_browser_of_the_person_and_only_they_can_read_it(
    channel: PushChannel, outbox: Outbox, clock: FakeClock, receiver: Receiver, page: Notice
):
    phone, laptop = Browser(), Browser()
    receiver.status = 201
    await phone.subscribe(outbox.db, clock, receiver.url + "/phone")
    await laptop.subscribe(outbox.db, clock, receiver.url + "/laptop")
    receipt = await send(channel, page, outbox)
    assert receipt.endswith("2 of 2 browsers")
    (headers, body), (_, other) = receiver.requests
    said = phone.read(body)
    assert said["title"] == "[SEV-1?] checkout: Card payments fail: 42 % errors"
    assert (said["url"], said["tag"], said["stays"]) == ("http://sev1.example/pages/P-1", "P-1", True)
    assert laptop.read(other) == said
    assert headers["content-encoding"] == "aes128gcm"
    assert (headers["ttl"], headers["urgency"]) == ("3600", "high")
    assert len(headers["topic"]) == 32
    assert b"Card payments" not in body


def test_the_server_proves_who_it_is_with_the_same_key_on_every_node() -> None:
    key, again = server_key(SECRET), server_key(SECRET)
    assert public_key(key) == public_key(again) != public_key(server_key(b"t" * 32))
    now = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
    header = authorization(key, "https://push.example.com:8443/x/y?z", "mailto:ops@example.com", now)
    token = header.removeprefix("vapid t=").partition(",")[0]
    assert header.endswith(f", k={public_key(key)}")
    head, claims, signed = token.split(".")
    assert json.loads(unb64(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(unb64(claims)) == {
        "aud": "https://push.example.com:8443",
        "exp": int(now.timestamp()) + 12 * 3600,
        "sub": "mailto:ops@example.com",
    }
    raw = unb64(signed)
    dss = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.public_key().verify(dss, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    channel: PushChannel, outbox: Outbox, clock: FakeClock, receiver: Receiver, page: Notice, status: int
):
    receiver.status = status
    await Browser().subscribe(outbox.db, clock, receiver.url)
    with pytest.raises(Permanent, match="Firefox on Android takes no push any more"):
        await send(channel, page, outbox)
    with pytest.raises(Permanent, match="switched on in no browser"):
        await send(channel, page, outbox)


async def test_a_busy_push_service_is_temporary(
    channel: PushChannel, outbox: Outbox, clock: FakeClock, receiver: Receiver, page: Notice
):
    receiver.status = 503
    await Browser().subscribe(outbox.db, clock, receiver.url)
    with pytest.raises(Temporary, match="answered 503"):
        await send(channel, page, outbox)


async def test_somebody_without_a_browser_fails_over_at_once(channel: PushChannel, outbox: Outbox, page: Notice):
    from .outbox_under_test import EMAIL

    id_ = await outbox.add(PushMethod(), EMAIL)
    mail = Scripted("email")
    await outbox.drain(outbox.worker(channel, mail))
    assert mail.sent == [(id_, False)]


async def test_the_longest_page_fits_what_a_push_service_takes(
    channel: PushChannel, outbox: Outbox, clock: FakeClock, receiver: Receiver
):
    receiver.status = 201
    browser = Browser()
    await browser.subscribe(outbox.db, clock, receiver.url)
    long = Notice(kind="page", about="P-1", title="€" * 5000, url="http://sev1.example/" + "x" * 300, impact="€" * 5000)
    await send(channel, long, outbox)
    assert len(receiver.requests[-1][1]) <= 4096
    assert browser.read(receiver.requests[-1][1])["title"].endswith("…")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"p256dh": "AAAA"}, "no point of P-256"),
        ({"p256dh": "not base64!"}, "not base64url|no point"),
        ({"auth": "AAAA"}, "16 bytes"),
        ({"endpoint": "http://push.example.com/x"}, "by https"),
        ({"endpoint": "file:///etc/passwd"}, "Only http"),
        ({"endpoint": "https://push.example.com/" + "x" * 3000}, "at most 2000"),
    ],
)
async def test_what_is_no_subscription_is_refused(outbox: Outbox, clock: FakeClock, changes: dict, what: str):
    browser = Browser()
    given = {
        "person": "ana",
        "endpoint": "https://push.example.com/x",
        "p256dh": b64(browser.point),
        "auth": b64(browser.auth),
        "browser": "x",
    }
    async with outbox.db.transaction() as conn:
        with pytest.raises(Invalid, match=what):
            await push_store.add(conn, **(given | changes), now=clock.now())


async def test_ten_browsers_are_enough_and_the_same_one_again_is_the_same(outbox: Outbox, clock: FakeClock):
    for n in range(10):
        await Browser().subscribe(outbox.db, clock, f"https://push.example.com/{n}")
    await Browser().subscribe(outbox.db, clock, "https://push.example.com/3")
    with pytest.raises(Refused, match="10 browsers"):
        await Browser().subscribe(outbox.db, clock, "https://push.example.com/11")
    await Browser().subscribe(outbox.db, clock, "https://push.example.com/11", person="bo")
