"""Whatever fails, a payload takes effect exactly once, and none stops the others."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from sev1.engine.database import Database
from sev1.intake.inbox import Inbox
from sev1.paging import model as paging
from sev1.triage import step as step_module
from sev1.triage import store
from sev1.triage.pages import PagesByCommand
from sev1.triage.step import TriageStep

from .world import World

CHECKOUT = {
    "alertname": "HighErrors",
    "service": "checkout",
    "severity": "critical",
    "env": "prod",
    "summary": "42 % errors",
}


class Interrupted(PagesByCommand):
    """Paging that fails a number of times, or lets something happen at the worst moment."""

    def __init__(self, world: World, *errors: BaseException) -> None:
        super().__init__(world.commands)
        self.errors = list(errors)

    async def open(self, conn: asyncpg.Connection, pages: Any) -> Any:
        changes = await super().open(conn, pages)
        if self.errors:
            raise self.errors.pop(0)
        return changes


async def test_payloads_that_intake_stored_are_triaged(world: World, fresh_database_url: str):
    async with Inbox(fresh_database_url, world.clock) as inbox:
        body = msgspec.json.encode([{"labels": {"alertname": "X", "severity": "critical"}}])
        await asyncio.gather(*(inbox.submit(1, "prometheus", body, world.clock.now()) for _ in range(10)))
    assert await world.step() is True
    assert (await world.alert()).times == 10
    assert await world.step() is False


async def test_a_step_without_work_says_so(world: World):
    assert await world.step() is False
    assert await world.expire() is False
    # The first look at a catalog is one look; there is nothing to do about it.
    assert await world.recheck() is False


@pytest.mark.parametrize(
    "error",
    [
        OSError("connection lost"),
        asyncpg.AdminShutdownError(),
        asyncpg.DiskFullError(),
        asyncpg.UndefinedColumnError(),
        asyncio.CancelledError(),
    ],
)
async def test_a_crash_in_the_middle_leaves_nothing_and_the_next_try_does_it_once(world: World, error: BaseException):
    step = TriageStep(world.db, world.commands, world.catalogs, world.clock, pages=Interrupted(world, error))
    await world.prometheus(CHECKOUT)
    with pytest.raises(type(error)):
        await step()
    assert await world.alerts() == []
    assert await world.pages() == []
    assert await step() is True
    assert (await world.alert()).times == 1
    assert [p.key for p in await world.pages()] == ["P-1"]
    assert await step() is False
    assert await world.rows("SELECT 1 FROM misunderstood") == []


async def test_a_deadlock_is_tried_again_at_once(world: World):
    pages = Interrupted(world, asyncpg.DeadlockDetectedError(), asyncpg.SerializationError())
    step = TriageStep(world.db, world.commands, world.catalogs, world.clock, pages=pages)
    await world.prometheus(CHECKOUT)
    assert await step() is True
    assert len(await world.pages()) == 1


async def test_one_poisonous_payload_is_set_aside_and_the_others_go_on(world: World, monkeypatch, caplog):
    real = step_module.fold

    def fold(signals: Any, *rest: Any) -> Any:
        if any(signal.event.summary == "poison" for signal in signals):
            raise RuntimeError("boom")
        return real(signals, *rest)

    monkeypatch.setattr(step_module, "fold", fold)
    for name in ("a", "b", "poison", "c"):
        await world.prometheus({"alertname": name, "severity": "critical", "summary": name})
    await world.triage()
    assert [a.summary for a in await world.alerts()] == ["a", "b", "c"]
    (kept,) = await world.rows("SELECT key_id, format, error, raw FROM misunderstood")
    assert (kept["key_id"], kept["format"]) == (1, "prometheus")
    assert b"poison" in kept["raw"]
    assert "log says why" in kept["error"]
    assert "boom" in caplog.text
    await world.prometheus({"alertname": "d", "severity": "critical"})
    await world.triage()
    assert len(await world.alerts()) == 4


async def test_batches_are_small_at_the_beginning_and_under_pressure_and_large_while_a_backlog_is_worked_off(
    world: World, monkeypatch
):
    for number in range(40):
        await world.prometheus({"alertname": f"n{number:02}", "severity": "critical"})
    (size,) = await world.rows("SELECT max(length(raw)) AS bytes FROM inbox")
    monkeypatch.setattr(step_module, "BITE_BYTES", 3 * size["bytes"])
    busy = False
    step = TriageStep(
        world.db,
        world.commands,
        world.catalogs,
        world.clock,
        batch_bytes=10 * size["bytes"],
        must_give_way=lambda: busy,
    )

    async def taken() -> int:
        before = len(await world.alerts())
        await step()
        return len(await world.alerts()) - before

    assert await taken() == 3, "it may be the beginning of a storm"
    assert await taken() == 10
    busy = True
    assert await taken() == 3
    busy = False
    assert await taken() == 3, "what came meanwhile may be worse"
    assert await taken() == 10
    assert await taken() == 10
    assert await taken() == 1
    await step()
    for number in range(40, 50):
        await world.prometheus({"alertname": f"n{number:02}", "severity": "critical"})
    assert await taken() == 3, "after a pause, it may be the beginning again"


async def test_a_poisonous_payload_among_many_is_found_without_taking_all_of_them_singly(world: World, monkeypatch):
    real, sizes = step_module.fold, list[int]()

    def fold(signals: Any, *rest: Any) -> Any:
        sizes.append(len(signals))
        if any(signal.event.summary == "poison" for signal in signals):
            raise RuntimeError("boom")
        return real(signals, *rest)

    monkeypatch.setattr(step_module, "fold", fold)
    for number in range(60):
        name = "poison" if number == 41 else f"n{number}"
        await world.prometheus({"alertname": name, "severity": "critical", "summary": name})
    await world.triage()
    assert len(await world.alerts()) == 59
    assert len(sizes) < 25
    for number in range(60, 100):
        await world.prometheus({"alertname": f"n{number}", "severity": "critical"})
    sizes.clear()
    await world.triage()
    assert max(sizes) > 10, "and batches grow again"


@pytest.mark.parametrize(
    ("format_", "raw", "error"),
    [
        ("prometheus", b"[{", "not valid JSON"),
        ("morse", b"...---...", "does not know the format 'morse'"),
        ("pagerduty", b"[1]", ""),
    ],
)
async def test_a_payload_that_cannot_be_read_here_is_kept_and_the_batch_goes_on(world: World, format_, raw, error):
    await world.put(format_, raw)
    await world.prometheus(CHECKOUT)
    await world.triage()
    assert (await world.alert()).summary == "42 % errors"
    (kept,) = await world.rows("SELECT error, raw FROM misunderstood")
    assert error in kept["error"]
    assert kept["raw"] == raw


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "X" * 16_000, "severity": "critical"},
        {"alertname": "\ufffd\u202e'\"\\;--", "severity": "{}"},
        {"alertname": "X", "service": "null", "severity": "odd"},
        {f"l{n}": "v" * 1_000 for n in range(60)},
    ],
)
async def test_strange_labels_are_triaged_like_any_others(world: World, labels: dict[str, str]):
    await world.prometheus(labels)
    await world.triage()
    assert (await world.alert()).page == "P-1"
    assert await world.rows("SELECT 1 FROM misunderstood") == []


async def test_two_nodes_triage_one_after_the_other(world: World, fresh_database_url: str):
    async with Database(fresh_database_url, size=6) as other_db:
        other = World(other_db, world.clock)
        for _ in range(20):
            await asyncio.gather(
                world.prometheus(CHECKOUT), other.prometheus(CHECKOUT),
                world.step(), other.step(), world.recheck(), other.expire(),
            )  # fmt: skip
        await world.triage()
        assert (await world.alert()).times == 40
        assert len(await world.pages()) == 1


async def test_a_page_resolved_while_an_alert_joins_it_is_not_joined(world: World):
    """A person resolves P-1 after triage saw it open and before triage had it locked."""
    await world.prometheus({**CHECKOUT, "instance": "a"})
    await world.triage()

    class Late(PagesByCommand):
        async def lock(self, conn: asyncpg.Connection, pages: Any) -> set[str]:
            wanted = set(pages)
            if "P-1" in wanted and (await world.pages())[0].is_open:
                await world.say("P-1", paging.Resolve())
            return await super().lock(conn, wanted)

    step = TriageStep(world.db, world.commands, world.catalogs, world.clock, pages=Late(world.commands))
    await world.prometheus({**CHECKOUT, "instance": "b"})
    assert await step() is True
    assert [(a.labels["instance"], a.page) for a in await world.alerts()] == [("a", "P-1"), ("b", "P-2")]
    assert [p.status for p in await world.pages()] == ["resolved", "triggered"]


async def test_people_answering_pages_and_triage_do_not_block_each_other(world: World):
    for name in ("a", "b", "c"):
        await world.prometheus({"alertname": name, "severity": "critical"})
    await world.triage()

    async def answer(page: str) -> None:
        for _ in range(10):
            await world.say(page, paging.Acknowledge())

    async def resend() -> None:
        for number in range(10):
            await world.prometheus(
                *({"alertname": name, "severity": "critical", "n": str(number)} for name in ("c", "b", "a"))
            )
            await world.step()

    async with asyncio.timeout(30):
        await asyncio.gather(answer("P-1"), answer("P-2"), answer("P-3"), resend())
    assert [p.alert_count for p in await world.pages()] == [11, 11, 11]


async def test_a_stalled_node_loses_the_lock(world: World, monkeypatch):
    monkeypatch.setattr(store, "STALLED_AFTER", "100ms")
    await world.prometheus(CHECKOUT)
    conn = await world.db.pool.acquire()
    transaction = conn.transaction()
    await transaction.start()
    await store.begin(conn)
    async with asyncio.timeout(5):
        assert await world.step() is True
    assert len(await world.alerts()) == 1
    await world.db.pool.release(conn)


async def test_a_storm_of_five_thousand_alerts_is_one_page_with_the_right_count(world: World):
    labels = {name: value for name, value in CHECKOUT.items() if name != "summary"}
    now = world.clock.now()
    for request in range(50):
        body = [
            {
                "labels": {**labels, "instance": f"{request}-{n}"},
                "annotations": {"description": "Requests fail. " * 30},
                "endsAt": now + timedelta(minutes=4),
            }
            for n in range(100)
        ]
        await world.put("prometheus", msgspec.json.encode(body))
    batches = await world.triage()
    assert batches > 1
    page = await world.page()
    assert page.alert_count == 5_000
    (counts,) = await world.rows(
        "SELECT count(*), count(DISTINCT fingerprint) AS kinds, min(page), max(page) FROM alerts"
    )
    assert tuple(counts) == (5_000, 5_000, "P-1", "P-1")
    world.clock.advance(minutes=5)
    await world.triage()
    assert (await world.page()).status == "resolved"
    assert await world.rows("SELECT 1 FROM alerts WHERE status = 'firing'") == []


async def test_a_storm_that_repeats_itself_opens_nothing_new(world: World):
    storm = [{**CHECKOUT, "instance": f"web-{n}"} for n in range(300)]
    for _ in range(4):
        await world.prometheus(*storm)
        await world.triage()
    assert (await world.page()).alert_count == 300
    (row,) = await world.rows("SELECT sum(times), count(*) FROM alerts")
    assert tuple(row) == (1_200, 300)
