"""Debian's `amtool`, which knows nothing of sev1, reads its alerts and manages its silences."""

import json
import re

import httpx
from tests.live.mailbox import Mailbox
from tests.live.prometheus import amtool
from tests.live.server import LiveServer
from tests.live.waiting import until

NAME = "QueueGrows"


def names(printed: str) -> set[str]:
    return {alert["labels"]["alertname"] for alert in json.loads(printed)}


def test_amtool_adds_and_queries_alerts_and_adds_queries_and_expires_silences(
    sev1: LiveServer, api: httpx.Client, mailbox: Mailbox
) -> None:
    url = sev1.key("prometheus", "--service", "checkout").removesuffix("/api/v2/alerts")
    amtool(url, "silence", "add", f"alertname={NAME}", "queue=mails", "--comment=known, being mended", "--author=mara")
    silence = amtool(url, "silence", "query", "--quiet").strip()
    assert re.fullmatch(r"[0-9a-f-]{36}", silence)
    listed = json.loads(amtool(url, "--output=json", "silence", "query", f"alertname={NAME}"))
    assert [(s["id"], s["createdBy"], s["comment"]) for s in listed] == [(silence, "mara", "known, being mended")]

    for queue in ("mails", "orders"):
        amtool(
            url,
            "alert",
            "add",
            NAME,
            f"queue={queue}",
            "severity=critical",
            f"--annotation=summary=Queue {queue} grows",
        )
    until(lambda: names(amtool(url, "--output=json", "alert", "query", "queue=orders")) == {NAME}, "the alert")
    assert "orders" in amtool(url, "alert", "query", NAME)
    assert "mails" not in amtool(url, "alert", "query", NAME), "amtool leaves out what is silenced unless it is asked"
    assert "mails" in until(lambda: amtool(url, "alert", "query", "--silenced", NAME), "the silenced alert")
    mailbox.wait_for("mara@shop.test", "Queue orders grows")
    assert not [mail for mail in mailbox.mails if "Queue mails grows" in mail.subject]

    amtool(url, "silence", "expire", silence)
    assert not amtool(url, "silence", "query", "--quiet").strip()
    assert silence in amtool(url, "silence", "query", "--expired", "--quiet")
    # What was held back by the silence is looked at again, and pages now.
    mailbox.wait_for("mara@shop.test", "Queue mails grows")


def test_amtool_shows_the_configuration_and_the_receivers_of_the_server(sev1: LiveServer) -> None:
    url = sev1.key("prometheus").removesuffix("/api/v2/alerts")
    assert amtool(url, "config", "show").strip()
    assert json.loads(amtool(url, "--output=json", "alert", "query", "alertname=nothing-of-this-name")) == []
