"""When and over which contact method: the pure rules, given a delivery's log."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from sev1.catalog.contact import ContactMethod
from sev1.notify.breaker import OPEN_FOR, Circuit, circuit_of, tally
from sev1.notify.model import Delivery, Notice, Outcome
from sev1.notify.retry import FAST, JITTER, SLOW, GiveUp, Later, Try, after_failure, choose

from .outbox_under_test import EMAIL, WEBHOOK

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
CLOSED = {circuit_of(m): Circuit(channel=circuit_of(m)) for m in (EMAIL, WEBHOOK)}


class NoJitter(random.Random):
    def random(self) -> float:
        return 0.0


def delivery_of(page: Notice, *methods: ContactMethod) -> Delivery:
    return Delivery(
        id=UUID(int=1),
        about="P-1",
        person="ana",
        methods=methods,
        method=0,
        notice=page,
        attempts=1,
        repeat=False,
        created_at=NOW,
    )


def ended(delivery: Delivery, outcome: Outcome, at: datetime = NOW) -> Delivery:
    return replace(delivery, log=(*delivery.log, delivery.attempt(outcome, "because", at)))


def opened(method: ContactMethod, until: datetime) -> dict[str, Circuit]:
    name = circuit_of(method)
    return {**CLOSED, name: Circuit(channel=name, failures=5, open_until=until)}


def follow(delivery: Delivery, outcomes: list[Outcome]) -> tuple[list[tuple[int, float]], GiveUp | None]:
    """Methods and seconds of the attempts that follow a first one at 0 s, until it gives up or the outcomes end."""
    now, attempts = NOW, []
    for outcome in outcomes:
        delivery = ended(delivery, outcome, now)
        plan = after_failure(delivery, now, NoJitter())
        if isinstance(plan, GiveUp):
            return attempts, plan
        now, delivery = plan.due_at, replace(delivery, method=plan.method)
        attempts.append((plan.method, (now - NOW).total_seconds()))
    return attempts, None


def test_a_page_is_tried_three_times_within_seven_seconds_then_over_the_next_method(page: Notice):
    attempts, _ = follow(delivery_of(page, EMAIL, WEBHOOK), ["temporary"] * 3)
    assert attempts == [(0, 2), (0, 7), (1, 7)]


def test_a_refusal_moves_to_the_next_method_at_once(page: Notice):
    attempts, _ = follow(delivery_of(page, EMAIL, WEBHOOK), ["permanent"])
    assert attempts == [(1, 0)]


def test_the_only_method_of_a_page_gets_a_fourth_try_then_the_page_is_given_up_within_30_seconds(page: Notice):
    attempts, end = follow(delivery_of(page, EMAIL), ["temporary"] * 4)
    assert attempts == [(0, 2), (0, 7), (0, 22)]
    assert end == GiveUp(error="email a…@example.com: because")


def test_only_one_method_is_tried_beyond_three_times(page: Notice):
    attempts, end = follow(delivery_of(page, EMAIL, WEBHOOK), ["temporary"] * 9)
    assert [method for method, _ in attempts] == [0, 0, 1, 1, 1, 1]
    assert end is not None


def test_when_every_method_refuses_the_reasons_of_all_are_named(page: Notice):
    _, end = follow(delivery_of(page, EMAIL, WEBHOOK), ["permanent"] * 2)
    assert end == GiveUp(error="email a…@example.com: because; webhook https://hooks.example.com/…: because")


def test_an_announcement_is_tried_for_about_an_hour(page: Notice):
    attempts, end = follow(delivery_of(replace(page, kind="announcement"), EMAIL), ["temporary"] * 20)
    assert len(attempts) == len(SLOW.delays_s)
    assert 3000 < attempts[-1][1] <= 3600
    assert end is not None


def test_a_delivery_without_contact_method_is_given_up_with_its_reason(page: Notice):
    assert choose(delivery_of(page), CLOSED, NOW) == GiveUp(error="there is no contact method")


@pytest.mark.parametrize("seed", range(50))
def test_jitter_only_lengthens_a_delay_and_by_no_more_than_its_share(page: Notice, seed: int):
    plan = after_failure(ended(delivery_of(page, EMAIL), "temporary"), NOW, random.Random(seed))
    assert isinstance(plan, Later)
    assert 2 <= (plan.due_at - NOW).total_seconds() <= 2 * (1 + JITTER)


def test_a_wait_that_the_receiver_asks_for_is_respected_but_bounded(page: Notice):
    failed = ended(delivery_of(page, WEBHOOK), "temporary")
    waits = {
        asked: (after_failure(failed, NOW, NoJitter(), retry_after_s=asked).due_at - NOW).total_seconds()
        for asked in (1, 20, 86400)
    }
    assert waits == {1: 2, 20: 20, 86400: FAST.retry_after_max_s}


def test_an_open_circuit_sends_a_delivery_to_the_next_method_at_once(page: Notice):
    delivery = delivery_of(page, EMAIL, WEBHOOK)
    assert choose(delivery, opened(EMAIL, NOW + OPEN_FOR), NOW) == Try(method=1)


def test_a_delivery_without_another_method_waits_until_the_circuit_is_half_open(page: Notice):
    until = NOW + timedelta(seconds=12)
    assert choose(delivery_of(page, EMAIL), opened(EMAIL, until), NOW) == Later(method=0, due_at=until)


def test_a_half_open_circuit_is_used_for_the_trial_only(page: Notice):
    assert choose(delivery_of(page, EMAIL), opened(EMAIL, NOW), NOW) == Try(method=0, trial=True)


def test_a_method_that_was_skipped_is_still_tried_when_the_others_refuse(page: Notice):
    over_webhook = replace(ended(delivery_of(page, EMAIL, WEBHOOK), "skipped"), method=1)
    refused = ended(over_webhook, "permanent")
    assert after_failure(refused, NOW, NoJitter()) == Later(method=0, due_at=NOW)
    assert choose(replace(refused, method=0), CLOSED, NOW) == Try(method=0)


def test_a_method_that_failed_before_keeps_its_delay_when_it_is_returned_to(page: Notice):
    failed = ended(delivery_of(page, EMAIL, WEBHOOK), "temporary")
    refused = ended(replace(failed, method=1), "permanent", NOW + timedelta(seconds=1))
    plan = after_failure(refused, NOW + timedelta(seconds=1), NoJitter())
    assert plan == Later(method=0, due_at=NOW + timedelta(seconds=2))


def test_a_page_does_not_wait_for_an_open_circuit_for_ever(page: Notice):
    late = NOW + timedelta(seconds=FAST.give_up_after_s + 1)
    circuits = opened(EMAIL, late + OPEN_FOR)
    assert choose(delivery_of(page, EMAIL), circuits, late) == GiveUp(error="its channels stayed unreachable")


def test_cut_off_attempts_do_not_use_up_a_method(page: Notice):
    delivery = delivery_of(page, EMAIL)
    for _ in range(10):
        delivery = ended(delivery, "cut-off")
    assert choose(delivery, CLOSED, NOW) == Try(method=0)


@pytest.mark.parametrize("kind", ["page", "announcement"])
@pytest.mark.parametrize("seed", range(100))
def test_whatever_fails_every_delivery_ends_and_no_method_is_tried_more_often_than_its_pace_allows(
    page: Notice, kind: str, seed: int
):
    rng = random.Random(seed)
    methods = rng.choice([(EMAIL,), (EMAIL, WEBHOOK), (WEBHOOK, EMAIL, EMAIL)])
    pace = FAST if kind == "page" else SLOW
    delivery, circuits, now = delivery_of(replace(page, kind=kind), *methods), dict(CLOSED), NOW
    for _ in range(2000):
        plan = choose(delivery, circuits, now)
        if isinstance(plan, GiveUp):
            break
        if isinstance(plan, Later):
            assert plan.due_at > now
            now, delivery = plan.due_at, replace(delivery, method=plan.method)
            continue
        delivery = replace(delivery, method=plan.method)
        name = circuit_of(delivery.contact)
        outcome = rng.choices(["temporary", "permanent", "cut-off"], [8, 1, 2])[0]
        if outcome != "cut-off":
            circuits[name] = tally(circuits[name], "failure" if outcome == "temporary" else "refusal", now)
        delivery = ended(delivery, outcome, now)
        after = after_failure(delivery, now, rng)
        if isinstance(after, GiveUp):
            break
        now, delivery = max(now, after.due_at), replace(delivery, method=after.method)
    else:
        pytest.fail(f"seed {seed}: still trying after 2000 rounds")
    counts = [sum(e.outcome == "temporary" and e.method == m for e in delivery.log) for m in range(len(methods))]
    assert max(counts) <= len(pace.delays_s) + 1, f"seed {seed}"
    assert sum(count > 3 for count in counts) <= 1, f"seed {seed}"
