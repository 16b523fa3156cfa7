"""Mail in: a small SMTP server whose mailboxes are integration keys. `<key>@anything` is taken, all else refused.

250 is answered after the commit, as everywhere in intake; 4xx asks the sender to try again, 5xx not to.
"""

import asyncio
import logging
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sev1 import __version__
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Unavailable
from sev1.engine.settings import Settings
from sev1.intake import misunderstood
from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.mail import Mails
from sev1.intake.inbox import DATABASE_ERRORS, Inbox
from sev1.intake.keys import Key, Keys

log = logging.getLogger(__name__)

RECIPIENTS_MAX = 10
COMMANDS_MAX = 50
IDLE_S = 60
SESSIONS_MAX = 100


class MailIn:
    """`await start()`, `await close()`. Off unless SEV1_MAIL_IN_PORT is set; `port` is the one it got."""

    def __init__(self, inbox: Inbox, keys: Keys, settings: Settings, clock: Clock, db: Database) -> None:
        self._inbox = inbox
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._db = db
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self.port = 0

    async def start(self, *, port: int | None = None) -> None:
        loop = asyncio.get_running_loop()
        port = self._settings.mail_in_port if port is None else port
        self._server = await loop.create_server(self._session, self._settings.mail_in_host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _session(self) -> SMTP:
        session = _Session(
            self,
            data_size_limit=self._settings.intake_max_bytes,
            hostname="sev1",
            ident=f"sev1 {__version__}",
            timeout=IDLE_S,
            command_call_limit={"*": COMMANDS_MAX},
            loop=asyncio.get_running_loop(),
        )
        session.sessions = self._sessions
        return session

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for session in list(self._sessions):
                if session.transport is not None:
                    session.transport.close()
            await asyncio.sleep(0)
            self._server = None

    # --- aiosmtpd calls these by name ---------------------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients at once"
        secret = address.partition("@")[0].partition("+")[0].strip('"<> ')
        try:
            key = self._keys.get_cached(secret) or await self._keys.load(secret)
        except DATABASE_ERRORS:
            return "451 4.3.0 The database cannot be reached; try again"
        if key is None:
            return "550 5.1.1 No such integration key"
        if key.kind != Mails.name:
            return "550 5.7.1 This integration key is not for mail"
        envelope.rcpt_tos.append(address)
        envelope.__dict__.setdefault("sev1_keys", {})[key.id] = key
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        keys: dict[int, Key] = envelope.__dict__.get("sev1_keys", {})
        raw: Any = envelope.content or b""
        now = self._clock.now()
        try:
            if not all(self._keys.allows(key) for key in keys.values()):
                return "451 4.7.1 This key sends more than it may; try again in a moment"
            try:
                Mails().decode(raw)
            except Misunderstood as error:
                for key in keys.values():
                    await misunderstood.keep(
                        self._db, key_id=key.id, format_=Mails.name, raw=raw, error=error.sentence, received_at=now
                    )
                return f"554 5.6.0 {_ascii(error.sentence)}"
            await asyncio.gather(*[self._inbox.submit(key.id, Mails.name, raw, now) for key in keys.values()])
        except (Unavailable, *DATABASE_ERRORS):
            return "451 4.3.0 It cannot be stored now; try again"
        return "250 2.0.0 Stored"

    async def handle_exception(self, error: Exception) -> str:
        log.warning("a mail session failed: %s", type(error).__name__)
        return "451 4.3.0 The session failed; try again"


class _Session(SMTP):
    """One connection; there may be so many at once."""

    sessions: set["_Session"]

    def connection_made(self, transport: Any) -> None:
        if len(self.sessions) >= SESSIONS_MAX:
            transport.write(b"421 4.7.0 Too many connections; try again\r\n")
            transport.close()
            return
        self.sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.sessions:
            self.sessions.discard(self)
            super().connection_lost(error)


def _ascii(sentence: str) -> str:
    return " ".join(sentence.encode("ascii", "replace").decode().split())[:400]
