import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.intake.conftest import NOW, fixture, one, parse

from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.instants import SKEW
from sev1.intake.formats.labels import fingerprint

CAPTURED_AT = datetime(2026, 11, 23, 15, 17, 37, tzinfo=UTC)


def alert(**fields: object) -> str:
    return json.dumps([{"labels": {"alertname": "A"}, **fields}])


def test_prometheus_says_until_when_an_alert_lasts_unless_it_is_sent_again():
    event = one("prometheus", fixture("prometheus/prometheus-2.42-firing"), CAPTURED_AT)
    assert event.action == "firing"
    assert event.source == "prometheus"
    assert event.summary == "Checkout fails for 0.7039999961853027 of 1 customers"
    assert event.labels["severity"] == "critical"
    assert event.starts_at == datetime(2026, 11, 23, 15, 17, 36, 704000, tzinfo=UTC)
    assert event.expires_at == event.starts_at + timedelta(minutes=4)
    assert [(link.title, link.url.partition("?")[0]) for link in event.links] == [
        ("Source", "http://prometheus.example.net:9090/graph"),
        ("Runbook", "https://runbooks.example.net/checkout"),
    ]


def test_an_end_in_the_past_resolves_the_same_alert():
    received_at = datetime(2026, 11, 23, 15, 17, 49, tzinfo=UTC)
    firing = one("prometheus", fixture("prometheus/prometheus-2.42-firing"), received_at)
    resolved = one("prometheus", fixture("prometheus/prometheus-2.42-resolved"), received_at)
    assert (firing.action, resolved.action) == ("firing", "resolved")
    assert resolved.fingerprint == firing.fingerprint
    assert resolved.expires_at is None


def test_amtool_sets_no_times_so_the_alert_lasts_five_minutes():
    event = one("prometheus", fixture("prometheus/amtool-0.25-add"))
    assert event.action == "firing"
    assert event.starts_at == NOW
    assert event.expires_at == NOW + timedelta(minutes=5)


def test_grafana_as_an_external_alertmanager_gets_its_dashboard_links():
    event = one("prometheus", fixture("prometheus/grafana-external-alertmanager"))
    assert event.labels == {"alertname": "High latency", "grafana_folder": "Checkout"}, "an empty label does not exist"
    assert event.summary == "p99 is 2.3 s."
    assert [link.url for link in event.links] == [
        "https://grafana.example.net/alerting/grafana/f4bz1/view?orgId=1",
        "https://grafana.example.net/d/overview",
        "https://grafana.example.net/d/bdx1k2?viewPanel=4",
    ]


def test_the_fingerprint_is_the_label_set_in_any_order_and_nothing_else():
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1", "b": "2"}) != fingerprint({"a": "1b", "": "2"})
    assert fingerprint({"ab": "1"}) != fingerprint({"a": "b1"})
    assert len(fingerprint({"a": "ü"})) == 16


