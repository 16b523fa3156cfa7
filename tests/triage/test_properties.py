"""What holds for every alert, and for every way in which signals can be cut into batches."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.matchers import Matcher
from sev1.intake.model import InboundEvent
from sev1.triage.fold import Signal, Who, fold
from sev1.triage.model import OpenAlert, OpenPage, Silence, Subject
from sev1.triage.pipeline import STAGES, Context, judge
from sev1.triage.rules import compiled

from .world import organisation

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
RULES = compiled(organisation())

NAMES = ("alertname", "service", "severity", "env", "team", "kind", "region", "job", "app", "ünï")
VALUES = ("", "checkout", "search", "prod", "critical", "warning", "batch", "app", "DbDown", '"x,}', "sev-1", "ü")
labels = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=20), max_size=6)
matchers = st.builds(
    Matcher, st.sampled_from(NAMES), st.sampled_from(["=", "!=", "=~", "!~"]), st.sampled_from(["prod", "checkout", ""])
)
silences = st.builds(
    Silence,
    id=st.uuids(),
    key_id=st.none() | st.integers(1, 2),
    matchers=st.lists(matchers, min_size=1, max_size=3).map(tuple),
    starts_at=st.just(NOW),
    ends_at=st.integers(1, 500).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    created_by=st.just("Ana"),
    comment=st.just("move"),
    updated_at=st.just(NOW),
)


@given(labels, st.lists(silences, max_size=4), st.booleans())
def test_every_alert_gets_a_whole_verdict_and_none_is_lost(its_labels: dict, quiet: list, page_is_open: bool):
    alert = Subject(id=1, key_id=1, fingerprint="f", labels=its_labels)
    key = judge(alert, Context(now=NOW, rules=RULES)).group_key or ""
    pages = {key: OpenPage(key="P-1")} if page_is_open else {}
    verdict = judge(alert, Context(now=NOW, rules=RULES, silences=tuple(quiet), open_pages=pages))

    assert [stage.name for stage in verdict.stages] == [name for name, _ in STAGES]
    assert all(stage.outcome and stage.reason.endswith(".") for stage in verdict.stages)
    assert verdict.conclusion.endswith(".")
    assert verdict.tier in {"page", "ticket", "fyi"}
    assert (verdict.held is not None) == (verdict.held_by is not None)
    covered = any(silence.covers(1, its_labels) for silence in quiet)
    assert (verdict.held == "silenced") == covered
    wakes = verdict.tier == "page" and verdict.held is None
    # This organisation has a fallback policy, so whatever should wake somebody does.
    assert (verdict.stages[-1].outcome in {"opens", "joins"}) == wakes
    assert (verdict.page == "P-1") == (wakes and page_is_open)
    assert verdict.policy in RULES.catalog.policies
    assert verdict.group_key is not None
    assert len(verdict.group_key) <= 500


@given(labels, labels)
def test_two_alerts_share_a_group_exactly_when_their_group_labels_are_the_same(one: dict, two: dict):
    context = Context(now=NOW, rules=RULES)
    first = judge(Subject(id=1, key_id=1, fingerprint="1", labels=one), context)
    second = judge(Subject(id=2, key_id=1, fingerprint="2", labels=two), context)
    groupable = "alertname" in first.group_labels
    same = (first.route, first.group_labels) == (second.route, second.group_labels) and groupable
    assert (first.group_key == second.group_key) == same


actions = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["firing", "resolved", "acknowledged"])), max_size=30
)


def signal(number: int, name: str, action: str) -> Signal:
    at = NOW + timedelta(seconds=number)
    event = InboundEvent(
        action=action,  # type: ignore[arg-type]
        fingerprint=name,
        source="prometheus",
        summary=name,
        labels={"alertname": name},
        expires_at=at + timedelta(minutes=4),
    )
    return Signal(event=event, key_id=1, received_at=at, writer=1, row=number)


def expected(sent: list[tuple[str, str]]) -> list[tuple[str, int, bool]]:
    """The episodes by the plain rule: (fingerprint, signals, still fires), in the order in which they began."""
    episodes: list[list] = []
    current: dict[str, list] = {}
    for name, action in sent:
        episode = current.get(name)
        if action == "firing" and episode is None:
            current[name] = [name, 1, True]
            episodes.append(current[name])
        elif action == "firing" and episode is not None:
            episode[1] += 1
        elif action == "resolved" and episode is not None:
            episode[2] = False
            del current[name]
    return [(name, times, fires) for name, times, fires in episodes]


@given(actions, st.lists(st.integers(1, 10), max_size=10))
def test_cutting_signals_into_batches_changes_nothing(sent: list[tuple[str, str]], sizes: list[int]):
    signals = [signal(number, *what) for number, what in enumerate(sent, 1)]
    stored: dict[int, list] = {}
    firing: dict[Who, OpenAlert] = {}
    start = 0
    for size in [*sizes, len(signals)]:
        batch, start = signals[start : start + size], start + size
        for episode in fold(batch, firing, NOW):
            who = (episode.key_id, episode.fingerprint)
            if episode.is_new:
                episode.id = len(stored) + 1
                stored[episode.id] = [episode.fingerprint, 0, True]
            stored[episode.id][1] += episode.signals
            if episode.firing:
                firing[who] = OpenAlert(
                    id=episode.id, key_id=1, fingerprint=episode.fingerprint, labels=episode.labels,
                    starts_at=episode.starts_at, expires_at=episode.expires_at, received_at=episode.received_at,
                )  # fmt: skip
            else:
                stored[episode.id][2] = False
                firing.pop(who, None)
    assert [tuple(episode) for episode in stored.values()] == expected(sent)
