"""Several alerts as one: k of n within a window, and counts within a window."""

from datetime import UTC, datetime, timedelta

import pytest

from sev1.catalog.model import Composite
from sev1.watch import decide
from sev1.watch.model import FiringAlert, State

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
TWO_OF_THREE = Composite(
    name="site-down", summary="The site is down", match=('a="1"', 'b="1"', 'c=~"1|2"'), at_least=2, window_s=60
)
ERRORS = Composite(name="errors", summary="Too many errors", match=('alertname="LogErrors"',), count=100, window_s=300)

NEW = State()


def alert(number: int, after_s: float, times: int = 1, **labels: str) -> FiringAlert:
    return FiringAlert(id=number, labels=labels, received_at=T0 + timedelta(seconds=after_s), times=times)


def judge(spec, alerts, state=NEW, after_s: float = 60):
    return decide.composite(spec, state, alerts, T0 + timedelta(seconds=after_s))


def test_two_of_three_within_the_window_are_an_alert():
    judged = judge(TWO_OF_THREE, [alert(1, 0, a="1"), alert(2, 60, c="2")])
    [signal] = judged.signals
    assert (signal.status, signal.key, signal.summary) == ("firing", "composite/site-down", "The site is down")
    assert judged.state.why == "2 of 3 conditions fire, 2 of them within 60 s; 2 make the alert."


@pytest.mark.parametrize(
    "alerts",
    [
        [],
        [alert(1, 0, a="1")],
        [alert(1, 0, a="1"), alert(2, 0, a="1")],
        [alert(1, 0, a="1"), alert(2, 61, b="1")],
        [alert(1, 0, a="1"), alert(2, 0, b="2")],
    ],
)
def test_fewer_or_further_apart_are_none(alerts):
    assert judge(TWO_OF_THREE, alerts).signals == ()


def test_it_ends_when_fewer_fire_and_not_because_one_fired_anew():
    both = [alert(1, 0, a="1"), alert(2, 10, b="1")]
    fires = judge(TWO_OF_THREE, both).state
    assert judge(TWO_OF_THREE, [both[0], alert(3, 600, b="1")], fires, 700).signals == ()
    [over] = judge(TWO_OF_THREE, both[:1], fires, 700).signals
    assert over.status == "resolved"


def test_without_at_least_all_conditions_must_fire():
    everything = Composite(name="x", summary="x", match=('a="1"', 'b="1"'))
    assert judge(everything, [alert(1, 0, a="1")]).signals == ()
    assert judge(everything, [alert(1, 0, a="1"), alert(2, 0, b="1")]).signals != ()


def test_a_count_within_the_window_is_an_alert_and_ends_when_the_window_has_passed():
    state, said = State(), []
    for after_s, times in [(0, 1), (60, 60), (120, 101), (300, 101), (420, 101), (480, 101)]:
        judged = judge(ERRORS, [alert(1, 0, times, alertname="LogErrors")], state, after_s)
        state = judged.state
        said += [(after_s, signal.status) for signal in judged.signals]
    assert said == [(120, "firing"), (420, "resolved")]


def test_as_many_over_a_longer_time_are_none():
    state, said = State(), []
    for minute in range(60):
        judged = judge(ERRORS, [alert(1, 0, 1 + 19 * minute, alertname="LogErrors")], state, 60 * minute)
        state = judged.state
        said += judged.signals
    assert said == []
    assert len(state.samples) <= 32


async def insert(db, number: int, now: datetime, **labels: str) -> None:
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO alerts (key_id, fingerprint, source, status, summary, labels, annotations, starts_at,"
            " received_at, updated_at, verdict) VALUES (1, $1, $2, 'firing', 'x', $3, '{}', $4, $4, $4, '{}')",
            str(number), labels.pop("source", "json"), labels, now,
        )  # fmt: skip


async def test_it_is_made_of_the_alerts_that_fire_and_never_of_other_composites(watching):
    await watching.has(composites=[TWO_OF_THREE])
    now = watching.clock.now()
    await insert(watching.db, 1, now, a="1")
    await insert(watching.db, 2, now, b="1", watch="composite", source="watch")
    assert await watching.later(seconds=10) == []
    await insert(watching.db, 3, now, b="1")
    assert [event["key"] for event in await watching.later(seconds=10)] == ["composite/site-down"]