@pytest.mark.parametrize("body", ["[]", "null"])
def test_nothing_to_store_is_a_success_as_with_alertmanager(body: str):
    parsed = parse("prometheus", body)
    assert (parsed.events, parsed.status, parsed.body) == ((), 200, b"")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "not valid JSON"),
        ("{", "must be a list or null, not an object"),
        ("{}", "must be a list"),
        ("[1]", "must be an object, not a number"),
        ("[{}]", "`[0].labels` is missing"),
        ('[{"labels": {"a": 1}}]', "must be text, not a number"),
        ('[{"labels": {"a": "x"}, "startsAt": "yesterday"}]', "Invalid RFC3339"),
        ('[{"labels": {"": "x"}}]', "A name in `[0].labels`"),
        ('[{"labels": {"a": "' + "x" * 100_000 + '"}}]', "A value in `[0].labels` may have at most 16384 characters"),
        (json.dumps([{"labels": {f"l{n}": "x" for n in range(65)}}]), "`[0].labels` may have at most 64 entries"),
        (json.dumps([{"labels": {"a": str(n)}} for n in range(5001)]), "The body may have at most 5000 entries"),
        ("[" * 100_000, "must be an object"),
        ('[{"labels": {"a": "x"}, "unknown": ' + "[" * 100_000 + "]" * 100_000 + "}]", "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_json_string_as_alertmanager_does(body: str, says: str):
    with pytest.raises(Misunderstood) as refused:
        parse("prometheus", body)
    answer = refused.value.answer
    assert answer.status == 400
    assert json.loads(answer.body) == refused.value.sentence
    assert says in refused.value.sentence


@pytest.mark.parametrize("labels", [{}, {"a": ""}])
def test_an_alert_without_labels_gets_alertmanagers_own_words(labels: dict[str, str]):
    with pytest.raises(Misunderstood) as refused:
        parse("prometheus", json.dumps([{"labels": {"a": "x"}}, {"labels": labels}]))
    assert refused.value.answer.body == b'"at least one label pair required"'


def test_an_empty_time_is_none_as_with_alertmanager():
    event = one("prometheus", alert(startsAt="", endsAt=""))
    assert (event.action, event.starts_at) == ("firing", NOW)


@pytest.mark.parametrize("start", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "9999-12-31T23:59:59-11:00"])
def test_a_start_that_cannot_be_true_becomes_the_time_of_receipt_with_a_note(start: str):
    event = one("prometheus", alert(startsAt=start))
    assert event.starts_at == NOW
    assert start[:10] in event.annotations[SKEW] or "9999-12-31" in event.annotations[SKEW]


def test_an_hour_of_skew_is_believed():
    event = one("prometheus", alert(startsAt="2026-03-02T04:14:00+00:00"))
    assert event.starts_at == NOW + timedelta(hours=1)
    assert SKEW not in event.annotations


def test_an_alert_that_never_ends_expires_within_a_year_or_so():
    event = one("prometheus", alert(endsAt="9999-01-01T00:00:00Z"))
    assert event.expires_at == NOW + timedelta(days=366)


def test_a_time_before_the_calendar_begins_in_utc_is_unset():
    assert one("prometheus", alert(startsAt="0001-01-01T00:00:00+05:00")).starts_at == NOW


def test_characters_that_postgresql_cannot_hold_are_replaced():
    raw = rb'[{"labels": {"alertname": "a\u0000b", "x": "\ud800", "pair": "\ud83d\ude00", "kept": "\\u0000 \\ud800"}}]'
    assert one("prometheus", raw).labels == {
        "alertname": "a\ufffdb",
        "x": "\ufffd",
        "pair": "😀",
        "kept": r"\u0000 \ud800",
    }


def test_bytes_that_are_not_utf_8_are_replaced():
    assert one("prometheus", b'\xef\xbb\xbf[{"labels": {"alertname": "caf\xe9"}}]').labels == {"alertname": "caf\ufffd"}


def test_long_annotations_are_cut_and_say_so():
    event = one("prometheus", alert(annotations={"log": "x" * 20_000}))
    assert len(event.annotations["log"]) == 16_384
    assert event.annotations["log"].endswith("… (cut: 20000 characters)")


def test_too_many_annotations_are_left_out_with_a_note():
    event = one("prometheus", alert(annotations={f"a{n}": "x" for n in range(100)}))
    assert len(event.annotations) == 65
    assert event.annotations["sev1_cut"] == "36 more annotations were left out."


@pytest.mark.parametrize(
    ("annotations", "says"),
    [
        ({"summary": "S", "title": "T"}, "S"),
        ({"title": "T", "description": "D"}, "T"),
        ({"description": "\n  First line \nsecond"}, "First line"),
        ({"summary": "  "}, "A"),
        (None, "A"),
    ],
)
def test_the_summary_is_what_the_rules_author_wrote_or_the_name(annotations: dict[str, str] | None, says: str):
    assert one("prometheus", alert(annotations=annotations)).summary == says


@pytest.mark.parametrize("url", ["javascript:alert(1)", "not a url", "http://a b", "https://x/\n", "ftp://x", ""])
def test_only_web_addresses_become_links(url: str):
    assert one("prometheus", alert(generatorURL=url)).links == ()


def test_the_same_payload_gives_the_same_events_again():
    raw = fixture("prometheus/prometheus-2.42-firing")
    assert parse("prometheus", raw, CAPTURED_AT) == parse("prometheus", raw, CAPTURED_AT)
