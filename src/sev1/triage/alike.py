"""Alerts that are alike get one verdict: within a batch the stages run once for all that they could not tell apart. Pure.

A storm is a few hundred problems told by tens of thousands of alerts, which differ in labels that no rule looks at.
Two new alerts of one key are alike when they carry the same values of all labels that anything of the context looks at.
Whatever depends on more than that is judged by itself:

- what is known already, or follows on something: its reasons tell of the alert before;
- what may hold others: no alert holds itself;
- what came and went lately: it may be flapping;
- what speaks of its objective in its annotations, which are not labels;
- what has nothing to be grouped by: its group is its own.

`tests/triage/test_alike.py` compares the two ways over random catalogs and alerts.
"""

from collections.abc import Iterator

from sev1.catalog.matchers import Matcher
from sev1.catalog.model import Flapping
from sev1.triage.environments import LABELS as ENVIRONMENT
from sev1.triage.flapping import History
from sev1.triage.fold import Episode
from sev1.triage.model import Verdict
from sev1.triage.pipeline import Context, judge
from sev1.triage.rules import DEFAULT_GROUP_BY, NAMES_OF_SERVICES, stands_alone
from sev1.triage.slo import NAMES as OBJECTIVE

_CALM = History()


class Alike:
    """The verdicts found so far in one context. `judge(episode)` is what the stages would say, word for word."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._names = labels_looked_at(context)
        self._may_hold = {
            *(source.id for of_rule in context.sources.values() for same in of_rule.values() for source in same),
            *(cause.id for cause in context.causes.values()),
        }
        self._never_flapping = min(
            [Flapping().changes, *(route.flapping.changes for route in context.rules.catalog.routes.values())]
        )
        self._found: dict[tuple[int, tuple[str | None, ...]], Verdict] = {}

    def judge(self, episode: Episode) -> Verdict:
        if not self._has_its_like(episode):
            return judge(episode.subject, self._context)
        key = episode.key_id, tuple(map(episode.labels.get, self._names))
        found = self._found.get(key)
        if found is None:
            found = judge(episode.subject, self._context)
            way = self._context.rules.catalog.routes.get(found.route or "")
            if not stands_alone(way, found.group_labels):
                self._found[key] = found
        return found

    def _has_its_like(self, episode: Episode) -> bool:
        if episode.before or episode.known_before or episode.again or episode.id in self._may_hold:
            return False
        history = self._context.history.get((episode.key_id, episode.fingerprint), _CALM)
        if history.paged or len(history.changes) > self._never_flapping:
            return False
        return OBJECTIVE.isdisjoint(episode.annotations)


def labels_looked_at(context: Context) -> tuple[str, ...]:
    """The names of all labels that any stage may look at in this context, sorted."""
    return tuple(sorted(set(_names(context))))


def _names(context: Context) -> Iterator[str]:
    rules = context.rules
    yield from ("severity", "tier", "service", *NAMES_OF_SERVICES, *OBJECTIVE, *DEFAULT_GROUP_BY)
    for route in rules.catalog.routes.values():
        yield from route.group_by
    for matcher in _matchers(context):
        yield matcher.name
        if matcher.name == "env":
            yield from ENVIRONMENT  # a route compares the normalised word as well
    for rule in rules.inhibit:
        yield from rule.equal


def _matchers(context: Context) -> Iterator[Matcher]:
    for route in context.rules.routes:
        yield from route.matchers
    for rule in context.rules.inhibit:
        yield from rule.source
        yield from rule.target
    for silence in context.silences:
        yield from silence.matchers
    for window in context.maintenance:
        yield from window.matchers
