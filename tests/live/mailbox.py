"""A real SMTP server in a thread that keeps what it takes, with the time at which it did."""

import asyncio
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import NamedTuple, Self

from aiosmtpd.controller import Controller

from tests.live.waiting import free_port, until

HELD_S = 20.0
"""Longer than any sender waits."""


class Mail(NamedTuple):
    recipient: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None, "a mail without plain text"
        return str(part.get_content())

    @property
    def delivery(self) -> str:
        return str(self.message["X-Sev1-Delivery"])

    @property
    def is_repeat(self) -> bool:
        return self.message["X-Sev1-Repeat"] == "yes"


class Mailbox:
    """`with Mailbox() as mailbox:`; `reply_after_s` is how long the server thinks before it confirms a mail it has."""

    def __init__(self, *, reply_after_s: float = 0.0) -> None:
        self.port = free_port()
        self.reply_after_s = reply_after_s
        self.hold_next = False
        """Whether the next mail is kept and never confirmed: its sender cannot know that it has arrived."""
        self.held: Mail | None = None
        self._mails: list[Mail] = []
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        with self._lock:
            self._mails += [Mail(recipient, message) for recipient in envelope.rcpt_tos]
            hold, self.hold_next = self.hold_next, False
        if hold:
            self.held = Mail(envelope.rcpt_tos[0], message)
            await asyncio.sleep(HELD_S)
        if self.reply_after_s:
            # Kept already, not confirmed yet: who dies now cannot know that the mail has arrived.
            await asyncio.sleep(self.reply_after_s)
        return "250 2.0.0 OK"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    @property
    def mails(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)

    def to(self, recipient: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.recipient == recipient]

    def wait_for(self, recipient: str, subject: str, *, within_s: float = 10.0) -> Mail:
        """The first mail to `recipient` whose subject contains `subject`."""

        def found() -> Mail | None:
            return next((mail for mail in self.to(recipient) if subject in mail.subject), None)

        try:
            return until(found, f"a mail to {recipient} about {subject!r}", within_s=within_s)  # type: ignore[return-value]
        except AssertionError as error:
            there = [(mail.recipient, mail.subject) for mail in self.mails]
            raise AssertionError(f"{error}; the mailbox has {there}") from None
