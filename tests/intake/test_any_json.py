"""Whatever is sent, a format understands it or says that it does not; and it says the same twice."""

import copy
import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from tests.intake.conftest import NOW
from tests.intake.contract import body_of, stored

from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.model import InboundEvent

T = TypeVar("T")
WORDS = (
    "labels", "annotations", "startsAt", "endsAt", "generatorURL", "alerts", "status", "commonLabels", "fingerprint",
    "routing_key", "event_action", "dedup_key", "payload", "summary", "source", "severity", "timestamp", "custom_details",
    "links", "images", "href", "src", "key", "starts_at", "service", "url", "id", "reporter", "details", "client_url",
)  # fmt: skip
VALUES = (
    "", "trigger", "resolve", "acknowledge", "firing", "resolved", "critical", "x" * 300, "\0", "\ud800", "😀",
    "2026-03-02T03:14:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "http://x.example.net", "javascript:1",
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(VALUES)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=40,
)
names = st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=12) | st.sampled_from(VALUES), max_size=5)
times = st.datetimes().map(lambda t: t.isoformat() + "Z") | st.sampled_from(VALUES)
words = st.text(min_size=1, max_size=12) | st.sampled_from(VALUES)
nearly_right = {
    "prometheus": st.lists(
        st.fixed_dictionaries(
            {"labels": names},
            optional={"startsAt": times, "endsAt": times, "annotations": names, "generatorURL": words},
        )
    ),
    "alertmanager": st.fixed_dictionaries(
        {
            "alerts": st.lists(
                st.fixed_dictionaries(
                    {"labels": names}, optional={"startsAt": times, "annotations": names, "fingerprint": words}
                )
            )
        },
        optional={"commonLabels": names, "externalURL": words},
    ),
    "pagerduty": st.fixed_dictionaries(
        {
            "event_action": st.sampled_from(("trigger", "resolve", "acknowledge")),
            "payload": st.fixed_dictionaries(
                {"summary": words, "source": words, "severity": st.sampled_from(("info", "critical"))},
                optional={"custom_details": anything, "timestamp": times, "class": words},
            ),
        },
        optional={"dedup_key": words, "links": anything, "images": anything, "client": words, "client_url": words},
    ),
    "json": st.fixed_dictionaries(
        {"summary": words},
        optional={"starts_at": times, "labels": names, "annotations": names, "links": anything, "key": words},
    ),
    "mapped": st.fixed_dictionaries(
        {
            "mapping": words,
            "events": st.lists(st.fixed_dictionaries({"summary": words}, optional={"labels": names}), min_size=1),
        },
        optional={"payload": anything},
    ),
    "mail": anything,
    "watch": st.fixed_dictionaries({"summary": words}, optional={"key": words, "count": st.integers(1, 9)}),
    "report": st.fixed_dictionaries({"id": words, "summary": words, "reporter": words}),
}


def replaced(value: Any, at: int, other: Any) -> Any:
    """The payload with another value in its place number `at`, counted from the outside in."""
    changed = copy.deepcopy(value)
    places = [(changed, name) for name in (changed if isinstance(changed, dict) else range(len(changed)))]
    for inside, name in places:
        member = inside[name]
        if isinstance(member, dict | list):
            places += [(member, inner) for inner in (member if isinstance(member, dict) else range(len(member)))]
    inside, name = places[at % len(places)]
    inside[name] = other
    return changed


for _name in FORMATS:
    if _name not in nearly_right:
        _payload = json.loads(body_of(_name))
        nearly_right[_name] = st.builds(replaced, st.just(_payload), st.integers(0, 200), anything) | st.just(_payload)


def understood(name: str, raw: bytes) -> bool:
    """True when it gave events; checks what must hold of them, or of the refusal."""
    format_ = FORMATS[name]
    raw = stored(name, raw)
    accepted = refused_or(lambda: format_.accept(raw))
    if isinstance(accepted, Misunderstood):
        assert isinstance(refused_or(lambda: format_.parse(raw, NOW)), Misunderstood)
        assert accepted.answer.status in {400, 422}
        assert accepted.sentence
        json.loads(accepted.answer.body)
        return False
    parsed = format_.parse(accepted.raw, NOW)
    assert (parsed.status, parsed.body) == (accepted.answer.status, accepted.answer.body)
    assert parsed == format_.parse(accepted.raw, NOW)
    assert len(parsed.events) + len(parsed.changes) == accepted.events
    for event in parsed.events:
        check(event)
    return bool(parsed.events or parsed.changes)


def refused_or(read: Callable[[], T]) -> T | Misunderstood:
    try:
        return read()
    except Misunderstood as refused:
        return refused


def check(event: InboundEvent) -> None:
    """It can be stored and shown as it is."""
    assert event.summary.strip()
    assert event.fingerprint
    assert event.starts_at is not None
    assert event.starts_at.tzinfo is not None
    texts = [event.fingerprint, event.summary, *event.labels, *event.labels.values()]
    texts += [*event.annotations, *event.annotations.values()]
    for text in texts:
        assert "\0" not in text
        text.encode()
        assert len(text) <= 16_384
    assert len(event.labels) <= 70
    assert len(event.annotations) <= 66
    for link in event.links:
        assert link.url.lower().startswith(("http://", "https://"))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_json_value_is_understood_or_refused(name: str, data: st.DataObject):
    value = data.draw(anything | nearly_right[name])
    understood(name, json.dumps(value).encode())
    understood(name, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=200), at=st.integers(0, 200))
def test_any_bytes_are_understood_or_refused(name: str, raw: bytes, at: int):
    understood(name, raw)
    valid = json.dumps([{"labels": {"a": "b"}, "summary": "x", "event_action": "trigger"}]).encode()
    understood(name, valid[:at] + raw + valid[at:])


@pytest.mark.parametrize("name", FORMATS)
def test_the_property_does_reach_events(name: str):
    value = find(nearly_right[name], lambda value: understood(name, json.dumps(value).encode()))
    assert FORMATS[name].accept(stored(name, json.dumps(value).encode()))
