"""The audit log on the page, over the API and on the terminal: read, filtered, checked, taken along."""

import asyncio
from pathlib import Path

import httpx
import pytest
from tests.live.shared_app import asgi_of
from tests.web.conftest import URL
from typer.testing import CliRunner

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.cli.main import app as cli
from sev1.measure import vitals


@pytest.fixture
async def api(node: Node) -> httpx.AsyncClient:
    token = await tokens.create(node.db, name="auditor", role=Role.ADMIN, by=OPERATOR, now=node.clock.now())
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(asgi_of(node)),
        base_url=URL,
        headers={"Authorization": f"Bearer {token.token}"},
    )


async def tamper(node: Node) -> None:
    async with node.db.transaction() as conn:
        await conn.execute("UPDATE audit_log SET actor = 'bo' WHERE position = 2")


async def terminal(url: str, *words: str) -> tuple[int, str]:
    answer = await asyncio.to_thread(CliRunner().invoke, cli, ["audit", *words], env={"SEV1_DATABASE_URL": url})
    return answer.exit_code, answer.output


async def test_an_admin_reads_filters_and_checks_the_log_on_its_page(node: Node, enter):
    admin = await enter("gus", role=Role.ADMIN)
    page = await admin.see("/audit")
    assert "catalog.apply" in page
    assert "user.created" in page
    filtered = await admin.see("/audit?action=USER.")
    assert "user.created" in filtered
    assert "catalog.apply" not in filtered
    assert "No entry fits" in await admin.see("/audit?actor=nobody-like-that")
    assert "entries are as they were written" in await admin.see("/audit?check=yes")
    await tamper(node)
    assert "Entry 2: its content is not what was written" in await admin.see("/audit?check=yes")


async def test_a_responder_does_not_see_the_log(enter):
    responder = await enter("ana")
    await responder.see("/audit", status=403)
    assert "/audit" not in await responder.see("/settings")


async def test_the_log_is_listed_page_by_page_and_verified_over_the_api(node: Node, api: httpx.AsyncClient):
    everything = (await api.get("/api/v1/audit")).json()
    assert [entry["action"] for entry in everything] == ["token.created", "catalog.apply"]
    older = (await api.get("/api/v1/audit", params={"before": everything[0]["id"], "limit": 1})).json()
    assert [entry["action"] for entry in older] == ["catalog.apply"]
    found = (await api.get("/api/v1/audit/verify")).json()
    assert (found["intact"], found["entries"]) == (True, 2)
    noted = f"2:{'0' * 64}"
    assert (await api.get("/api/v1/audit/verify", params={"expect": noted})).json()["intact"] is False
    assert (await api.get("/api/v1/audit/verify", params={"expect": "2:abc"})).status_code == 400


async def test_the_terminal_exports_verifies_and_names_the_first_broken_entry(
    node: Node, api: httpx.AsyncClient, fresh_database_url: str, tmp_path: Path
):
    file = tmp_path / "audit.jsonl"
    assert await terminal(fresh_database_url, "export", str(file)) == (0, "")
    assert file.stat().st_mode & 0o077 == 0
    code, said = await terminal(fresh_database_url, "export", str(file))
    assert (code, "exists" in said) == (1, True)
    assert (await api.get("/api/v1/audit/export")).text.splitlines()[1:] == file.read_text().splitlines()[1:]
    code, said = await terminal(fresh_database_url, "verify", str(file))
    assert (code, "All 2 entries" in said) == (0, True)
    head = said.strip().rpartition(" ")[2]
    assert (await terminal(fresh_database_url, "verify", "--expect", head))[0] == 0
    assert "catalog.apply" in (await terminal(fresh_database_url, "list"))[1]

    await tamper(node)
    code, said = await terminal(fresh_database_url, "verify")
    assert code == 1
    assert "Entry 2 breaks the chain: its content is not what was written" in said
    file.write_text(file.read_text().replace("token.created", "token.revoked"))
    code, said = await terminal(fresh_database_url, "verify", str(file))
    assert (code, "Entry 2" in said) == (1, True)


async def test_the_head_is_in_the_metrics_to_be_noted_elsewhere(node: Node, api: httpx.AsyncClient):
    async with node.db.connection() as conn:
        head = (await vitals.read(conn, node.clock.now())).audit_head
    assert f'sev1_audit_head{{hash="{head.hash}"}} {head.position}.0' in (await api.get("/metrics")).text
