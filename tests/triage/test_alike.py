"""Judging what is alike once says the same, word for word, as judging each alert by itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.triage.world import organisation

from sev1.catalog.matchers import parse
from sev1.catalog.model import Flapping, InhibitRule, Route
from sev1.triage.alike import Alike, labels_looked_at
from sev1.triage.flapping import History
from sev1.triage.fold import Episode
from sev1.triage.model import InMaintenance, OpenPage, Silence, Source
from sev1.triage.pipeline import Context, judge
from sev1.triage.rules import compiled

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
some = st.lists(matcher, min_size=1, max_size=2).map(tuple)
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
alert = st.tuples(
    labels, st.sampled_from((1, 2)), st.dictionaries(st.sampled_from(("summary", "slo_burn")), st.just("9"), max_size=1),
    st.builds(History, changes=moments, paged=st.booleans()),
)  # fmt: skip


def an_episode(number: int, said: dict[str, str], key: int, annotations: dict[str, str]) -> Episode:
    return Episode(
        id=number, key_id=key, fingerprint=f"f{number}", source="json", summary="x", labels=said,
        annotations=annotations, links=(), starts_at=NOW, expires_at=None, received_at=NOW, writer=1, row=number,
        judge=True,
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_is_alike_gets_the_verdict_that_it_would_get_alone(data: st.DataObject):
    rules = compiled(
        organisation(
            routes={route.name: route for route in data.draw(routes)},
            inhibit_rules={rule.name: rule for rule in data.draw(inhibit)},
        )
    )
    drawn = data.draw(st.lists(alert, min_size=2, max_size=12))
    episodes = [an_episode(n, said, key, notes) for n, (said, key, notes, _) in enumerate(drawn, 1)]
    sources = {
        rule.name: {
            rule.equals_of(e.labels): (Source(id=e.id, labels=e.labels),)
            for e in episodes
            if all(m.matches(e.labels) for m in rule.source)
        }
        for rule in rules.inhibit
    }
    context = Context(
        now=NOW,
        rules=rules,
        silences=tuple(data.draw(silences)),
        maintenance=tuple(data.draw(windows)),
        sources=sources,
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
