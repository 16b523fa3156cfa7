"""The delivery step: one row at a time through a channel, and what becomes of it."""

import asyncio

import asyncpg
import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from sev1.catalog.contact import EmailMethod, WebhookMethod
from sev1.engine import event_log
from sev1.engine.clock import FakeClock
from sev1.engine.errors import Conflict
from sev1.engine.fetch import Fetch
from sev1.engine.settings import Settings
from sev1.notify import breaker, store
from sev1.notify.channels import Permanent, Temporary
from sev1.notify.model import Notice
from sev1.notify.smtp import SmtpChannel
from sev1.notify.webhook import WebhookChannel

from .outbox_under_test import EMAIL, WEBHOOK, Outbox, Scripted
from .real_receivers import Mailbox, Receiver


def outcomes(view) -> list[str]:
    return [entry.outcome for entry in view.log]


async def test_nothing_to_deliver_is_said(outbox: Outbox):
    assert await outbox.worker(Scripted())() is False


async def test_a_delivery_goes_out_once_and_its_receipt_is_recorded_and_reported(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(EMAIL)
    channel = Scripted(script=["250 queued as 4D2"])
    await outbox.drain(outbox.worker(channel), seconds=60)
    assert channel.sent == [(id_, False)]
    view = await outbox.view(id_)
    assert (view.state, view.receipt, view.attempts, view.error) == ("sent", "250 queued as 4D2", 1, None)
    assert [(e.outcome, e.kind, e.to, e.text) for e in view.log] == [
        ("sent", "email", "a…@example.com", "250 queued as 4D2")
    ]
    assert outbox.hooks.sent == [(id_, "250 queued as 4D2", "email")]
    assert outbox.hooks.after_commit == 1


async def test_one_call_delivers_one_row(outbox: Outbox):
    await outbox.add(EMAIL)
    await outbox.add(EMAIL)
    channel = Scripted()
    assert await outbox.worker(channel)() is True
    assert len(channel.sent) == 1


async def test_third_temporary_failure_moves_to_the_next_contact_method(outbox: Outbox):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    mail, webhook = Scripted("email", [Temporary("451 busy")] * 3), Scripted("webhook")
    await outbox.drain(outbox.worker(mail, webhook), seconds=30)
    view = await outbox.view(id_)
    assert outcomes(view) == ["temporary", "temporary", "temporary", "sent"]
    assert (view.state, view.method_kind, len(mail.sent), len(webhook.sent)) == ("sent", "webhook", 3, 1)
    assert outbox.hooks.sent[0][2] == "webhook"


async def test_a_refused_address_moves_to_the_next_contact_method_at_once(outbox: Outbox):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    await outbox.drain(outbox.worker(Scripted("email", [Permanent("550 no such user")]), Scripted("webhook")))
    assert outcomes(await outbox.view(id_)) == ["permanent", "sent"]


async def test_when_all_methods_fail_it_is_failed_with_the_reasons_and_reported_once(outbox: Outbox):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    worker = outbox.worker(Scripted("email", [Permanent("550 no")]), Scripted("webhook", [Permanent("410")]))
    await outbox.drain(worker, seconds=60)
    view = await outbox.view(id_)
    assert view.state == "failed"
    assert view.error == "email a…@example.com: 550 no; webhook https://hooks.example.com/…: 410"
    assert outbox.hooks.failed == [(id_, view.error)]
    assert outbox.hooks.sent == []
    assert outbox.hooks.after_commit == 1


async def test_a_page_without_contact_method_fails_at_once(outbox: Outbox):
    id_ = await outbox.add()
    await outbox.drain(outbox.worker(Scripted()))
    assert (await outbox.view(id_)).error == "there is no contact method"
    assert outbox.hooks.failed == [(id_, "there is no contact method")]


async def test_a_kind_of_method_that_this_server_cannot_send_fails_over(outbox: Outbox):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    await outbox.drain(outbox.worker(Scripted("webhook")))
    first = (await outbox.view(id_)).log[0]
    assert (first.outcome, first.text) == ("permanent", "this server has no channel for email")


async def test_a_retry_waits_as_long_as_the_receiver_asked(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(WEBHOOK)
    await outbox.drain(outbox.worker(Scripted("webhook", [Temporary("429", retry_after_s=20)])))
    assert ((await outbox.view(id_)).due_at - clock.now()).total_seconds() == 20


async def test_an_unexpected_error_in_a_channel_is_retried_as_a_repeat(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
):
    id_ = await outbox.add(EMAIL)
    channel = Scripted(script=[ZeroDivisionError("boom")])
    await outbox.drain(outbox.worker(channel), seconds=3)
    assert channel.sent == [(id_, False), (id_, True)]
    assert "failed unexpectedly" in caplog.text


async def test_a_channel_that_hangs_is_cut_at_half_the_lease_and_tried_again_as_a_repeat(outbox: Outbox):
    id_ = await outbox.add(EMAIL)
    channel = Scripted()
    channel.during = asyncio.Event().wait
    worker = outbox.worker(channel, lease_s=0.2)
    await worker()
    channel.during = None
    view = await outbox.view(id_)
    assert (view.state, view.repeat, view.error) == ("queued", True, "no answer within 0.1 s")
    await outbox.drain(worker, seconds=3)
    assert channel.sent == [(id_, False), (id_, True)]


async def test_a_cut_off_attempt_goes_out_again_marked_as_a_repeat(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(EMAIL)
    dying = Scripted(script=[asyncio.CancelledError()])
    with pytest.raises(asyncio.CancelledError):
        await outbox.worker(dying, holder="node-a")()
    survivor = Scripted()
    worker = outbox.worker(survivor, holder="node-b")
    assert not await worker()
    clock.advance(seconds=30)
    await outbox.drain(worker)
    assert survivor.sent == [(id_, True)]
    assert outcomes(await outbox.view(id_)) == ["cut-off", "sent"]


async def test_after_cancel_no_further_attempt_starts(outbox: Outbox):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    mail, webhook = Scripted("email", [Temporary("busy")] * 9), Scripted("webhook")
    worker = outbox.worker(mail, webhook)
    await outbox.drain(worker)
    assert await outbox.cancel() == 1
    await outbox.drain(worker, seconds=120)
    assert (len(mail.sent), len(webhook.sent)) == (1, 0)
    assert (await outbox.view(id_)).state == "cancelled"
    assert outbox.hooks.sent == outbox.hooks.failed == []


async def test_a_cancellation_between_claim_and_hand_over_stops_the_attempt(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
):
    await outbox.add(EMAIL)
    channel = Scripted()
    read = breaker.read

    async def cancelled_meanwhile(*args):
        await outbox.cancel()
        return await read(*args)

    monkeypatch.setattr(breaker, "read", cancelled_meanwhile)
    assert await outbox.worker(channel)() is True
    assert channel.sent == []


@pytest.mark.parametrize("result", ["250 OK", Temporary("busy"), Permanent("550")])
async def test_what_was_under_way_when_it_was_cancelled_is_noted_and_nothing_follows(outbox: Outbox, result):
    id_ = await outbox.add(EMAIL)
    channel = Scripted(script=[result])
    channel.during = outbox.cancel
    await outbox.drain(outbox.worker(channel), seconds=60)
    view = await outbox.view(id_)
    assert (view.state, len(channel.sent), len(view.log)) == ("cancelled", 1, 2)
    assert view.receipt == ("250 OK" if result == "250 OK" else None)
    assert outbox.hooks.after_commit == 0


async def test_the_hook_shares_the_transaction_of_the_outcome(outbox: Outbox):
    """What the hook wrote is undone when the delivery turns out to be cancelled."""
    await outbox.add(EMAIL)

    async def on_sent(conn, deliveries, receipt, method_kind):
        await conn.execute("INSERT INTO counters VALUES ('hook', 1)")

    outbox.hooks.on_sent = on_sent
    channel = Scripted()
    channel.during = outbox.cancel
    await outbox.worker(channel)()
    async with outbox.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM counters") == 0


async def test_an_acknowledgement_that_races_the_outcome_is_no_deadlock(outbox: Outbox):
    """Both lock the page's stream first and the delivery second; the acknowledgement comes first here."""
    id_ = await outbox.add(EMAIL)
    in_hook = asyncio.Event()

    async def on_sent(conn, deliveries, receipt, method_kind):
        in_hook.set()
        await event_log.lock_streams(conn, ["page/P-1"])

    outbox.hooks.on_sent = on_sent
    async with outbox.db.transaction() as conn:
        await event_log.lock_streams(conn, ["page/P-1"])
        delivering = asyncio.create_task(outbox.worker(Scripted())())
        await in_hook.wait()
        # The delivery's row must be free: PostgreSQL would only resolve a deadlock after its deadlock_timeout of 1 s.
        await conn.execute("SET LOCAL lock_timeout = '200ms'")
        assert await store.cancel(conn, about="P-1", now=outbox.clock.now(), reason="acknowledged") == 1
    assert await delivering is True
    view = await outbox.view(id_)
    assert (view.state, view.receipt) == ("cancelled", "250 OK")


@pytest.mark.parametrize("error", [RuntimeError("a bug"), Conflict("again"), asyncpg.DeadlockDetectedError("again")])
async def test_a_hook_that_keeps_failing_does_not_make_the_delivery_go_out_again(outbox: Outbox, error: Exception):
    id_ = await outbox.add(EMAIL)

    async def on_sent(conn, deliveries, receipt, method_kind):
        raise error

    outbox.hooks.on_sent = on_sent
    channel = Scripted()
    await outbox.drain(outbox.worker(channel), seconds=120)
    assert len(channel.sent) == 1
    assert (await outbox.view(id_)).state == "sent"


async def test_a_hook_that_meets_a_conflict_once_is_run_again(outbox: Outbox):
    await outbox.add(EMAIL)
    tries: list[int] = []

    async def on_sent(conn, deliveries, receipt, method_kind):
        tries.append(1)
        if len(tries) == 1:
            raise Conflict("somebody was faster")
        await conn.execute("INSERT INTO counters VALUES ('hook', 1)")

    outbox.hooks.on_sent = on_sent
    await outbox.worker(Scripted())()
    async with outbox.db.connection() as conn:
        assert await conn.fetchval("SELECT value FROM counters WHERE name = 'hook'") == 1


async def open_circuit(outbox: Outbox, name: str = "email") -> None:
    async with outbox.db.connection() as conn:
        for _ in range(breaker.OPEN_AFTER):
            await breaker.note(conn, name, "failure", outbox.clock.now(), "down")


async def test_while_the_breaker_is_open_a_page_goes_over_the_next_method_at_once(outbox: Outbox):
    await open_circuit(outbox)
    id_ = await outbox.add(EMAIL, WEBHOOK)
    mail, webhook = Scripted("email"), Scripted("webhook")
    await outbox.drain(outbox.worker(mail, webhook))
    assert (len(mail.sent), len(webhook.sent)) == (0, 1)
    assert outcomes(await outbox.view(id_)) == ["skipped", "sent"]


async def test_without_another_method_it_waits_for_the_half_open_breaker_and_closes_it(outbox: Outbox):
    await open_circuit(outbox)
    ids = [await outbox.add(EMAIL) for _ in range(3)]
    mail = Scripted("email")
    worker = outbox.worker(mail)
    await outbox.drain(worker, seconds=29)
    assert mail.sent == []
    assert (await outbox.view(ids[0])).state == "queued"
    await outbox.drain(worker, seconds=1)
    assert {id_ for id_, _ in mail.sent} == set(ids)
    view = await outbox.view(ids[0])
    assert (outcomes(view), view.attempts, view.repeat) == (["waiting", "sent"], 1, False)


async def test_five_failing_pages_open_the_breaker_and_the_rest_fail_over_without_trying(outbox: Outbox):
    for _ in range(8):
        await outbox.add(EMAIL, WEBHOOK)
    mail, webhook = Scripted("email", [Temporary("down")] * 50), Scripted("webhook")
    await outbox.drain(outbox.worker(mail, webhook))
    # The five that failed are due again at once when the fifth opens it, the other four after their delay.
    assert len(mail.sent) == breaker.OPEN_AFTER
    assert len(webhook.sent) == 4
    await outbox.drain(outbox.worker(mail, webhook), seconds=3)
    assert len(mail.sent) == breaker.OPEN_AFTER
    assert len(webhook.sent) == 8


async def test_a_half_open_breaker_lets_one_delivery_through_and_stays_open_when_that_fails(outbox: Outbox):
    await open_circuit(outbox)
    for _ in range(3):
        await outbox.add(EMAIL)
    mail = Scripted("email", [Temporary("still down")] * 9)
    await outbox.drain(outbox.worker(mail), seconds=30)
    assert len(mail.sent) == 1
    await outbox.drain(outbox.worker(mail), seconds=30)
    assert len(mail.sent) == 2


async def test_workers_side_by_side_deliver_everything_once(outbox: Outbox):
    ids = {await outbox.add(EMAIL) for _ in range(30)}
    channel = Scripted()

    async def work(holder: str) -> None:
        step = outbox.worker(channel, holder=holder)
        while await step():
            pass

    await asyncio.gather(*(work(f"node-{n}") for n in range(4)))
    assert sorted(id_ for id_, _ in channel.sent) == sorted(ids)


async def test_attempts_and_time_to_delivery_are_measured(outbox: Outbox, clock: FakeClock):
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = {o: value("sev1_deliveries_total", channel="email", outcome=o) for o in ("temporary", "sent")}
    seconds = value("sev1_delivery_seconds_sum", channel="email")
    await outbox.add(EMAIL)
    await outbox.drain(outbox.worker(Scripted(script=[Temporary("busy")])), seconds=3)
    assert value("sev1_deliveries_total", channel="email", outcome="temporary") == before["temporary"] + 1
    assert value("sev1_deliveries_total", channel="email", outcome="sent") == before["sent"] + 1
    assert 2 <= value("sev1_delivery_seconds_sum", channel="email") - seconds <= 3
    await open_circuit(outbox)
    assert value("sev1_channel_breaker_open", channel="email") == 1


async def test_a_page_goes_by_real_mail_and_the_all_clear_by_real_webhook(
    outbox: Outbox, clock: FakeClock, page: Notice, mailbox: Mailbox, receiver: Receiver, fetch: Fetch
):
    settings = Settings(smtp_host="localhost", smtp_port=mailbox.port)
    worker = outbox.worker(SmtpChannel(settings, clock), WebhookChannel(settings, clock, fetch))
    await outbox.add(EmailMethod(address="ana@example.com"))
    await outbox.add(WebhookMethod(url=receiver.url), notice=replace(page, kind="all-clear"))
    await outbox.drain(worker)
    assert len(mailbox.mails) == len(receiver.requests) == 1
    assert {kind for _, _, kind in outbox.hooks.sent} == {"email", "webhook"}


async def test_a_mail_server_that_hangs_does_not_hold_the_worker_longer_than_its_timeout(
    outbox: Outbox, clock: FakeClock, mailbox: Mailbox
):
    mailbox.hangs = True
    settings = Settings(smtp_host="localhost", smtp_port=mailbox.port)
    id_ = await outbox.add(EMAIL)
    await outbox.worker(SmtpChannel(settings, clock), lease_s=0.6)()
    view = await outbox.view(id_)
    assert (view.state, view.repeat, view.error) == ("queued", True, "no answer within 0.3 s")


async def test_without_a_mail_server_a_page_fails_over_and_says_which_setting_is_missing(
    outbox: Outbox, clock: FakeClock, receiver: Receiver, fetch: Fetch
):
    id_ = await outbox.add(EMAIL, WebhookMethod(url=receiver.url))
    await outbox.drain(outbox.worker(SmtpChannel(Settings(), clock), WebhookChannel(Settings(), clock, fetch)))
    view = await outbox.view(id_)
    assert (view.state, view.method_kind) == ("sent", "webhook")
    assert view.log[0].text == "no mail server is configured: set SEV1_SMTP_HOST"
