"""Storm control: one person gets a bundle, the count is right, and what is worst is never hidden in it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sev1.engine.clock import FakeClock
from sev1.notify import store
from sev1.notify.bundle import HOLD_FOR, Recent, held_until
from sev1.notify.channels import Permanent, Temporary
from sev1.notify.model import Notice

from .outbox_under_test import EMAIL, WEBHOOK, Outbox, Scripted


@pytest.fixture
def small(page: Notice) -> Notice:
    return replace(page, severity="sev-2")


async def queue(outbox: Outbox, notice: Notice, *numbers: int, person: str = "ana", methods=(EMAIL,)) -> None:
    """Pages P-n, all at once, as one storm's batch of triage does it."""
    queued = [
        store.Queued(
            about=f"P-{n}",
            person=person,
            methods=methods,
            notice=replace(notice, about=f"P-{n}", title=f"Fault {n}", url=f"http://sev1.example/pages/P-{n}"),
        )
        for n in numbers
    ]
    async with outbox.db.transaction() as conn:
        await store.enqueue_many(conn, queued, outbox.clock.now())


async def states(outbox: Outbox) -> dict[str, str]:
    async with outbox.db.connection() as conn:
        return dict(await conn.fetch("SELECT about, state FROM deliveries"))


async def test_three_hundred_pages_at_once_are_one_message_that_says_three_hundred(outbox: Outbox, small: Notice):
    await queue(outbox, small, *range(1, 301))
    channel = Scripted()
    await outbox.drain(outbox.worker(channel))
    (notice,) = channel.notices
    assert notice.title == "300 pages at once: 300 SEV-2"
    assert notice.url == "http://sev1.example/"
    assert [other.about for other in notice.others] == [f"P-{n}" for n in range(1, 301)]
    assert notice.body.splitlines()[0] == "P-1 [SEV-2?] checkout: Fault 1"
    assert notice.body.splitlines()[-1] == "and 290 more"
    assert set((await states(outbox)).values()) == {"sent"}
    assert len(outbox.hooks.sent) == 300, "each page is told that it went out"


async def test_two_at_once_come_as_they_are(outbox: Outbox, small: Notice):
    await queue(outbox, small, 1, 2)
    channel = Scripted()
    await outbox.drain(outbox.worker(channel))
    assert [notice.title for notice in channel.notices] == ["Fault 1", "Fault 2"]


async def test_a_storm_of_a_minute_is_three_messages_and_then_a_bundle_every_half_minute(
    outbox: Outbox, small: Notice, clock: FakeClock
):
    channel = Scripted()
    step = outbox.worker(channel)
    for second in range(60):
        await queue(outbox, small, *range(second * 5, second * 5 + 2))
        await outbox.drain(step, seconds=1)
    await outbox.drain(step, seconds=60)
    counts = [len(notice.others) or 1 for notice in channel.notices]
    assert len(counts) <= 7
    assert sum(counts) == 120, "every page is in exactly one message"
    assert counts[:3] == [1, 1, 1]
    assert set((await states(outbox)).values()) == {"sent"}


async def test_whatever_is_held_back_says_so_and_waits_at_most_half_a_minute(outbox: Outbox, small: Notice):
    channel = Scripted()
    step = outbox.worker(channel)
    for n in range(1, 5):
        await queue(outbox, small, n)
        await outbox.drain(step)
    assert len(channel.sent) == 3
    async with outbox.db.connection() as conn:
        (view,) = await store.deliveries_about(conn, "P-4")
    assert (view.state, view.attempts) == ("queued", 0)
    assert [entry.outcome for entry in view.log] == ["waiting"]
    assert "it comes with others at" in view.log[0].text
    await outbox.drain(step, seconds=30)
    assert [notice.about for notice in channel.notices] == ["P-1", "P-2", "P-3", "P-4"]


@pytest.mark.parametrize("severity", ["sev-0", "sev-1"])
async def test_what_is_worst_goes_out_at_once_and_alone_in_the_middle_of_a_storm(
    outbox: Outbox, small: Notice, severity: str
):
    channel = Scripted()
    step = outbox.worker(channel)
    await queue(outbox, small, *range(1, 101))
    await outbox.drain(step, seconds=1)
    await queue(outbox, small, *range(101, 104))
    await outbox.drain(step, seconds=1)
    await queue(outbox, small, *range(104, 107))
    await queue(outbox, replace(small, severity=severity), 500)
    await queue(outbox, small, *range(107, 110))
    await outbox.drain(step)
    assert any(n.about == "P-500" and not n.others for n in channel.notices)
    assert all("P-500" not in [other.about for other in n.others] for n in channel.notices)


async def test_a_drill_is_never_mixed_with_what_is_real(outbox: Outbox, small: Notice):
    await queue(outbox, small, 1, 2, 3)
    await queue(outbox, replace(small, drill=True), 4)
    channel = Scripted()
    await outbox.drain(outbox.worker(channel))
    assert sorted((n.drill, len(n.others)) for n in channel.notices) == [(False, 3), (True, 0)]


