"""Vendors' status pages: what is open there is an alert here, within bounds."""

import json

import pytest

from sev1.catalog.model import StatusFeed
from sev1.watch import feeds
from sev1.watch.feeds import FeedUnreadable

OPEN = {
    "id": "kx1",
    "name": "Payments are delayed",
    "status": "investigating",
    "impact": "critical",
    "shortlink": "https://stspg.example/kx1",
}
OVER = {"id": "kx0", "name": "Old", "status": "resolved", "impact": "minor", "shortlink": None}

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Cardhouse status</title>
<item><title>Refunds fail</title><guid>https://s.example/2</guid><link>https://s.example/2</link>
<description>&lt;strong&gt;Identified&lt;/strong&gt; - We found it. &lt;strong&gt;Investigating&lt;/strong&gt; - Looking.</description></item>
<item><title>Logins fail</title><guid>https://s.example/1</guid>
<description>&lt;strong&gt;Resolved&lt;/strong&gt; - Done. &lt;strong&gt;Identified&lt;/strong&gt; - We found it.</description></item>
</channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>t:1</id><title>Scheduled maintenance</title>
<link href="https://s.example/m"/><content>In progress - we began.</content></entry></feed>"""
BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel>&b;</channel></rss>"""


def page(*incidents) -> bytes:
    return json.dumps({"page": {"id": "p"}, "incidents": list(incidents)}).encode()


async def feed_of(watching, web, **fields) -> None:
    await watching.has(feeds=[StatusFeed(name="cardhouse", url=web.url, every_s=60, **fields)])


async def test_an_open_incident_fires_and_ends_when_it_is_resolved(watching, web):
    web.body = page(OPEN, OVER)
    await feed_of(watching, web)
    [fires] = await watching.later(seconds=1)
    assert (fires["key"], fires["status"], fires["severity"]) == ("status-feed/cardhouse/kx1", "firing", "critical")
    assert (fires["summary"], fires["links"]) == ("Payments are delayed", ["https://stspg.example/kx1"])
    web.body = page({**OPEN, "status": "resolved"}, OVER)
    [over] = await watching.later(seconds=60)
    assert (over["key"], over["status"]) == ("status-feed/cardhouse/kx1", "resolved")


async def test_one_that_is_gone_from_the_page_ends_too(watching, web):
    web.body = page(OPEN)
    await feed_of(watching, web)
    await watching.later(seconds=1)
    web.body = page()
    assert [event["status"] for event in await watching.later(seconds=60)] == ["resolved"]


async def test_a_severity_can_be_given_for_an_impact(watching, web):
    web.body = page(OPEN)
    await feed_of(watching, web, severities={"critical": "info"})
    assert [event["severity"] for event in await watching.later(seconds=1)] == ["info"]


async def test_what_has_not_changed_is_not_fetched_again(watching, web):
    web.body, web.headers = page(OPEN), 'ETag: "v1"\r\nLast-Modified: Mon, 02 Mar 2026 03:00:00 GMT\r\n'
    await feed_of(watching, web)
    await watching.later(seconds=1)
    web.status, web.body, web.headers = "304 Not Modified", b"", ""
    assert await watching.later(seconds=60) == []
    assert 'If-None-Match: "v1"' in web.requests[1]
    assert "If-Modified-Since: Mon, 02 Mar 2026 03:00:00 GMT" in web.requests[1]
    assert (await watching.row("cardhouse")).state.firing


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"incidents": "none"}', b"[" * 100_000, b"\xff\xfe"])
async def test_a_page_that_cannot_be_read_alerts_nobody_and_ends_nothing(watching, web, body):
    web.body = page(OPEN)
    await feed_of(watching, web)
    await watching.later(seconds=1)
    web.body = body
    assert await watching.later(seconds=60) == []
    row = await watching.row("cardhouse")
    assert (row.state.status, row.state.open) == ("unreachable", {"kx1": "Payments are delayed"})


async def test_a_feed_that_never_ends_is_left_at_its_limit(watching, web):
    web.endless = True
    await feed_of(watching, web)
    await watching.later(seconds=1)
    assert "larger than 1024 kB" in (await watching.row("cardhouse")).state.why


def test_no_more_entries_are_read_than_anybody_needs():
    many = page(*[{**OPEN, "id": str(n)} for n in range(5000)])
    assert len(feeds.parse("statuspage", many)) == 100


def test_rss_is_open_until_its_newest_update_says_that_it_is_over():
    assert [(i.title, i.open, i.url) for i in feeds.parse("rss", RSS)] == [
        ("Refunds fail", True, "https://s.example/2"),
        ("Logins fail", False, ""),
    ]


def test_atom_is_read_and_maintenance_is_told_apart():
    [entry] = feeds.parse("atom", ATOM)
    assert (entry.impact, entry.open, entry.url) == ("maintenance", True, "https://s.example/m")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (BOMB, "defines entities"),
        (b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>', "document type"),
        (b"<rss", "no XML"),
        (b"<html/>", "neither RSS nor Atom"),
        (b"<a>" * 300_000, "no XML"),
        (b"x" * 1_048_577, "larger than"),
    ],
)
def test_hostile_xml_is_refused(body, why):
    with pytest.raises(FeedUnreadable, match=why):
        feeds.parse("rss", body)
