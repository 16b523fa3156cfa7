"""`sev1 doctor` and `sev1 rules` as a user runs them, beside a server and without one."""

import json
import subprocess
from pathlib import Path

from tests.live.mailbox import Mailbox
from tests.live.server import SEV1, LiveServer, own_folder

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
