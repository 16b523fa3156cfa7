"""The two servers of a comparison, each pinned to core 0 with all its child processes."""

import asyncio
import contextlib
import http.client
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from sev1.engine.embedded import EmbeddedPostgres

SEV1 = (sys.executable, "-c", "from sev1.cli.main import main; main()")
SERVER_CORE = "0"
LOAD_CORE = "1"
ALERTMANAGER = "prometheus-alertmanager"
_CONFIG = "route: {receiver: none}\nreceivers: [{name: none}]\n"


@dataclass(frozen=True)
class Target:
    """A running server and where it takes alerts."""

    name: str
    port: int
    path: str
    data: Path | None = None
    """The folder of its embedded PostgreSQL, if it has one."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def alertmanager() -> Iterator[Target]:
    """Debian's Alertmanager with a receiver that sends nothing, its data in a temporary folder."""
    if shutil.which(ALERTMANAGER) is None:
        raise SystemExit(f"{ALERTMANAGER} is missing: apt-get install prometheus-alertmanager")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "alertmanager.yml"
        config.write_text(_CONFIG)
        command = [
            ALERTMANAGER, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]  # fmt: skip
        with _pinned(command):
            _wait_for(port, "/-/ready")
            yield Target("Alertmanager", port, "/api/v2/alerts")


@contextlib.contextmanager
def sev1() -> Iterator[Target]:
    """`sev1 serve` as users run it: embedded PostgreSQL with fsync, triage and all other work running."""
    port = free_port()
    with _folder_on_disk() as data, _pinned([*SEV1, "serve", "--port", str(port), "--data", data]):
        _wait_for(port, "/readyz")
        made = subprocess.run(
            [*SEV1, "key", "create", "prometheus", "--data", data], check=True, capture_output=True, text=True
        ).stdout
        found = re.search(r"/integrations/\w+/api/v2/alerts", made)
        assert found, made
        yield Target("sev1", port, found[0], Path(data))


@contextlib.contextmanager
def intake_alone() -> Iterator[Target]:
    """Only the intake over its inbox: what the rest of the server costs is the difference to `sev1`."""
    port = free_port()
    with _folder_on_disk() as data:
        script = str(Path(__file__).parent / "intake_server.py")
        with _pinned([sys.executable, script, "--port", str(port), "--data", data]):
            _wait_for(port, "/")
            from intake_server import SECRET  # noqa: PLC0415 - it imports the server, which not every run needs

            yield Target("intake alone", port, f"/integrations/{SECRET}/api/v2/alerts", Path(data))


def slow_disk(target: Target, *, flush_ms: int) -> None:
    """Makes each commit of the target's PostgreSQL wait so much longer before it flushes, as a slow disk would.

    Does nothing to a server that flushes nothing.
    """
    if target.data is None:
        return

    async def slow_down(url: str) -> None:
        conn = await asyncpg.connect(url)
        await conn.execute(f"ALTER SYSTEM SET commit_delay = {flush_ms * 1000}")
        await conn.execute("ALTER SYSTEM SET commit_siblings = 0")
        await conn.execute("SELECT pg_reload_conf()")
        await conn.close()

    with EmbeddedPostgres(target.data) as postgres:
        asyncio.run(slow_down(postgres.url))


SERVERS = {"alertmanager": alertmanager, "sev1": sev1, "intake": intake_alone}


@contextlib.contextmanager
def _pinned(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(["taskset", "-c", SERVER_CORE, *command], stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, path: str) -> None:
    """Until something answers there, whatever it says; at most 30 s."""
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            if connection.getresponse().status < 500:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise SystemExit(f"nothing answers at port {port}")


@contextlib.contextmanager
def _folder_on_disk() -> Iterator[str]:
    """Not in the system's temporary folder, which may be memory: durability has to cost here what it costs."""
    parent = Path(__file__).parent.parent / "data"
    parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        yield folder
