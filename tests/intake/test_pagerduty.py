import json
import uuid
from datetime import UTC, datetime

import pytest
from tests.intake.conftest import NOW, fixture, one, parse

from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.instants import SKEW
from sev1.intake.formats.pagerduty import find_routing_key

PAGERDUTY = FORMATS["pagerduty"]
KEY = "abcdefghijklmnopqrstuvwxyz012345"


def trigger(**fields: object) -> bytes:
    payload = {"summary": "Disk full", "source": "db-1", "severity": "critical"}
    return json.dumps({"routing_key": KEY, "event_action": "trigger", "payload": payload, **fields}).encode()


def test_alertmanagers_pagerduty_receiver_triggers_and_resolves_one_alert():
    firing = one("pagerduty", fixture("pagerduty/alertmanager-0.25-trigger"))
    resolved = one("pagerduty", fixture("pagerduty/alertmanager-0.25-resolve"))
    assert (firing.action, resolved.action) == ("firing", "resolved")
    assert (
        firing.fingerprint == resolved.fingerprint == "6a683ef9a927c10aa02ebf8a1fe973cdad7bcd4c6daf69effffc7150c08ce290"
    )
    assert firing.summary == "[FIRING:1] CheckoutErrors (prod-eu checkout critical)"
    assert firing.labels == {"severity": "error", "source": "Alertmanager"}


def test_the_answer_names_the_key():
    parsed = parse("pagerduty", fixture("pagerduty/pdpyras-5.4-acknowledge"))
    assert parsed.status == 202
    assert json.loads(parsed.body) == {"status": "success", "message": "Event processed", "dedup_key": "db-1/disk"}
    assert parsed.events[0].action == "acknowledged"
    assert one("pagerduty", fixture("pagerduty/pdpyras-5.4-resolve")).action == "resolved"


def test_a_trigger_without_a_key_gets_one_that_the_stored_payload_keeps():
    raw = fixture("pagerduty/pdpyras-5.4-trigger")
    accepted = PAGERDUTY.accept(raw)
    answered = json.loads(accepted.answer.body)["dedup_key"]
    assert uuid.UUID(answered)
    assert one("pagerduty", accepted.raw).fingerprint == answered
    assert PAGERDUTY.accept(accepted.raw).raw == accepted.raw, "reading it again changes nothing"
    assert {**json.loads(raw), "dedup_key": answered} == json.loads(accepted.raw)
    assert PAGERDUTY.accept(raw).raw != accepted.raw, "each trigger without a key is a new alert"


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_key_counts_as_none(empty: str | None):
    accepted = PAGERDUTY.accept(trigger(dedup_key=empty) + b" \n")
    assert one("pagerduty", accepted.raw).fingerprint == json.loads(accepted.answer.body)["dedup_key"]


def test_every_documented_field_is_kept():
    event = one("pagerduty", fixture("pagerduty/documented-trigger"))
    assert event.labels == {
        "severity": "critical",
        "source": "prod-datapipe03.example.net",
        "component": "mysql",
        "group": "prod-datapipe",
        "class": "disk",
    }
    assert event.annotations == {
        "free space": "1%",
        "load avg": "0.75",
        "big": "123456789012345678901234567890",
        "mounts": '["/", "/var"]',
        "client": "Backup monitor",
    }
    assert event.starts_at == datetime(2026, 3, 2, 3, 8, 58, 315000, tzinfo=UTC)
    assert [(link.title, link.url) for link in event.links] == [
        ("Disk runbook", "https://wiki.example.net/disk"),
        ("Disk use", "https://graphs.example.net/disk"),
        ("Disk use", "https://graphs.example.net/disk.png"),
        ("Backup monitor", "https://backups.example.net"),
    ]


@pytest.mark.parametrize(
    ("details", "annotations"),
    [
        ('"just text"', {"details": "just text"}),
        ("[1, 2]", {"details": "[1, 2]"}),
        ("1e999999", {"details": "1e999999"}),
        ("null", {}),
        ("{}", {}),
        ('{"n": 1e999999}', {"n": "1e999999"}),
        ('{"deep": {"a": [true]}}', {"deep": '{"a": [true]}'}),
    ],
)
def test_custom_details_become_annotations(details: str, annotations: dict[str, str]):
    body = trigger(payload={"summary": "S", "source": "x", "severity": "info", "custom_details": 0})
    raw = body.replace(b'"custom_details": 0', b'"custom_details": ' + details.encode())
    assert one("pagerduty", raw).annotations == annotations


def test_details_that_are_not_utf_8_are_still_read():
    body = trigger(payload={"summary": "S", "source": "x", "severity": "info", "custom_details": {"log": "?"}})
    event = one("pagerduty", body.replace(b"?", b"caf\xe9 \\u0000 \\ud800"))
    assert event.annotations["log"].startswith(("caf\ufffd", '"caf\ufffd'))
    assert "\0" not in event.annotations["log"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"{}", ["'event_action' is missing or blank"]),
        (trigger(event_action="boom"), ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"]),
        (trigger(payload=None), ["'payload.summary' is missing or blank", "'payload.source' is missing or blank", "'payload.severity' is missing or blank"]),
        (trigger(payload={"summary": " ", "source": "x", "severity": "bad"}), ["'payload.summary' is missing or blank", "'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning' or 'info')"]),
        (trigger(event_action="resolve"), ["'dedup_key' is missing or blank"]),
        (trigger(dedup_key="x" * 256), ["Length of 'dedup_key' is incorrect (should be at most 255 characters)"]),
        (trigger(payload={"summary": 1}), ["`payload.summary` must be text or null, not a number."]),
    ],
)  # fmt: skip
def test_an_invalid_event_is_answered_with_pagerdutys_list_of_errors(body: bytes, errors: list[str]):
    with pytest.raises(Misunderstood) as refused:
        PAGERDUTY.accept(body)
    answer = refused.value.answer
    assert answer.status == 400
    assert json.loads(answer.body) == {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": errors,
    }


def test_what_is_not_json_is_answered_as_pagerduty_does():
    with pytest.raises(Misunderstood) as refused:
        PAGERDUTY.accept(b"{not json")
    answer = json.loads(refused.value.answer.body)
    assert answer["status"] == "Unrecognized object"
    assert answer["errors"][0] == "JSON parse error"


def test_an_unknown_key_is_a_bad_request_for_pagerduty():
    answer = PAGERDUTY.refusal(401, PAGERDUTY.unknown_key)
    assert answer.status == 400
    assert json.loads(answer.body)["errors"] == ["Invalid routing key"]


def test_severity_may_be_written_in_capitals():
    event = one("pagerduty", trigger(payload={"summary": "S", "source": "x", "severity": "CRITICAL"}))
    assert event.labels["severity"] == "critical"


@pytest.mark.parametrize("timestamp", ["garbage", "", "2026-13-99"])
def test_a_timestamp_that_is_none_is_the_time_of_receipt(timestamp: str):
    event = one(
        "pagerduty", trigger(payload={"summary": "S", "source": "x", "severity": "info", "timestamp": timestamp})
    )
    assert event.starts_at == NOW


def test_a_timestamp_of_a_wrong_clock_is_noted():
    payload = {"summary": "S", "source": "x", "severity": "info", "timestamp": "1999-12-31T23:59:59"}
    event = one("pagerduty", trigger(payload=payload))
    assert event.starts_at == NOW
    assert "1999" in event.annotations[SKEW]


def test_the_routing_key_is_found_in_what_cannot_be_read():
    assert find_routing_key(trigger()[:-20]) == KEY
    assert find_routing_key(b"{}") is None
