"""Bodies over the limit, through the real HTTP server: it must stay usable and nothing may be half-written."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from tests.intake.conftest import path, secret_of

from sev1.engine.database import Database
from sev1.intake import misunderstood
from sev1.intake.asgi import IntakeApp

ALERTS = path("prometheus", "api/v2/alerts")
TEN_MB = 10 * 1024 * 1024


@pytest.fixture
async def server(app: IntakeApp) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False)
        running = uvicorn.Server(config)
        task = asyncio.create_task(running._serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        running.should_exit = True
        await task


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536):
        yield b" " * 65536


async def test_ten_megabytes_are_refused_with_a_sentence_and_shown_as_not_understood(server: str, db: Database):
    async with httpx.AsyncClient(base_url=server) as client:
        answer = await client.post(ALERTS, content=b" " * TEN_MB)
        assert answer.status_code == 413
        assert answer.json().startswith("The body is larger than 1048576 bytes")
        again = await client.post(ALERTS, content=b'[{"labels": {"a": "b"}}]')
        assert again.status_code == 200
    async with db.connection() as conn:
        (payload,) = await misunderstood.list_open(conn)
        assert await conn.fetchval("SELECT count(*) FROM inbox") == 1
    assert payload.error.startswith("The body is larger")


async def test_a_body_of_no_declared_length_is_counted_while_it_comes(server: str):
    async with httpx.AsyncClient(base_url=server) as client:
        answer = await client.post(path("json", "events"), content=in_pieces(TEN_MB))
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_body_just_below_the_limit_is_taken(server: str):
    async with httpx.AsyncClient(base_url=server) as client:
        answer = await client.post(ALERTS, content=b'[{"labels": {"a": "b"}}]'.rjust(1024 * 1024))
        assert answer.status_code == 200


async def test_a_large_pagerduty_event_is_refused_as_pagerduty_words_it(server: str):
    async with httpx.AsyncClient(base_url=server) as client:
        body = b'{"routing_key": "%b"}' % secret_of("pagerduty").encode()
        answer = await client.post("/v2/enqueue", content=body.rjust(TEN_MB))
        assert (answer.status_code, answer.json()["status"]) == (413, "invalid event")
