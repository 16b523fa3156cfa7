"""What whoever is woken reads first: taken from what the sender wrote, and never able to break a page."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sev1.catalog.model import EscalationPolicy, PersonTarget, Step
from sev1.intake.model import InboundLink
from sev1.paging.model import Brief, Open
from sev1.triage.assign import NewPage
from sev1.triage.pages import brief_of

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


def page(links: tuple[InboundLink, ...] = (), **annotations: str) -> NewPage:
    return NewPage(
        title="42 % errors",
        group_key="g",
        policy=EscalationPolicy(name="p", title="P", steps=(Step(targets=(PersonTarget(name="ana"),)),)),
        why="",
        service=None,
        severity=None,
        alert_count=1,
        since=NOW,
        annotations=annotations,
        links=links,
    )


@pytest.mark.parametrize(
    ("annotations", "impact", "first"),
    [
        ({}, "", ""),
        ({"impact": "Nobody\n can pay", "action": "Roll back"}, "Nobody can pay", "Roll back"),
        ({"first": "Look at the deploy", "action": "Roll back"}, "", "Look at the deploy"),
        ({"impact": "42 % errors"}, "", ""),
        ({"description": "The ratio is above 5 %"}, "", ""),
        ({"impact": "x" * 900}, "x" * 499 + "…", ""),
    ],
)
def test_the_brief_takes_impact_and_first_step_from_the_annotations(
    annotations: dict[str, str], impact: str, first: str
):
    brief = brief_of(page(**annotations))
    assert (brief.impact, brief.first, brief.since) == (impact, first, NOW)


def test_the_runbook_stands_apart_from_where_to_verify():
    links = (
        InboundLink(title="Source", url="http://prometheus.test/graph"),
        InboundLink(title="Runbook", url="https://runbooks.test/checkout"),
        InboundLink(title="Dashboard", url="https://grafana.test/d/1"),
    )
    brief = brief_of(page(links))
    assert brief.runbook_url == "https://runbooks.test/checkout"
    assert [link.title for link in brief.verify] == ["Source", "Dashboard"]


@pytest.mark.parametrize(
    ("title", "url"),
    [("", "https://a.test"), ("x" * 501, "https://a.test"), ("A", "javascript:alert(1)"), ("A", "https://a.test/ b"),
     ("A", "HTTPS://a.test"), ("A", "https://" + "a" * 2_000)],
)  # fmt: skip
def test_a_link_that_the_event_log_could_not_read_back_is_left_out(title: str, url: str):
    brief = brief_of(page((InboundLink(title=title, url=url), InboundLink(title="Good", url="https://good.test"))))
    assert [link.title for link in brief.verify] == ["Good"]


def test_what_opens_a_page_can_be_read_back_from_the_event_log():
    annotations: dict[str, Any] = {"impact": "ü" * 900, "action": "\u2028"}
    links = tuple(InboundLink(title=f"L{n}", url=f"https://a.test/{n}") for n in range(30))
    brief = brief_of(page(links, **annotations))
    assert msgspec.json.decode(msgspec.json.encode(brief), type=Brief) == brief
    assert len(brief.verify) == 4
    command = Open(title="t", group_key="g", policy=page().policy, why="w", brief=brief)
    assert msgspec.json.decode(msgspec.json.encode(command), type=Open) == command
