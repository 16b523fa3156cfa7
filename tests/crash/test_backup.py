"""Backup and restore by the very commands that docs/operations.md names: everything is there again, and goes on."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from tests.crash.test_kill import CATALOG, PERSON
from tests.crash.test_nodes import rows
from tests.live.mailbox import Mailbox
from tests.live.postgres import INSTALLED, InstalledPostgres, postgres_in
from tests.live.server import SEV1, LiveServer, own_folder
from tests.live.waiting import until

from sev1.cli import backup

DOCS = Path(__file__).parents[2] / "docs/operations.md"
SECTION = "## Backup and restore\n"
OURS = {
    "/var/lib/sev1-restored": "restored/data",
    "/var/lib/sev1": "data",
    "/var/backups/sev1-data": "copy/data",
    "/var/backups/sev1.dump": "sev1.dump",
}
"""Where the documented folders are here; the longer name first."""
CLOCK = "watch_listening"
"""Since when, and until when, somebody listened: it moves while a node runs, and nothing happens by it."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def documented() -> list[list[str]]:
    """The blocks of commands of the section, each a list of lines."""
    section = DOCS.read_text().partition(SECTION)[2].partition("\n## ")[0]
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)]


class House(NamedTuple):
    folder: Path
    mailbox: Mailbox
    server: LiveServer

    def server_in(self, name: str) -> LiveServer:
        """Not started; where tests run on a PostgreSQL that is installed, that one is, as a user's own would be."""
        server = LiveServer(self.folder / name, smtp_port=self.mailbox.port, forked=True)
        if INSTALLED:
            InstalledPostgres(self.folder / name / "data/postgres").start()
        return server

    def do(self, line: str, server: LiveServer) -> subprocess.CompletedProcess[str]:
        """A documented line, with our folders in place of the usual ones, as somebody would paste it."""
        for theirs, ours in OURS.items():
            line = line.replace(theirs, str(self.folder / ours))
        environ = {**server.environ, "PATH": f"{SEV1.parent}:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-ec", line], check=False, env=environ, capture_output=True, text=True)

    def done(self, line: str, server: LiveServer) -> None:
        done = self.do(line, server)
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"


@pytest.fixture
def house() -> Iterator[House]:
    """A server with a page whose second step is not yet due, the alert that opened it, and an incident."""
    people = "\n---\n".join(PERSON.format(name) for name in ("first", "second"))
    with own_folder() as folder, Mailbox() as mailbox:
        (folder / "catalog").mkdir()
        (folder / "catalog/all.yaml").write_text(CATALOG.format(people=people))
        with LiveServer(folder, smtp_port=mailbox.port, forked=True) as server:
            server.run("apply", str(folder / "catalog"))
            url = server.key("prometheus")
            labels = {"alertname": "Kept", "severity": "sev-1", "problem": "kept"}
            alert = {"labels": labels, "annotations": {"summary": "Kept"}, "endsAt": "2036-01-01T00:00:00Z"}
            httpx.post(url, json=[alert]).raise_for_status()
            mailbox.wait_for("first@shop.test", "Kept")
            with server.client(server.token()) as api:
                api.post("/api/v1/incidents", json={"type": "declare", "title": "Kept, too"}).raise_for_status()
            yield House(folder, mailbox, server)


def content(database: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    names = [row["tablename"] for row in rows(database, TABLES)]
    return {name: sorted(tuple(map(str, row)) for row in rows(database, f'SELECT * FROM "{name}"')) for name in names}


def content_of(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    with postgres_in(data) as database:
        return content(database)


def goes_on(house: House, server: LiveServer) -> None:
    """The page's second step, which was not due when the backup was made, is taken by the restored server."""
    assert house.mailbox.to("second@shop.test") == []
    with server:
        house.mailbox.wait_for("second@shop.test", "Kept", within_s=20)


def test_a_backup_made_while_it_runs_holds_everything_and_a_restored_server_goes_on(house: House) -> None:
    keep, restore, serve = documented()[0]
    # The delivery's record and the mail are two things; the backup is compared with what is there after both.
    until(lambda: "sent" in states(house.folder / "data"), "the delivery to be recorded")
    house.done(keep, house.server)
    assert (house.folder / "sev1.dump").stat().st_mode & 0o777 == 0o600
    house.server.stop()
    before = content_of(house.folder / "data")
    restored = house.server_in("restored")
    whole = (house.folder / "sev1.dump").read_bytes()
    (house.folder / "sev1.dump").write_bytes(whole[: len(whole) * 2 // 3])
    assert "nothing was changed" in house.do(restore, restored).stderr, "a file that was cut off is not half restored"
    (house.folder / "sev1.dump").write_bytes(whole)
    house.done(restore, restored)
    assert "already" in house.do(restore, restored).stderr, "a restore never mixes two pasts"
    assert "exists" in house.do(keep, house.server).stderr, "nor is a backup written over another"
    after = content_of(house.folder / "restored/data")
    assert len(before["events"]) >= 4
    assert len(before["alerts"]) == 1
    assert len(before["timers"]) == 3, (
        "the page's next step, the update that the incident promised, and the next look at its people"
    )
    del before[CLOCK], after[CLOCK]
    assert after == before
    assert serve.startswith("sev1 serve --data ")
    goes_on(house, restored)


def test_a_copy_of_the_stopped_folder_holds_everything_and_goes_on(house: House) -> None:
    copy, serve = documented()[1]
    house.server.stop()
    (house.folder / "copy").mkdir()
    house.done(copy, house.server)
    assert content_of(house.folder / "copy/data") == content_of(house.folder / "data")
    assert serve.startswith("sev1 serve --data ")
    goes_on(house, LiveServer(house.folder / "copy", smtp_port=house.mailbox.port, forked=True))


def states(data: Path) -> set[str]:
    """Of the deliveries of a server that runs, and goes on running."""
    joined = contextlib.nullcontext(InstalledPostgres(data / "postgres").url) if INSTALLED else postgres_in(data)
    with joined as database:
        return {row["state"] for row in rows(database, "SELECT state FROM deliveries")}


def test_a_password_is_not_among_the_arguments_that_everybody_on_the_machine_sees() -> None:
    where, environ = backup._target("postgresql://sev1:p%40ss@db.shop.test:5433/sev1?sslmode=require")
    assert where == "--dbname=postgresql://sev1@db.shop.test:5433/sev1?sslmode=require"
    assert environ["PGPASSWORD"] == "p@ss"
