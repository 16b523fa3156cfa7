"""A changed catalog against the stored past, through the command that runs beside the server."""

import asyncio
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.conftest import post as post  # noqa: PLC0414 - fixtures of the scenarios
from tests.scenarios.conftest import stage as stage  # noqa: PLC0414
from tests.scenarios.stage import Stage
from typer.testing import CliRunner

from sev1.cli import local
from sev1.cli.demo import SAMPLE
from sev1.cli.main import app as cli
from sev1.engine.clock import FakeClock


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The sample without the route for money, and with staging that pages."""
    folder = tmp_path / "changed"
    shutil.copytree(SAMPLE, folder)
    (folder / "route-tests.yaml").unlink()
    text = (folder / "routing.yaml").read_text()
    text = text.replace(
        "tier: page\npolicy: payments\nseverity: sev-1", "tier: ticket\npolicy: payments\nseverity: sev-1"
    )
    text = text.replace("tier: ticket\ngroup_by: [alertname, service, env]\n---\nkind: route\nname: money",
                        "tier: page\ngroup_by: [alertname, service, env]\n---\nkind: route\nname: money")  # fmt: skip
    (folder / "routing.yaml").write_text(text)
    return folder


@pytest.fixture
def terminal(stage: Stage, fresh_database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SEV1_DATABASE_URL", fresh_database_url)
    monkeypatch.setattr(local, "clock", clock)
    monkeypatch.setattr("sev1.cli.replay.clock", clock)

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["replay", *arguments])

    return run


async def a_night(stage: Stage) -> None:
    """03:14 UTC: checkout pages and is answered after 4 minutes; staging is a ticket."""
    alert = await stage.fires()
    await stage.fires("Staging", labels={"env": "staging"})
    await stage.later(minutes=4)
    await stage.answers("P-1", "acknowledge")
    await stage.ends(alert)
    await stage.later(minutes=1)


async def test_the_catalog_in_force_gives_what_was_recorded(stage: Stage, terminal: Any):
    await a_night(stage)
    result = await terminal("--config", str(SAMPLE), "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["alerts"] == 2
    assert report["recorded"] == report["in_force"] == report["changed"]
    assert report["recorded"]["asked"] == {"bo": 2, "gus": 1}
    assert report["recorded"]["nights"] == {"bo": 2, "gus": 1}
    assert report["recorded"]["tiers"] == {"page": 1, "ticket": 1}
    assert report["recorded"]["hours"][4] == 3  # 04:14 in Berlin
    assert (report["missed"]["count"], report["new"]["count"]) == (0, 0)
    assert "alerts in" in result.stderr
    assert "a second." in result.stderr


async def test_what_would_be_missed_and_what_would_newly_page_are_named_with_the_reason(
    stage: Stage, terminal: Any, changed: Path
):
    await a_night(stage)
    result = await terminal("--config", str(changed), "--json")
    report = json.loads(result.stdout)
    [missed] = report["missed"]["examples"]
    assert missed["alert"] == "A-1"
    assert missed["reason"] == "Ticket: route money says so."
    [new] = report["new"]["examples"]
    assert new["alert"] == "A-2"
    assert "Page: route not-production says so. Goes to Payments" in new["reason"]
    assert report["changed"]["tiers"] == {"ticket": 1, "page": 1}
    text = (await terminal("--config", str(changed))).stdout
    assert "Paged then and would not now: 1" in text
    assert "Would page now and did not then: 1" in text
    assert "of these at night (22-07)" in text
    assert "What is left out:" in text


async def test_only_the_window_counts_and_nobody_answers_escalates(stage: Stage, terminal: Any):
    await a_night(stage)
    report = json.loads((await terminal("--config", str(SAMPLE), "--json", "--since", "2m")).stdout)
    assert report["alerts"] == 0
    quiet = json.loads((await terminal("--config", str(SAMPLE), "--json", "--answers", "nobody")).stdout)
    assert quiet["answers"] == "nobody"
    assert quiet["changed"]["asked"]["bo"] >= 2
    wrong = await terminal("--config", str(SAMPLE), "--since", "soon")
    assert wrong.exit_code == 1
    assert "Write it like" in wrong.stderr


async def test_a_replay_changes_nothing(stage: Stage, terminal: Any, changed: Path):
    await a_night(stage)

    async def everything() -> list[Any]:
        async with stage.node.db.connection() as conn:
            return [
                await conn.fetchval(
                    f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
                )
                for table in (
                    "alerts",
                    "pages",
                    "events",
                    "deliveries",
                    "timers",
                    "catalog_objects",
                    "alert_transitions",
                )
            ]

    before = await everything()
    await terminal("--config", str(changed))
    assert await everything() == before


async def test_history_of_other_days_is_reached_with_a_longer_window(stage: Stage, terminal: Any, clock: FakeClock):
    await a_night(stage)
    clock.jump_to(clock.now() + timedelta(days=3))
    assert json.loads((await terminal("--config", str(SAMPLE), "--json", "--since", "2d")).stdout)["alerts"] == 0
    assert json.loads((await terminal("--config", str(SAMPLE), "--json", "--since", "4d")).stdout)["alerts"] == 2
