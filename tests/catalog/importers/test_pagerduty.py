"""PagerDuty's API as a catalog: the fixtures are answers as its documentation shows them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sev1.catalog.contact import EmailMethod, VoiceMethod
from sev1.catalog.importers import pagerduty
from sev1.catalog.importers.draft import NotImportable
from sev1.catalog.importers.written import files
from sev1.oncall.schedule import on_call

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("pagerduty-*.json"))


def found(*paths):
    return [(path.name, path.read_bytes()) for path in paths or FIXTURES]


def read(*values, now=NOW):
    return pagerduty.read([(f"{n}.json", json.dumps(value).encode()) for n, value in enumerate(values)], now)


@pytest.fixture
def shop():
    return pagerduty.read(found(), NOW)


def test_the_result_is_a_catalog_that_plan_accepts(shop, accepted):
    catalog = accepted(shop)
    assert list(catalog.people) == ["ana-ribeiro", "bo-lindqvist", "cem-arslan", "dana-cole", "eli-stone"]
    assert catalog.teams["payments"].members == ("ana-ribeiro", "bo-lindqvist", "cem-arslan")
    assert list(catalog.services) == ["cart", "checkout", "legacy"]
    assert catalog.services["checkout"].owner == "payments"


@pytest.mark.parametrize(
    ("instant", "person"),
    [
        ("2026-03-12T10:00:00Z", "bo-lindqvist"),  # second week since the virtual start, although the layer began in it
        ("2026-03-16T07:59:00Z", "bo-lindqvist"),
        ("2026-03-16T08:00:00Z", "cem-arslan"),  # Monday 09:00 in winter
        ("2026-03-27T20:59:00Z", "ana-ribeiro"),
        ("2026-03-27T21:00:00Z", "dana-cole"),  # 22:00: nights lie on top
        ("2026-03-28T06:59:00Z", "ana-ribeiro"),  # Saturday 07:59: the night is over, the weekend has not begun
        ("2026-03-28T07:00:00Z", "eli-stone"),
        ("2026-03-28T23:00:00Z", "dana-cole"),
        ("2026-03-29T04:59:00Z", "dana-cole"),  # 06:59 in summer time: the night was an hour shorter
        ("2026-03-29T05:00:00Z", "eli-stone"),
        ("2026-03-29T19:59:00Z", "eli-stone"),  # Sunday 21:59, the weekend ends with the night
        ("2026-03-30T05:00:00Z", "ana-ribeiro"),
        ("2026-03-30T06:59:00Z", "ana-ribeiro"),
        ("2026-03-30T07:00:00Z", "bo-lindqvist"),  # Monday 09:00 in summer
        ("2026-04-01T06:00:00Z", "cem-arslan"),  # the override
        ("2026-04-01T10:00:00Z", "bo-lindqvist"),
    ],
)
def test_the_same_person_is_on_call(shop, instant, person):
    assert on_call(shop.catalog.schedules["payments-primary"], datetime.fromisoformat(instant)).person == person


def test_contact_methods_stand_in_the_order_of_the_rules_for_high_urgency(shop, sentences):
    assert list(shop.catalog.people["ana-ribeiro"].contact) == [
        EmailMethod(address="ana.private@mail.example"),
        EmailMethod(address="ana@shop.example"),
        VoiceMethod(number="+491701234567"),
    ]
    ana = 'PagerDuty user "Ana Ribeiro" (PUSER01)'
    assert "not carried over" not in sentences(shop, "left").get(ana, "")
    assert "not after minutes" in sentences(shop, "changed")[ana]


def test_what_is_missing_in_the_export_is_said(shop, sentences):
    changed, left = sentences(shop, "changed"), sentences(shop, "left")
    cem = changed['PagerDuty user "Cem Arslan" (PUSER03)']
    assert '"Central Time" is not known' in cem
    assert "include[]=contact_methods" in cem
    assert "user PGONE99, which was not imported" in changed['PagerDuty escalation policy "Payments" (PPOL001)']
    assert "pages nobody who was imported" in left['PagerDuty escalation policy "Nobody" (PPOL002)']
    assert "policy was not imported" in left['PagerDuty service "Ghost" (PSVC003)']
    assert "Nobody of it" in left['PagerDuty team "Empty" (PTEAM02)']
    assert "other pages are missing" in left["pagerduty-policies.json"]
    assert "ended on 2026-03-11" in left['PagerDuty schedule "Payments primary" (PSCHED1) layer "Weeks before"']
    assert left['PagerDuty service "Old" (PSVC004)'].startswith("It is disabled.")


def test_steps_keep_their_people_their_waits_and_their_repeats(shop):
    policy = shop.catalog.policies["payments"]
    assert [(step.targets[0].name, step.wait_s) for step in policy.steps] == [
        ("payments-primary", 300),
        ("ana-ribeiro", 20 * 60 + 30 * 60),  # the third step pages nobody who exists; its wait goes to the second
    ]
    assert policy.repeat == 3


def test_names_that_would_be_the_same_are_numbered(shop):
    assert list(shop.catalog.policies) == ["payments", "payments-2"]
    assert shop.catalog.policies["payments-2"].title == "payments!"


def test_a_service_without_a_team_is_answered_for_by_whom_its_policy_pages(shop, sentences):
    assert shop.catalog.services["legacy"].owner == "payments-2-responders"
    assert shop.catalog.teams["payments-2-responders"].members == ("dana-cole",)
    assert "has no team" in sentences(shop, "changed")['PagerDuty service "Legacy" (PSVC002)']
    assert shop.catalog.services["cart"].owner == "payments"  # by its policy's team
    assert "again after 30 minutes" in sentences(shop, "changed")['PagerDuty service "Cart" (PSVC005)']


def test_the_order_of_the_files_changes_nothing_and_importing_twice_neither(shop):
    again = pagerduty.read(reversed(found()), NOW)
    assert files(again, "c") == files(shop, "c")


USER = {"id": "P1", "type": "user", "name": "Ana", "email": "ana@x.example"}


def schedule(**changes):
    layer = {
        "id": "L1",
        "name": "Layer",
        "start": "2026-01-05T09:00:00Z",
        "rotation_virtual_start": "2026-01-05T09:00:00Z",
        "rotation_turn_length_seconds": 604800,
        "users": [{"user": {"id": "P1", "type": "user_reference"}}],
        "restrictions": [],
    }
    zone = changes.pop("time_zone", "UTC")
    return {"id": "S1", "name": "S", "type": "schedule", "time_zone": zone, "schedule_layers": [{**layer, **changes}]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time_zone": None}, "It has no time zone."),
        ({"time_zone": "Mars/Base"}, '"Mars/Base" is not known'),
        ({"users": []}, "It has nobody in it"),
        ({"users": [{"user": {"id": "P9", "type": "user_reference"}}]}, "The user P9 in it was not imported"),
        ({"rotation_turn_length_seconds": 1800}, "are no whole hours"),
        ({"rotation_turn_length_seconds": 0}, "Its turns have no length"),
        ({"start": "9999-12-31T23:59:59Z", "time_zone": "Asia/Tokyo"}, "further away than a calendar reaches"),
        ({"rotation_turn_length_seconds": 10**17}, "further away than a calendar reaches"),
        ({"start": "yesterday"}, "It cannot be read: Invalid RFC3339"),
        (
            {"restrictions": [{"type": "daily_restriction", "start_time_of_day": "09:00:00", "duration_seconds": 0}]},
            "leave nothing",
        ),
    ],
)
def test_a_schedule_that_cannot_be_said_is_left_out_with_the_reason(sentences, changes, sentence):
    imported = read({"users": [USER], "schedules": [schedule(**changes)]})
    assert imported.catalog.schedules == {}
    assert any(sentence in told for told in sentences(imported, "left").values())


def test_a_schedule_without_its_layers_says_how_to_export_them(sentences):
    imported = read({"users": [USER], "schedules": [{"id": "S1", "name": "S", "time_zone": "UTC", "type": "schedule"}]})
    assert "include[]=schedule_layers" in sentences(imported, "left")['PagerDuty schedule "S" (S1)']


def test_an_end_in_the_middle_of_a_turn_is_rounded_up_and_said(sentences):
    imported = read({"users": [USER], "schedules": [schedule(end="2026-05-06T15:00:00Z")]})
    (layer,) = imported.catalog.schedules["s"].layers
    assert str(layer.ends) == "2026-05-07"
    assert "hand-over of 2026-05-07" in sentences(imported, "changed")['PagerDuty schedule "S" (S1) layer "Layer"']


def test_two_users_with_one_mail_address_are_one_person(sentences):
    twin = {**USER, "id": "P2", "name": "Ana again", "email": "ANA@x.example"}
    imported = read({"users": [USER, twin]})
    assert list(imported.catalog.people) == ["ana"]
    assert "they are one person" in sentences(imported, "changed")['PagerDuty user "Ana again" (P2)']


def test_text_that_no_catalog_takes_is_made_to_fit(accepted):
    odd = {**USER, "name": "Ana\x00\n" + "é" * 600}
    catalog = accepted(read({"users": [odd, {**USER, "id": "P2", "name": "東京", "email": "t@x.example"}]}))
    assert sorted(catalog.people) == ["ana-" + "e" * 59, "person"]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"route:\n  receiver: a\nreceivers: []\n", "Use `sev1 import alertmanager`."),
        (b'{"data": [{"id": "1", "rotations": []}]}', "looks like an answer of Opsgenie's API"),
        (b'{"results": [{"id": "1", "on_call_now": []}]}', "Use `sev1 import grafana-oncall`."),
    ],
)
def test_what_is_no_answer_of_pagerduty_is_refused_with_a_sentence(raw, sentence):
    with pytest.raises(NotImportable) as refused:
        pagerduty.read([("x.json", raw)], NOW)
    assert sentence in refused.value.message


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("sev1.catalog.importers.sources.LARGEST_JSON", 10)
    with pytest.raises(NotImportable, match="larger than"):
        read({"users": [USER]})


@pytest.mark.parametrize(
    "value", [[], 5, {}, {"users": 5}, {"users": [5, None, {}]}, {"users": [{"id": {}}]}, {"overrides": [1]}]
)
def test_odd_shapes_make_nothing_and_never_break(value):
    imported = read(value)
    assert imported.made == ()
