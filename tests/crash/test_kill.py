"""kill -9 again and again under load: what was answered with success is there afterwards, and goes out.

`SEV1_KILLS` says how often (30), `SEV1_SEED` makes a run like an earlier one: when is killed is drawn from it.
"""

import asyncio
import os
import random
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from tests.live.load import Load
from tests.live.mailbox import Mail, Mailbox
from tests.live.postgres import postgres_in
from tests.live.server import LiveServer, own_folder
from tests.live.waiting import until

from sev1.engine import event_log
from sev1.engine.database import Database
from sev1.engine.decider import fold
from sev1.paging import store as pages_store
from sev1.paging.decide import PageAggregate
from sev1.paging.model import Page

KILLS = int(os.environ.get("SEV1_KILLS", "30"))
SEED = int(os.environ.get("SEV1_SEED", "0")) or secrets.randbelow(10**9)
POSTGRES_TOO_EVERY = 8
"""Every so many kills, the postmaster dies with it: then PostgreSQL recovers from its write-ahead log."""
LOAD_S = (0.05, 0.6)
"""How long a life lasts after it is ready."""
SMTP_DELAY_S = 0.04

CATALOG = """
kind: organisation
name: shop
title: The shop of the tests
fallback_policy: two-steps
---
{people}
---
kind: escalation-policy
name: two-steps
title: First, ten seconds later second
repeat: 0
unattended_after_s: 0
steps:
  - targets: [{{kind: person, name: first}}]
    wait_s: 10
  - targets: [{{kind: person, name: second}}]
    wait_s: 3600
---
kind: route
name: every-problem-is-its-own
match: ['severity="sev-1"']
tier: page
group_by: [problem]
---
kind: route
name: the-rest-is-only-shown
order: 200
tier: fyi
"""
PERSON = (
    "kind: person\nname: {0}\nfull_name: {0}\nemail: {0}@shop.test\ncontact: [{{kind: email, address: {0}@shop.test}}]"
)


A_LIFE = 20
"""Alerts that are accepted between two kills, on average, at least."""


class Crashes(NamedTuple):
    server: LiveServer
    mailbox: Mailbox
    load: Load
    url: str
    starts_s: list[float]


@pytest.fixture(scope="module")
def crashed() -> Iterator[Crashes]:
    """A server that died `KILLS` times under load and then ran until it had nothing left to do."""
    with own_folder() as folder:
        yield from crash(folder)


def crash(folder: Path) -> Iterator[Crashes]:
    people = "\n---\n".join(PERSON.format(name) for name in ("first", "second"))
    (folder / "catalog").mkdir()
    (folder / "catalog/all.yaml").write_text(CATALOG.format(people=people))
    rng = random.Random(SEED)
    with (
        Mailbox(reply_after_s=SMTP_DELAY_S) as mailbox,
        LiveServer(folder, smtp_port=mailbox.port, forked=True) as server,
    ):
        server.run("apply", str(folder / "catalog"))
        url = server.key("prometheus")
        with Load(server, url.removeprefix(server.url)) as load:
            load.resume()
            starts_s = list(lives(server, load, rng))
            until(lambda: len(load.accepted["problem"]) > KILLS, "some more load", within_s=30)
            load.pause()
        crashes = Crashes(server, mailbox, load, url, starts_s)
        until(lambda: not missing(crashes), "every page to go out to both", within_s=60)
        report(crashes)
        yield crashes


def lives(server: LiveServer, load: Load, rng: random.Random) -> Iterator[float]:
    """Ends the server `KILLS` times at moments drawn from `rng`, later on a machine that is too slow for enough of a load by
    then; how long each start took, in seconds.
    """
    moment = threading.Event()
    for number in range(1, KILLS + 1):
        moment.wait(rng.uniform(*LOAD_S))
        until(lambda: sum(map(len, load.accepted.values())) >= A_LIFE * number, "enough of a load", within_s=30)  # noqa: B023
        server.kill()
        if number % POSTGRES_TOO_EVERY == 0:
            server.kill_postgres()
        yield server.start()


def arrivals(mailbox: Mailbox) -> dict[tuple[str, str], list[Mail]]:
    """(recipient, problem) -> its mails in the order in which they came."""
    found = defaultdict(list)
    for mail in mailbox.mails:
        found[mail.recipient, mail.subject.rpartition(" ")[2]].append(mail)
    return found


