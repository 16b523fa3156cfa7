"""The outbox's rows: who may claim, change and cancel them."""

import asyncio
from uuid import UUID

from msgspec.structs import replace

from sev1.catalog.contact import EmailMethod
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.notify import bundle_store, store
from sev1.notify.model import Delivery, Notice

from .outbox_under_test import EMAIL, WEBHOOK, Outbox


async def claim(outbox: Outbox, holder: str = "a", lease_s: float = 30) -> Delivery | None:
    async with outbox.db.connection() as conn:
        return await store.claim_one(conn, holder, outbox.clock.now(), lease_s)


async def claimed(outbox: Outbox, holder: str = "a", lease_s: float = 30) -> Delivery:
    delivery = await claim(outbox, holder, lease_s)
    assert delivery is not None
    return delivery


async def wanted(outbox: Outbox, delivery: Delivery, holder: str = "a", need_s: float = 0) -> bool:
    async with outbox.db.connection() as conn:
        return bool(await bundle_store.still_wanted(conn, [delivery], holder, outbox.clock.now(), need_s=need_s))


async def mark_sent(outbox: Outbox, delivery: Delivery, holder: str = "a") -> bool:
    now = outbox.clock.now()
    async with outbox.db.connection() as conn:
        return await store.sent(conn, delivery, holder, "250 OK", now, delivery.attempt("sent", "250 OK", now))


async def test_a_delivery_exists_exactly_when_its_transaction_is_committed(outbox: Outbox, page: Notice):
    now = outbox.clock.now()
    async with outbox.db.connection() as conn, outbox.db.connection() as other:
        transaction = conn.transaction()
        await transaction.start()
        await store.enqueue(conn, about="P-1", person="ana", methods=[EMAIL], notice=page, now=now)
        assert await store.claim_one(other, "a", now, 30) is None
        await transaction.rollback()
        assert await store.claim_one(other, "a", now, 30) is None


async def test_a_claimed_delivery_carries_everything_that_was_enqueued(outbox: Outbox, page: Notice):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    delivery = await claimed(outbox)
    assert delivery == Delivery(
        id=id_,
        about="P-1",
        person="ana",
        methods=(EMAIL, WEBHOOK),
        method=0,
        notice=page,
        attempts=1,
        repeat=False,
        created_at=outbox.clock.now(),
    )


async def test_what_is_due_longest_is_claimed_first(outbox: Outbox, clock: FakeClock):
    first = await outbox.add(EMAIL)
    clock.advance(seconds=1)
    second = await outbox.add(EMAIL)
    assert [(await claimed(outbox)).id, (await claimed(outbox)).id] == [first, second]
    assert await claim(outbox) is None


async def test_workers_that_claim_at_once_never_get_the_same_delivery(outbox: Outbox):
    ids = {await outbox.add(EMAIL) for _ in range(20)}
    got = await asyncio.gather(*(claimed(outbox, f"node-{n % 3}") for n in range(20)))
    assert {delivery.id for delivery in got} == ids


