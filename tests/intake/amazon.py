"""Amazon SNS as the tests play it: a key and a certificate of their own, and a network that holds nothing else."""

import base64
import json
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sev1.engine.fetch import Answer, FetchFailed
from sev1.intake.sns_signature import signed_text

CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey | None = None, *, until: datetime = datetime(2027, 1, 1, tzinfo=UTC)) -> bytes:
    key = key or private_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def signed(raw: bytes, **changes: str) -> bytes:
    """The message with `changes`, signed by `private_key` under its own `SignatureVersion`."""
    message = {**json.loads(raw), **changes}
    algorithm = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303
    signature = private_key().sign(signed_text(message), padding.PKCS1v15(), algorithm)
    return json.dumps({**message, "Signature": base64.b64encode(signature).decode()}, indent=2).encode()


class Network:
    """In place of `Fetch`: answers what it holds, remembers what was asked, reaches nothing."""

    def __init__(self) -> None:
        self.holds: dict[str, Answer] = {CERTIFICATE: Answer(status=200, headers={}, body=certificate())}
        self.asked: list[str] = []

    async def request(self, method: str, url: str, *, timeout_s: float, body_max: int) -> Answer:
        self.asked.append(url)
        if url not in self.holds:
            raise FetchFailed("There is no such host.", may_have_arrived=False)
        answer = self.holds[url]
        return Answer(status=answer.status, headers={}, body=answer.body[:body_max])
