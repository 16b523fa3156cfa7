"""Opsgenie's API as a catalog: the fixtures are answers as its documentation shows them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sev1.catalog.contact import SmsMethod
from sev1.catalog.importers import opsgenie
from sev1.catalog.importers.draft import NotImportable
from sev1.catalog.importers.written import files
from sev1.oncall.schedule import on_call

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("opsgenie-*.json"))


@pytest.fixture
def shop():
    return opsgenie.read([(path.name, path.read_bytes()) for path in FIXTURES], NOW)


def read(*values):
    return opsgenie.read([(f"{n}.json", json.dumps(value).encode()) for n, value in enumerate(values)], NOW)


def test_the_result_is_a_catalog_that_plan_accepts(shop, accepted):
    catalog = accepted(shop)
    assert list(catalog.people) == ["ana-ribeiro", "bo-lindqvist", "cem-arslan", "dana-cole"]
    assert {name: team.members for name, team in catalog.teams.items()} == {
        "platform": ("ana-ribeiro", "bo-lindqvist"),
        "support": ("cem-arslan", "dana-cole"),
    }
    assert [c.__struct_config__.tag for c in catalog.people["ana-ribeiro"].contact] == ["email", "sms"]


@pytest.mark.parametrize(
    ("instant", "person"),
    [
        ("2026-10-19T05:59:00Z", "dana-cole"),  # Monday 07:59: the weekend of the 16th
        ("2026-10-19T06:00:00Z", "ana-ribeiro"),
        ("2026-10-23T15:59:00Z", "ana-ribeiro"),
        ("2026-10-23T16:00:00Z", "cem-arslan"),  # Friday 18:00 in summer
        ("2026-10-24T10:00:00Z", "bo-lindqvist"),  # the override
        ("2026-10-24T12:00:00Z", "cem-arslan"),
        ("2026-10-26T06:59:00Z", "cem-arslan"),  # Monday 07:59 in winter: the weekend was an hour longer
        ("2026-10-26T07:00:00Z", "bo-lindqvist"),
        ("2026-10-30T16:59:00Z", "bo-lindqvist"),
        ("2026-10-30T17:00:00Z", "dana-cole"),  # Friday 18:00 in winter
    ],
)
def test_the_same_person_is_on_call(shop, instant, person):
    assert on_call(shop.catalog.schedules["platform-schedule"], datetime.fromisoformat(instant)).person == person


@pytest.mark.parametrize(
    ("instant", "people"),
    [
        ("2026-10-21T06:59:00Z", {"bo-lindqvist"}),  # Wednesday 08:59: the tenth turn of two days since the 1st
        ("2026-10-21T07:00:00Z", {"ana-ribeiro", "cem-arslan", "dana-cole"}),
        ("2026-10-21T15:29:00Z", {"ana-ribeiro", "cem-arslan", "dana-cole"}),
        ("2026-10-21T15:30:00Z", {"ana-ribeiro"}),  # 17:30
        ("2026-10-25T07:59:00Z", {"bo-lindqvist"}),  # Sunday 08:59 in winter: the turn of the 23rd ends at nine
        ("2026-10-25T08:00:00Z", {"ana-ribeiro", "cem-arslan", "dana-cole"}),
        ("2026-10-27T08:00:00Z", {"bo-lindqvist", "cem-arslan", "dana-cole"}),
    ],
)
def test_rotations_that_overlap_put_the_same_people_on_call_together(shop, instant, people):
    at = datetime.fromisoformat(instant)
    lanes = [schedule for name, schedule in shop.catalog.schedules.items() if name.startswith("support-schedule")]
    assert len(lanes) == 3
    assert {shift.person for schedule in lanes if (shift := on_call(schedule, at))} == people


def test_delays_count_from_the_alert_and_become_waits(shop):
    policy = shop.catalog.policies["platform-escalation"]
    assert [([t.name for t in step.targets], step.wait_s) for step in policy.steps] == [
        (["platform-schedule"], 300),
        (["support-schedule", "support-schedule-2", "support-schedule-3", "ana-ribeiro"], 55 * 60),
        (["platform"], 600),
    ]
    assert policy.repeat == 2


def test_services_page_by_the_escalation_of_their_team_or_the_whole_team(shop, sentences):
    services = shop.catalog.services
    assert (services["search"].owner, services["search"].policy) == ("platform", "platform-escalation")
    assert (services["desk"].owner, services["desk"].policy) == ("support", "support-everybody")
    assert "pages the whole team" in sentences(shop, "changed")['Opsgenie service "Desk" (v2)']
    assert "Neither its team nor" in sentences(shop, "left")['Opsgenie service "Lost" (v3)']


def test_what_changed_or_was_left_is_said(shop, sentences):
    changed, left = sentences(shop, "changed"), sentences(shop, "left")
    assert '"Nowhere/City" is not known' in changed['Opsgenie user "Cem Arslan" (u3)']
    assert "They are blocked there" in changed['Opsgenie user "Dana Cole" (u4)']
    assert SmsMethod(number="+491701234567") in shop.catalog.people["ana-ribeiro"].contact
    assert "3 schedules that are paged together" in changed['Opsgenie schedule "Support schedule" (s2)']
    assert "whether the alert is closed" in changed['Opsgenie escalation "Platform_escalation" (e1)']
    late = changed['Opsgenie escalation "Late" (e2)']
    assert "waits 5 minutes" in late
    assert "A rule notifies next" in late
    assert "schedule s3, which was not imported" in late
    assert 'of none "nobody"' in left['Opsgenie schedule "Odd" (s3) rotation "None"']
    assert "None of its rotations" in left['Opsgenie schedule "Odd" (s3)']
    assert left['Opsgenie schedule "Off" (s4)'].startswith("It is disabled.")
    assert left['Opsgenie schedule "Zoneless" (s5)'].startswith("It has no time zone.")
    assert "has ended" in left['Opsgenie schedule "Platform_schedule" (s1) rotation "Past"']
    assert "Nobody of it" in left['Opsgenie team "Gone" (t3)']
    assert "other pages are missing" in left["opsgenie-services.json"]
    assert "replaces everybody" in changed['Opsgenie schedule "Platform_schedule" (s1) override from 2026-10-24 10:00']


def test_bare_objects_of_a_backup_give_the_same(shop):
    data = [json.loads(path.read_bytes())["data"] for path in FIXTURES if path.name != "opsgenie-services.json"]
    bare = read(*data, {"services": json.loads((FIXTURES[0].parent / "opsgenie-services.json").read_bytes())["data"]})
    assert files(bare, "c") == files(shop, "c")


def test_importing_twice_writes_the_same(shop):
    again = opsgenie.read([(path.name, path.read_bytes()) for path in reversed(FIXTURES)], NOW)
    assert files(again, "c") == files(shop, "c")


USER = {"id": "u1", "username": "ana@x.example", "fullName": "Ana"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"participants": []}, "It has nobody in it"),
        ({"participants": [{"type": "user", "id": "u9", "username": "zoe@x.example"}]}, 'user "zoe@x.example"'),
        ({"startDate": "0001-01-01T00:00:00+14:00"}, "further away than a calendar reaches"),
        ({"type": "yearly"}, "Its length cannot be read"),
        ({"length": 0}, "Its length cannot be read"),
        ({"timeRestriction": {"type": "weekday-and-time-of-day", "restrictions": []}}, "leave nothing"),
        (
            {"timeRestriction": {"type": "x", "restrictions": [{"startDay": "someday", "startHour": 1, "endHour": 2}]}},
            "leave nothing",
        ),
    ],
)
def test_a_rotation_that_cannot_be_said_is_left_out_with_the_reason(sentences, changes, sentence):
    rotation = {
        "name": "R", "startDate": "2026-10-05T06:00:00Z", "type": "daily", "length": 1,
        "participants": [{"type": "user", "id": "u1"}], **changes,
    }  # fmt: skip
    imported = read([USER], {"id": "s1", "name": "S", "timezone": "UTC", "rotations": [rotation]})
    assert imported.catalog.schedules == {}
    assert any(sentence in told for told in sentences(imported, "left").values())


def test_a_schedule_without_its_rotations_says_how_to_export_them(sentences):
    imported = read([USER], {"id": "s1", "name": "S", "timezone": "UTC"})
    assert "expand=rotation" in sentences(imported, "left")['Opsgenie schedule "S" (s1)']


def test_another_products_file_is_refused():
    with pytest.raises(NotImportable, match="sev1 import pagerduty"):
        read({"escalation_policies": [{"id": "P1", "escalation_rules": []}]})


@pytest.mark.parametrize("value", [[], 5, {}, {"data": 5}, {"data": [5, None]}, {"data": [{"teamId": {}}]}])
def test_odd_shapes_make_nothing_and_never_break(value):
    assert read(value).made == ()
