"""sev1 watches itself: its vital signs, the rules that ship with it, the dead-man switch."""

import json
import shutil
import subprocess
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.fetch import Answer, Fetch
from sev1.measure import vitals
from sev1.measure.heartbeat import HeartbeatOut

RULES = files("sev1.measure").joinpath("rules.yaml").read_text()
PROMTOOL = shutil.which("promtool") or "promtool"


async def troubles(db: Database, now: datetime) -> list[str]:
    async with db.connection() as conn:
        return (await vitals.read(conn, now)).troubles(now)


async def test_an_idle_server_is_well(db: Database, clock: FakeClock) -> None:
    assert await troubles(db, clock.now()) == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (("WITH w AS (INSERT INTO inbox_cursors (started_at) VALUES ($1) RETURNING writer)"
         " INSERT INTO inbox SELECT writer, 1, $1, 1, 'json', ''::bytea FROM w"), "triage is behind"),
        ("INSERT INTO timers (stream, kind, due_at) VALUES ('page/P-1', 'escalate', $1)", "timers are late"),
        (("INSERT INTO deliveries (id, about, methods, notice, due_at, created_at)"
         " VALUES (gen_random_uuid(), 'P-1', '[]', '{}', $1, $1)"), "1 deliveries wait"),
    ],
)  # fmt: skip
async def test_what_waits_too_long_is_said(db: Database, clock: FakeClock, statement: str, says: str) -> None:
    async with db.transaction() as conn:
        await conn.execute(statement, clock.now())
    assert await troubles(db, clock.now() + timedelta(seconds=5)) == []
    (trouble,) = await troubles(db, clock.now() + timedelta(seconds=90))
    assert trouble.startswith(says)
    assert trouble.endswith("90 s")


class Elsewhere:
    """A push monitor that counts the calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.status = 200

    async def request(self, method: str, url: str) -> Answer:
        assert (method, url) == ("GET", "https://push.test/abc")
        self.calls += 1
        return Answer(status=self.status, headers={}, body=b"")


async def test_the_dead_man_switch_is_called_while_all_is_well_and_not_otherwise(
    db: Database, clock: FakeClock
) -> None:
    elsewhere = Elsewhere()
    step = HeartbeatOut(db, clock, elsewhere, url="https://push.test/abc", every_s=60)  # type: ignore[arg-type]
    await step()
    await step()
    assert elsewhere.calls == 1
    clock.advance(seconds=60)
    await step()
    assert (elsewhere.calls, step.trouble) == (2, None)
    async with db.transaction() as conn:
        await conn.execute("INSERT INTO timers (stream, kind, due_at) VALUES ('page/P-1', 'escalate', $1)", clock.now())
    clock.advance(seconds=60)
    await step()
    assert elsewhere.calls == 2
    assert step.trouble is not None
    assert "timers are late" in step.trouble
    async with db.transaction() as conn:
        await conn.execute("DELETE FROM timers")
    clock.advance(seconds=60)
    elsewhere.status = 500
    await step()
    assert (elsewhere.calls, step.trouble) == (3, "the address answered 500")


async def test_a_private_address_is_no_dead_man_switch(db: Database, clock: FakeClock) -> None:
    async with Fetch() as fetch:
        step = HeartbeatOut(db, clock, fetch, url="http://127.0.0.1:9/", every_s=60)
        await step()
    assert step.trouble
    assert "127.0.0.1" in step.trouble


async def test_without_an_address_nobody_is_called(db: Database, clock: FakeClock) -> None:
    step = HeartbeatOut(db, clock, Elsewhere(), url="", every_s=60)  # type: ignore[arg-type]
    await step()
    assert step.trouble is None


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def promtool(*arguments: str, at: Path) -> str:
    done = subprocess.run([PROMTOOL, *arguments], cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules_that_ship(rules: Path) -> None:
    assert "11 rules found" in promtool("check", "rules", "rules.yaml", at=rules)


CASES = {
    "Sev1Down": ('up{job="sev1",instance="a"}', "0x10", "1x10"),
    "Sev1DatabaseDown": ('sev1_database_up{instance="a"}', "0x10", "1x10"),
    "Sev1TriageBehind": ('sev1_triage_lag_seconds{instance="a"}', "31x10", "30x10"),
    "Sev1TimersLate": ('sev1_timer_late_seconds{instance="a"}', "11x10", "10x10"),
    "Sev1DeliveriesStuck": ('sev1_delivery_wait_seconds{instance="a"}', "61x10", "60x10"),
    "Sev1DeliveriesFailed": ('sev1_deliveries_total{channel="email",outcome="failed"}', "0+1x10", "5x10"),
    "Sev1ChannelPaused": ('sev1_channel_breaker_open{channel="email"}', "1x10", "0x10"),
    "Sev1IntakeRefuses": ('sev1_intake_refused_total{status="503",instance="a"}', "0+60x10", "0+1x10"),
    "Sev1NotUnderstood": ('sev1_not_understood_24h{instance="a"}', "1x30", "0x30"),
    "Sev1OnCallUnreachable": ('sev1_on_call_unreachable{instance="a"}', "1x30", "0x30"),
    "Sev1StepsFail": ('sev1_step_failures_total{step="triage",instance="a"}', "0+1x30", "3x30"),
}
"""Rule -> series, values at which it fires, values at which it does not."""


@pytest.mark.parametrize("name", CASES)
def test_a_rule_fires_when_it_should_and_not_before(rules: Path, name: str) -> None:
    series, bad, good = CASES[name]
    tests = []
    for values, fires in ((bad, True), (good, False)):
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values}],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
                        "eval_time": "20m" if values.endswith("30") else "9m",
                        "exp_samples": [{"labels": "{}", "value": int(fires)}],
                    }
                ],
            }
        )
    (rules / "test.yaml").write_text(json.dumps({"rule_files": ["rules.yaml"], "tests": tests}))
    promtool("test", "rules", "test.yaml", at=rules)


def test_every_rule_says_what_to_do_and_whom_it_is_for() -> None:
    for part in RULES.split("- alert: ")[1:]:
        for needed in ("severity:", "owner:", "summary:", "impact:", "first:", "runbook:", "dashboard:"):
            assert needed in part, part
