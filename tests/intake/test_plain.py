import json
from datetime import UTC, datetime

import pytest
from tests.intake.conftest import NOW, fixture, one, parse

from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.instants import SKEW


def test_one_event_with_everything():
    parsed = parse("json", fixture("json/one"))
    (event,) = parsed.events
    assert (parsed.status, json.loads(parsed.body)) == (202, {"accepted": 1, "keys": ["backup/db-1"]})
    assert event.summary == "Nightly backup of db-1 failed"
    assert event.labels == {"host": "db-1", "port": "5432", "service": "backups", "severity": "warning"}
    assert event.annotations == {"log": "disk full", "attempts": "3"}
    assert [(link.title, link.url) for link in event.links] == [
        ("Job", "https://ci.example.net/jobs/7"),
        ("Link", "https://wiki.example.net/backups"),
    ]
    assert event.starts_at == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert event.expires_at is None


def test_a_list_of_events_is_answered_with_the_key_of_each():
    parsed = parse("json", fixture("json/list"))
    stuck, latency, certificate = parsed.events
    assert json.loads(parsed.body) == {"accepted": 3, "keys": [e.fingerprint for e in parsed.events]}
    assert (stuck.action, latency.action) == ("firing", "resolved")
    assert latency.summary == "orders/latency"
    assert certificate.starts_at == datetime.fromtimestamp(1772420000, UTC)


def test_the_same_words_about_the_same_thing_are_one_problem_until_resolved():
    first = one("json", '{"summary": "Disk full", "labels": {"host": "a"}, "severity": "warning"}')
    again = one("json", '{"labels": {"host": "a"}, "summary": " Disk full ", "status": "resolved"}')
    other = one("json", '{"summary": "Disk full", "labels": {"host": "b"}}')
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert again.action == "resolved"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{}", "`summary` is missing"),
        ('[{"summary": "x"}, {"summary": " "}]', "`summary` is missing (event 2)"),
        ('{"status": "resolved"}', "`summary` is missing"),
        ('{"summary": "x", "status": "broken"}', "Invalid enum value 'broken'"),
        ('{"summary": "x", "labels": {"a": {}}}', "The label `a` must be text or a number"),
        (
            json.dumps({"summary": "x", "labels": {"big": "x" * 100_000}}),
            "The label `big` is longer than 16384 characters",
        ),
        ('{"summary": "x", "starts_at": "soon"}', "`starts_at` is not a time"),
        ('{"summary": "x", "starts_at": 1e300}', "`starts_at` is not a time in Unix seconds"),
        (json.dumps({"summary": "x", "key": "k" * 256}), "`key` may have at most 255 characters"),
        ('"text"', "The body must be"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(body: str, says: str):
    with pytest.raises(Misunderstood) as refused:
        parse("json", body)
    answer = json.loads(refused.value.answer.body)
    assert (answer["status"], answer["code"]) == (400, "invalid")
    assert says in answer["detail"]


def test_a_start_from_a_wrong_clock_is_noted():
    event = one("json", '{"summary": "x", "starts_at": 0}')
    assert event.starts_at == NOW
    assert "1970" in event.annotations[SKEW]
