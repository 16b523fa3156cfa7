"""PostgreSQL is restarted under load: senders are asked to try again, and nothing that was accepted is lost."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from tests.crash.test_kill import CATALOG, PERSON
from tests.crash.test_nodes import rows
from tests.live.load import Load
from tests.live.mailbox import Mailbox
from tests.live.postgres import RestartedPostgres
from tests.live.server import LiveServer, own_folder
from tests.live.waiting import until

ALERT = [{"labels": {"alertname": "Meanwhile", "severity": "info"}}]


class Restarted(NamedTuple):
    database: str
    mailbox: Mailbox
    load: Load
    refused: httpx.Response
    """What a sender was answered while there was no database."""
    ready_meanwhile: httpx.Response


@pytest.fixture(scope="module")
def restarted() -> Iterator[Restarted]:
    people = "\n---\n".join(PERSON.format(name) for name in ("first", "second"))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(own_folder())
        (folder / "catalog").mkdir()
        (folder / "catalog/all.yaml").write_text(CATALOG.format(people=people))
        postgres = stack.enter_context(RestartedPostgres(folder / "shared"))
        mailbox = stack.enter_context(Mailbox())
        server = stack.enter_context(
            LiveServer(folder / "node", smtp_port=mailbox.port, database_url=postgres.url, lease_s=4, forked=True)
        )
        server.run("apply", str(folder / "catalog"))
        url = server.key("prometheus")
        load = stack.enter_context(Load(server, url.removeprefix(server.url)))
        load.resume()
        until(lambda: len(load.accepted["problem"]) >= 3, "some load", within_s=30)
        postgres.stop()
        until(lambda: load.refused[503], "a request to be refused", within_s=30)
        ready = until(lambda: _not_ready(server), "the node to say that it is not ready", within_s=10)
        refused = httpx.post(url, json=ALERT, timeout=20)
        before = len(load.accepted["problem"])
        postgres.start()
        until(lambda: len(load.accepted["problem"]) >= before + 3, "load to be accepted again", within_s=30)
        until(lambda: httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200, "the node to be ready")
        load.pause()
        found = Restarted(postgres.url, mailbox, load, refused, ready)
        until(lambda: not missing(found), "every page to go out to both", within_s=60)
        yield found


def _not_ready(server: LiveServer) -> httpx.Response | None:
    answer = httpx.get(f"{server.url}/readyz", timeout=5)
    return answer if answer.status_code == 503 else None


def missing(restarted: Restarted) -> set[tuple[str, str]]:
    there = {(mail.recipient, mail.subject.rpartition(" ")[2]) for mail in restarted.mailbox.mails}
    return {(f"{who}@shop.test", p) for p in restarted.load.accepted["problem"] for who in ("first", "second")} - there


def test_without_a_database_a_sender_is_asked_to_try_again(restarted: Restarted) -> None:
    assert restarted.refused.status_code == 503
    assert int(restarted.refused.headers["retry-after"]) >= 1
    assert "send it again" in restarted.refused.text.lower()


def test_the_only_refusal_is_the_one_that_senders_retry(restarted: Restarted) -> None:
    assert set(restarted.load.refused) == {503}


def test_the_node_says_that_it_is_not_ready(restarted: Restarted) -> None:
    assert "database" in restarted.ready_meanwhile.text.lower()


def test_everything_that_was_accepted_is_there_once(restarted: Restarted) -> None:
    found = rows(restarted.database, "SELECT labels ->> 'problem' AS problem, count(*) AS n FROM alerts GROUP BY 1")
    there = {row["problem"]: row["n"] for row in found}
    accepted = {name for names in restarted.load.accepted.values() for name in names}
    assert accepted - set(there) == set()
    assert {name: n for name, n in there.items() if n > 1} == {}


def test_pages_go_on_where_they_were(restarted: Restarted) -> None:
    assert missing(restarted) == set()
    assert rows(restarted.database, "SELECT title FROM pages GROUP BY title HAVING count(*) > 1") == []
