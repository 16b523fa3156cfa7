"""What the tests of intake share: captured payloads, keys in memory, the app over a real inbox."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.intake.amazon import Network

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.settings import Settings
from sev1.intake.asgi import IntakeApp
from sev1.intake.formats import FORMATS
from sev1.intake.inbox import Inbox
from sev1.intake.keys import IntegrationKey
from sev1.intake.model import InboundEvent, Parsed
from sev1.intake.outside import Outside
from sev1.intake.sns_signature import AmazonSns
from sev1.triage.names import finder

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


def fixture(name: str) -> bytes:
    """The payload in fixtures/`name`.json, e.g. `prometheus/prometheus-2.42-firing`."""
    return (FIXTURES / f"{name}.json").read_bytes()


def parse(format_name: str, raw: bytes | str, received_at: datetime = NOW) -> Parsed:
    return FORMATS[format_name].parse(raw.encode() if isinstance(raw, str) else raw, received_at)


def one(format_name: str, raw: bytes | str, received_at: datetime = NOW) -> InboundEvent:
    (event,) = parse(format_name, raw, received_at).events
    return event


async def until_somebody_waits_for_a_lock(db: Database) -> None:
    """Until a session of this database is held up by another one, at most 10 s."""
    async with db.connection() as conn, asyncio.timeout(10):
        while not await conn.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            pass


class KeysInMemory:
    """A key ring for tests: one key of each kind, whose secret is its kind padded to 32 characters."""

    def __init__(self) -> None:
        self.by_secret = {
            secret_of(kind): IntegrationKey(id=number, name=kind, kind=kind) for number, kind in enumerate(FORMATS, 1)
        }
        self.loadable: dict[str, IntegrationKey] = {}
        self.over_rate = False
        self.broken: Exception | None = None

    def get_cached(self, secret: str) -> IntegrationKey | None:
        return self.by_secret.get(secret)

    async def load(self, secret: str) -> IntegrationKey | None:
        if self.broken:
            raise self.broken
        return self.loadable.get(secret)

    def allows(self, _: IntegrationKey) -> bool:
        return not self.over_rate


def secret_of(kind: str) -> str:
    return kind.ljust(32, "0")


def path(kind: str, tail: str) -> str:
    return f"/integrations/{secret_of(kind)}/{tail}"


async def not_ours(scope, receive, send) -> None:
    """The application behind intake."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['method']} {scope['path']}".encode()})


@pytest.fixture
async def inbox(fresh_database_url: str, clock: FakeClock) -> AsyncIterator[Inbox]:
    async with Inbox(fresh_database_url, clock) as inbox:
        yield inbox


@pytest.fixture
def keys() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture
def settings() -> Settings:
    return Settings(intake_max_bytes=1024 * 1024)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def app(
    inbox: Inbox, keys: KeysInMemory, settings: Settings, clock: FakeClock, db: Database, network: Network
) -> IntakeApp:
    outside = Outside(now=clock.now, find_alert=finder(db), sns=AmazonSns(network, clock.now))
    return IntakeApp(not_ours, inbox=inbox, keys=keys, settings=settings, clock=clock, db=db, outside=outside)


@pytest.fixture
async def client(app: IntakeApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