async def test_another_person_has_a_count_of_their_own(outbox: Outbox, small: Notice):
    await queue(outbox, small, *range(1, 11))
    await queue(outbox, small, *range(1, 6), person="bo")
    channel = Scripted()
    await outbox.drain(outbox.worker(channel))
    assert sorted(len(n.others) for n in channel.notices) == [5, 10]


async def test_what_was_acknowledged_before_the_bundle_left_is_not_in_it(outbox: Outbox, small: Notice):
    await queue(outbox, small, 1, 2, 3, 4, 5)
    async with outbox.db.transaction() as conn:
        await store.cancel(conn, about="P-2", now=outbox.clock.now(), reason="Acknowledged by Bo.")
    channel = Scripted()
    await outbox.drain(outbox.worker(channel))
    (notice,) = channel.notices
    assert notice.title.startswith("4 pages")
    assert "P-2" not in [other.about for other in notice.others]


async def test_one_acknowledged_while_the_bundle_left_costs_the_others_nothing(outbox: Outbox, small: Notice):
    await queue(outbox, small, 1, 2, 3, 4)
    channel = Scripted()

    async def acknowledge() -> None:
        async with outbox.db.transaction() as conn:
            await store.cancel(conn, about="P-3", now=outbox.clock.now(), reason="Acknowledged by Bo.")

    channel.during = acknowledge
    await outbox.drain(outbox.worker(channel))
    assert await states(outbox) == {"P-1": "sent", "P-2": "sent", "P-3": "cancelled", "P-4": "sent"}
    assert outbox.hooks.after_commit == 1, "told once, in the transaction that stayed"
    assert len(outbox.hooks.sent[4:]) == 3
    async with outbox.db.connection() as conn:
        (view,) = await store.deliveries_about(conn, "P-3")
    assert view.receipt == "250 OK", "that it arrived stands in the record"


async def test_a_bundle_that_fails_is_tried_again_whole_and_fails_over_whole(outbox: Outbox, small: Notice):
    await queue(outbox, small, *range(1, 21), methods=(EMAIL, WEBHOOK))
    mail, hook = Scripted("email", [Temporary("451 busy"), Permanent("550 no such mailbox")]), Scripted("webhook")
    await outbox.drain(outbox.worker(mail, hook), seconds=30)
    assert len(mail.sent) == 2
    assert [len(n.others) for n in hook.notices] == [20]
    assert set((await states(outbox)).values()) == {"sent"}


async def test_a_bundle_whose_worker_died_goes_out_again_as_a_repeat(outbox: Outbox, small: Notice):
    class DiesError(BaseException):
        pass

    await queue(outbox, small, *range(1, 8))
    with pytest.raises(DiesError):
        await outbox.worker(Scripted(script=[DiesError()]), holder="a", lease_s=20)()
    outbox.clock.advance(seconds=21)
    channel = Scripted()
    await outbox.drain(outbox.worker(channel, holder="b"), seconds=60)
    assert [len(n.others) for n in channel.notices] == [7], "whole, as it went out before"
    assert channel.notices[0].title == "7 pages at once: 7 SEV-2"
    assert [repeat for _, repeat in channel.sent] == [True]
    assert set((await states(outbox)).values()) == {"sent"}


async def test_workers_at_once_do_not_put_back_what_one_of_them_is_about_to_take(outbox: Outbox, small: Notice):
    channel = Scripted()
    workers = [outbox.worker(channel) for _ in range(4)]
    for n in (1, 2, 3):
        await queue(outbox, small, n)
        await outbox.drain(workers[0])
    await queue(outbox, small, *range(4, 44))
    await outbox.drain(workers[0])
    assert len(channel.notices) == 3
    for _ in range(2):
        outbox.clock.advance(seconds=30)
        for _ in range(4):
            await asyncio.gather(*(step() for step in workers))
    counts = [len(n.others) or 1 for n in channel.notices[3:]]
    assert sum(counts) == 40
    assert counts[0] >= 40 - 3, (
        "half a minute, one message: at most what the other three were just claiming comes later"
    )
    async with outbox.db.connection() as conn:
        assert await conn.fetchval("SELECT max(attempts) FROM deliveries") == 1


async def test_that_pages_are_over_is_one_message_too(outbox: Outbox, small: Notice):
    await queue(outbox, replace(small, kind="page-resolved"), 1, 2, 3)
    channel = Scripted()
    await outbox.drain(outbox.worker(channel))
    assert [n.title for n in channel.notices] == ["3 pages are over"]


def test_the_wait_ends_half_a_minute_after_the_last_message() -> None:
    now = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
    last = now - timedelta(seconds=10)
    assert held_until(Recent(messages=2, last_at=last), now) is None
    assert held_until(Recent(messages=3, last_at=last), now) == last + HOLD_FOR
    assert held_until(Recent(messages=3, last_at=now - HOLD_FOR), now) is None
    assert held_until(Recent(messages=0, last_at=None), now) is None
