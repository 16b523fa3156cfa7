"""Months of random signals, silences, answers and pauses: nobody who should be awake is asleep, and the other way round.

A failure prints its seed; run that seed again by putting it into `SEEDS`.
"""

import contextlib
import random
from datetime import timedelta
from uuid import UUID

import pytest

from sev1.engine.errors import Refused
from sev1.paging import model as paging
from sev1.triage import silences
from sev1.triage.pipeline import STILL_FIRING_AFTER

from .world import World

SEEDS = range(6)
STEPS = 60
SERVICES = ("checkout", "search", "unknown")
SEVERITIES = ("critical", "critical", "warning", "odd")


class Chaos:
    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.silenced: list[UUID] = []

    async def act(self) -> None:
        action = self.rng.choices(
            (self.fire, self.end, self.resend, self.silence, self.unsilence, self.answer, self.wait),
            (5, 3, 3, 1, 1, 2, 4),
        )[0]
        await action()
        if self.rng.random() < 0.7:
            await self.world.triage()

    async def fire(self) -> None:
        rng = self.rng
        labels = {
            "alertname": rng.choice(("DbDown", "Slow", "Errors")), "service": rng.choice(SERVICES),
            "severity": rng.choice(SEVERITIES), "env": "prod", "region": rng.choice(("eu", "us")),
            "kind": rng.choice(("app", "db")), "instance": str(rng.randrange(3)),
        }  # fmt: skip
        if rng.random() < 0.3:
            await self.world.pagerduty(
                "trigger", f"pd-{rng.randrange(3)}", severity=rng.choice(("critical", "warning"))
            )
        else:
            await self.world.prometheus(labels)

    async def end(self) -> None:
        if self.rng.random() < 0.3:
            await self.world.pagerduty(self.rng.choice(("resolve", "acknowledge")), f"pd-{self.rng.randrange(3)}")
        elif alert := await self.any_prometheus():
            await self.world.prometheus(alert, over=True)

    async def resend(self) -> None:
        if alert := await self.any_prometheus():
            await self.world.prometheus(alert)

    async def any_prometheus(self) -> dict[str, str] | None:
        found = [a.labels for a in await self.world.alerts(status="firing") if a.source == "prometheus"]
        return self.rng.choice(found) if found else None

    async def silence(self) -> None:
        matcher = self.rng.choice(('alertname="Slow"', 'region="eu"', 'source="host"', 'service="checkout",kind="app"'))
        self.silenced.append((await self.world.silence(matcher, minutes=self.rng.randrange(1, 40))).id)

    async def unsilence(self) -> None:
        if self.silenced:
            async with self.world.db.transaction() as conn:
                await silences.expire(conn, self.rng.choice(self.silenced), by="bo", now=self.world.clock.now())

    async def answer(self) -> None:
        pages = [page for page in await self.world.pages() if page.is_open]
        if pages:
            command = self.rng.choice((paging.Acknowledge(), paging.Resolve(), paging.Escalate()))
            # The policy may have no further step.
            with contextlib.suppress(Refused):
                await self.world.say(self.rng.choice(pages).key, command)

    async def wait(self) -> None:
        self.world.clock.advance(seconds=self.rng.randrange(1, 200))


async def check(world: World) -> None:
    pages = {page.key: page for page in await world.pages()}
    firing = await world.alerts(status="firing")
    awake = [a for a in firing if a.tier == "page" and a.held is None]
    for alert in awake:
        assert alert.page is not None, f"{alert.key} wakes nobody"
        page = pages[alert.page]
        recently = page.resolved_at and world.clock.now() - page.resolved_at < STILL_FIRING_AFTER + timedelta(minutes=5)
        assert page.is_open or (alert.expires_at and recently), f"{alert.key} fires and {page.key} is over"
        assert alert.verdict.page == alert.page
        assert len(alert.verdict.stages) == 6
    for page in pages.values():
        if page.is_open:
            assert any(a.page == page.key and a.held is None for a in firing), f"{page.key} is open for nothing"
    in_force = {str(row["id"]) for row in await world.rows(
        "SELECT id FROM silences WHERE starts_at <= $1 AND ends_at > $1", world.clock.now()
    )}  # fmt: skip
    for alert in firing:
        if alert.held == "silenced":
            assert alert.held_by in in_force, f"{alert.key} is held by a silence that is over"
        if alert.held == "inhibited":
            assert alert.held_by in {source.key for source in firing}, f"{alert.key} is held by nothing"
    groups = [page.group_key for page in pages.values() if page.is_open]
    assert len(groups) == len(set(groups))


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_each_alert_is_on_an_open_page_or_has_a_reason_not_to_be(world: World, seed: int):
    chaos = Chaos(world, seed)
    for number in range(STEPS):
        await chaos.act()
        if number % 10 == 9:
            await world.triage()
            try:
                await check(world)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, step {number}: {error}") from error
    assert await world.rows("SELECT 1 FROM misunderstood") == []
