"""Receivers on loopback, an outbox over a fresh database, and a page to send."""

import socket
import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import uvicorn

from sev1.catalog.model import Link
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.fetch import Fetch
from sev1.notify.model import Notice

from .outbox_under_test import Outbox
from .real_receivers import Mailbox, Receiver, SmtpServers

HERE = Path(__file__).parent


@pytest.fixture
def page() -> Notice:
    return Notice(
        kind="page",
        about="P-1",
        title="Card payments fail: 42 % errors",
        url="http://sev1.example/pages/P-1",
        severity="sev-1",
        service="checkout",
        impact="customers cannot pay",
        verify=(Link(title="Checkout dashboard", url="https://grafana.example/d/checkout"),),
        first="Deploy at 03:05? Roll back.",
        stuck=("Payments on-call", "DBA on-call"),
        since=datetime.fromisoformat("2026-03-02T03:12:00+00:00"),
        why="you are on call for Payments until Monday 09:00",
    )


@pytest.fixture
async def smtp_servers() -> AsyncIterator[SmtpServers]:
    servers = SmtpServers()
    yield servers
    await servers.stop()


@pytest.fixture
async def mailbox(smtp_servers: SmtpServers) -> Mailbox:
    return await smtp_servers.start()


@pytest.fixture
def self_signed() -> ssl.SSLContext:
    """A server's certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "self_signed.pem")
    return context


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    app = Receiver()
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    app.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    yield app
    server.force_exit = True
    await server.shutdown(sockets=[listening])


@pytest.fixture
async def fetch() -> AsyncIterator[Fetch]:
    async with Fetch(allow_private=True) as one:
        yield one


@pytest.fixture
def outbox(db: Database, clock: FakeClock, page: Notice) -> Outbox:
    return Outbox(db, clock, page)
