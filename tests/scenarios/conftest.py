import contextlib
import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from sev1.app import Node
from sev1.catalog import store
from sev1.catalog.load import load
from sev1.catalog.model import Catalog
from sev1.cli.demo import SAMPLE
from sev1.engine.clock import FakeClock
from sev1.engine.settings import Settings
from tests.live.shared_app import asgi_of
from tests.scenarios.stage import Post, Stage


@functools.cache
def sample() -> Catalog:
    """Read once: it never changes, and a hundred scenarios begin with it."""
    return load(SAMPLE)


@pytest.fixture
def post() -> Iterator[Post]:
    post = Post()
    post.start()
    yield post
    post.stop(no_assert=True)


@pytest.fixture
async def stage(fresh_database_url: str, clock: FakeClock, post: Post) -> AsyncIterator[Stage]:
    """The product with the sample organisation, Monday 03:14 UTC. Checks at the end that replay equals projection."""
    async with open_stage(fresh_database_url, clock, post) as stage:
        yield stage


@contextlib.asynccontextmanager
async def open_stage(url: str, clock: FakeClock, post: Post, **more: Any) -> AsyncIterator[Stage]:
    """A stage with settings of its own."""
    settings = Settings(
        public_url="http://sev1.test", smtp_host="127.0.0.1", smtp_port=post.port, smtp_tls="none", lease_s=30, **more
    )
    async with Node(settings, url, clock=clock) as node:
        async with node.db.transaction() as conn:
            await store.write(conn, sample(), actor="test", now=clock.now())
        transport = httpx.ASGITransport(asgi_of(node))
        async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
            stage = Stage(node, clock, post, http)
            await stage.prepare()
            yield stage
        await stage.check_replay()
