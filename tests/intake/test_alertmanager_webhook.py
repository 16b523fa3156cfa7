import json
from datetime import UTC, datetime

import pytest
from tests.intake.conftest import NOW, fixture, one, parse

from sev1.intake.formats.format import Misunderstood


def test_alertmanager_says_when_an_alert_fires_and_when_it_is_over():
    received_at = datetime(2026, 11, 23, 15, 18, tzinfo=UTC)
    firing = one("alertmanager", fixture("alertmanager/alertmanager-0.25-firing"), received_at)
    resolved = one("alertmanager", fixture("alertmanager/alertmanager-0.25-resolved"), received_at)
    assert (firing.action, resolved.action) == ("firing", "resolved")
    assert firing.fingerprint == resolved.fingerprint == "dcc3ca5bc8bfca18"
    assert firing.expires_at is None, "it will tell us: nothing expires"
    assert firing.labels["service"] == "checkout"
    assert [link.title for link in firing.links] == ["Source", "Runbook", "Sender"]


def test_a_group_of_grafana_holds_alerts_of_either_state_with_their_links():
    latency, no_data = parse("alertmanager", fixture("alertmanager/grafana-webhook")).events
    assert (latency.action, no_data.action) == ("firing", "resolved")
    assert latency.summary == "p99 latency of checkout is above 2 s"
    assert no_data.summary == "DatasourceNoData"
    assert [link.title for link in latency.links] == [
        "Source", "Dashboard", "Panel", "Image", "Dashboard", "Silence at the sender", "Sender",
    ]  # fmt: skip


def test_an_alert_without_a_fingerprint_is_known_by_its_labels():
    body = {"alerts": [{"labels": {"a": "1"}}, {"labels": {"a": "1"}, "status": "resolved", "fingerprint": " "}]}
    firing, resolved = parse("alertmanager", json.dumps(body)).events
    assert firing.fingerprint == resolved.fingerprint
    assert firing.starts_at == NOW


def test_labels_that_only_the_group_has_fill_in():
    body = {"alerts": [{"status": "firing"}], "commonLabels": {"alertname": "A"}}
    assert one("alertmanager", json.dumps(body)).labels == {"alertname": "A"}


def test_an_empty_group_is_fine():
    parsed = parse("alertmanager", '{"alerts": []}')
    assert (parsed.status, parsed.events) == (200, ())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[]", "The body must be an object, not a list"),
        ("{}", "`alerts` is missing"),
        ('{"alerts": {}}', "`alerts` must be a list"),
        ('{"alerts": [{"status": "firing"}]}', "Alert 1 has no labels"),
    ],
)
def test_what_cannot_be_read_is_refused_in_our_own_words(body: str, says: str):
    with pytest.raises(Misunderstood) as refused:
        parse("alertmanager", body)
    answer = refused.value.answer
    assert (answer.status, answer.content_type) == (400, b"application/problem+json")
    assert says in json.loads(answer.body)["detail"]
