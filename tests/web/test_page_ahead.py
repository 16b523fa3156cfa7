"""The page in a browser says what will happen, what did not, and why."""

from collections.abc import Awaitable, Callable
from typing import Any

from sev1.app import Node
from sev1.catalog.model import Catalog
from sev1.engine.decider import Actor
from sev1.paging import model as m
from sev1.paging.react import open_page

ANA = Actor(id="ana", name="Ana", via="web")


async def opens(node: Node, nordlicht: Catalog, policy: str, severity: str) -> str:
    command = m.Open(
        title="Cart answers slowly", group_key="g", policy=nordlicht.policies[policy], why="r", severity=severity
    )
    async with node.db.transaction() as conn:
        change = await open_page(node.commands, conn, command)
    return change.key


async def test_the_page_says_what_happens_when_nobody_answers(
    node: Node, nordlicht: Catalog, enter: Callable[..., Awaitable[Any]]
):
    key = await opens(node, nordlicht, "storefront-and-desk", "sev-2")
    shown = await (await enter("ana")).see(f"/pages/{key}")
    assert "If nobody answers" in shown
    assert "Step 1 skipped. Only for SEV-1 and worse: this is SEV-2." in shown
    assert "asks Fumiko Tanaka" in shown
    await node.commands.run("page", key, m.Resolve(), by=ANA)
    assert "If nobody answers" not in await (await enter("bo")).see(f"/pages/{key}")


async def test_a_page_that_waits_for_office_hours_says_until_when(
    node: Node, nordlicht: Catalog, enter: Callable[..., Awaitable[Any]]
):
    key = await opens(node, nordlicht, "fulfilment", "sev-4")
    someone = await enter("gus")
    shown = await someone.see(f"/pages/{key}")
    assert "Waits. SEV-4 may wait until Mon 09:00 Europe/Berlin" in shown
    assert "waits until" in await someone.see("/")
    async with node.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM deliveries") == 0
