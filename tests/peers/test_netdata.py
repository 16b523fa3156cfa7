"""netdata's own `alarm-notify.sh`, as netdata runs it: one process and 29 arguments for every transition of an alarm."""

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.live.mailbox import Mailbox
from tests.live.server import LiveServer
from tests.live.waiting import until

SCRIPTS = [Path("/usr/lib/netdata/plugins.d/alarm-notify.sh"), Path("/usr/libexec/netdata/plugins.d/alarm-notify.sh")]
ALARM = "ram_in_use"


class Netdata:
    def __init__(self, folder: Path, url: str, key: str) -> None:
        self._folder = folder
        (folder / "health_alarm_notify.conf").write_text(
            f'SEND_OPSGENIE="YES"\nOPSGENIE_API_URL="{url}"\nOPSGENIE_API_KEY="{key}"\n'
        )
        found = [script for script in SCRIPTS if script.exists()]
        assert found, "netdata's alarm-notify.sh is not installed: run tools/setup-peers.sh"
        self._script = found[0]

    def tell(self, status: str, before: str, value: str, *, info: str = "system memory utilization") -> str:
        """Runs the script for one transition; what it said. Fails when it could not tell us."""
        arguments = [
            "sysadmin", "db-1", "1772421240", "7", "3", "1772420880", ALARM, "system.ram", "ram", status, before, value,
            "80", "line=11,file=ram.conf", "60", "600", "%", info, f"{value}%", "80%", "$used * 100 / $total", "", "0", "1",
        ]  # fmt: skip
        environ = os.environ | {"NETDATA_USER_CONFIG_DIR": str(self._folder), "NETDATA_CACHE_DIR": str(self._folder)}
        environ["NETDATA_STOCK_CONFIG_DIR"] = str(self._folder / "none")
        done = subprocess.run(
            [str(self._script), *arguments],
            check=False, env=environ, cwd=self._folder, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return f"{done.returncode} {done.stderr}"


@pytest.fixture
def key(sev1: LiveServer) -> str:
    return urlsplit(sev1.key("netdata", "--service", "checkout")).path.split("/")[2]


def test_netdata_warns_then_pages_and_ends_it(
    key: str, sev1: LiveServer, api: httpx.Client, mailbox: Mailbox, tmp_path: Path
) -> None:
    netdata = Netdata(tmp_path, sev1.url, key)

    def page() -> dict[str, object] | None:
        pages = api.get("/api/v1/pages", params={"status": "any"}).raise_for_status().json()
        return next((page for page in pages if ALARM in page["title"]), None)

    def alert() -> dict[str, object] | None:
        alerts = api.get("/api/v1/alerts").raise_for_status().json()["alerts"]
        return next((one for one in alerts if one["labels"].get("alertname") == ALARM), None)

    assert "sent opsgenie notification" in netdata.tell("WARNING", "CLEAR", "85")
    until(alert, "the alert")
    assert page() is None, "a warning wakes nobody"
    assert "sent opsgenie notification" in netdata.tell("CRITICAL", "WARNING", "97")
    mailbox.wait_for("mara@shop.test", f"{ALARM} = 97 % on db-1")
    assert "sent opsgenie notification" in netdata.tell("CLEAR", "CRITICAL", "40")
    until(lambda: (found := page()) is not None and found["status"] == "resolved", "the end")


def test_netdata_says_in_its_log_that_a_key_is_wrong_and_what_is_no_json_is_shown_to_people(
    key: str, sev1: LiveServer, api: httpx.Client, tmp_path: Path
) -> None:
    wrong = Netdata(tmp_path, sev1.url, "0" * 32)
    assert "HTTP error code 401" in wrong.tell("CRITICAL", "CLEAR", "97")
    broken = Netdata(tmp_path, sev1.url, key)
    assert "HTTP error code 400" in broken.tell("CRITICAL", "CLEAR", "97", info='the "ram" is full')
    kept = api.get("/api/v1/not-understood").raise_for_status().json()
    assert [one for one in kept if one["format"] == "netdata"]
