"""Which response plan is for an alert. Pure (mission 5.8)."""

import functools
from collections.abc import Mapping

from sev1.catalog.matchers import Matcher, MatcherInvalid, all_match, parse_all
from sev1.catalog.model import Catalog, ResponsePlan


def plan_for(catalog: Catalog, labels: Mapping[str, str]) -> ResponsePlan | None:
    """The first plan, by `order` and name, whose matchers all hold."""
    for plan in sorted(catalog.response_plans.values(), key=lambda plan: (plan.order, plan.name)):
        matchers = _compiled(plan.match)
        if matchers and all_match(matchers, labels):
            return plan
    return None


@functools.lru_cache(maxsize=1024)
def _compiled(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    """Nothing for what cannot be read: it was refused when it was applied, so another release wrote it."""
    try:
        return tuple(parse_all(texts))
    except MatcherInvalid:
        return ()
