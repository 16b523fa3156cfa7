"""One running server with a real mail server beside it, for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.live.mailbox import Mailbox
from tests.live.server import LiveServer, own_folder

CATALOG = Path(__file__).parent / "catalog"


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


@pytest.fixture(scope="session")
def sev1(mailbox: Mailbox) -> Iterator[LiveServer]:
    with own_folder() as folder, LiveServer(folder, smtp_port=mailbox.port) as server:
        server.run("apply", str(CATALOG))
        yield server


@pytest.fixture(scope="session")
def api(sev1: LiveServer) -> Iterator[httpx.Client]:
    """The API with an admin's token."""
    with sev1.client(sev1.token("admin")) as client:
        yield client