def missing(crashes: Crashes) -> list[tuple[str, str]]:
    there = arrivals(crashes.mailbox)
    wanted = [(f"{who}@shop.test", p) for p in crashes.load.accepted["problem"] for who in ("first", "second")]
    return [one for one in wanted if one not in there]


def report(crashes: Crashes) -> None:
    mails = arrivals(crashes.mailbox)
    twice = sum(len(found) > 1 for found in mails.values())
    slowest = max(crashes.starts_s, default=0.0)
    accepted = {kind: len(names) for kind, names in crashes.load.accepted.items()}
    print(
        f"\n{KILLS} kills (SEV1_SEED={SEED}): {accepted} accepted, {crashes.load.unknown} unanswered, "
        f"refused {dict(crashes.load.refused)}; {len(mails)} pages went out, {twice} of them more than once; "
        f"slowest start {slowest:.2f} s"
    )


class Kept(NamedTuple):
    pages: list[Page | None]
    replayed: list[Page]
    timers: dict[str, dict[str, datetime]]
    cut_off: dict[str, int]
    """Delivery -> how many of its attempts ended without anybody knowing how."""
    unfinished: int


async def _read(folder: Path) -> Kept:
    aggregate = PageAggregate()
    with postgres_in(folder) as url:
        async with Database(url, size=1) as db, db.connection() as conn:
            pages, replayed = [], []
            for row in await conn.fetch("SELECT id FROM pages ORDER BY number"):
                pages.append(await pages_store.get(conn, row["id"]))
                facts = await event_log.read(conn, event_log.stream_name("page", row["id"]), aggregate.event_type)
                replayed.append(fold(aggregate, row["id"], facts))
            due: dict[str, dict[str, datetime]] = defaultdict(dict)
            for row in await conn.fetch("SELECT stream, kind, due_at FROM timers"):
                due[row["stream"]][row["kind"]] = row["due_at"]
            cut_off = await conn.fetch(
                "SELECT id, (SELECT count(*) FROM jsonb_array_elements(log) e WHERE e ->> 'outcome' = 'cut-off') AS n "
                "FROM deliveries"
            )
            unfinished = await conn.fetchval("SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')")
    return Kept(pages, replayed, due, {str(row["id"]): row["n"] for row in cut_off}, unfinished)


@pytest.fixture(scope="module")
def kept(crashed: Crashes) -> Kept:
    def settled() -> Kept | None:
        found = asyncio.run(_read(crashed.server.folder / "data"))
        return None if found.unfinished else found

    found = until(settled, "the last delivery to be recorded", within_s=20)
    assert found is not None
    return found


def test_every_accepted_alert_is_there_once(crashed: Crashes) -> None:
    """Read back by the very API that took them: Alertmanager's, where an alert is its labels."""
    listed = httpx.get(crashed.url, timeout=60).raise_for_status().json()
    there = Counter(alert["labels"]["problem"] for alert in listed)
    accepted = {name for names in crashed.load.accepted.values() for name in names}
    assert len(accepted) > 100 * KILLS**0.5, "too little load to show anything"
    assert accepted - set(there) == set()
    assert [name for name, times in there.items() if times > 1] == []


def test_every_page_goes_out_and_what_came_before_is_marked_as_a_repeat(crashed: Crashes, kept: Kept) -> None:
    assert missing(crashed) == []
    for (recipient, problem), mails in arrivals(crashed.mailbox).items():
        assert len({mail.delivery for mail in mails}) == 1, f"{problem} was paged to {recipient} by two deliveries"
        assert [mail.is_repeat for mail in mails[1:]] == [True] * (len(mails) - 1), f"{problem} to {recipient}"
        # Once more than it should for each time that its worker was killed over it, mostly never.
        assert len(mails) <= 1 + kept.cut_off[mails[0].delivery], f"{problem} to {recipient}"


def test_no_problem_has_two_pages(kept: Kept) -> None:
    titles = Counter(page.title for page in kept.replayed)
    assert [title for title, times in titles.items() if times > 1] == []


def test_every_timer_is_there_or_has_fired(crashed: Crashes, kept: Kept) -> None:
    aggregate = PageAggregate()
    for page in kept.replayed:
        assert kept.timers.get(event_log.stream_name("page", page.key), {}) == aggregate.timers(page)
    stepped = {page.title for page in kept.replayed if page.step == 1}
    assert set(crashed.load.accepted["problem"]) <= stepped


def test_what_the_events_add_up_to_is_what_is_stored(kept: Kept) -> None:
    assert kept.pages == kept.replayed
