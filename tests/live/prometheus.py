"""Debian's Prometheus with one rule that a test makes fire and stop, and Debian's Alertmanager with its amtool."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.live.waiting import answers, free_port, until


@contextlib.contextmanager
def running(command: list[str], ready_at: str, log: Path) -> Iterator[None]:
    """Runs `command` until the block ends; entered when `ready_at` answers 200."""
    with log.open("ab") as file, subprocess.Popen(command, stdout=file, stderr=file, cwd=log.parent) as process:
        try:
            until(lambda: process.poll() is not None or answers(ready_at), f"{command[0]} to be ready", within_s=20)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()


def program(*names: str) -> str:
    """The first of `names` that is installed. A missing peer is a failure: `tools/setup-peers.sh` installs it."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise AssertionError(f"{names[0]} is not installed: run tools/setup-peers.sh")


class Prometheus:
    """Evaluates every second and sends to `alertmanager`: an address with a path, without `/api/v2/alerts`."""

    def __init__(self, folder: Path, alertmanager: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._rules = folder / "rules.yml"
        self._url = f"http://127.0.0.1:{free_port()}"
        target = urlsplit(alertmanager)
        config = {
            "global": {"evaluation_interval": "1s", "external_labels": {"env": "prod-eu"}},
            "rule_files": [str(self._rules)],
            "alerting": {
                "alertmanagers": [{"path_prefix": target.path, "static_configs": [{"targets": [target.netloc]}]}]
            },
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self._rules.write_text("{}")
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        command = [
            program("prometheus"),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={urlsplit(self._url).netloc}",
            "--web.enable-lifecycle",
            "--rules.alert.resend-delay=1s",
            "--log.level=warn",
        ]
        self._stack.enter_context(running(command, f"{self._url}/-/ready", self._folder / "prometheus.log"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def fire(self, alert: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """From the next evaluation on, the alert fires."""
        self._set(alert, "vector(1)", labels, annotations)

    def end(self, alert: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """From the next evaluation on, its condition no longer holds."""
        self._set(alert, "vector(1) > 1", labels, annotations)

    def _set(self, alert: str, expression: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        rule = {"alert": alert, "expr": expression, "labels": dict(labels), "annotations": dict(annotations)}
        self._rules.write_text(json.dumps({"groups": [{"name": "test", "rules": [rule]}]}))
        httpx.post(f"{self._url}/-/reload", timeout=10).raise_for_status()


class Alertmanager:
    """Debian's Alertmanager; `receiver` is one entry of its `receivers`, which everything is routed to at once."""

    def __init__(self, folder: Path, receiver: Mapping[str, object]) -> None:
        folder.mkdir()
        self._folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        route = {"receiver": receiver["name"], "group_wait": "100ms", "group_interval": "1s", "group_by": ["alertname"]}
        (folder / "alertmanager.yml").write_text(json.dumps({"route": route, "receivers": [dict(receiver)]}))
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        command = [
            program("prometheus-alertmanager", "alertmanager"),
            f"--config.file={self._folder / 'alertmanager.yml'}",
            f"--storage.path={self._folder / 'data'}",
            f"--web.listen-address={urlsplit(self.url).netloc}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
        self._stack.enter_context(running(command, f"{self.url}/-/ready", self._folder / "alertmanager.log"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def amtool(url: str, *arguments: str) -> str:
    """Runs the real `amtool` against `url`; its output. Fails when it fails."""
    command = [program("amtool"), f"--alertmanager.url={url}", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
