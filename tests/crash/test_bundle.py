"""kill -9 while a bundle is on its way: it goes out again as one message that says that it is a repeat and counts right."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
import pytest
from tests.crash.test_kill import PERSON
from tests.live.mailbox import Mail, Mailbox
from tests.live.postgres import postgres_in
from tests.live.server import LiveServer, own_folder
from tests.live.waiting import until

PAGES = 40
CATALOG = """
kind: organisation
name: shop
title: The shop of the tests
fallback_policy: one
---
{person}
---
kind: escalation-policy
name: one
title: One person
repeat: 0
unattended_after_s: 0
steps:
  - targets: [{{kind: person, name: first}}]
    wait_s: 3600
---
kind: route
name: every-problem-is-its-own
tier: page
severity: sev-2
group_by: [problem]
"""
_COUNT = re.compile(r"(\d+) pages at once")


class Storm(NamedTuple):
    before: list[Mail]
    """What had arrived when the server was killed; nothing of it was confirmed."""
    after: list[Mail]
    states: dict[str, tuple[str, bool, int]]
    """By page: the state of its delivery, whether it is a repeat, how often it was cut off."""


def counted(mail: Mail) -> int:
    """About how many pages a mail says that it is."""
    found = _COUNT.search(mail.subject)
    return int(found[1]) if found else 1


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    with own_folder() as folder:
        (folder / "catalog").mkdir()
        (folder / "catalog/all.yaml").write_text(CATALOG.format(person=PERSON.format("first")))
        with (
            Mailbox(reply_after_s=20) as mailbox,
            LiveServer(folder, smtp_port=mailbox.port, forked=True) as server,
        ):
            server.run("apply", str(folder / "catalog"))
            url = server.key("prometheus")
            alerts = [{"labels": {"alertname": f"Fault {n}", "problem": f"p{n}"}} for n in range(PAGES)]
            httpx.post(url, json=alerts, timeout=10).raise_for_status()
            until(lambda: any(counted(mail) > 1 for mail in mailbox.mails), "a bundle to be under way", within_s=30)
            server.kill()
            before = mailbox.mails
            mailbox.reply_after_s = 0
            server.start()

            def arrived() -> bool:
                return sum(counted(mail) for mail in mailbox.mails[len(before) :]) >= PAGES

            until(arrived, "every page to go out", within_s=75)
            server.stop()
            states = asyncio.run(_states(folder))
            yield Storm(before, mailbox.mails[len(before) :], states)


async def _states(folder: Path) -> dict[str, tuple[str, bool, int]]:
    with postgres_in(folder / "data") as url:
        conn = await asyncpg.connect(url)
        try:
            rows = await conn.fetch(
                "SELECT about, state, repeat, (SELECT count(*) FROM jsonb_array_elements(log::jsonb) e "
                "WHERE e ->> 'outcome' = 'cut-off') AS cut FROM deliveries"
            )
        finally:
            await conn.close()
    return {row["about"]: (row["state"], row["repeat"], row["cut"]) for row in rows}


def test_what_was_cut_off_goes_out_again_whole_and_says_that_it_is_a_repeat(storm: Storm) -> None:
    cut = sum(repeat for _, repeat, _ in storm.states.values())
    under_way = max(counted(mail) for mail in storm.before)
    assert under_way >= 3
    assert cut >= under_way
    assert storm.after[0].is_repeat
    assert "(repeat)" in storm.after[0].subject.lower() or "repeat" in storm.after[0].subject.lower()
    assert max(counted(mail) for mail in storm.after) >= under_way
    assert {n for _, repeat, n in storm.states.values() if repeat} == {1}


def test_the_counts_of_all_messages_are_those_of_the_pages(storm: Storm) -> None:
    """Each page is in exactly one message that was confirmed."""
    assert len(storm.states) == PAGES
    assert {state for state, _, _ in storm.states.values()} == {"sent"}
    assert sum(counted(mail) for mail in storm.after) == PAGES
    assert sum(counted(mail) for mail in storm.before) <= PAGES
