"""A real server with the sample organisation, and real Chromium."""

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.house import House
from tests.browser.scenes import furnish
from tests.live.waiting import free_port

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-gpu",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    name = f"browser_{uuid.uuid4().hex[:8]}"

    async def make() -> None:
        conn = await asyncpg.connect(postgres)
        await conn.execute(f"CREATE DATABASE {name} TEMPLATE template_sev1")
        await conn.close()

    asyncio.run(make())
    url = postgres.replace("/postgres?", f"/{name}?", 1)
    with House(url, free_port(), tmp_path_factory.mktemp("mails")) as house:
        yield house


@pytest.fixture(scope="session")
def night(house: House) -> dict[str, str]:
    """The typical data: what is over, what is under way, what waits."""
    return furnish(house)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def open_as(house: House, browser: Browser) -> Iterator[Callable[..., Page]]:
    """`open_as("ana", "/incidents/INC-1")`: a browser of one's own, signed in. Fails the test on any script error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def enter(who: str | None, path: str = "/", *, size: dict[str, int] = LAPTOP, **more: Any) -> Page:
        context = browser.new_context(viewport=size, base_url=house.url, has_touch=size == PHONE, **more)
        contexts.append(context)
        if who:
            person = house.catalog.people.get(who)
            cookie = house.cookie(person.email if person else who)
            context.add_cookies([{"name": "sev1_session", "value": cookie, "url": house.url}])
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
        if path:
            page.goto(path)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not errors, errors


def _is_error(message: Any) -> bool:
    """A script that broke, or something that the content security policy refused. A form refused or unsent is none."""
    expected = ("Failed to load resource", "htmx:")
    return message.type == "error" and not message.text.startswith(expected)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = Path(os.environ.get("SEV1_SCREENSHOTS", "build/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
