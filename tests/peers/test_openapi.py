"""schemathesis reads our OpenAPI description and sends what it allows, what it forbids, and what nobody thought of."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.live.server import LiveServer, own_folder

SECONDS_A_RUN = (12, 40)
"""A slow machine has read the description after the first, and not asked anything yet; then it gets more."""
TIMEOUT_S = 120
CATALOG = Path(__file__).parent / "catalog"
REVOKING = "^/api/v1/tokens/"
"""Left out where it would end the run's own token."""
REAL_THINGS = """
[[operations]]
include-path-regex = "^/api/v1/incidents/"
parameters = { key = "INC-1" }

[[operations]]
include-path-regex = "^/api/v1/pages/"
parameters = { key = "P-1" }

[[operations]]
include-path-regex = "^/api/v1/alerts/"
parameters = { alert_id = 1 }

[[operations]]
include-path-regex = "^/api/v1/schedules/"
parameters = { name = "primary" }
"""


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[LiveServer]:
    """A server of its own, because what is sent to it makes no sense, with something in it of everything."""
    with own_folder() as folder, LiveServer(folder, forked=True) as server:
        server.run("apply", str(CATALOG))
        alert = {"labels": {"alertname": "Odd", "severity": "critical", "service": "checkout"}}
        httpx.post(server.key("prometheus"), json=[alert]).raise_for_status()
        with server.client(server.token()) as api:
            api.post("/api/v1/incidents", json={"type": "declare", "title": "Odd requests"}).raise_for_status()
        yield server


def run(server: LiveServer, token: str, *options: str) -> str:
    """Runs schemathesis; its report. Fails when anything was answered with a server error."""
    command = [str(Path(sys.executable).with_name("schemathesis"))]
    command += ["--config-file", str(server.folder / "schemathesis.toml"), "run", f"{server.url}/api/openapi.json"]
    command += ["--header", f"Authorization: Bearer {token}", "--checks", "not_a_server_error", "--no-color"]
    command += ["--max-failures", "5", "--warnings", "off", *options]
    done = subprocess.run(command, check=False, cwd=server.folder, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, f"{done.stdout[-6000:]}{done.stderr[-2000:]}\n{server.said()}"
    return done.stdout


@pytest.mark.parametrize("config", ["", REAL_THINGS], ids=["things that do not exist", "things that exist"])
def test_no_request_however_odd_is_answered_with_a_server_error(config: str, fuzzed: LiveServer) -> None:
    (fuzzed.folder / "schemathesis.toml").write_text(config)
    token = fuzzed.token("admin")
    for seconds in SECONDS_A_RUN:
        report = run(fuzzed, token, "--exclude-path-regex", REVOKING, "--max-time", str(seconds))
        if "Empty test suite" not in report:
            break
    with fuzzed.client(token) as api:
        assert api.get("/api/v1/me").status_code == 200, "the token must have been good to the end"
    assert "No issues found" in report or "passed" in report


def test_revoking_odd_tokens_is_answered_without_a_server_error(fuzzed: LiveServer) -> None:
    (fuzzed.folder / "schemathesis.toml").write_text("")
    run(
        fuzzed,
        fuzzed.token("admin"),
        "--include-path-regex",
        REVOKING,
        "--max-examples",
        "30",
        "--phases",
        "coverage,fuzzing",
    )
