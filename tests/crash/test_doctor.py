"""`sev1 doctor` and `sev1 rules` as a user runs them, beside a server and without one."""

import http.server
import json
import re
import subprocess
import threading
from pathlib import Path

import pytest
from tests.live.mailbox import Mailbox
from tests.live.server import SEV1, LiveServer, own_folder

from sev1.access import keys
from sev1.cli import trial
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.settings import Settings
from sev1.triage import silences

SAMPLE = Path(__file__).parents[2] / "src/sev1/practice/sample"


def run(server: LiveServer, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(SEV1), *arguments], env=server.environ, capture_output=True, text=True, check=False, cwd=server.folder
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def findings(server: LiveServer) -> tuple[int, dict[str, tuple[str, str]]]:
    status, printed = run(server, "doctor", "--json")
    return status, {one["what"]: (one["verdict"], one["says"]) for one in json.loads(printed)}


def test_before_and_after_a_catalog_and_without_a_mail_server() -> None:
    with own_folder() as folder, Mailbox() as mailbox, LiveServer(folder, smtp_port=mailbox.port) as server:
        status, found = findings(server)
        assert status == 1
        assert found["catalog"] == ("wrong", "It is empty: nobody can be paged. Run sev1 apply DIR.")
        server.run("apply", str(SAMPLE))
        status, found = findings(server)
        assert status == 0, found
        assert {what for what, (verdict, _) in found.items() if verdict == "ok"} >= {
            "disk", "mail", "clocks", "database", "catalog", "on call", "work"
        }  # fmt: skip
        assert found["public address"][0] == found["dead-man switch"][0] == "look"
        server.environ["SEV1_SMTP_PORT"] = "1"
        status, found = findings(server)
        assert (status, found["mail"][0]) == (1, "wrong")
        status, printed = run(server, "doctor")
        assert status == 1
        assert "wrong  mail: 127.0.0.1:1 does not take mail from here" in printed


def test_where_nothing_is_it_makes_nothing(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, data=tmp_path / "none", database_url="")
    status, printed = run(server, "doctor")
    assert status == 1
    assert "wrong  database: There is none in" in printed
    assert not (tmp_path / "none").exists()


def test_the_rules_are_printed(tmp_path: Path) -> None:
    status, printed = run(LiveServer(tmp_path), "rules")
    assert status == 0
    assert "alert: Sev1TriageBehind" in printed


WAKES = """
kind: organisation
name: shop
title: The shop
fallback_policy: everything
---
kind: person
name: ana
full_name: Ana
email: ana@shop.test
contact: [{kind: email, address: ana@shop.test}]
---
kind: escalation-policy
name: everything
title: Ana for everything
steps:
  - targets: [{kind: person, name: ana}]
---
kind: route
name: whatever-it-is
match: ['alertname=~".+"']
tier: page
"""
"""A catalog whose only route wakes somebody for everything, tests included."""


def test_a_test_alert_takes_the_real_way_pages_nobody_and_is_over_again() -> None:
    with (
        own_folder() as folder,
        Mailbox() as mailbox,
        LiveServer(folder, smtp_port=mailbox.port, forked=True) as server,
    ):
        (folder / "catalog").mkdir()
        (folder / "catalog/all.yaml").write_text(WAKES)
        server.run("apply", str(folder / "catalog"))
        status, printed = run(server, "doctor", "--test-alert", "--json")
        found = {one["what"]: (one["verdict"], one["says"]) for one in json.loads(printed)}
        assert status == 0, found
        stages = [found[f"test {what}"] for what in ("intake", "triage", "end")]
        assert [verdict for verdict, _ in stages] == ["ok"] * 3
        assert all(re.search(r" \d+\.\d{3} s\.", says) for _, says in stages), "each says how long it took"
        assert "Silenced by" in stages[1][1]
        assert "Pages nobody while it is silenced" in stages[1][1]
        with server.client(server.token("admin")) as api:
            (alert,) = api.get("/api/v1/alerts").raise_for_status().json()["alerts"]
            assert (alert["labels"]["kind"], alert["status"], alert["page"]) == ("test", "resolved", None)
            assert api.get("/api/v1/pages", params={"status": "any"}).json() == []
        assert mailbox.mails == []
        (key,) = [line for line in server.run("key", "list").splitlines() if "sev1 doctor" in line]
        assert "revoked" in key
        server.stop()
        server.with_postgres()
        status, printed = run(server, "doctor", "--test-alert")
        assert status == 1
        assert f"wrong  test intake: No answer from http://127.0.0.1:{server.port}" in printed


class Takes(http.server.BaseHTTPRequestHandler):
    """Answers as intake does, and does nothing with what it was sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


async def test_a_test_alert_that_nobody_judges_is_said_and_stays_silenced_until_it_has_ended_by_itself(
    db: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIAGE_S", 0.05)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Takes) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            settings = Settings(port=server.server_port)
            stored, judged = await trial.run(db, settings, clock)
        finally:
            server.shutdown()
    assert stored.ok
    assert not judged.ok
    assert "Stored, but not judged" in judged.says
    async with db.connection() as conn:
        (silence,) = await silences.in_force(conn, clock.now() + trial.FIRES)
    assert silence.covers(silence.key_id or 0, trial.LABELS)
    (key,) = await keys.list_all(db)
    assert (key.id, key.revoked_at) == (silence.key_id, clock.now())
