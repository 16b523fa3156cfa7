"""`sev1 incident …`: on a terminal the same words as in the page's bar."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from litestar import Litestar
from typer.testing import CliRunner

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.cli.main import app as cli
from sev1.command import scratchpads, store
from sev1.engine.clock import FakeClock
from sev1.engine.decider import Actor

Terminal = Callable[..., Awaitable[Any]]


@pytest.fixture
async def terminal(node: Node, app: Litestar, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = await tokens.create(node.db, name="ana", role=Role.RESPONDER, by=OPERATOR, now=clock.now())
    monkeypatch.setenv("SEV1_URL", "http://sev1.test")
    monkeypatch.setenv("SEV1_TOKEN", made.token)

    async def run(*arguments: str) -> Any:
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as http:

            def request(method: str, url: str, **more: Any) -> httpx.Response:
                asked = http.request(method, url, json=more["json"], headers=more["headers"])
                return asyncio.run_coroutine_threadsafe(asked, loop).result(10)

            monkeypatch.setattr(httpx, "request", request)
            return await asyncio.to_thread(CliRunner().invoke, cli, [*arguments])

    return run


async def test_an_incident_is_declared_commanded_and_read_on_a_terminal(terminal: Terminal):
    assert (await terminal("declare", "Card payments fail", "--severity", "sev-1")).output.startswith("INC-1  SEV-1")
    said = await terminal("incident", "INC-1", "task", "@bo", "measure the lag", "in", "20", "min")
    assert "Task T1 for Bo Lindqvist: measure the lag" in said.output
    await terminal("incident", "inc-1", "/guess it is the pool unless 40 are idle")
    shown = await terminal("incident", "1")
    assert "hypothesis 1: it is the pool  (wrong if: 40 are idle)" in shown.output
    assert "T1 bo by" in shown.output
    assert "INC-1  SEV-1  detection" in (await terminal("incident")).output


async def test_what_is_active_is_listed_with_what_is_due_late_first(terminal: Terminal, clock: FakeClock):
    await terminal("declare", "Search is slow", "--severity", "sev-3")
    clock.jump_to(clock.now() + timedelta(hours=5))
    await terminal("declare", "Card payments fail", "--severity", "sev-1")
    await terminal("incident", "2", "need", "a", "DBA")
    late, due = (await terminal("incident")).output.splitlines()
    assert late.startswith("INC-1  SEV-3")
    assert ", update late since " in late
    assert due.startswith("INC-2  SEV-1")
    assert ", update by " in due
    assert due.endswith("Z, 1 open need)")
    assert "INC-1  SEV-3" in (await terminal("now")).output


async def test_a_runbook_is_ticked_and_a_word_taken_back_on_a_terminal(terminal: Terminal):
    await terminal("declare", "Orders fail", "--service", "checkout")
    await terminal("incident", "1", "run", "checkout-errors")
    await terminal("incident", "1", "tick", "1", "rolled back")
    said = await terminal("incident", "1", "/note it is db-2")
    assert "#5  it is db-2" in said.output
    await terminal("incident", "1", "undo")
    shown = (await terminal("incident", "1")).output
    assert "C1 Checkout: too many errors" in shown
    assert "1 done: Deployed in the last hour?" in shown
    assert "3 open: STOP: restart nothing" in shown
    assert "#5  it is db-2  (Ana Ribeiro)  undone by #6" in shown


async def test_what_is_under_an_incident_is_listed_on_a_terminal(terminal: Terminal):
    await terminal("declare", "Everything is slow")
    assert "stands alone" in (await terminal("incident", "1", "family")).output
    await terminal("incident", "1", "child", "Refunds", "are", "late", "@bo", "sev", "3")
    await terminal("incident", "2", "/can 300 refunds wait | replaying | a DBA")
    shown = (await terminal("incident", "1", "family")).output
    assert "INC-2  SEV-3  open, detection  IC bo  Refunds are late" in shown
    assert "300 refunds wait" in shown
    assert "N1: a DBA" in shown


async def test_advice_is_printed_beside_what_was_recorded(terminal: Terminal):
    await terminal("declare", "Card payments fail")
    said = await terminal("incident", "INC-1", "guess", "it is the pool")
    assert "Hypothesis H1: it is the pool" in said.stdout
    assert "What would prove H1 wrong?" in said.stderr
    assert said.exit_code == 0


async def test_what_cannot_be_understood_is_said_with_an_example_and_exit_code_1(terminal: Terminal):
    await terminal("declare", "Card payments fail")
    refused = await terminal("incident", "INC-1", "sev")
    assert (refused.exit_code, "For example: /sev 2" in refused.stderr) == (1, True)
    assert "Write it like INC-7" in (await terminal("incident", "seven", "note", "x")).stderr


async def test_help_lists_the_grammar_and_explains_one_command(terminal: Terminal):
    assert "/guess HYPOTHESIS unless" in (await terminal("incident", "help")).output
    one = await terminal("incident", "help", "task")
    assert "/task @bo measure the replication lag of db-2 by 14:30" in one.output
    assert (await terminal("incident", "help", "xyzzy")).exit_code == 1


async def test_the_bridge_and_the_five_questions_are_read_and_answered_on_a_terminal(terminal: Terminal):
    await terminal("declare", "Card payments fail", "--service", "checkout")
    await terminal("incident", "1", "bridge", "https://meet.example/sev1", "with", "@bo")
    await terminal("incident", "1", "changed", "the", "03:05", "deploy")
    shown = (await terminal("incident", "1")).output
    assert "Bridge https://meet.example/sev1  @bo\n" in shown
    assert "  What changed before: the 03:05 deploy\n" in shown
    assert "  When it began: not answered yet\n" in shown
    assert "  How far it reaches: Checkout: " in shown
    assert "(from the record, not confirmed)" in shown


async def test_priority_answer_and_the_question_of_the_moment_are_read_on_a_terminal(
    terminal: Terminal, clock: FakeClock
):
    await terminal("declare", "Everything is slow", "--severity", "sev-1")
    said = await terminal("incident", "1", "child", "Refunds", "are", "late", "@bo", "sev", "3")
    assert said.exit_code == 0, said.output
    await terminal("incident", "2", "priority", "1", "because", "the", "bank", "closes")
    clock.advance(minutes=16)
    shown = (await terminal("incident", "2")).output
    assert "P1, because the bank closes" in shown
    assert "Nobody has answered: late by 60 s" in shown
    assert "Observe @bo: What do we know for certain, and what do customers feel?  (/know …)" in shown
    assert (await terminal("incident", "2", "not-now", "@bo")).output == "Nothing was added to the timeline.\n"
    assert "@bo: What" not in (await terminal("incident", "2")).output


async def test_the_scratchpad_of_a_workstream_is_printed_on_a_terminal(terminal: Terminal, node: Node):
    await terminal("declare", "Everything is slow")
    await terminal("incident", "1", "workstream", "Queue:", "drain", "it", "@bo")
    async with node.db.transaction() as conn:
        incident = await store.get(conn, "INC-1")
        assert incident
        bo = Actor(id="bo", name="Bo", via="web")
        await scratchpads.save(conn, incident, 1, "# Lag\n40 min", base=0, by=bo, now=node.clock.now())
    assert (await terminal("incident", "1", "scratchpad", "W1")).output == "# Lag\n40 min\n"
    assert "There is no workstream W2" in (await terminal("incident", "1", "scratchpad", "2")).output
    assert "'' is no workstream" in (await terminal("incident", "1", "/scratchpad")).output
