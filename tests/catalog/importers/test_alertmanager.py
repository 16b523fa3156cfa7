"""An Alertmanager configuration, as a catalog and a report."""

import contextlib
import json
from datetime import UTC, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sev1.catalog.check import check
from sev1.catalog.importers import alertmanager
from sev1.catalog.importers.alertmanager_receivers import without_secrets
from sev1.catalog.importers.draft import NotImportable, report
from sev1.catalog.importers.written import files
from sev1.catalog.maintenance import window_at
from sev1.catalog.matchers import all_match
from sev1.triage.rules import compiled, maintenance_in_force

SHOP = """
global:
  smtp_auth_password: hunter2
  slack_api_url: https://hooks.slack.com/services/T0/B0/geheim
templates: [/etc/alertmanager/*.tmpl]
route:
  receiver: ops
  group_by: [alertname, cluster]
  repeat_interval: 4h
  routes:
    - matchers: [team="db"]
      receiver: db
      mute_time_intervals: [patching]
    - matchers: [team="web"]
      receiver: office
      active_time_intervals: [office hours]
    - matchers: [severity="info"]
      receiver: "null"
receivers:
  - name: ops
    email_configs: [{to: "Ops <ops@shop.example>", auth_password: hunter3}]
  - name: db
    email_configs: [{to: "ana@shop.example, ops@shop.example"}]
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
  - name: office
    webhook_configs:
      - url: https://bot:s3cr3t@hooks.shop.example/alerts?token=abc
        http_config: {authorization: {credentials: tok3n}}
      - url: https://hooks.slack.com/services/T0/B0/geheim
  - name: "null"
time_intervals:
  - name: patching
    time_intervals:
      - times: [{start_time: "22:00", end_time: "24:00"}]
        weekdays: ["tuesday"]
        days_of_month: ["1:7", "-3:-1"]
        months: ["january:march", "12"]
        years: ["2026:2028"]
        location: Europe/Berlin
  - name: office hours
    time_intervals:
      - times: [{start_time: "09:00", end_time: "17:00"}]
        weekdays: ["monday:friday"]
        location: Europe/Berlin
inhibit_rules:
  - source_match: {alertname: NodeDown}
    target_match_re: {alertname: ".+Slow"}
    equal: [cluster]
  - source_matchers: [severity="critical"]
    target_matchers: [severity=~"warning|info"]
    equal: [alertname, cluster]
  - target_matchers: [severity="info"]
"""


@pytest.fixture
def shop():
    return alertmanager.read("alertmanager.yml", SHOP.encode()).imported


def imported(text):
    return alertmanager.read("alertmanager.yml", text.encode()).imported


def test_the_result_is_a_catalog_that_plan_accepts(shop, accepted):
    catalog = accepted(shop)
    assert [route.policy for route in sorted(catalog.routes.values(), key=lambda r: r.order)] == [
        "db",
        "office",
        None,
        "ops",
    ]
    assert catalog.routes["null"].tier == "fyi"
    assert catalog.organisation.fallback_policy == "ops"


def test_one_mail_address_is_one_person_for_all_receivers(shop):
    emails = {name: person.email for name, person in shop.catalog.people.items()}
    assert emails == {"ana": "ana@shop.example", "ops": "ops@shop.example", "office": "office@imported.invalid"}
    assert [target.name for target in shop.catalog.policies["db"].steps[0].targets] == ["ana", "ops"]


