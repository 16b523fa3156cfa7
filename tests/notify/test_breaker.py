"""The circuit breaker: its rules, and its row that all nodes share."""

import asyncio
from datetime import UTC, datetime, timedelta

from sev1.catalog.contact import WebhookMethod
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.notify import breaker
from sev1.notify.breaker import OPEN_AFTER, OPEN_FOR, Circuit, circuit_of, tally

from .outbox_under_test import EMAIL, WEBHOOK

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


def after(*results: breaker.Result) -> Circuit:
    circuit = Circuit(channel="email")
    for result in results:
        circuit = tally(circuit, result, NOW, "it broke")
    return circuit


def test_four_failures_in_a_row_leave_it_closed_and_the_fifth_opens_it():
    assert after(*["failure"] * 4).phase(NOW) == "closed"
    assert after(*["failure"] * 5).phase(NOW) == "open"


def test_it_is_half_open_after_thirty_seconds():
    circuit = after(*["failure"] * OPEN_AFTER)
    assert circuit.phase(NOW + OPEN_FOR - timedelta(milliseconds=1)) == "open"
    assert circuit.phase(NOW + OPEN_FOR) == "half-open"


def test_a_success_in_between_starts_the_count_again():
    assert after(*["failure"] * 4, "success", *["failure"] * 4).phase(NOW) == "closed"


def test_a_failed_trial_opens_it_again_and_an_answer_closes_it():
    opened = after(*["failure"] * 5)
    later = NOW + OPEN_FOR
    assert tally(opened, "failure", later).open_until == later + OPEN_FOR
    assert tally(opened, "success", later).phase(later) == "closed"


def test_a_refusal_proves_that_the_other_side_is_up_but_is_shown_as_its_last_error():
    circuit = after(*["failure"] * 5, "refusal")
    assert (circuit.phase(NOW), circuit.failures, circuit.last_error) == ("closed", 0, "it broke")


def test_mail_has_one_circuit_and_each_webhook_host_its_own():
    assert circuit_of(EMAIL) == "email"
    assert circuit_of(WEBHOOK) == "webhook hooks.example.com"
    assert circuit_of(WebhookMethod(url="http://user:secret@B.example:8443/x")) == "webhook b.example:8443"


def test_successes_are_written_down_only_now_and_then():
    circuit = after("success")
    assert not breaker.is_news(circuit, "success", NOW + timedelta(seconds=9))
    assert breaker.is_news(circuit, "success", NOW + timedelta(seconds=10))
    assert breaker.is_news(after("failure"), "success", NOW)
    assert breaker.is_news(circuit, "failure", NOW)


async def test_failures_of_two_nodes_at_the_same_moment_all_count(db: Database, clock: FakeClock):
    async def fail() -> None:
        async with db.connection() as conn:
            await breaker.note(conn, "email", "failure", clock.now(), "it broke")

    await asyncio.gather(*(fail() for _ in range(OPEN_AFTER)))
    async with db.connection() as conn:
        circuit = (await breaker.read(conn, [EMAIL]))["email"]
    assert (circuit.failures, circuit.phase(clock.now())) == (OPEN_AFTER, "open")


async def test_of_many_workers_exactly_one_gets_the_trial(db: Database, clock: FakeClock):
    async def take() -> bool:
        async with db.connection() as conn:
            return await breaker.take_trial(conn, "email", clock.now())

    async with db.connection() as conn:
        for _ in range(OPEN_AFTER):
            await breaker.note(conn, "email", "failure", clock.now())
    assert not await take()
    clock.advance(seconds=30)
    assert sum(await asyncio.gather(*(take() for _ in range(6)))) == 1
    clock.advance(seconds=30)
    assert await take(), "a worker that died with its trial must not keep the circuit shut"


async def test_health_lists_every_channel_that_was_used(db: Database, clock: FakeClock):
    async with db.connection() as conn:
        await breaker.note(conn, "webhook hooks.example.com", "failure", clock.now(), "it broke")
        await breaker.note(conn, "email", "success", clock.now())
        assert await breaker.channel_health(conn) == [
            Circuit(channel="email", last_success_at=clock.now()),
            Circuit(
                channel="webhook hooks.example.com", failures=1, last_error="it broke", last_failure_at=clock.now()
            ),
        ]
