"""The five-second band, the picture and the gate."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.parts.needs import Need
from sev1.command.parts.privacy import Privacy
from sev1.command.parts.tasks import Task
from sev1.surfaces.web import incident_page
from sev1.surfaces.web import incident_view as view

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
INCIDENT = m.Incident(
    key="INC-1",
    status="open",
    title="Card payments fail",
    severity="sev-1",
    services=("payments", "gone"),
    roles={"ic": ("ana",)},
    started_at=NOW - timedelta(minutes=14),
    detected_at=NOW - timedelta(minutes=10),
    acknowledged_at=NOW - timedelta(minutes=8),
    declared_at=NOW - timedelta(minutes=7),
    next_update_at=NOW + timedelta(minutes=6),
)
UPDATE = m.Update(condition="Bad", actions="", needs="A card expert", by="ana", at=NOW)
NEED = Need(number=1, text="A card expert", owner=None, by="ana", at=NOW)
TASK = Task(number=1, text="Ask the processor", owner=None, due_at=NOW + timedelta(minutes=20), by="ana", at=NOW)
HELD = {criterion: m.Mark(by="ana", at=NOW) for criterion in m.CRITERIA}


@pytest.mark.parametrize(
    ("me", "changes", "expected"),
    [
        ("ana", {}, "Name an Operations lead, so that you are free to command."),
        ("ana", {"roles": {"ic": ("ana",), "ops": ("bo",)}}, "Post the first update: condition, actions, needs."),
        ("ana", {"next_update_at": NOW - timedelta(minutes=1)}, "The update promised for 03:13 UTC is late. Post it."),
        (
            "ana",
            {"roles": {"ic": ("ana",), "ops": ("bo",)}, "update": UPDATE, "severity_assumed": True},
            "SEV-1 is assumed. Lower it once you are certain, with the reason.",
        ),
        ("ana", {"gate": HELD}, "All four criteria hold. Resolve it."),
        ("ana", {"status": "resolved"}, "Give the all-clear, so that everybody may stand down."),
        ("bo", {"status": "resolved"}, "It is resolved. Ana Ribeiro gives the all-clear."),
        ("bo", {"status": "closed"}, "It is over. The draft of the postmortem is there to read."),
        (
            "bo",
            {"roles": {"ic": ("ana",), "ops": ("bo",)}},
            "Lead the fix, report to Ana Ribeiro, and say when the impact is mitigated.",
        ),
        ("bo", {"roles": {"ic": ("ana",), "comms": ("bo",)}}, "Post the next update by 03:20 UTC."),
        (
            "bo",
            {"roles": {"ic": ("ana",), "scribe": ("bo",)}},
            "Write down decisions, and what was tried, as they happen.",
        ),
        ("bo", {"roles": {"ic": ("ana",), "sme": ("bo", "cem")}}, "Be reachable for Ana Ribeiro."),
        ("bo", {}, "You hold no role. Ana Ribeiro commands; ask what helps before you act."),
        ("bo", {"needs": {1: NEED}}, "You hold no role. Needed now: A card expert"),
        ("bo", {"tasks": {1: TASK}}, "You hold no role. Nobody has T1 yet: Ask the processor"),
        ("bo", {"tasks": {1: replace(TASK, owner="bo")}}, "T1 until 03:34 UTC: Ask the processor"),
        (
            "bo",
            {"tasks": {1: replace(TASK, owner="bo", due_at=NOW)}},
            "T1 is due: say how it stands. Ask the processor",
        ),
    ],
)
def test_the_band_says_what_is_expected_of_whoever_looks(
    nordlicht: Catalog, me: str, changes: dict[str, Any], expected: str
) -> None:
    assert view.expected_of(replace(INCIDENT, **changes), me, nordlicht, NOW) == expected


def test_the_band_shows_the_four_roles_that_matter_even_when_nobody_holds_them(nordlicht: Catalog) -> None:
    band = view.band(INCIDENT, nordlicht, "ana", NOW)
    assert [(row.short, len(row.holders)) for row in band.roles] == [("IC", 1), ("Ops", 0), ("Comms", 0), ("Scribe", 0)]
    assert band.roles[0].holders[0].is_me
    assert band.my_roles == ("Incident Commander",)


def test_the_seven_stages_are_past_now_or_ahead(nordlicht: Catalog) -> None:
    states = [dot.state for dot in view.dots(replace(INCIDENT, stage="mitigation"))]
    assert states == ["past", "past", "past", "now", "ahead", "ahead", "ahead"]
    over = [dot.state for dot in view.dots(replace(INCIDENT, stage="analysis", status="closed"))]
    assert over == ["past"] * 7


def test_the_picture_names_what_is_hit_and_what_lies_in_its_wake(nordlicht: Catalog) -> None:
    picture = view.picture(INCIDENT, nordlicht)
    payments, gone = picture.services
    assert payments.service is not None
    assert payments.dependents == ("Checkout",)
    assert gone.service is None


def test_the_times_say_how_long_each_took_and_whether_the_target_was_met(nordlicht: Catalog) -> None:
    rows = {measure.label: measure for measure in view.measures(INCIDENT, nordlicht)}
    assert rows["Detected"].taken == "after 4 min"
    assert (rows["Acknowledged"].taken, rows["Acknowledged"].remark) == ("after 2 min", "target met: within 3 min")
    assert rows["Mitigated"].at is None
    late = replace(INCIDENT, acknowledged_at=NOW)
    assert view.measures(late, nordlicht)[2].remark == "target missed: within 3 min"


def test_the_severities_are_offered_worst_first_with_meaning_and_target(nordlicht: Catalog) -> None:
    choices = view.severity_choices(nordlicht, "sev-2")
    assert [c.name for c in choices] == [f"sev-{n}" for n in range(6)]
    assert [c.lowers for c in choices] == [False, False, False, True, True, True]
    assert [c.target for c in choices] == [
        "answered at once", "answered within 3 min", "answered within 5 min", "answered within 15 min",
        "answered within 48 h", "watched only",
    ]  # fmt: skip


def test_unknown_impact_starts_at_the_worst_everyday_severity(nordlicht: Catalog) -> None:
    assert view.worst_plausible(nordlicht) == "sev-1"
    assert view.worst_plausible(Catalog()) == "sev-1"


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        (
            {},
            [
                "role",
                "handover",
                "severity",
                "priority",
                "responder",
                "override",
                "link",
                "times",
                "restrict",
                "false-alarm",
            ],
        ),
        (
            {"gate": HELD},
            [
                "role",
                "handover",
                "severity",
                "priority",
                "responder",
                "withdraw",
                "link",
                "times",
                "restrict",
                "false-alarm",
            ],
        ),
        ({"status": "resolved"}, ["all-clear", "role", "link", "times", "restrict", "reopen"]),
        ({"status": "closed"}, ["link", "times", "restrict", "reopen"]),
        ({"status": "closed", "privacy": Privacy(restricted=True)}, ["link", "times", "admit", "unrestrict", "reopen"]),
    ],
)
def test_only_forms_that_make_sense_now_are_offered(changes: dict[str, Any], offered: list[str]) -> None:
    assert incident_page.offered(replace(INCIDENT, **changes)) == offered
