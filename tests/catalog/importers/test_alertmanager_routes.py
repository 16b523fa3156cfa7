"""The original configuration goes through Debian's `amtool`, the imported routes through ours: the same receivers."""

import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sev1.catalog.importers import alertmanager, alertmanager_routes
from sev1.catalog.importers.written import files
from sev1.catalog.load import load
from sev1.triage.rules import compiled, group_labels_of, stands_alone

NAMES = ("team", "severity", "service")
VALUES = ("a", "b", "ab", "")
RECEIVERS = ("r0", "r1", "r2", "r3")
EXAMPLES = 40


@pytest.fixture(scope="module")
def amtool():
    found = shutil.which("amtool")
    assert found, "amtool is missing: apt-get install prometheus-alertmanager"

    def receivers(config, labels):
        command = [found, "config", "routes", "test", f"--config.file={config}"]
        command += [f"{name}={value}" for name, value in labels.items()]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert answer.returncode == 0, answer.stderr
        return set(answer.stdout.strip().split(","))

    return receivers


def matchers():
    one = st.tuples(st.sampled_from(NAMES), st.sampled_from(["=", "!=", "=~", "!~"]), st.sampled_from(["a", "b", ""]))
    pattern = st.sampled_from(["a|b", "a.*", ".+", ".*"])
    regex = st.tuples(st.sampled_from(NAMES), st.sampled_from(["=~", "!~"]), pattern)
    return st.lists(st.one_of(one, regex).map(lambda m: f'{m[0]}{m[1]}"{m[2]}"'), max_size=2)


def routes(depth):
    fields = {
        "receiver": st.sampled_from(RECEIVERS),
        "matchers": matchers(),
        "continue": st.booleans(),
    }
    old = {"match": st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["a", "b"]), max_size=1)}
    if depth:
        old["routes"] = st.lists(routes(depth - 1), max_size=3)
    return st.fixed_dictionaries(fields, optional=old)


def configuration(children):
    return {
        "route": {"receiver": "r0", "routes": children},
        "receivers": [
            {"name": name, "webhook_configs": [{"url": f"http://hook.example/{name}"}]} for name in RECEIVERS
        ],
    }


labels = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["a", "b", "ab", "c"]), max_size=3)
NESTED = [
    {"receiver": "r1", "matchers": [], "continue": True},
    {
        "receiver": "r2",
        "matchers": ['team="a"'],
        "continue": True,
        "routes": [
            {"receiver": "r3", "matchers": ['severity=~"a|b"'], "continue": True},
            {"receiver": "r0", "matchers": ['service!=""'], "continue": False},
        ],
    },
    {"receiver": "r3", "matchers": ['team=~"a.*"'], "continue": False},
]


@given(children=st.lists(routes(2), max_size=3), asked=st.lists(labels, min_size=1, max_size=4))
@example(children=NESTED, asked=[{}, {"team": "a"}, {"team": "a", "severity": "b"}, {"team": "a", "service": "c"}])
@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_alert_goes_to_the_receivers_that_alertmanager_chooses(amtool, tmp_path, children, asked):
    config = tmp_path / "alertmanager.yml"
    config.write_text(json.dumps(configuration(children)))
    result = alertmanager.read("alertmanager.yml", config.read_bytes())
    folder = tmp_path / "catalog"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in files(result.imported, "sev1 import alertmanager").items():
        (folder / name).write_text(text)
    rules = compiled(load(folder))
    for alert in asked:
        chosen = rules.route_for(alert)
        assert set(result.receivers[chosen.name]) == amtool(config, alert), alert


def test_the_policy_of_a_route_pages_the_people_of_its_receivers(accepted):
    raw = json.dumps(configuration(NESTED)).encode()
    result = alertmanager.read("a.yml", raw)
    catalog = accepted(result.imported)
    route = compiled(catalog).route_for({"team": "a", "severity": "b", "service": "c"})
    (step,) = catalog.policies[route.policy].steps
    assert {catalog.people[target.name].full_name for target in step.targets} == {"r0", "r1", "r3"}
    assert catalog.policies[catalog.organisation.fallback_policy].title == "r0"


def test_too_many_combinations_keep_the_first_receiver_and_say_so(monkeypatch, sentences):
    monkeypatch.setattr(alertmanager_routes, "MOST_ROUTES", 20)
    children = [{"receiver": "r1", "matchers": [f'team="{n}"', f'l{n}="x"'], "continue": True} for n in range(3)]
    children += [{"receiver": "r2", "matchers": [f'm{n}="x"'], "continue": True} for n in range(8)]
    result = alertmanager.read("a.yml", json.dumps(configuration(children)).encode())
    assert "only the first receiver" in sentences(result.imported, "changed")["route"]
    alert = {"m0": "x", "m1": "x"}
    assert result.receivers[compiled(result.imported.catalog).route_for(alert).name] == ("r2",)


def test_three_dots_in_group_by_give_every_alert_a_page_of_its_own(accepted):
    held = configuration([{"receiver": "r1", "matchers": ['team="a"'], "group_by": ["cluster"]}])
    held["route"]["group_by"] = ["..."]
    catalog = accepted(alertmanager.read("a.yml", json.dumps(held).encode()).imported)
    rules = compiled(catalog)
    alert = {"alertname": "X", "service": "web", "cluster": "c1"}
    alone = rules.route_for(alert)
    assert stands_alone(alone, group_labels_of(alone, alert))
    grouped = rules.route_for({**alert, "team": "a"})
    assert not stands_alone(grouped, group_labels_of(grouped, alert))
    assert group_labels_of(grouped, alert) == {"cluster": "c1", "service": "web"}


def test_routes_on_env_are_reported_because_environments_are_normalised_here(sentences):
    result = alertmanager.read(
        "a.yml", json.dumps(configuration([{"receiver": "r1", "match": {"env": "prod"}}])).encode()
    )
    assert "production, prd and live count as prod" in sentences(result.imported, "changed")["route matchers on env"]


def test_combinations_that_no_alert_can_have_are_not_written(accepted):
    children = [{"receiver": f"r{n}", "match": {"team": "abc"[n - 1]}, "continue": True} for n in (1, 2, 3)]
    catalog = accepted(alertmanager.read("a.yml", json.dumps(configuration(children)).encode()).imported)
    routes = sorted(catalog.routes.values(), key=lambda route: route.order)
    assert [(route.match, route.policy) for route in routes] == [
        (('team="a"',), "r1"),
        (('team="b"',), "r2"),
        (('team="c"',), "r3"),
        ((), "r0"),
    ]
