"""Amazon SNS: is a message signed by Amazon, and the visit that confirms a subscription.

From Amazon's documentation "Verifying the signatures of Amazon SNS messages": the signed text is the message's fields by
name, in a fixed order, each name and value on its own line; version 1 signs it with SHA1withRSA, version 2 with
SHA256withRSA; the certificate is at `SigningCertURL`. Whoever could choose that address could sign anything, and could
make this server visit what it should not: so both addresses must be https ones of `sns.<region>.amazonaws.com` (or
`.com.cn`), on the standard port, and the visit itself goes through the guarded `Fetch`.
"""

import asyncio
import base64
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sev1.engine.errors import Forbidden, Sev1Error, Unavailable
from sev1.engine.fetch import Answer

_HOST = r"sns\.[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?"
CERTIFICATE_URL = re.compile(rf"https://{_HOST}/[A-Za-z0-9_\-./]{{1,200}}\.pem")
SUBSCRIBE_URL = re.compile(rf"https://{_HOST}/\?[A-Za-z0-9_\-.~%=&+:]{{1,1800}}")
CERTIFICATES_MAX = 32
CERTIFICATE_BYTES = 16 * 1024
FETCH_TIMEOUT_S = 5.0
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "1": hashes.SHA1,
    "2": hashes.SHA256,
}


class Fetching(Protocol):
    """The part of `engine.fetch.Fetch` that is used here."""

    async def request(self, method: str, url: str, *, timeout_s: float, body_max: int) -> Answer: ...


def signed_text(message: Mapping[str, str]) -> bytes:
    """What the signature is about. A notification without a subject has no line for it."""
    names = _NOTIFICATION if message.get("Type") == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None).encode()


class AmazonSns:
    """`SnsDoor` for real. Keeps the public keys of the last 32 certificates, until they expire."""

    def __init__(self, fetch: Fetching, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._certificates: OrderedDict[str, x509.Certificate] = OrderedDict()
        # A flood of made-up addresses must not become a flood of visits.
        self._visiting = asyncio.Semaphore(2)

    async def verify(self, message: Mapping[str, str]) -> None:
        """Raises Forbidden when the signature is not Amazon's, Unavailable when its certificate cannot be had now."""
        hash_ = _HASHES.get(message.get("SignatureVersion", ""))
        if hash_ is None:
            raise Forbidden("SignatureVersion must be 1 or 2.")
        url = message.get("SigningCertURL", "")
        if not CERTIFICATE_URL.fullmatch(url):
            raise Forbidden(
                "SigningCertURL is not an https address of sns.<region>.amazonaws.com: nothing was fetched."
            )
        try:
            signature = base64.b64decode(message.get("Signature", ""), validate=True)
        except ValueError:
            raise Forbidden("Signature is not base64.") from None
        certificate = await self._certificate(url)
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise Forbidden("The signing certificate holds no RSA key.")
        try:
            key.verify(signature, signed_text(message), padding.PKCS1v15(), hash_())
        except InvalidSignature:
            raise Forbidden("The signature is not that of this message.") from None

    async def confirm(self, subscribe_url: str) -> None:
        """Visits the address that confirms a subscription. Raises Forbidden, Unavailable."""
        if not SUBSCRIBE_URL.fullmatch(subscribe_url):
            raise Forbidden("SubscribeURL is not an https address of sns.<region>.amazonaws.com: nothing was visited.")
        answer = await self._get(subscribe_url)
        if answer.status != 200:
            raise Unavailable(f"Amazon SNS answered {answer.status} to the confirmation. It will ask again.")

    async def _certificate(self, url: str) -> x509.Certificate:
        now = self._now()
        certificate = self._certificates.get(url)
        if certificate is None or not _valid(certificate, now):
            answer = await self._get(url)
            if answer.status != 200:
                raise Unavailable(f"The signing certificate could not be had (status {answer.status}).")
            try:
                certificate = x509.load_pem_x509_certificate(answer.body)
            except ValueError:
                raise Forbidden("What is at SigningCertURL is not a certificate.") from None
            if not _valid(certificate, now):
                raise Forbidden("The signing certificate is not valid now.")
            self._certificates[url] = certificate
            while len(self._certificates) > CERTIFICATES_MAX:
                self._certificates.popitem(last=False)
        self._certificates.move_to_end(url)
        return certificate

    async def _get(self, url: str) -> Answer:
        try:
            async with self._visiting:
                return await self._fetch.request("GET", url, timeout_s=FETCH_TIMEOUT_S, body_max=CERTIFICATE_BYTES)
        except Sev1Error as error:
            raise Unavailable(f"Amazon SNS cannot be reached: {error.message}") from error


def _valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
