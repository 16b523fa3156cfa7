"""A sign of life that does not come is an alert; one that sev1 could not hear is not."""

from datetime import datetime, timedelta

import pytest

from sev1.catalog.model import Heartbeat
from sev1.watch import store

NIGHTLY = Heartbeat(name="backup", every_s=60, grace_s=30, severity="warning")


async def test_one_that_does_not_come_is_an_alert_and_one_that_comes_again_ends_it(watching):
    await watching.has(heartbeats=[NIGHTLY])
    await watching.run()
    await watching.ping("backup")
    assert await watching.later(seconds=80) == []
    [missed] = await watching.later(seconds=20)
    assert (missed["status"], missed["key"], missed["severity"]) == ("firing", "heartbeat/backup", "warning")
    assert "Missed: expected every 60 s" in missed["annotations"]["why"]
    await watching.ping("backup")
    [back] = await watching.later(seconds=1)
    assert (back["status"], back["key"]) == ("resolved", "heartbeat/backup")


async def test_one_that_comes_in_time_is_never_missed(watching):
    await watching.has(heartbeats=[NIGHTLY])
    for _ in range(10):
        await watching.ping("backup")
        assert await watching.later(seconds=60) == []
    assert (await watching.row("backup")).state.status == "ok"


async def test_one_that_never_came_is_missed_from_when_the_catalog_first_had_it(watching):
    await watching.has(heartbeats=[NIGHTLY])
    assert await watching.later(seconds=80) == []
    [missed] = await watching.later(seconds=20)
    assert "never heard of" in missed["annotations"]["why"]


async def test_a_time_in_which_sev1_was_away_is_not_missed(watching):
    await watching.has(heartbeats=[NIGHTLY])
    await watching.ping("backup")
    await watching.run()
    watching.clock.advance(hours=8)  # nobody runs
    watching.step = watching.node("one")
    assert await watching.later(seconds=80) == []
    assert "sev1 was away" in (await watching.row("backup")).state.why
    assert [event["status"] for event in await watching.later(seconds=20)] == ["firing"]


async def test_a_short_restart_does_not_forgive_a_miss(watching):
    await watching.has(heartbeats=[NIGHTLY])
    await watching.ping("backup")
    await watching.later(seconds=50)
    watching.clock.advance(seconds=45)
    watching.step = watching.node("one")
    assert [event["status"] for event in await watching.later(seconds=1)] == ["firing"]


async def test_that_somebody_listens_is_written_down_every_ten_seconds_not_every_time(watching):
    async def said_at() -> datetime:
        async with watching.db.connection() as conn:
            return await conn.fetchval("SELECT last_at FROM watch_listening")

    began = watching.clock.now()
    await watching.run()
    for _ in range(9):
        watching.clock.advance(seconds=1)
        await watching.run()
    assert await said_at() == began
    watching.clock.advance(seconds=1)
    await watching.run()
    assert await said_at() == began + timedelta(seconds=10)


async def test_what_was_missed_before_sev1_was_away_does_not_recover_by_that(watching):
    await watching.has(heartbeats=[NIGHTLY])
    await watching.ping("backup")
    await watching.later(seconds=100)
    watching.clock.advance(hours=1)
    assert [event for event in await watching.later(seconds=30) if event["status"] == "resolved"] == []
    assert (await watching.row("backup")).state.firing


async def test_it_says_so_again_while_it_lasts(watching):
    await watching.has(heartbeats=[NIGHTLY])
    said = await watching.later(minutes=5)
    assert len(said) > 2
    assert {event["key"] for event in said} == {"heartbeat/backup"}


async def test_one_that_is_taken_out_of_the_catalog_ends_its_alert(watching):
    await watching.has(heartbeats=[NIGHTLY])
    await watching.later(seconds=100)
    await watching.has(heartbeats=[])
    [over] = await watching.later(seconds=1)
    assert (over["status"], over["key"]) == ("resolved", "heartbeat/backup")


async def test_two_nodes_do_not_look_at_the_same_one(watching):
    await watching.has(heartbeats=[NIGHTLY])
    other = watching.node("two")
    await watching.run()
    watching.clock.advance(seconds=59)
    await watching.step()
    watching.clock.advance(seconds=59)
    assert [await watching.step(), await other()] == [True, False]
    assert len(await watching.said()) == 1


async def test_a_node_that_dies_after_it_said_so_says_it_again_and_never_not_at_all(watching, monkeypatch):
    await watching.has(heartbeats=[NIGHTLY])
    await watching.later(seconds=80)

    async def dies(*_, **__):
        raise OSError("the node is gone")

    with monkeypatch.context() as patched:
        patched.setattr(store, "save", dies)
        watching.clock.advance(seconds=20)
        with pytest.raises(OSError, match="gone"):
            await watching.step()
    assert [event["status"] for event in await watching.said()] == ["firing"]
    watching.step = watching.node("two")
    # The other node listens all the while, and takes the heartbeat over when the lease has ended.
    assert [event["key"] for event in await watching.later(seconds=91)] == ["heartbeat/backup"]
