"""The mail channel against a real SMTP server."""

import asyncio
import socket
import ssl
from pathlib import Path
from uuid import uuid4

import pytest

from sev1.catalog.contact import EmailMethod
from sev1.engine.clock import FakeClock
from sev1.engine.settings import Settings
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import Notice
from sev1.notify.smtp import SmtpChannel

from .outbox_under_test import EMAIL
from .real_receivers import Mailbox, SmtpServers


class Sender:
    def __init__(self, clock: FakeClock, notice: Notice) -> None:
        self.clock, self.notice = clock, notice

    async def __call__(self, port: int, method: EmailMethod = EMAIL, *, repeat: bool = False, **settings) -> str:
        given = {"smtp_host": "localhost", "mail_from": "sev1@sev1.example"} | settings
        channel = SmtpChannel(Settings(smtp_port=port, **given), self.clock)
        return await channel.send(
            Outgoing(method=method, notice=self.notice, person="ana", delivery_id=uuid4(), repeat=repeat)
        )


@pytest.fixture
def send(clock: FakeClock, page: Notice) -> Sender:
    return Sender(clock, page)


async def test_a_page_arrives_as_a_mail_and_the_receipt_is_the_servers_reply(send: Sender, mailbox: Mailbox):
    receipt = await send(mailbox.port)
    assert receipt == "localhost accepted it: 2.0.0 OK: queued as 4D2"
    assert mailbox.recipients == [["ana@example.com"]]
    [mail] = mailbox.mails
    assert mail["Subject"] == "[SEV-1?] checkout: Card payments fail: 42 % errors"
    assert mail["To"] == "ana@example.com"
    assert "customers cannot pay" in mail.get_body(("plain",)).get_content()
    assert "customers cannot pay" in mail.get_body(("html",)).get_content()


async def test_a_repeat_arrives_marked(send: Sender, mailbox: Mailbox):
    await send(mailbox.port, repeat=True)
    assert mailbox.mails[0]["X-Sev1-Repeat"] == "yes"


async def test_without_a_mail_server_the_error_names_the_setting(send: Sender):
    with pytest.raises(Permanent, match="no mail server is configured: set SEV1_SMTP_HOST"):
        await send(25, smtp_host="")


@pytest.mark.parametrize("when", ["rcpt_reply", "data_reply"])
async def test_a_busy_server_is_temporary_and_the_next_mail_goes_through(send: Sender, mailbox: Mailbox, when: str):
    good = getattr(mailbox, when)
    setattr(mailbox, when, "451 4.7.1 Greylisted, come back later")
    with pytest.raises(Temporary, match=r"451 .* Greylisted") as caught:
        await send(mailbox.port)
    assert not caught.value.may_have_arrived
    setattr(mailbox, when, good)
    await send(mailbox.port)
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("when", ["rcpt_reply", "data_reply"])
async def test_a_refused_mail_is_permanent(send: Sender, mailbox: Mailbox, when: str):
    setattr(mailbox, when, "550 5.1.1 No such user here")
    with pytest.raises(Permanent, match=r"550 5\.1\.1 No such user here"):
        await send(mailbox.port)


async def test_a_server_that_is_down_is_temporary_and_nothing_arrived(send: Sender):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Temporary, match="cannot be used") as caught:
        await send(port)
    assert not caught.value.may_have_arrived


async def test_a_server_that_greets_with_an_error_is_temporary(send: Sender):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 No SMTP service here\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Temporary, match="554"):
            await send(server.sockets[0].getsockname()[1])


async def test_a_connection_that_breaks_after_the_mail_may_have_delivered_it(send: Sender):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        answers = {b"EHLO": b"250 mail.test", b"MAIL": b"250 OK", b"RCPT": b"250 OK", b"DATA": b"354 go on"}
        while (line := await reader.readline())[:4] != b"DATA":
            writer.write(answers[line[:4]] + b"\r\n")
        writer.write(answers[b"DATA"] + b"\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Temporary) as caught:
            await send(server.sockets[0].getsockname()[1])
    assert caught.value.may_have_arrived


async def test_an_address_that_cannot_be_used_is_permanent_and_asks_no_server(send: Sender, mailbox: Mailbox):
    with pytest.raises(Permanent, match="not a mail address"):
        await send(mailbox.port, EmailMethod(address="a,b@example.com"))
    assert not mailbox.recipients


async def test_a_wrong_tls_setting_says_what_it_may_be(send: Sender, mailbox: Mailbox):
    with pytest.raises(Permanent, match="auto, starttls, tls or none"):
        await send(mailbox.port, smtp_tls="yes")


async def test_auto_encrypts_where_the_server_offers_it_whoever_signed_its_certificate(
    send: Sender, smtp_servers: SmtpServers, self_signed: ssl.SSLContext
):
    mailbox = await smtp_servers.start(tls_context=self_signed)
    await send(mailbox.port)
    assert mailbox.encrypted == [True]


async def test_none_never_encrypts(send: Sender, smtp_servers: SmtpServers, self_signed: ssl.SSLContext):
    mailbox = await smtp_servers.start(tls_context=self_signed)
    await send(mailbox.port, smtp_tls="none")
    assert mailbox.encrypted == [False]


async def test_starttls_insists(send: Sender, mailbox: Mailbox):
    with pytest.raises(Temporary, match="STARTTLS"):
        await send(mailbox.port, smtp_tls="starttls")
    assert not mailbox.mails


async def test_a_password_is_never_sent_in_the_clear_by_itself(send: Sender, smtp_servers: SmtpServers):
    mailbox = await smtp_servers.start(auth_require_tls=False)
    with pytest.raises(Temporary, match="STARTTLS"):
        await send(mailbox.port, smtp_user="sev1", smtp_password="secret")
    assert not mailbox.passwords
    await send(mailbox.port, smtp_user="sev1", smtp_password="secret", smtp_tls="none")
    assert mailbox.passwords == [b"secret"]


async def test_a_password_is_not_given_to_a_server_with_an_unknown_certificate(
    send: Sender, smtp_servers: SmtpServers, self_signed: ssl.SSLContext
):
    mailbox = await smtp_servers.start(tls_context=self_signed)
    with pytest.raises(Temporary, match=r"(?i)certificate"):
        await send(mailbox.port, smtp_user="sev1", smtp_password="secret")
    assert not mailbox.passwords


async def test_a_trusted_server_gets_the_password_over_tls(
    send: Sender, smtp_servers: SmtpServers, self_signed: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(Path(__file__).parent / "self_signed.pem"))
    mailbox = await smtp_servers.start(tls_context=self_signed)
    await send(mailbox.port, smtp_user="sev1", smtp_password="secret")
    assert (mailbox.passwords, mailbox.encrypted) == ([b"secret"], [True])


async def test_a_wrong_password_is_permanent_and_not_repeated_in_the_error(send: Sender, smtp_servers: SmtpServers):
    mailbox = await smtp_servers.start(auth_require_tls=False)
    mailbox.auth_ok = False
    with pytest.raises(Permanent, match="refused the sign-in: 535") as caught:
        await send(mailbox.port, smtp_user="sev1", smtp_password="hush-hush", smtp_tls="none")
    assert "hush-hush" not in str(caught.value)
