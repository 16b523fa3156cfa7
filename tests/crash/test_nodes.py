"""Three nodes on one PostgreSQL: one is killed in the middle of a delivery, and the others take over what it held."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest
from tests.crash.test_kill import CATALOG, PERSON, arrivals
from tests.live.load import Load
from tests.live.mailbox import Mail, Mailbox
from tests.live.postgres import postgres_in
from tests.live.server import LiveServer, own_folder
from tests.live.waiting import until

LEASE_S = 6
NODES = 3
STEPS = ("first", "second")


class Cluster(NamedTuple):
    database: str
    mailbox: Mailbox
    loads: list[Load]
    held: Mail
    lease_until: datetime
    """When the lease of the dead node over the held delivery ends."""
    url: str
    """Of a node that lives, for reading alerts."""


def rows(database: str, query: str, *values: Any) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        conn = await asyncpg.connect(database)
        try:
            return await conn.fetch(query, *values)
        finally:
            await conn.close()

    return asyncio.run(fetch())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with own_folder() as folder, postgres_in(folder / "shared") as database, contextlib.ExitStack() as stack:
        yield _one_dies(folder, database, stack)


def _one_dies(folder: Path, database: str, stack: contextlib.ExitStack) -> Cluster:
    people = "\n---\n".join(PERSON.format(name) for name in STEPS)
    (folder / "catalog").mkdir()
    (folder / "catalog/all.yaml").write_text(CATALOG.format(people=people))
    mailbox = stack.enter_context(Mailbox())
    servers = [
        stack.enter_context(
            LiveServer(
                folder / f"node-{n}", smtp_port=mailbox.port, database_url=database, lease_s=LEASE_S, forked=True
            )
        )
        for n in range(NODES)
    ]
    servers[0].run("apply", str(folder / "catalog"))
    path = servers[0].key("prometheus").removeprefix(servers[0].url)
    for server in servers:
        until(lambda server=server: _takes(server, path), "every node to know the key")  # type: ignore[misc]
    loads = [stack.enter_context(Load(server, path, name=f"node{n}-")) for n, server in enumerate(servers)]
    for load in loads:
        load.resume()
        until(lambda load=load: load.accepted["problem"], "some load", within_s=30)  # type: ignore[misc]
    mailbox.hold_next = True
    held = until(lambda: mailbox.held, "a delivery to be under way", within_s=30)
    assert held is not None
    ((holder, lease_until),) = rows(
        database, "SELECT holder, lease_until FROM deliveries WHERE id = $1::uuid", held.delivery
    )
    (dead,) = [n for n, server in enumerate(servers) if holder.endswith(f":{server.port}")]
    servers[dead].kill()
    alive = [n for n in range(NODES) if n != dead]
    enough = {n: len(loads[n].accepted["problem"]) + 3 for n in alive}
    until(lambda: all(len(loads[n].accepted["problem"]) >= enough[n] for n in alive), "more load", within_s=30)
    for load in loads:
        load.pause()
    cluster = Cluster(database, mailbox, loads, held, lease_until, f"{servers[alive[0]].url}{path}")
    until(lambda: not missing(cluster), "every page to go out to both", within_s=60)
    until(
        lambda: not rows(database, "SELECT 1 FROM deliveries WHERE state IN ('queued', 'sending')"), "rest", within_s=30
    )
    return cluster


def _takes(server: LiveServer, path: str) -> bool:
    return httpx.post(f"{server.url}{path}", json=[], timeout=5).status_code == httpx.codes.OK


def accepted(cluster: Cluster, *kinds: str) -> set[str]:
    return {name for load in cluster.loads for kind in kinds for name in load.accepted[kind]}


def missing(cluster: Cluster) -> list[tuple[str, str]]:
    there = arrivals(cluster.mailbox)
    wanted = [(f"{who}@shop.test", problem) for problem in accepted(cluster, "problem") for who in STEPS]
    return [one for one in wanted if one not in there]


def test_every_alert_that_any_node_accepted_is_there_once(cluster: Cluster) -> None:
    found = rows(cluster.database, "SELECT labels ->> 'problem' AS problem, count(*) AS n FROM alerts GROUP BY 1")
    there = {row["problem"]: row["n"] for row in found}
    assert accepted(cluster, "problem", "shown") - set(there) == set()
    assert {name: n for name, n in there.items() if n > 1} == {}


def test_every_page_goes_out_and_only_what_was_cut_off_goes_out_again(cluster: Cluster) -> None:
    assert missing(cluster) == []
    logs = rows(
        cluster.database,
        "SELECT id::text, (SELECT count(*) FROM jsonb_array_elements(log) e"
        " WHERE e ->> 'outcome' IN ('cut-off', 'temporary')) AS unknown FROM deliveries",
    )
    unknown = {row["id"]: row["unknown"] for row in logs}
    for mails in arrivals(cluster.mailbox).values():
        assert len({mail.delivery for mail in mails}) == 1
        assert [mail.is_repeat for mail in mails[1:]] == [True] * (len(mails) - 1)
        assert len(mails) <= 1 + unknown[mails[0].delivery]


def test_another_node_takes_the_delivery_over_within_one_lease(cluster: Cluster) -> None:
    again = [mail for mail in cluster.mailbox.mails if mail.delivery == cluster.held.delivery]
    assert [mail.is_repeat for mail in again] == [False, True]
    ((taken_over_at,),) = rows(
        cluster.database,
        "SELECT (e ->> 'at')::timestamptz FROM deliveries, jsonb_array_elements(log) e"
        " WHERE id = $1::uuid AND e ->> 'outcome' = 'cut-off'",
        cluster.held.delivery,
    )
    late_s = (taken_over_at - cluster.lease_until).total_seconds()
    assert 0 <= late_s <= LEASE_S, "taken before the lease had ended, or long after"


def test_no_problem_has_two_pages_and_no_timer_is_left_behind(cluster: Cluster) -> None:
    pages = rows(cluster.database, "SELECT title, count(*) AS n FROM pages GROUP BY 1 HAVING count(*) > 1")
    assert pages == []
    stuck = rows(cluster.database, "SELECT stream FROM timers WHERE due_at < now() - interval '30 seconds'")
    assert stuck == []
