"""The sample organisation that ships with sev1: it must be what a tidy catalog looks like."""

from importlib.resources import as_file, files

import pytest

from sev1.catalog.load import inspect
from sev1.catalog.matchers import all_match, parse_all


@pytest.fixture(scope="module")
def loaded():
    with as_file(files("sev1.practice") / "sample") as folder:
        return inspect(folder)


@pytest.fixture(scope="module")
def sample(loaded):
    return loaded.catalog


def test_it_loads_without_a_problem_and_without_a_warning(loaded):
    assert loaded.warnings == ()


def test_it_is_large_enough_to_look_real(sample):
    assert len(sample.people) >= 8
    assert len({person.time_zone for person in sample.people.values()}) >= 4
    assert len(sample.teams) == 4
    assert len(sample.services) >= 10
    assert {service.tier for service in sample.services.values()} == {1, 2, 3, 4}
    assert len(sample.schedules) == 5
    assert len(sample.policies) == 6


def test_its_severities_carry_the_response_targets_of_the_matrix(sample):
    """Mission 1.3: immediate, 3 min, 5 min, 15 min, 48 h, monitor only."""
    targets = [severity.respond_within_s for severity in sample.severities_worst_first()]
    assert targets == [0, 180, 300, 900, 48 * 3600, None]


def test_it_reaches_nobody_outside(sample):
    addresses = [method.address for person in sample.people.values() for method in person.contact]
    addresses += [person.email for person in sample.people.values()]
    assert all(address.endswith(".example") for address in addresses)
    links = [link.url for service in sample.services.values() for link in service.links]
    assert links
    assert all(link.split("/")[2].endswith(".example") for link in links)


@pytest.mark.parametrize(
    ("labels", "route"),
    [
        ({"service": "checkout", "env": "prod-eu", "severity": "critical"}, "money"),
        ({"service": "warehouse", "env": "prod", "severity": "critical"}, "fulfilment-by-itself"),
        ({"service": "cart", "env": "prod", "severity": "critical"}, "cart-to-both"),
        ({"service": "session-cache", "env": "prod", "severity": "critical"}, "cache-to-the-desk"),
        ({"service": "search", "env": "prod", "severity": "critical"}, "production-critical"),
        ({"service": "search", "env": "prod", "severity": "warning"}, "production-warning"),
        ({"service": "checkout", "env": "staging-2", "severity": "critical"}, "not-production"),
        ({"service": "search", "severity": "info"}, "good-to-know"),
        ({"alertname": "SomethingNew"}, "catch-all"),
    ],
)
def test_each_of_its_routes_is_reached(sample, labels, route):
    ordered = sorted(sample.routes.values(), key=lambda route: (route.order, route.name))
    assert next(r.name for r in ordered if all_match(parse_all(r.match), labels)) == route


def test_its_runbooks_are_read_in_five_seconds(sample):
    """Mission 4.4: short lines, few of them, and the first one is what to try first."""
    for runbook in sample.runbooks.values():
        lines = [line for line in runbook.body.splitlines() if line.strip()]
        assert len(lines) <= 8, runbook.name
        assert max(map(len, lines)) <= 90, runbook.name
        assert lines[1] == f"- [ ] {runbook.first_step}"
        assert "VERIFY" in runbook.body
        assert "DONE" in runbook.body
