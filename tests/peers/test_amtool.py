"""Debian's `amtool`, which knows nothing of sev1, reads its alerts and manages its silences."""

import json
import re

import httpx
from tests.live.mailbox import Mailbox
from tests.live.prometheus import amtool
from tests.live.server import LiveServer
from tests.live.waiting import until

NAME = "QueueGrows"
HELD = "DiskFills"


def names(printed: str) -> set[str]:
    return {alert["labels"]["alertname"] for alert in json.loads(printed)}


def test_amtool_adds_and_queries_alerts_and_adds_queries_and_expires_silences(
    sev1: LiveServer, api: httpx.Client, mailbox: Mailbox
) -> None:
    url = sev1.key("prometheus", "--service", "checkout").removesuffix("/api/v2/alerts")
    amtool(url, "silence", "add", f"alertname={HELD}", "--comment=known, being mended", "--author=mara")
    silence = amtool(url, "silence", "query", "--quiet").strip()
    assert re.fullmatch(r"[0-9a-f-]{36}", silence)
    listed = json.loads(amtool(url, "--output=json", "silence", "query", f"alertname={HELD}"))
    assert [(s["id"], s["createdBy"], s["comment"]) for s in listed] == [(silence, "mara", "known, being mended")]

    for name in (HELD, NAME):
        amtool(url, "alert", "add", name, "severity=critical", f"--annotation=summary={name} says amtool")
    until(lambda: names(amtool(url, "--output=json", "alert", "query", f"alertname={NAME}")) == {NAME}, "the alert")
    assert not names(amtool(url, "--output=json", "alert", "query", HELD)), "amtool hides what is silenced"
    assert names(amtool(url, "--output=json", "alert", "query", "--silenced", HELD)) == {HELD}
    mailbox.wait_for("mara@shop.test", f"{NAME} says amtool")
    assert not [mail for mail in mailbox.mails if HELD in mail.subject]

    amtool(url, "silence", "expire", silence)
    assert not amtool(url, "silence", "query", "--quiet").strip()
    assert silence in amtool(url, "silence", "query", "--expired", "--quiet")
    # What was held back by the silence is looked at again, and pages now.
    mailbox.wait_for("mara@shop.test", f"{HELD} says amtool")


def test_amtool_shows_the_configuration_and_the_receivers_of_the_server(sev1: LiveServer) -> None:
    url = sev1.key("prometheus").removesuffix("/api/v2/alerts")
    assert amtool(url, "config", "show").strip()
    assert json.loads(amtool(url, "--output=json", "alert", "query", "alertname=nothing-of-this-name")) == []