async def test_a_cut_off_attempt_is_claimed_again_as_a_repeat_when_its_lease_ends(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(EMAIL)
    await claimed(outbox, "a", lease_s=30)
    clock.advance(seconds=29)
    assert await claim(outbox, "b") is None
    clock.advance(seconds=1)
    again = await claimed(outbox, "b")
    assert (again.id, again.repeat, again.attempts) == (id_, True, 2)
    assert [entry.outcome for entry in again.log] == ["cut-off"]


async def test_a_worker_that_lost_its_lease_changes_nothing(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(EMAIL, WEBHOOK)
    stalled = await claimed(outbox, "a")
    clock.advance(seconds=30)
    await claimed(outbox, "b")
    before = await outbox.view(id_)
    now = clock.now()
    entry = stalled.attempt("temporary", "late", now)
    async with outbox.db.connection() as conn:
        assert not await bundle_store.still_wanted(conn, [stalled], "a", now, need_s=0)
        assert not await store.sent(conn, stalled, "a", "250 OK", now, entry)
        assert not await store.retry(conn, stalled, "a", method=1, due_at=now, repeat=True, entry=entry)
        assert not await store.wait(conn, stalled, "a", method=1, due_at=now, entry=entry)
        assert not await store.failed(conn, stalled, "a", "late", now, entry)
        assert await store.use_method(conn, stalled, "a", 1, entry) is None
        await store.note_late(conn, stalled, "a", entry)
    assert await outbox.view(id_) == before


async def test_a_loop_that_lost_its_lease_to_another_loop_of_the_same_node_changes_nothing(
    outbox: Outbox, clock: FakeClock
):
    id_ = await outbox.add(EMAIL)
    stalled = await claimed(outbox, "node")
    clock.advance(seconds=30)
    await claimed(outbox, "node")
    assert not await mark_sent(outbox, stalled, "node")
    assert (await outbox.view(id_)).state == "sending"


async def test_a_claim_whose_lease_is_too_short_for_an_attempt_is_not_used(outbox: Outbox, clock: FakeClock):
    await outbox.add(EMAIL)
    delivery = await claimed(outbox, lease_s=30)
    clock.advance(seconds=19)
    assert await wanted(outbox, delivery, need_s=10)
    clock.advance(seconds=1)
    assert not await wanted(outbox, delivery, need_s=10)


async def test_after_cancel_nothing_is_claimed(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(EMAIL)
    assert await outbox.cancel("acknowledged by Bo") == 1
    assert await claim(outbox) is None
    view = await outbox.view(id_)
    assert (view.state, view.error, view.finished_at) == ("cancelled", "acknowledged by Bo", clock.now())


async def test_a_claimed_delivery_is_no_longer_wanted_once_the_cancellation_is_committed(outbox: Outbox):
    await outbox.add(EMAIL)
    delivery = await claimed(outbox)
    async with outbox.db.transaction() as conn:
        await store.cancel(conn, about="P-1", now=outbox.clock.now(), reason="acknowledged")
        assert await wanted(outbox, delivery)
    assert not await wanted(outbox, delivery)


async def test_a_cancelled_attempt_is_not_repeated_when_its_lease_ends(outbox: Outbox, clock: FakeClock):
    await outbox.add(EMAIL)
    await claimed(outbox)
    await outbox.cancel()
    clock.advance(hours=1)
    assert await claim(outbox) is None


async def test_what_arrived_in_spite_of_a_cancellation_says_so_and_stays_cancelled(outbox: Outbox):
    id_ = await outbox.add(EMAIL)
    delivery = await claimed(outbox)
    await outbox.cancel()
    assert not await mark_sent(outbox, delivery)
    async with outbox.db.connection() as conn:
        await store.note_late(conn, delivery, "a", delivery.attempt("sent", "250 OK", outbox.clock.now()))
    view = await outbox.view(id_)
    assert (view.state, view.receipt) == ("cancelled", "250 OK")
    assert [entry.outcome for entry in view.log] == ["cancelled", "sent"]


async def test_cancel_leaves_other_pages_other_kinds_and_what_was_sent(outbox: Outbox, page: Notice):
    now = outbox.clock.now()
    await outbox.add(EMAIL)
    assert await mark_sent(outbox, await claimed(outbox))
    resolved = await outbox.add(EMAIL, notice=replace(page, kind="page-resolved"))
    await outbox.add(EMAIL, notice=replace(page, about="P-2"))
    await outbox.add(EMAIL)
    async with outbox.db.transaction() as conn:
        assert await store.cancel(conn, about="P-1", now=now, reason="acknowledged") == 1
    assert (await outbox.view(resolved)).state == "queued"


async def test_a_node_that_starts_again_gives_its_own_deliveries_back_as_repeats(outbox: Outbox):
    mine, theirs = await outbox.add(EMAIL), await outbox.add(EMAIL)
    holders = {(await claimed(outbox, holder)).id: holder for holder in ("a", "b")}
    async with outbox.db.connection() as conn:
        assert await store.release(conn, "a", outbox.clock.now()) == 1
    again = await claimed(outbox, "a")
    assert (holders[again.id], again.repeat) == ("a", True)
    assert {again.id} < {mine, theirs}
    assert await claim(outbox, "a") is None


async def test_whoever_was_or_may_have_been_reached_by_a_page_is_known(outbox: Outbox, page: Notice):
    async def add(person: str, **changes: str) -> None:
        async with outbox.db.transaction() as conn:
            notice = replace(page, **changes)
            await store.enqueue(
                conn, about="P-1", person=person, methods=[EMAIL], notice=notice, now=outbox.clock.advance(seconds=1)
            )

    await add("sent")
    assert await mark_sent(outbox, await claimed(outbox))
    await add("told-of-the-end", kind="page-resolved")
    assert await mark_sent(outbox, await claimed(outbox))
    await add("under-way")
    await claimed(outbox)
    await add("still-queued")
    await outbox.cancel()
    async with outbox.db.connection() as conn:
        assert await store.people_reached(conn, "P-1") == ["sent", "under-way"]


async def test_a_wait_does_not_count_as_an_attempt(outbox: Outbox, clock: FakeClock):
    id_ = await outbox.add(EMAIL)
    delivery = await claimed(outbox)
    due = clock.advance(seconds=30)
    async with outbox.db.connection() as conn:
        assert await store.wait(conn, delivery, "a", method=0, due_at=due, entry=None)
    view = await outbox.view(id_)
    assert (view.state, view.attempts, view.due_at) == ("queued", 0, due)


async def test_addresses_are_masked_in_what_is_shown(outbox: Outbox, clock: FakeClock):
    async def shown(id_: UUID) -> str:
        return (await outbox.view(id_)).to

    assert await shown(await outbox.add(EmailMethod(address="ana@example.com"))) == "a…@example.com"
    assert await shown(await outbox.add(WEBHOOK)) == "https://hooks.example.com/…"


async def test_a_title_with_every_kind_of_character_comes_back_unchanged(db: Database, outbox: Outbox, page: Notice):
    title = 'Zahlung "kaputt" \\ \n\t 支払い 🛑 <b>&amp;'
    await outbox.add(EMAIL, notice=replace(page, title=title))
    assert (await claimed(outbox)).notice.title == title


async def test_a_screen_reads_the_newest_and_how_many_there_were_before(outbox: Outbox):
    added = []
    for _ in range(11):
        added.append(await outbox.add(EMAIL))
        outbox.clock.advance(seconds=1)
    async with outbox.db.connection() as conn:
        latest = await store.latest_about(conn, "P-1")
        none = await store.latest_about(conn, "P-2")
    assert [one.id for one in latest.shown] == added[:2:-1]
    assert latest.before == 3
    assert (none.shown, none.before) == ([], 0)
