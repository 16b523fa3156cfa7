"""Mail over SMTP (RFC 5321): one connection a mail, so that no idle connection can have died unnoticed."""

import contextlib
import socket

import aiosmtplib

from sev1.catalog.contact import EmailMethod
from sev1.engine.clock import Clock
from sev1.engine.settings import Settings
from sev1.notify import mail
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import MethodKind, one_line

TIMEOUT_S = 10.0
"""For one answer of the server. The whole attempt is bounded by the delivery step."""
QUIT_TIMEOUT_S = 0.5
"""The mail is taken over by then; saying goodbye must not cost the attempt."""


class SmtpChannel:
    kind: MethodKind = "email"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def send(self, out: Outgoing) -> str:
        """Receipt: the server's reply to the whole mail, mostly with its queue id. Raises Temporary or Permanent."""
        if not isinstance(method := out.method, EmailMethod):
            raise Permanent("this contact method is not a mail address")
        if not self._settings.smtp_host:
            raise Permanent("no mail server is configured: set SEV1_SMTP_HOST")
        try:
            message = mail.compose(
                out.notice,
                sender=self._settings.mail_from,
                recipient=method.address,
                delivery_id=out.delivery_id,
                repeat=out.repeat,
                now=self._clock.now(),
            )
            recipient: str = message["To"].addresses[0].addr_spec
            client = self._client()
        except ValueError as error:
            raise Permanent(str(error)) from error
        try:
            await self._connect(client)
            try:
                _, reply = await client.send_message(message, recipients=[recipient])
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                raise _translated(error) from error
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=QUIT_TIMEOUT_S)
        finally:
            client.close()
        return f"{self._settings.smtp_host} accepted it: {one_line(reply, 200)}"

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        if settings.smtp_tls not in {"auto", "starttls", "tls", "none"}:
            raise ValueError(f"SEV1_SMTP_TLS is {settings.smtp_tls!r}; it must be auto, starttls, tls or none")
        # `auto` without a password is what mail servers do among themselves (RFC 7435): encrypt where offered, whoever
        # it is; a relay on the same host often has a certificate nobody signed. A password is only sent where the
        # certificate is right, or where the operator said `none`.
        opportunistic = settings.smtp_tls == "auto" and not settings.smtp_user
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password or None,
            local_hostname=_own_name(),
            timeout=TIMEOUT_S,
            use_tls=settings.smtp_tls == "tls",
            start_tls=None if opportunistic else settings.smtp_tls in {"auto", "starttls"},
            validate_certs=not opportunistic,
        )

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        server = f"the mail server {self._settings.smtp_host}:{self._settings.smtp_port}"
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            words = f"{server} refused the sign-in: {_reply(error)}"
            raise (Temporary(words) if _is_temporary(error.code) else Permanent(words)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            # Also an answer of 5xx here: it is about the server, not about this mail.
            raise Temporary(f"{server} cannot be used: {_reply(error)}") from error


def _translated(error: Exception) -> Temporary | Permanent:
    """What an error after the sign-in means for this mail: 4xx may pass, 5xx will not (RFC 5321, 4.2.1)."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    words = _reply(error)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Temporary(words) if _is_temporary(error.code) else Permanent(words)
    if isinstance(error, (aiosmtplib.SMTPNotSupported, ValueError)):
        return Permanent(words)
    # The connection broke or the answer did not come: the mail may have been taken over all the same.
    return Temporary(words, may_have_arrived=True)


def _is_temporary(code: int) -> bool:
    return code < 500


def _reply(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {one_line(error.message)}"
    return one_line(str(error)) or type(error).__name__


def _own_name() -> str:
    # Not getfqdn(): that asks the DNS, which may be what is broken tonight.
    name = socket.gethostname()
    return name if name.isascii() and name.strip() else "localhost"
