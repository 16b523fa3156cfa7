"""A mailbox for the demo: a real SMTP server on loopback that keeps each mail as a file, so that one can read them."""

import asyncio
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class _Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd's names
        self._count += 1
        (self._folder / f"{self._count:04}.eml").write_bytes(envelope.content)
        subject = message_from_bytes(envelope.content, policy=default)["subject"]
        return f"250 kept as mail {self._count}: {str(subject)[:60]}"


class _AnyPort(Controller):
    """A controller that takes whatever port is free: the base class would knock at port 0 to see whether it is up."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class Mailbox:
    """Listens on a free port of 127.0.0.1 from construction until `close`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._controller = _AnyPort(_Keeper(folder), hostname="127.0.0.1", port=0)
        self._controller.start()

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def close(self) -> None:
        self._controller.stop(no_assert=True)
