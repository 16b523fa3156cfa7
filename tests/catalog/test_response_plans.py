"""Which response plan is for an alert, and what is refused in one."""

import pytest

from sev1.catalog.check import require_valid
from sev1.catalog.model import Catalog, ResponsePlan
from sev1.catalog.problems import CatalogInvalid
from sev1.catalog.response_plans import plan_for


def plan(name: str, *match: str, order: int = 100, **more: object) -> ResponsePlan:
    return ResponsePlan(name=name, title=name, match=match, order=order, **more)  # type: ignore[arg-type]


def catalog(*plans: ResponsePlan) -> Catalog:
    return Catalog(response_plans={plan.name: plan for plan in plans})


def test_the_first_by_order_and_name_whose_matchers_all_hold_is_shown():
    found = catalog(plan("b", 'service="web"'), plan("a", 'service="web"'), plan("z", 'env="prod"', order=1))
    assert getattr(plan_for(found, {"service": "web", "env": "prod"}), "name", None) == "z"
    assert getattr(plan_for(found, {"service": "web"}), "name", None) == "a"
    assert plan_for(found, {"service": "db"}) is None


def test_one_whose_matchers_cannot_be_read_is_for_nothing():
    assert plan_for(catalog(plan("a", "=")), {"a": "b"}) is None


def test_experts_must_be_people_and_matchers_must_be_readable():
    with pytest.raises(CatalogInvalid) as refused:
        require_valid(catalog(plan("a", "=", experts=("nobody",))))
    assert 'names as expert person "nobody"' in refused.value.message
    assert "has a matcher that cannot be read" in refused.value.message
