"""What an alert says about its service level objective, and what that may cost (mission 5.5). Pure.

The numbers are those of multiwindow burn-rate alerts as commonly run: a burn of 6 uses up a month's budget in five
days, which is worth waking somebody for; a burn of 1 uses it up exactly.
"""

import math
from collections.abc import Mapping

from msgspec import Struct

from sev1.catalog.model import Tier

BURN = ("slo_burn", "slo_burn_rate", "burn_rate")
BUDGET = ("error_budget_remaining", "slo_error_budget_remaining")
PAGES_FROM = 6.0
NAMES = frozenset({*BURN, *BUDGET})


class SloState(Struct, frozen=True, kw_only=True):
    burn: float | None = None
    """How many times as fast as allowed the budget is used."""
    budget: float | None = None
    """What is left of it: 1 is all, 0 or less nothing."""


def slo_state(*texts: Mapping[str, str]) -> SloState | None:
    """What labels and annotations say; None when nothing that can be read as a number."""
    if all(NAMES.isdisjoint(text) for text in texts):
        return None
    burn, budget = _first(BURN, texts), _first(BUDGET, texts)
    return None if burn is None and budget is None else SloState(burn=burn, budget=budget)


def slo_tier(state: SloState) -> tuple[Tier, str]:
    """The tier and why. Inside the budget is not a page."""
    if state.burn is not None and state.burn >= PAGES_FROM:
        return "page", f"the error budget burns {state.burn:g} times as fast as allowed."
    if state.budget is not None and state.budget <= 0:
        return "page", "the error budget is used up."
    left = "" if state.budget is None else f", {state.budget:.0%} is left"
    speed = "" if state.burn is None else f", burn {state.burn:g}"
    return "ticket", f"the service is inside its error budget{left}{speed}."


def _first(names: tuple[str, ...], texts: tuple[Mapping[str, str], ...]) -> float | None:
    for text in texts:
        for name in names:
            if (number := _number(text.get(name, ""))) is not None:
                return number
    return None


def _number(text: str) -> float | None:
    """`0.4`, `40%`, `14.4x`."""
    text = text.strip()[:40]
    try:
        number = float(text.removesuffix("%").removesuffix("x"))
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return number / 100 if text.endswith("%") else number
