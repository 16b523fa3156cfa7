"""`sev1 oncall …` against the real API: leave is one's own, overrides are everybody's, and what is wrong is said."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar
from typer.testing import CliRunner

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.cli.main import app as cli
from sev1.engine.clock import FakeClock

URL = "http://sev1.test"
TIMES = ("2026-03-09T09:00:00+01:00", "2026-03-10T09:00:00+01:00")

Terminal = Callable[..., Awaitable[Any]]


@pytest.fixture
def terminal(node: Node, app: Litestar, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """`terminal(name, role, "leave", "list")`: runs a command in a thread; what it asks goes to the real API."""
    known: dict[str, str] = {}

    async def run(name: str, role: Role, *arguments: str) -> Any:
        if name not in known:
            made = await tokens.create(node.db, name=name, role=role, by=OPERATOR, now=clock.now())
            known[name] = made.token
        monkeypatch.setenv("SEV1_URL", URL)
        monkeypatch.setenv("SEV1_TOKEN", known[name])
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as http:

            def request(method: str, url: str, **more: Any) -> httpx.Response:
                asked = http.request(method, url, json=more["json"], headers=more["headers"])
                return asyncio.run_coroutine_threadsafe(asked, loop).result(10)

            monkeypatch.setattr(httpx, "request", request)
            return await asyncio.to_thread(CliRunner().invoke, cli, ["oncall", *arguments])

    return run


async def test_leave_is_entered_and_taken_back_by_whoever_it_is_of(terminal: Terminal) -> None:
    entered = await terminal("bo", Role.RESPONDER, "leave", "add", "bo", *TIMES, "--reason", "Surgery")
    assert (entered.exit_code, entered.output) == (0, "leave 1\n")
    seen = await terminal("ana", Role.RESPONDER, "leave", "list")
    assert "1  bo  2026-03-09T08:00:00Z – 2026-03-10T08:00:00Z" in seen.output
    assert "Surgery" not in seen.output
    assert "Surgery" in (await terminal("bo", Role.RESPONDER, "leave", "list")).output
    refused = await terminal("ana", Role.RESPONDER, "leave", "remove", "1")
    assert refused.exit_code == 1
    assert "Ask bo or an admin." in refused.stderr
    assert (await terminal("bo", Role.RESPONDER, "leave", "remove", "1")).output == "leave 1 is taken back\n"
    assert (await terminal("bo", Role.RESPONDER, "leave", "list")).output == ""


async def test_a_responder_enters_no_leave_for_others_and_an_admin_does(terminal: Terminal) -> None:
    refused = await terminal("ana", Role.RESPONDER, "leave", "add", "bo", *TIMES)
    assert refused.exit_code == 1
    assert "Leave is entered and taken back by whoever it is of, or by an admin." in refused.stderr
    assert (await terminal("chief", Role.ADMIN, "leave", "add", "bo", *TIMES)).exit_code == 0
    assert (await terminal("chief", Role.ADMIN, "leave", "remove", "1")).exit_code == 0


async def test_an_override_is_made_listed_and_taken_back(terminal: Terminal) -> None:
    add = ("override", "add", "payments-primary", "hana", *TIMES, "--reason", "dentist")
    assert (await terminal("ana", Role.RESPONDER, *add)).output == "override 1\n"
    seen = await terminal("ana", Role.RESPONDER, "override", "list")
    assert seen.output == "1  payments-primary  hana  2026-03-09T08:00:00Z – 2026-03-10T08:00:00Z  dentist\n"
    assert (await terminal("bo", Role.RESPONDER, "override", "remove", "1")).exit_code == 0
    assert (await terminal("ana", Role.RESPONDER, "override", "list")).output == ""
    gone = await terminal("bo", Role.RESPONDER, "override", "remove", "1")
    assert (gone.exit_code, "no override 1" in gone.stderr) == (1, True)


async def test_who_is_on_call_and_what_is_to_be_mended_is_told(terminal: Terminal) -> None:
    who = await terminal("ana", Role.VIEWER, "now")
    assert "payments-primary  " in who.output
    assert ", then " in who.output
    wrong = await terminal("ana", Role.VIEWER, "warnings")
    overlaps = [line for line in wrong.output.splitlines() if "  overlap  " in line]
    assert len(overlaps) == len(set(overlaps)) == len({line.split("  ")[2] for line in overlaps}) > 0
    assert any("Cem" in line and "Payments on-call" in line and "Platform on-call" in line for line in overlaps)
    health = await terminal("ana", Role.VIEWER, "health", "payments")
    assert "hours: middle " in health.output
    assert "bo  " in health.output  # ana is of the team
    assert (await terminal("dana", Role.VIEWER, "health", "payments")).output.startswith("dana  ")
    assert (await terminal("ana", Role.VIEWER, "feeds")).output == ""
