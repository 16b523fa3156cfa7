"""Route tests: an alert, and what the catalog makes of it. Pure; run by `sev1 plan` and `sev1 apply` (mission T.3).

The real stages of triage judge it, with the catalog alone: silences made at run time and other alerts that fire play no
part, so a test says the same on every machine. Maintenance windows are part of the catalog and count.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from sev1.catalog.model import Catalog, RouteTest
from sev1.catalog.problems import Path, listed
from sev1.oncall.resolve import resolve
from sev1.triage.model import Subject, Verdict
from sev1.triage.pipeline import Context, judge
from sev1.triage.rules import Rules, compiled, maintenance_in_force


class Failure(Struct, frozen=True, kw_only=True):
    test: str
    path: Path
    """Where the expectation stands inside the test."""
    expected: str
    got: str
    reason: str
    """The sentence of the stage that decided."""

    @property
    def message(self) -> str:
        what = self.path[-1]
        return f'route-test "{self.test}": {what}: expected {self.expected}, got {self.got}. {self.reason}'.rstrip()


def run(catalog: Catalog, now: datetime) -> list[Failure]:
    """What does not hold; empty when all tests pass. `now` is the instant of tests that name none."""
    rules = compiled(catalog)
    return [failure for _, test in sorted(catalog.route_tests.items()) for failure in _failures(test, rules, now)]


def _failures(test: RouteTest, rules: Rules, now: datetime) -> Iterator[Failure]:
    at = test.at or now
    context = Context(now=at, rules=rules, maintenance=maintenance_in_force(rules.catalog, at))
    subject = Subject(id=0, key_id=0, fingerprint="", labels=test.labels, annotations=test.annotations)
    verdict = judge(subject, context)
    for name, got, reason in _found(verdict, rules.catalog, at):
        expected = getattr(test.expect, name)
        if expected is None:
            continue
        if name == "people":
            expected = sorted(expected)
        if expected != got:
            path = ("expect", name)
            yield Failure(test=test.name, path=path, expected=_words(expected), got=_words(got), reason=reason)


def _found(verdict: Verdict, catalog: Catalog, at: datetime) -> Iterator[tuple[str, Any, str]]:
    """(what can be expected, what was found, why)."""

    def reason(stage: Any) -> str:
        found = verdict.stage(stage)
        return found.reason if found else ""

    yield "tier", verdict.tier, reason("tier")
    yield "service", verdict.service or "", reason("route")
    yield "route", verdict.route or "", _route_reason(verdict, reason("tier"))
    yield "policy", verdict.policy or "", reason("route")
    yield "group", dict(verdict.group_labels), reason("group")
    yield "silenced", verdict.held == "silenced", reason("silence")
    people, why = _people(verdict, catalog, at)
    yield "people", people, why


def _route_reason(verdict: Verdict, tier: str) -> str:
    return tier if verdict.route else "No route's matchers all hold."


def _people(verdict: Verdict, catalog: Catalog, at: datetime) -> tuple[list[str], str]:
    """Whom the first step pages at that instant, and why them. An alert that pages nobody asks nobody."""
    if verdict.tier != "page" or verdict.held or verdict.policy is None:
        return [], verdict.conclusion
    policy = catalog.policies[verdict.policy]
    found = resolve(policy.steps[0].targets, catalog, at, {}, named_in=f"step 1 of {policy.title}")
    why = [f"{r.person} is {r.because}." for r in found.recipients]
    return sorted(r.person for r in found.recipients), " ".join([*why, *(f"{n}." for n in found.nobody)])


def _words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return listed(f"{k}={v}" for k, v in sorted(value.items())) or "no labels"
        case list():
            return listed(value) or "nobody"
        case None | "":
            return "none"
        case _:
            return str(value)
