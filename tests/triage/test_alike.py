"""Judging what is alike once says the same, word for word, as judging each alert by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.triage.world import organisation

from sev1.catalog.matchers import parse
from sev1.catalog.model import Flapping, InhibitRule, Route
from sev1.triage.alike import Alike, labels_looked_at
from sev1.triage.flapping import History
from sev1.triage.fold import Episode
from sev1.triage.model import InMaintenance, OpenAlert, OpenPage, Silence, Source, Verdict
from sev1.triage.pipeline import Context, judge
from sev1.triage.rules import Rules, compiled

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
NAMES = (
    "alertname",
    "service",
    "job",
    "app",
    "env",
    "environment",
    "severity",
    "tier",
    "team",
    "burn_rate",
    "instance",
)
VALUES = ("", "a", "b", "checkout", "search", "prod", "production", "dev", "critical", "warning", "sev-1", "page", "7")

labels = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=6)
matcher = st.builds(
    lambda name, op, value: f'{name}{op}"{value}"',
    st.sampled_from(NAMES),
    st.sampled_from(("=", "!=", "=~", "!~")),
    st.sampled_from(VALUES),
)
matchers = st.lists(matcher, max_size=2).map(tuple)
some = st.lists(matcher, min_size=1, max_size=1).map(tuple)
names = st.lists(st.sampled_from(NAMES), max_size=3, unique=True).map(tuple)
routes = st.lists(
    st.builds(
        Route,
        name=st.sampled_from(("one", "two", "three")),
        order=st.integers(0, 3),
        match=matchers,
        tier=st.sampled_from((None, "page", "ticket", "fyi")),
        policy=st.sampled_from((None, "everyone")),
        severity=st.sampled_from((None, "sev-1", "sev-3")),
        group_by=names,
        flapping=st.builds(Flapping, changes=st.integers(2, 4)),
    ),
    max_size=3,
)
inhibit = st.lists(
    st.builds(
        InhibitRule,
        name=st.sampled_from(("r", "s")),
        source=some,
        target=some,
        equal=names,
    ),
    max_size=2,
)
silences = st.lists(
    st.builds(
        lambda texts, key: Silence(
            id=UUID(int=len(texts)), key_id=key, matchers=tuple(one for text in texts for one in parse(text)),
            starts_at=NOW, ends_at=NOW + timedelta(hours=1), created_by="Ana", comment="x", updated_at=NOW,
        ),
        some,
        st.sampled_from((None, 1, 2)),
    ),
    max_size=2,
)  # fmt: skip
windows = st.lists(
    st.builds(
        lambda texts, services: InMaintenance(
            name="w", title="W", owner="Ana", reason="x", services=services, until=NOW + timedelta(hours=1),
            matchers=tuple(one for text in texts for one in parse(text)),
        ),
        matchers,
        st.sampled_from(((), ("checkout",))),
    ),
    max_size=1,
)  # fmt: skip
moments = st.lists(st.integers(0, 60).map(lambda m: NOW - timedelta(minutes=m)), max_size=6).map(tuple)
change = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=1)
"""Alerts of one draw are one label set, each with at most one label of its own: alike, or nearly."""
alert = st.tuples(
    change, st.sampled_from((1, 1, 1, 2)),
    st.dictionaries(st.sampled_from(("summary", "slo_burn")), st.sampled_from(("9", "1")), max_size=1),
    st.builds(History, changes=st.one_of(st.just(()), st.just(()), moments), paged=st.sampled_from((False, False, True))),
)  # fmt: skip


def an_episode(number: int, said: dict[str, str], key: int, annotations: dict[str, str]) -> Episode:
    return Episode(
        id=number, key_id=key, fingerprint=f"f{number}", source="json", summary="x", labels=said,
        annotations=annotations, links=(), starts_at=NOW, expires_at=None, received_at=NOW, writer=1, row=number,
        judge=True,
    )  # fmt: skip


def sources_of(rules: Rules, episodes: list[Episode]) -> dict[str, dict[tuple[str, ...], tuple[Source, ...]]]:
    """Those that may inhibit, as a batch knows them."""
    found: dict[str, dict[tuple[str, ...], tuple[Source, ...]]] = {}
    for rule in rules.inhibit:
        of_rule = found.setdefault(rule.name, {})
        for e in episodes:
            if all(m.matches(e.labels) for m in rule.source):
                values = rule.equals_of(e.labels)
                of_rule[values] = (*of_rule.get(values, ()), Source(id=e.id, labels=e.labels))
    return found


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_what_is_alike_gets_the_verdict_that_it_would_get_alone(data: st.DataObject):
    rules = compiled(
        organisation(
            routes={route.name: route for route in data.draw(routes)},
            inhibit_rules={rule.name: rule for rule in data.draw(inhibit)},
        )
    )
    common = {"alertname": "Slow", "service": "checkout", "severity": "critical"} | data.draw(labels)
    drawn = data.draw(st.lists(alert, min_size=4, max_size=16))
    episodes = [an_episode(n, {**common, **own}, key, notes) for n, (own, key, notes, _) in enumerate(drawn, 1)]
    context = Context(
        now=NOW,
        rules=rules,
        silences=tuple(data.draw(silences)),
        maintenance=tuple(data.draw(windows)),
        sources=sources_of(rules, episodes),
        causes={"search": Source(id=data.draw(st.integers(1, 12)), labels={})} if data.draw(st.booleans()) else {},
        history={(e.key_id, e.fingerprint): past for e, (_, _, _, past) in zip(episodes, drawn, strict=True)},
        incidents={"checkout": "INC-1"} if data.draw(st.booleans()) else {},
    )
    opened = {judge(e.subject, context).group_key or "" for e in episodes if data.draw(st.booleans())}
    pages = {key: OpenPage(key=f"P-{n}", group_key=key) for n, key in enumerate(sorted(opened), 1)}
    context = Context(**{name: getattr(context, name) for name in Context.__struct_fields__} | {"open_pages": pages})
    alike = Alike(context)
    assert [alike.judge(e) for e in episodes] == [judge(e.subject, context) for e in episodes]


def test_alerts_that_differ_only_in_what_nobody_looks_at_share_one_verdict():
    context = Context(now=NOW, rules=compiled(organisation()))
    alike = Alike(context)
    said = {"alertname": "Slow", "service": "checkout", "severity": "critical"}
    one, other, third = (
        alike.judge(an_episode(n, {**said, **more}, 1, {}))
        for n, more in enumerate(({"instance": "1"}, {"instance": "2"}, {"severity": "warning"}), 1)
    )
    assert one is other
    assert third.tier == "ticket"
    assert "instance" not in labels_looked_at(context)


def a_route(**changes: Any) -> dict[str, Any]:
    return {"routes": {"one": Route(name="one", tier="page", policy="everyone", **changes)}}


def a_silence(text: str) -> dict[str, Any]:
    silence = Silence(
        id=UUID(int=1), key_id=None, matchers=tuple(parse(text)), starts_at=NOW, ends_at=NOW + timedelta(hours=1),
        created_by="Ana", comment="x", updated_at=NOW,
    )  # fmt: skip
    return {"silences": (silence,)}


def a_window(text: str) -> dict[str, Any]:
    window = InMaintenance(
        name="w", title="W", owner="Ana", reason="x", services=(), until=NOW + timedelta(hours=1),
        matchers=tuple(parse(text)),
    )  # fmt: skip
    return {"maintenance": (window,)}


def an_inhibition(equal: tuple[str, ...] = (), source: str = 'role="cause"', target: str = 'role!="cause"'):
    rule = InhibitRule(name="r", source=(source,), target=(target,), equal=equal)
    return {"inhibit_rules": {"r": rule}}


def both_ways(
    alerts: list[dict[str, str]], *, of_catalog: dict[str, Any] | None = None, of_context: dict[str, Any] | None = None
) -> tuple[list[Verdict], list[Verdict]]:
    """The verdicts of these label sets, judged alike and judged one by one."""
    rules = compiled(organisation(**(of_catalog or {})))
    episodes = [an_episode(number, {"alertname": "Slow", **said}, 1, {}) for number, said in enumerate(alerts, 1)]
    context = Context(now=NOW, rules=rules, sources=sources_of(rules, episodes), **(of_context or {}))
    alike = Alike(context)
    return [alike.judge(e) for e in episodes], [judge(e.subject, context) for e in episodes]


@pytest.mark.parametrize(
    ("label", "values", "of_catalog", "of_context"),
    [
        ("team", ("a", "b"), a_route(match=('team="a"',)), {}),
        ("env", ("prod", "dev"), a_route(match=('env="prod"',)), {}),
        ("environment", ("production", "dev"), a_route(match=('env="prod"',)), {}),
        ("deployment_environment", ("live", "dev"), a_route(match=('env="prod"',)), {}),
        ("instance", ("a", "b"), a_route(group_by=("instance",)), {}),
        ("rack", ("a", "b"), {}, a_silence('rack="a"')),
        ("rack", ("a", "b"), {}, a_window('rack="a"')),
        ("service", ("checkout", "search"), {}, {}),
        ("job", ("checkout", "search"), {}, {}),
        ("app", ("checkout", "search"), {}, {}),
        ("alertname", ("Slow", "Down"), {}, {}),
        ("severity", ("critical", "warning"), {}, {}),
        ("tier", ("page", "ticket"), {}, {}),
        ("burn_rate", ("9", "1"), {}, {}),
    ],
)
def test_two_alerts_that_differ_in_a_label_that_something_looks_at_are_not_alike(
    label: str, values: tuple[str, str], of_catalog: dict[str, Any], of_context: dict[str, Any]
):
    found, alone = both_ways([{label: value} for value in values], of_catalog=of_catalog, of_context=of_context)
    assert alone[0] != alone[1]
    assert found == alone


@pytest.mark.parametrize(
    ("alerts", "rule"),
    [
        ([{"role": "cause"}, {"role": "a"}, {"role": "b"}], an_inhibition()),
        ([{"role": "cause", "rack": "1"}, {"rack": "1"}, {"rack": "2"}], an_inhibition(equal=("rack",))),
        ([{"role": "cause"}, {"rack": "x"}, {"rack": "y"}], an_inhibition(target='rack="x"')),
    ],
)
def test_what_one_rule_inhibits_is_not_alike_to_what_it_leaves_alone(alerts: list[dict[str, str]], rule: Any):
    found, alone = both_ways(alerts, of_catalog=rule)
    assert "inhibited" in {verdict.held for verdict in alone}
    assert found == alone


def test_of_two_that_hold_others_like_them_neither_is_said_to_hold_itself():
    # Sources as if they matched the rule, while their labels do not, so that it does not exempt them.
    sources = {"r": {(): (Source(id=1, labels={}), Source(id=2, labels={}))}}
    rules = compiled(organisation(**an_inhibition(source='role="cause"', target='alertname="Slow"')))
    episodes = [an_episode(number, {"alertname": "Slow"}, 1, {}) for number in (1, 2, 3, 4)]
    context = Context(now=NOW, rules=rules, sources=sources)
    alike = Alike(context)
    found = [alike.judge(e) for e in episodes]
    assert found == [judge(e.subject, context) for e in episodes]
    assert [verdict.held_by for verdict in found] == ["A-2", "A-1", "A-1", "A-1"]
    assert found[2] is found[3]


def test_a_cause_in_the_graph_of_services_is_judged_by_itself():
    catalog = organisation()
    first, second = catalog.services["checkout"], catalog.services["search"]
    services = {
        **catalog.services,
        "checkout": replace(first, depends_on=("search",)),
        "search": replace(second, inhibit_dependents=True),
    }
    rules = compiled(organisation(services=services))
    episodes = [an_episode(n, {"alertname": "Slow", "service": "checkout"}, 1, {}) for n in (1, 2, 3)]
    context = Context(now=NOW, rules=rules, causes={"search": Source(id=1, labels={})})
    alike = Alike(context)
    found = [alike.judge(e) for e in episodes]
    assert found == [judge(e.subject, context) for e in episodes]
    assert [verdict.held_by for verdict in found] == [None, "A-1", "A-1"]


def test_the_labels_of_both_sides_of_an_inhibition_are_looked_at():
    rules = compiled(organisation(**an_inhibition(equal=("zone",), source='role="cause"', target='rack="x"')))
    assert {"role", "rack", "zone"} <= set(labels_looked_at(Context(now=NOW, rules=rules)))


@pytest.mark.parametrize("known", ["before", "known_before"])
def test_what_is_known_already_is_judged_by_itself(known: str):
    labels = {"alertname": "Slow"}
    earlier = OpenAlert(
        id=9, key_id=1, fingerprint="f1", labels=labels, starts_at=NOW, expires_at=None, received_at=NOW
    )
    first, second = an_episode(1, labels, 1, {}), an_episode(2, labels, 1, {})
    setattr(second, known, earlier)
    context = Context(now=NOW, rules=compiled(organisation()))
    alike = Alike(context)
    found = [alike.judge(first), alike.judge(second)]
    assert found == [judge(first.subject, context), judge(second.subject, context)]
    assert found[0] != found[1]