def test_no_secret_is_copied_and_the_report_proposes_where_to_keep_it(shop, sentences):
    everything = "\n".join([*files(shop, "sev1 import alertmanager").values(), report(shop)])
    for secret in ("hunter2", "hunter3", "0123456789abcdef", "s3cr3t", "tok3n", "geheim", "token=abc"):
        assert secret not in everything
    left = sentences(shop, "left")
    assert "SEV1_DB_PAGERDUTY_SECRET" in left['receiver "db" pagerduty_configs[0]']
    assert "SEV1_OFFICE_WEBHOOK_SECRET" in left['receiver "office" webhook_configs[1]']
    assert "mail server and password are not copied" in left['receiver "ops" email_configs[0]']
    assert "secrets of other products" in left["global"]
    assert shop.catalog.people["office"].contact[0].url == "https://hooks.shop.example/alerts"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://hook.example/a/b", "https://hook.example/a/b"),
        ("http://me:pw@hook.example:8080/a?key=1#x", "http://hook.example:8080/a"),
        ("https://discord.com/api/webhooks/1/abc", None),
        ("https://x.webhook.office.com/y", None),
        ("https://hook.example/AbCdEf0123456789GhIjKl", None),
        ("https://hook.example/0b1c2d3e-aaaa-bbbb-cccc-0123456789ab", None),
        ("<secret>", None),
        ("file:///etc/passwd", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_addresses_that_are_a_secret_themselves_are_not_copied(url, kept):
    assert without_secrets(url)[0] == kept


def test_what_could_not_be_carried_over_is_said_with_the_reason(shop, sentences):
    left = sentences(shop, "left")
    assert left["inhibit_rules[2]"].startswith("Its source side matches every alert.")
    assert "repeat_interval are not kept" in left["route timing"]
    assert "templates" in left
    assert "every route that tells somebody has `tier: page`" in sentences(shop, "changed")["route"]


def test_a_receiver_of_which_nothing_is_left_pages_nobody_and_says_so_or_pages_the_contact(sentences):
    text = "route: {receiver: s}\nreceivers: [{name: s, slack_configs: [{channel: '#x'}]}]\n"
    changed = sentences(imported(text), "changed")
    assert "reach NOBODY yet" in changed['receiver "s"']
    with_contact = alertmanager.read("a.yml", text.encode(), contact="lead@shop.example").imported
    assert [p.email for p in with_contact.catalog.people.values()] == ["lead@shop.example"]
    assert "it pages lead@shop.example" in sentences(with_contact, "changed")['receiver "s"']


def test_a_muted_interval_is_a_maintenance_window_of_the_alerts_of_its_route(shop):
    planned = shop.catalog.maintenance["patching"]
    assert (planned.at, planned.duration_min, planned.time_zone) == (time(22), 120, "Europe/Berlin")
    assert planned.match == ('team="db"',)
    inside = datetime(2026, 3, 3, 21, 30, tzinfo=UTC)  # the first Tuesday of March, 22:30 in Berlin
    assert window_at(planned, inside) is not None
    assert window_at(planned, datetime(2026, 3, 10, 21, 30, tzinfo=UTC)) is None
    assert window_at(planned, datetime(2026, 4, 7, 20, 30, tzinfo=UTC)) is None  # April is not among the months
    assert window_at(planned, datetime(2029, 3, 6, 21, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("instant", "held"),
    [
        ("2026-03-27T07:59:00+00:00", True),  # Friday 08:59
        ("2026-03-27T08:00:00+00:00", False),  # Friday 09:00
        ("2026-03-27T15:59:00+00:00", False),
        ("2026-03-27T16:00:00+00:00", True),  # Friday 17:00
        ("2026-03-29T12:00:00+00:00", True),  # Sunday, the clocks have just gone forward
        ("2026-03-31T06:59:00+00:00", True),  # Tuesday 08:59 in summer time
        ("2026-03-31T07:00:00+00:00", False),
    ],
)
def test_outside_of_an_active_interval_the_alerts_of_the_route_are_held(shop, instant, held):
    found = maintenance_in_force(shop.catalog, datetime.fromisoformat(instant))
    assert any(all_match(window.matchers, {"team": "web"}) for window in found) is held


MUTE = """
route:
  receiver: a
  routes: [{routes}]
receivers: [{{name: a, email_configs: [{{to: a@x.example}}]}}, {{name: b, email_configs: [{{to: b@x.example}}]}}]
time_intervals:
  - name: night
    time_intervals: [{interval}]
"""


@pytest.mark.parametrize(
    ("routes", "interval", "reason"),
    [
        (
            '{matchers: [x="1"], receiver: b}, {matchers: [y="1"], mute_time_intervals: [night]}',
            "{weekdays: [sunday]}",
            "it would also hold alerts that route.routes[0] takes first",
        ),
        (
            '{matchers: [x="1"], mute_time_intervals: [night], routes: [{matchers: [y="1"], receiver: b}]}',
            "{weekdays: [sunday]}",
            "it would also hold alerts that route.routes[0].routes[0] takes first",
        ),
        ('{matchers: [x="1"], mute_time_intervals: [day]}', "{}", 'the interval "day" does not exist'),
        ('{matchers: [x!="1"], mute_time_intervals: [night]}', "{}", "matches alerts without any label"),
        ('{matchers: [x="1"], active_time_intervals: [night]}', "{months: [may]}", "has no weekly form"),
        ('{matchers: [x="1"], mute_time_intervals: [night]}', "{location: Mars/Base}", '"Mars/Base" is no time zone'),
        (
            '{matchers: [x="1"], mute_time_intervals: [night]}',
            "{times: [{start_time: '9', end_time: '10'}]}",
            "is no time",
        ),
        ('{matchers: [x="1"], active_time_intervals: [night]}', "{weekdays: [caturday]}", "is no weekday"),
    ],
)
def test_an_interval_that_would_hold_too_much_or_cannot_be_said_is_reported(sentences, routes, interval, reason):
    result = imported(MUTE.format(routes=routes, interval=interval))
    assert result.catalog.maintenance == {}
    assert any(reason in sentence for sentence in sentences(result, "left").values())


def test_two_routes_that_cannot_meet_are_muted_each_for_itself():
    routes = '{matchers: [x="1"], receiver: b}, {matchers: [x="2"], mute_time_intervals: [night]}'
    assert list(imported(MUTE.format(routes=routes, interval="{weekdays: [sunday]}")).catalog.maintenance) == ["night"]


@pytest.mark.parametrize(
    ("source", "target", "inhibited"),
    [
        ({"alertname": "NodeDown", "cluster": "a"}, {"alertname": "DbSlow", "cluster": "a"}, True),
        ({"alertname": "NodeDown", "cluster": "a"}, {"alertname": "DbSlow", "cluster": "b"}, False),
        ({"alertname": "NodeDown"}, {"alertname": "DbSlow"}, True),  # missing on both sides is the same
        ({"alertname": "NodeDown", "cluster": "a"}, {"alertname": "Slow", "cluster": "a"}, False),  # the whole value
        ({"alertname": "X", "severity": "critical"}, {"alertname": "X", "severity": "info"}, True),
        ({"alertname": "X", "severity": "critical"}, {"alertname": "Y", "severity": "info"}, False),
        ({"alertname": "X", "severity": "warning"}, {"alertname": "X", "severity": "info"}, False),
    ],
)
def test_the_same_alerts_are_inhibited(shop, source, target, inhibited):
    rules = compiled(shop.catalog).inhibitors_of(target)
    assert any(all_match(r.source, source) and r.equals_of(source) == r.equals_of(target) for r in rules) is inhibited


def test_importing_twice_writes_the_same_bytes(shop):
    again = alertmanager.read("alertmanager.yml", SHOP.encode()).imported
    assert files(shop, "c") == files(again, "c")


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("route: [", "This is not YAML"),
        ("a: 1", "has no `route`"),
        ("[1, 2]", "has no `route`"),
        ("", "holds 0 YAML documents"),
        (bomb(), "more than 50000 values"),
        ("route: &r {receiver: a, routes: [*r]}\nreceivers: []", "has no finished anchor"),
        ("route: 5\nreceivers: []", "route is not a route"),
        ("route: {routes: []}\nreceivers: []", "route names no receiver"),
        ("route: {receiver: a}\nreceivers: []", 'the receiver "a", which does not exist'),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", "written twice"),
        ("route: {receiver: a}\nreceivers: [{}]", "has no name"),
        ("route: {receiver: a, match: {x: y}}\nreceivers: [{name: a}]", "topmost route has matchers"),
        ("route: {receiver: a, routes: [{matchers: ['x=~\"[\"']}]}\nreceivers: [{name: a}]", "cannot be read"),
        ("route: {receiver: a, routes: [{match: [x]}]}\nreceivers: [{name: a}]", "must be a mapping"),
        ("route: {receiver: a, group_by: x}\nreceivers: [{name: a}]", "must be a list of texts"),
        ("route: {receiver: a}\nreceivers: 7", "must be a list"),
        ('{"users": [{"type": "user_reference", "id": "P1"}]}', "Use `sev1 import pagerduty`."),
        ("x" * 1_000_001, "is larger than 1000 kB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(NotImportable) as refused:
        imported(text)
    assert sentence in refused.value.message


def test_unquoted_values_are_taken_as_they_are_written():
    text = "route: {receiver: a, routes: [{match: {page: true, code: 5}}]}\nreceivers: [{name: a}]"
    [first, *_] = sorted(imported(text).catalog.routes.values(), key=lambda r: r.order)
    assert first.match == ('code="5"', 'page="true"')


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["a", "a=b", "monday:friday", "", "{"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["name", "receiver", "routes", "match", "matchers", "to", "url", "times", "time_intervals"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["route", "receivers", "inhibit_rules", "time_intervals", "global", "templates"]),
    ANYTHING,
    max_size=4,
)


@given(top=FIELDS, inside=st.lists(ANYTHING, max_size=2), receiver=ANYTHING, interval=ANYTHING)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_whatever_stands_in_the_file_it_is_imported_or_refused_in_a_sentence(top, inside, receiver, interval):
    held = {
        "route": {"receiver": "a", "routes": inside, "mute_time_intervals": ["n"]},
        "receivers": [{"name": "a", "email_configs": [receiver], "webhook_configs": receiver}],
        "time_intervals": [{"name": "n", "time_intervals": interval}],
        **top,
    }
    with contextlib.suppress(NotImportable):
        result = alertmanager.read("a.yml", json.dumps(held).encode()).imported
        assert [finding for finding in check(result.catalog) if not finding.warning] == []
