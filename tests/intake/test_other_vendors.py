"""What single vendors do beyond what `test_every_format` shows of all: forms, states, credentials."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.intake.conftest import NOW, one, parse, path, secret_of
from tests.intake.contract import FIXTURES, body_of

from sev1.intake.formats import FORMATS
from sev1.intake.formats.datadog import TEMPLATE
from sev1.intake.inbox import Inbox

DOCS = Path(__file__).parents[2] / "docs" / "intake.md"


def datadog(**changes: str):
    return one("datadog", json.dumps({**json.loads(body_of("datadog")), **changes}))


def test_datadog_says_the_same_as_json_and_as_a_form():
    form = (FIXTURES / "datadog" / "triggered.form").read_bytes()
    assert one("datadog", form) == one("datadog", body_of("datadog"))


@pytest.mark.parametrize(
    ("transition", "action"),
    [
        ("Triggered", "firing"), ("Re-Triggered", "firing"), ("Warn", "firing"), ("Re-Warn", "firing"),
        ("No Data", "firing"), ("Re-No Data", "firing"), ("Renotify", "firing"), ("Recovered", "resolved"),
    ],
)  # fmt: skip
def test_datadogs_transition_says_the_state(transition: str, action: str):
    assert datadog(transition=transition).action == action


@pytest.mark.parametrize("unset", ["", "null", "$ALERT_CYCLE_KEY"])
def test_datadogs_aggregation_key_stands_in_for_a_cycle_key_without_a_value(unset: str):
    assert datadog().fingerprint == "4937211948271"
    assert datadog(cycle_key=unset).fingerprint == "b1946ac92492d2347c6235b4d2611184"


def test_without_any_key_datadogs_title_counts_without_its_state():
    began = datadog(cycle_key="", aggreg_key="", title="[Triggered] Disk", transition="Triggered")
    ended = datadog(cycle_key="", aggreg_key="", title="[Recovered] Disk", transition="Recovered")
    assert began.fingerprint == ended.fingerprint


def test_the_template_for_datadog_is_json_and_is_in_the_documentation():
    assert set(json.loads(TEMPLATE)) == set(json.loads(body_of("datadog")))
    assert TEMPLATE in DOCS.read_text()
    assert TEMPLATE in FORMATS["datadog"].how_to("https://sev1.example.com", "KEY")


@pytest.mark.parametrize(("state", "action"), [("open", "firing"), ("OPEN", "firing"), ("Closed", "resolved")])
def test_googles_state_comes_in_any_case(state: str, action: str):
    payload = json.loads(body_of("google"))
    payload["incident"]["state"] = state
    assert one("google", json.dumps(payload)).action == action


def test_google_says_no_severity_when_it_has_none():
    payload = json.loads(body_of("google"))
    payload["incident"]["severity"] = "No severity"
    assert "severity" not in one("google", json.dumps(payload)).labels


async def test_googles_key_is_in_the_address_a_parameter_or_a_password(client: httpx.AsyncClient, inbox: Inbox):
    basic = base64.b64encode(f"google:{secret_of('google')}".encode()).decode()
    for address, headers in (
        (path("google", "google"), {}),
        ("/integrations/-/google", {"Authorization": f"Basic {basic}"}),
        (f"/integrations/-/google?auth_token={secret_of('google')}", {}),
    ):
        answer = await client.post(address, content=body_of("google"), headers=headers)
        assert answer.status_code == 202
    assert inbox.stored == 3
    for headers in ({}, {"Authorization": "Basic bm9ib2R5Om5vYm9keQ=="}, {"Authorization": "Basic é".encode()}):
        answer = await client.post("/integrations/-/google", content=body_of("google"), headers=headers)
        assert answer.status_code == 401


def test_azures_alert_is_known_by_its_id_and_what_it_measured_is_kept():
    event = one("azure", body_of("azure"))
    assert event.fingerprint.endswith("alerts/b9569717-bc32-442f-add5-83a997729330")
    assert "Percentage CPU" in event.annotations["context condition"]


def test_grafanas_payload_is_understood_at_alertmanagers_address_too():
    (own,), (other,) = (parse(name, body_of("grafana"), NOW).events for name in ("grafana", "alertmanager"))
    assert (own.fingerprint, own.summary, own.action) == (other.fingerprint, other.summary, other.action)


async def test_a_change_event_is_taken_at_the_root_with_the_routing_key_of_events(
    client: httpx.AsyncClient, inbox: Inbox
):
    body = {**json.loads(body_of("pagerduty-change")), "routing_key": secret_of("pagerduty")}
    for address in ("/v2/change/enqueue", "/v2/change/enqueue/"):
        answer = await client.post(address, json=body)
        assert (answer.status_code, answer.json()["status"]) == (202, "success")
    assert inbox.stored == 2
    answer = await client.post("/v2/change/enqueue", json={**body, "routing_key": "nobody"})
    assert (answer.status_code, answer.json()["errors"]) == (400, ["Invalid routing key"])


def test_plain_json_takes_changes_among_alerts():
    body = f"[{(FIXTURES / 'json' / 'change.json').read_text()}, {body_of('json').decode()}]"
    parsed = parse("json", body)
    (change,), (event,) = parsed.changes, parsed.events
    assert (change.summary, change.service, change.source) == (
        "checkout 2.4.1 is in production", "checkout", "deploy-bot",
    )  # fmt: skip
    assert change.details == {"commit": "4f1c2d", "lines": "12"}
    assert [link.url for link in change.links] == ["https://ci.example.net/builds/2"]
    assert event.summary == "Nightly backup of db-1 failed"


def netdata(**changes: Any):
    return one("netdata", json.dumps({**json.loads(body_of("netdata")), **changes}))


@pytest.mark.parametrize(
    ("status", "action", "severity"),
    [("WARNING", "firing", "warning"), ("CRITICAL", "firing", "critical"), ("CLEAR", "resolved", None),
     ("REMOVED", "resolved", None)],
)  # fmt: skip
def test_netdatas_status_says_the_state_and_how_bad_it_is(status: str, action: str, severity: str | None):
    event = netdata(status=status)
    assert (event.action, event.labels.get("severity")) == (action, severity)


def test_netdatas_alarm_is_its_host_chart_and_name_whatever_number_it_has_today():
    assert netdata(alarmId=99, unique_id="8", eventId=1, status="WARNING").fingerprint == netdata().fingerprint
    assert len({netdata(**{name: "other"}).fingerprint for name in ("host", "chart", "name")}) == 3


def test_what_netdata_could_not_measure_is_not_shown_as_a_value():
    event = netdata(value=None)
    assert "value" not in event.annotations
    assert event.summary == "10min_cpu_usage on web-1"


async def test_netdata_sends_its_key_where_opsgenie_takes_one(client: httpx.AsyncClient, inbox: Inbox):
    address = "/v1/json/integrations/webhooks/netdata"
    sent = await client.post(address, params={"apiKey": secret_of("netdata")}, content=body_of("netdata"))
    assert (sent.status_code, sent.json()) == (200, {"accepted": 1})
    assert (await client.post(address, content=body_of("netdata"))).status_code == 401
    assert inbox.stored == 1
