"""History through a catalog: the real rules under the clock of history."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.triage.world import organisation

from sev1.catalog.matchers import parse
from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    Flapping,
    InhibitRule,
    Override,
    PersonTarget,
    Route,
    ScheduleTarget,
    Step,
)
from sev1.replay.model import Past
from sev1.replay.simulate import Simulation
from sev1.triage.model import Silence, Verdict

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TWO_STEPS = EscalationPolicy(
    name="payments-primary",
    title="Payments primary",
    steps=(
        Step(targets=(ScheduleTarget(name="payments"),), wait_s=300),
        Step(targets=(PersonTarget(name="bo"),), wait_s=300),
    ),
    repeat=0,
)


def catalog(**changes: Any) -> Catalog:
    found = organisation()
    return replace(found, **{"policies": {**found.policies, "payments-primary": TWO_STEPS}, **changes})


def past(number: int, *, after_min: float = 0, lasts_min: float | None = 60, **more: Any) -> Past:
    labels = {"alertname": f"Errors{number}", "service": "checkout", "env": "prod", "severity": "critical"}
    at = START + timedelta(minutes=after_min)
    fields: dict[str, Any] = {
        "id": number,
        "key_id": 1,
        "fingerprint": f"f{number}",
        "summary": f"Errors {number}",
        "labels": labels | more.pop("labels", {}),
        "annotations": {},
        "starts_at": at,
        "received_at": at,
        "resolved_at": None if lasts_min is None else at + timedelta(minutes=lasts_min),
        "tier": "page",
        "page": None,
        **more,
    }
    return Past(**fields)


def run(catalog: Catalog, *alerts: Past, **options: Any) -> tuple[Simulation, dict[int, tuple[Verdict, bool]]]:
    over: dict[int, tuple[Verdict, bool]] = {}
    simulation = Simulation(catalog, on_over=lambda p, v, paged: over.update({p.id: (v, paged)}), **options)
    for alert in alerts:
        simulation.take(alert)
    simulation.finish(START + timedelta(days=2))
    return simulation, over


def test_an_alert_pages_the_first_step_and_the_next_when_nobody_answers():
    simulation, _ = run(catalog(), past(1), answers="nobody")
    assert simulation.tally.pages == 1
    assert simulation.tally.asked == {"ana": 1, "bo": 1}
    assert simulation.tally.unanswered == 1


@pytest.mark.parametrize(("answered_after_s", "asked"), [(60.0, {"ana": 1}), (400.0, {"ana": 1, "bo": 1})])
def test_an_answer_comes_as_long_after_the_page_as_it_did_then(answered_after_s: float, asked: dict[str, int]):
    simulation, _ = run(catalog(), past(1, page="P-1", answered_after_s=answered_after_s))
    assert simulation.tally.asked == asked
    assert simulation.tally.unanswered == 0


def test_a_page_that_nobody_answered_then_is_not_answered_now_and_a_new_one_is_after_the_median():
    assert run(catalog(), past(1, page="P-1"), median_s=10.0)[0].tally.asked == {"ana": 1, "bo": 1}
    assert run(catalog(), past(1), median_s=10.0)[0].tally.asked == {"ana": 1}


def test_the_escalation_stops_when_the_alerts_are_over():
    simulation, _ = run(catalog(), past(1, lasts_min=3), answers="nobody")
    assert simulation.tally.asked == {"ana": 1}


def test_alerts_of_one_group_are_one_page_and_a_later_one_is_another():
    same = {"labels": {"alertname": "Same"}}
    simulation, over = run(
        catalog(), past(1, lasts_min=10, **same), past(2, after_min=5, lasts_min=10, **same),
        past(3, after_min=60, **same), answers="nobody",
    )  # fmt: skip
    assert simulation.tally.pages == 2
    assert all(paged for _, paged in over.values())


def test_tiers_are_counted_and_only_pages_page():
    simulation, _ = run(
        catalog(), past(1), past(2, labels={"severity": "warning"}), past(3, labels={"severity": "info"})
    )
    assert simulation.tally.tiers == {"page": 1, "ticket": 1, "fyi": 1}
    assert simulation.tally.pages == 1


def silence(minutes: int) -> Silence:
    return Silence(
        id=uuid4(), key_id=None, matchers=tuple(parse('service="checkout"')), starts_at=START - timedelta(minutes=1),
        ends_at=START + timedelta(minutes=minutes), created_by="Ana", comment="move", updated_at=START,
    )  # fmt: skip


def test_a_silence_of_then_holds_and_what_still_fires_at_its_end_pages():
    lasting, over = run(catalog(), past(1), silences=[silence(30)], answers="nobody")
    assert lasting.tally.held == 1
    assert over[1][1]
    assert lasting.tally.asked == {"ana": 1, "bo": 1}
    short, over = run(catalog(), past(1, lasts_min=10), silences=[silence(30)])
    assert not over[1][1]
    assert over[1][0].conclusion.startswith("Silenced by S-")
    assert short.tally.pages == 0


def test_a_cause_inhibits_its_effects_until_it_is_over():
    rule = InhibitRule(name="db", source=('alertname="DbDown"',), target=('kind="app"',), equal=("env",))
    found = catalog(inhibit_rules={"db": rule})
    cause = past(1, lasts_min=30, labels={"alertname": "DbDown"})
    simulation, over = run(found, cause, past(2, after_min=1, lasts_min=10, labels={"kind": "app"}))
    assert (over[1][1], over[2][1]) == (True, False)
    assert "Inhibited by A-1" in over[2][0].conclusion
    simulation, over = run(found, cause, past(2, after_min=1, lasts_min=60, labels={"kind": "app"}))
    assert over[2][1]
    assert simulation.tally.pages == 2


def test_what_flaps_pages_once_and_again_when_it_stays():
    route = Route(name="all", tier="page", flapping=Flapping(changes=3, window_min=30, calm_min=10))
    flaps = [
        past(n, after_min=2 * n, lasts_min=1, fingerprint="same", labels={"alertname": "Same"}) for n in range(1, 8)
    ]
    simulation, _ = run(catalog(routes={"all": route}), *flaps, answers="nobody")
    assert 1 <= simulation.tally.pages < 4
    stays = past(8, after_min=16, lasts_min=60, fingerprint="same", labels={"alertname": "Same"})
    longer, over = run(catalog(routes={"all": route}), *flaps, stays, answers="nobody")
    assert longer.tally.pages == simulation.tally.pages + 1
    assert over[8][1]


def test_a_worse_alert_on_the_same_page_asks_again():
    routes = {"all": Route(name="all", tier="page")}
    first = past(1, labels={"alertname": "Same", "severity": "sev-3"}, page="P-1", answered_after_s=30.0)
    worse, same = (
        past(2, after_min=2, labels={"alertname": "Same", "severity": severity}) for severity in ("sev-1", "sev-3")
    )
    assert run(catalog(routes=routes), first, worse)[0].tally.asked == {"ana": 2}
    assert run(catalog(routes=routes), first, same)[0].tally.asked == {"ana": 1}


def test_nights_and_hours_are_those_of_the_person_who_is_asked():
    found = catalog()
    people = {
        "ana": replace(found.people["ana"], time_zone="Asia/Tokyo"),
        "bo": replace(found.people["bo"], time_zone="UTC"),
    }
    simulation, _ = run(replace(found, people=people), past(1, after_min=60), answers="nobody")
    assert simulation.tally.nights == {"ana": 1}  # 22:00 in Tokyo, 13:00 in UTC
    assert (simulation.tally.hours[22], simulation.tally.hours[13]) == (1, 1)


def test_overrides_of_then_decide_who_is_asked():
    override = Override(person="bo", start=START - timedelta(hours=1), end=START + timedelta(hours=1))
    simulation, _ = run(catalog(), past(1, lasts_min=2), overrides={"payments": [override]})
    assert simulation.tally.asked == {"bo": 1}


def test_what_was_over_before_it_was_received_pages_nobody():
    simulation, over = run(catalog(), past(1, lasts_min=0))
    assert simulation.tally.pages == 0
    assert not over[1][1]


def test_memory_holds_what_is_open_and_not_what_is_long_over():
    simulation = Simulation(catalog(), answers="nobody")
    for number in range(1, 6_000):
        simulation.take(past(number, after_min=number, lasts_min=2))
    assert len(simulation._live) < 5
    assert len(simulation._pages) < 5
    assert len(simulation._history) < 3_000
    assert len(simulation._due) < 50
