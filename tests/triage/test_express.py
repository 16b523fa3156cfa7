"""The express lane: the new problem is paged before the storm in front of it is read, and everything counts once."""

import random
from typing import Any

import pytest

from sev1.intake.formats import FORMATS
from sev1.intake.inbox import Address
from sev1.intake.lookout import Lookout
from sev1.triage.express import ExpressStep
from sev1.triage.step import TriageStep
from sev1.triage.tiers import urgency_of

from .world import World

STORM = {"alertname": "Storm", "service": "search", "severity": "critical"}
URGENT = {"alertname": "Down", "service": "checkout", "severity": "sev1", "summary": "Checkout is down"}


class Node:
    """Triage with small batches and an express lane, as intake would feed them while the inbox is long."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lookout = Lookout(lambda: 10**9, urgency_of)
        self.step = TriageStep(world.db, world.commands, world.catalogs, world.clock, batch_rows=1)
        self.express = ExpressStep(world.db, self.step, self.lookout)

    async def sends(self, *alerts: dict[str, str], key: int = 1, over: bool = False) -> Address:
        """A payload in the inbox, glanced at."""
        await self.world.prometheus(*alerts, key=key, over=over)
        row = (await self.world.rows("SELECT writer, id, raw FROM inbox ORDER BY writer DESC, id DESC LIMIT 1"))[0]
        format_ = FORMATS["prometheus"]
        address = Address(row["writer"], row["id"])
        self.lookout.look(key, format_.glances(format_.decode(row["raw"]), self.world.clock.now()), address)
        return address


@pytest.fixture
def node(world: World) -> Node:
    return Node(world)


async def test_a_new_problem_is_paged_before_the_storm_in_front_of_it_is_read(node: Node, world: World):
    for number in range(20):
        await node.sends({**STORM, "instance": str(number)})
    await node.sends(URGENT)
    assert await node.express() is True
    assert sorted(page.title for page in await world.pages()) == ["Checkout is down", "Storm"]
    assert len(await world.alerts()) == 2
    while await node.step():
        pass
    alerts = await world.alerts()
    assert len(alerts) == 21
    assert {alert.times for alert in alerts} == {1}
    assert len(await world.pages()) == 2
    assert await world.rows("SELECT 1 FROM inbox_taken") == []


async def test_the_rest_of_a_payload_waits_for_its_turn(node: Node, world: World):
    await node.sends(
        *({**STORM, "instance": str(number)} for number in range(5)), URGENT, {**STORM, "severity": "info"}
    )
    await node.express()
    assert [alert.summary for alert in await world.alerts(tier="page", service="checkout")] == ["Checkout is down"]
    before = len(await world.alerts())
    assert before < 7
    while await node.step():
        pass
    assert [alert.times for alert in await world.alerts()] == [1] * 7


async def test_nothing_noted_is_no_work(node: Node):
    assert await node.express() is False


async def test_what_triage_has_read_already_is_left_alone(node: Node, world: World):
    await node.sends(URGENT)
    while await node.step():
        pass
    node.lookout.look(1, [("sev1", ("Down", "checkout"))], Address(1, 1))
    await node.express()
    assert (await world.alert()).times == 1


async def test_a_payload_is_taken_once_even_when_it_is_noted_twice(node: Node, world: World):
    await node.sends({**STORM, "instance": "1"})
    address = await node.sends(URGENT)
    await node.express()
    node.lookout.caught_up()
    node.lookout.look(1, [("sev1", ("Down", "checkout"))], address)
    await node.express()
    while await node.step():
        pass
    assert [alert.times for alert in await world.alerts()] == [1, 1]


async def test_an_end_from_before_the_beginning_that_was_taken_ends_nothing(node: Node, world: World):
    """In the inbox: fires, is over, fires again. The last is taken first; the other two are the past."""
    for over in (False, True):
        await world.prometheus(URGENT, over=over)
    await node.sends(URGENT)
    await node.express()
    while await node.step():
        pass
    assert (await world.alert()).status == "firing"
    assert [page.status for page in await world.pages()] == ["triggered"]


async def test_an_end_that_came_later_ends_what_was_taken(node: Node, world: World):
    await node.sends({**STORM, "instance": "1"})
    await node.sends(URGENT)
    await node.sends(URGENT, over=True)
    await node.express()
    while await node.step():
        pass
    assert {alert.summary: alert.status for alert in await world.alerts()} == {
        "Storm": "firing",
        "Checkout is down": "resolved",
    }


async def test_what_fires_already_has_its_turn(node: Node, world: World):
    """Taking a repetition early would put it before an end that is still unread."""
    await world.prometheus(URGENT)
    await world.triage()
    await world.prometheus(URGENT, over=True)
    await node.sends(URGENT)
    await node.express()
    assert (await world.alert()).times == 1
    while await node.step():
        pass
    assert [alert.status for alert in await world.alerts()] == ["resolved", "firing"]


async def test_when_it_fails_nothing_is_lost(node: Node, world: World, monkeypatch: pytest.MonkeyPatch):
    await node.sends(URGENT)

    async def broken(*_: Any) -> Any:
        raise RuntimeError("boom")

    with monkeypatch.context() as patch:
        patch.setattr(node.step, "take", broken)
        with pytest.raises(RuntimeError, match="boom"):
            await node.express()
    while await node.step():
        pass
    assert (await world.page()).title == "Checkout is down"


@pytest.mark.parametrize("seed", range(12))
async def test_whenever_the_express_lane_runs_what_fires_in_the_end_is_the_same(node: Node, world: World, seed: int):
    rng = random.Random(seed)
    last: dict[str, bool] = {}
    for _ in range(25):
        chosen = rng.sample(["a", "b", "c", "d"], rng.randint(1, 3))
        over = rng.random() < 0.4
        last |= dict.fromkeys(chosen, not over)
        alerts = [{"alertname": name, "severity": "critical", "service": "checkout"} for name in chosen]
        await node.sends(*alerts, over=over)
        if rng.random() < 0.3:
            node.lookout.caught_up()
        for step in rng.choices([node.express, node.step], k=rng.randint(0, 2)):
            await step()
    while await node.step():
        pass
    firing = await world.alerts(status="firing")
    assert {alert.summary for alert in firing} == {name for name, fires in last.items() if fires}
    # What came and went often is flapping by now, and held.
    assert {page.title for page in await world.pages() if page.is_open} == {a.summary for a in firing if not a.held}
    assert await world.rows("SELECT 1 FROM inbox_taken") == []
