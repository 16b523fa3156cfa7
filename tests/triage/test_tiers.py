"""What puts an alert into its tier: route, label, objective, severity; and which environment a route means."""

from collections.abc import Mapping

import pytest

from sev1.catalog.model import Route
from sev1.triage.environments import environment
from sev1.triage.pipeline import EXPECTS, judge
from sev1.triage.slo import slo_state

from .test_verdicts import CHECKOUT, alert, context
from .world import organisation

PLAIN = {"alertname": "Burn", "service": "checkout", "severity": "critical"}


@pytest.mark.parametrize(
    ("labels", "tier", "by"),
    [
        (CHECKOUT, "page", "route prod-critical"),
        ({**PLAIN, "tier": "FYI"}, "fyi", "label tier"),
        ({**PLAIN, "slo_burn": "14.4", "error_budget_remaining": "40%"}, "page", "slo"),
        ({**PLAIN, "slo_burn": "2", "error_budget_remaining": "0.4"}, "ticket", "slo"),
        ({**PLAIN, "error_budget_remaining": "0"}, "page", "slo"),
        ({**PLAIN, "severity": "sev-1", "error_budget_remaining": "0.9"}, "page", "severity"),
        ({**PLAIN, "error_budget_remaining": "plenty"}, "page", "severity"),
    ],
)
def test_the_tier_comes_from_the_first_that_says_one(labels: Mapping[str, str], tier: str, by: str):
    verdict = judge(alert(labels), context())
    assert (verdict.tier, verdict.tier_by) == (tier, by)


def test_inside_the_budget_is_not_a_page_and_says_so():
    verdict = judge(alert(PLAIN, annotations={"error_budget_remaining": "40%", "slo_burn": "2"}), context())
    assert verdict.conclusion == "Ticket: the service is inside its error budget, 40% is left, burn 2."


def test_every_alert_says_which_action_it_expects():
    said = [judge(alert({**PLAIN, "tier": tier}), context()).expects for tier in EXPECTS]
    assert said == list(EXPECTS.values())


@pytest.mark.parametrize("text", ["nan", "inf", "", "x", "9" * 400])
def test_what_is_no_number_says_nothing_about_the_objective(text: str):
    found = slo_state({"slo_burn": text})
    assert found is None or found.burn is not None


@pytest.mark.parametrize(
    ("labels", "env"),
    [
        ({"env": "Production"}, "prod"),
        ({"environment": "live"}, "prod"),
        ({"env": "stg"}, "staging"),
        ({"env": "sandbox"}, "dev"),
        ({"env": "moon"}, "moon"),
        ({}, ""),
    ],
)
def test_environments_have_three_names(labels: dict[str, str], env: str):
    assert environment(labels) == env


def test_a_route_on_env_prod_takes_production_and_a_route_on_everything_else_does_not():
    routes = {
        "calm": Route(name="calm", order=1, match=('env!="prod"',), tier="ticket", channel="#api-staging"),
        "loud": Route(name="loud", order=2, match=('env="prod"',), tier="page", channel="#api-prod"),
    }
    verdict = judge(alert({**PLAIN, "env": "production"}), context(organisation(routes=routes)))
    assert (verdict.route, verdict.channel) == ("loud", "#api-prod")
    assert verdict.stages[4].reason == "Goes to Payments primary, in #api-prod (service checkout)."
    assert judge(alert({**PLAIN, "env": "stg"}), context(organisation(routes=routes))).channel == "#api-staging"
