"""A check: so many failures in a row are an alert, so many successes end it; one node at a time, all within bounds."""

import asyncio

from sev1.catalog.model import Check, HttpProbe
from sev1.watch import store
from sev1.watch.model import Outcome
from sev1.watch.step import AT_ONCE


def check_of(web, **fields) -> Check:
    return Check(name="shop", probe=HttpProbe(url=web.url), every_s=60, **fields)


async def test_it_fails_after_so_many_and_recovers_after_so_many(watching, web):
    await watching.has(checks=[check_of(web, fail_after=2, recover_after=2, severity="critical")])
    assert await watching.later(seconds=60) == []
    web.status = "503 Down"
    assert await watching.later(seconds=60) == []
    assert "1 of 2 failures" in (await watching.row("shop")).state.why
    [fails] = await watching.later(seconds=60)
    assert (fails["status"], fails["summary"]) == ("firing", "The check shop fails: It answers 503, not 200.")
    web.status = "200 OK"
    assert await watching.later(seconds=60) == []
    [over] = await watching.later(seconds=60)
    assert (over["status"], over["key"]) == ("resolved", "check/shop")


async def test_one_failure_between_successes_is_none(watching, web):
    await watching.has(checks=[check_of(web, fail_after=2)])
    await watching.run()
    for status in ("503 Down", "200 OK", "503 Down", "200 OK"):
        web.status = status
        assert await watching.later(seconds=60) == []


async def test_it_is_asked_as_often_as_it_says(watching, web):
    await watching.has(checks=[check_of(web)])
    await watching.later(minutes=5)
    assert len(web.requests) == 6


async def test_a_node_that_died_in_the_middle_is_taken_over_after_its_lease(watching, web):
    await watching.has(checks=[check_of(web)])
    async with watching.db.transaction() as conn:
        await store.sync(conn, [("check", "shop")], watching.clock.now())
        assert await store.claim(conn, holder="dead", now=watching.clock.now(), lease_s=90, limit=5)
    assert await watching.step() is False
    watching.clock.advance(seconds=91)
    assert await watching.step() is True
    assert len(web.requests) == 1


class Slow:
    """A probe that counts how many run at once."""

    def __init__(self) -> None:
        self.running = self.most = 0

    async def run(self, probe, *, timeout_s):
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return Outcome(ok=True, why="ok")


async def test_no_more_than_sixteen_run_at_once(watching, web):
    await watching.has(checks=[Check(name=f"c{n}", probe=HttpProbe(url=web.url)) for n in range(40)])
    watching.step._probes = slow = Slow()
    await watching.run()
    assert 1 < slow.most <= AT_ONCE


async def test_one_that_breaks_our_own_code_does_not_stop_the_others(watching, web):
    await watching.has(checks=[Check(name=n, probe=HttpProbe(url=web.url)) for n in ("bad", "good")])

    class Broken:
        times = 0

        async def run(self, probe, *, timeout_s):
            self.times += 1
            if self.times == 1:
                raise RuntimeError("a defect")
            return Outcome(ok=True, why="ok")

    watching.step._probes = Broken()
    await watching.step()
    assert [(await watching.row(name)).state.status for name in ("bad", "good")] in (
        ["waiting", "ok"],
        ["ok", "waiting"],
    )
    await watching.later(seconds=20)
    assert (await watching.row("bad")).state.status == (await watching.row("good")).state.status == "ok"
