"""Real receivers on loopback: an SMTP server (aiosmtpd) and an ASGI application, whose answers a test sets."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    """What the SMTP server took, and how it answers."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.encrypted: list[bool] = []
        self.passwords: list[bytes] = []
        self.rcpt_reply = "250 OK"
        self.data_reply = "250 2.0.0 OK: queued as 4D2"
        self.auth_ok = True
        self.hangs = False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if self.rcpt_reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_reply

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.hangs:
            await asyncio.Event().wait()
        if self.data_reply.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.recipients.append(envelope.rcpt_tos)
            self.encrypted.append(session.ssl is not None)
        return self.data_reply

    def authenticate(self, server, session, envelope, mechanism, auth_data):
        self.passwords.append(auth_data.password)
        return AuthResult(success=self.auth_ok, handled=False)


class SmtpServers:
    """Starts SMTP servers in the test's own event loop; the options are aiosmtpd's."""

    def __init__(self) -> None:
        self._servers: list[tuple[asyncio.Server, list[SMTP]]] = []

    async def start(self, **options) -> Mailbox:
        mailbox = Mailbox()
        sessions: list[SMTP] = []

        def session() -> SMTP:
            sessions.append(SMTP(mailbox, hostname="mail.test", authenticator=mailbox.authenticate, **options))
            return sessions[-1]

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
        self._servers.append((server, sessions))
        mailbox.port = server.sockets[0].getsockname()[1]
        return mailbox

    async def stop(self) -> None:
        for server, sessions in self._servers:
            server.close()
            for one in sessions:
                if one.transport is not None:
                    one.transport.abort()
                if one._handler_coroutine is not None and not one._handler_coroutine.done():
                    one._handler_coroutine.cancel()
                    await asyncio.gather(one._handler_coroutine, return_exceptions=True)


class Receiver:
    """A bare ASGI application that keeps the requests it gets."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"{}"
        self.hangs = False
        self.arrived = asyncio.Event()
        self.connections: set[int] = set()

    async def __call__(self, scope, receive, send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.connections.add(scope["client"][1])
        self.requests.append(({k.decode(): v.decode() for k, v in scope["headers"]}, body))
        self.arrived.set()
        if self.hangs:
            await receive()
            return
        headers = [(k.encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
